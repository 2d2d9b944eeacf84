//! Copies of snapshots, from other accounts and regions too.

use super::fault::{Fault, fault};
use super::shared::{Ask, Rds, at};
use super::snapshots::{must_be_ready, restorable, room_for};
use super::state::{COPY_QUOTA, Making, Snapshot, Tags, arn, parse_arn};
use super::xml;
use std::sync::Arc;

fn tags_of_copy(ask: &Ask<'_>, source: &Snapshot) -> Tags {
    let mut tags = match ask.params.flag("CopyTags") {
        Some(true) => source.tags.clone(),
        _ => Tags::new(),
    };
    tags.extend(ask.params.tags());
    tags
}

impl Rds {
    pub(super) fn copy_snapshot(self: &Arc<Self>, ask: &Ask<'_>) -> Result<String, Fault> {
        let source_name = ask.params.need("SourceDBClusterSnapshotIdentifier")?;
        let id = ask.params.new_id("TargetDBClusterSnapshotIdentifier")?;
        let from = parse_arn(source_name)
            .map_or(ask.region, |(r, _, _)| r)
            .to_owned();
        let other = from != ask.region;
        if other && self.is_down(&from) {
            return Err(fault(
                "ServiceUnavailable",
                format!("{from} does not answer."),
            ));
        }
        let ready_at = self.after(self.durations().copy_s);
        let account = self.account_of(ask);
        let (answer, source_id) = self.change(|state| {
            let source = restorable(state, &from, ask.who, source_name)?.clone();
            must_be_ready(&source, ask.now)?;
            self.usable(&source.kms_key)?;
            let key = match ask.params.get("KmsKeyId") {
                None if other => {
                    return Err(fault(
                        "InvalidParameterCombination",
                        "KmsKeyId must be given to copy an encrypted snapshot from another region.",
                    ));
                }
                None => source.kms_key.clone(),
                given => self.key(ask.region, given)?,
            };
            let region = state.region_mut(ask.region);
            room_for(region, &account, &id)?;
            if other && region.copies_under_way(&account, ask.now) >= COPY_QUOTA {
                return Err(fault(
                    "SnapshotQuotaExceeded",
                    format!(
                        "Cannot copy more than {COPY_QUOTA} snapshots from other regions at a time."
                    ),
                ));
            }
            let tags = tags_of_copy(ask, &source);
            let snapshot = Snapshot {
                id: id.clone(),
                account: account.clone(),
                created: source.created,
                kms_key: key,
                tags,
                shared_with: Vec::new(),
                source: Some(arn(&from, &source.account, "cluster-snapshot", &source.id)),
                from_other_region: other,
                bytes: 0,
                making: Making::until(ready_at),
                ..source.clone()
            };
            let answer = xml::snapshot(ask.region, &snapshot, ask.now, true);
            region.snapshots.insert(id.clone(), snapshot);
            Ok((answer, source.id))
        })?;
        let (rds, region) = (self.clone(), ask.region.to_owned());
        tokio::spawn(async move {
            let copied = rds
                .engine
                .copy_snapshot(&at(&from, &source_id), &at(&region, &id))
                .await;
            rds.snapshot_done(&region, &id, copied).await;
        });
        Ok(answer)
    }
}
