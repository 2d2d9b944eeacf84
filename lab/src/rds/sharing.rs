//! Who else may restore a snapshot.

use super::fault::{Fault, fault};
use super::shared::{Ask, Rds};
use super::snapshots::{must_be_ready, own};
use super::state::Snapshot;
use super::xml;

impl Rds {
    pub(super) fn describe_attributes(&self, ask: &Ask<'_>) -> Result<String, Fault> {
        let name = ask.params.need("DBClusterSnapshotIdentifier")?;
        let mut region = self.read(|s| s.region(ask.region));
        own(&mut region, ask, name).map(|s| attributes(s))
    }

    pub(super) fn modify_attribute(&self, ask: &Ask<'_>) -> Result<String, Fault> {
        let name = ask.params.need("DBClusterSnapshotIdentifier")?;
        if ask.params.need("AttributeName")? != "restore" {
            return Err(fault(
                "InvalidParameterValue",
                "AttributeName must be restore.",
            ));
        }
        let (add, remove) = (
            ask.params.list("ValuesToAdd"),
            ask.params.list("ValuesToRemove"),
        );
        let account = |v: &&str| v.len() == 12 && v.bytes().all(|b| b.is_ascii_digit());
        if let Some(wrong) = add.iter().chain(&remove).find(|v| !account(v)) {
            return Err(fault(
                "InvalidParameterValue",
                format!("{wrong} is no account; an encrypted snapshot cannot be public."),
            ));
        }
        self.change(|state| {
            let snapshot = own(state.region_mut(ask.region), ask, name)?;
            must_be_ready(snapshot, ask.now)?;
            snapshot
                .shared_with
                .retain(|a| !remove.contains(&a.as_str()) && !add.contains(&a.as_str()));
            snapshot
                .shared_with
                .extend(add.iter().map(|a| (*a).to_owned()));
            Ok(attributes(snapshot))
        })
    }
}

fn attributes(snapshot: &Snapshot) -> String {
    let values: String = snapshot
        .shared_with
        .iter()
        .map(|a| xml::element("AttributeValue", a))
        .collect();
    let attribute =
        xml::element("AttributeName", "restore") + &xml::wrap("AttributeValues", values);
    let list = xml::wrap(
        "DBClusterSnapshotAttributes",
        xml::wrap("DBClusterSnapshotAttribute", attribute),
    );
    xml::wrap(
        "DBClusterSnapshotAttributesResult",
        xml::element("DBClusterSnapshotIdentifier", &snapshot.id) + &list,
    )
}
