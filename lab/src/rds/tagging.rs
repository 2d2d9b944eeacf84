//! Tags of clusters, instances and snapshots, by ARN.

use super::allow::allowed_on;
use super::fault::{Fault, denied, fault, no_cluster, no_instance, no_snapshot};
use super::shared::{Ask, Rds};
use super::state::{State, Tags, arn, parse_arn};
use super::xml;

fn tags_of<'s>(state: &'s mut State, ask: &Ask<'_>) -> Result<&'s mut Tags, Fault> {
    let name = ask.params.need("ResourceName")?;
    let wrong = || {
        fault(
            "InvalidParameterValue",
            format!("The ARN {name} is not valid."),
        )
    };
    let (region, kind, id) = parse_arn(name)
        .filter(|(r, _, _)| *r == ask.region)
        .ok_or_else(wrong)?;
    let known = state.region_mut(region);
    let (found, missing) = match kind {
        "cluster" => (
            known
                .clusters
                .get_mut(id)
                .map(|c| (&c.account, &mut c.tags)),
            no_cluster(id),
        ),
        "db" => (
            known
                .instances
                .get_mut(id)
                .map(|i| (&i.account, &mut i.tags)),
            no_instance(id),
        ),
        "cluster-snapshot" => (
            known
                .snapshots
                .get_mut(id)
                .map(|s| (&s.account, &mut s.tags)),
            no_snapshot(id),
        ),
        _ => return Err(wrong()),
    };
    let own = found
        .filter(|(account, _)| ask.who.owns(account) && arn(region, account, kind, id) == name);
    own.map(|(_, tags)| tags).ok_or(missing)
}

impl Rds {
    pub(super) fn list_tags(&self, ask: &Ask<'_>) -> Result<String, Fault> {
        let mut state = self.read(State::clone);
        tags_of(&mut state, ask).map(|t| xml::tags(t))
    }

    pub(super) fn add_tags(&self, ask: &Ask<'_>) -> Result<String, Fault> {
        self.change(|state| {
            let tags = tags_of(state, ask)?;
            if !allowed_on(ask.who.role, tags) {
                return Err(denied("rds:AddTagsToResource"));
            }
            tags.extend(ask.params.tags());
            Ok(String::new())
        })
    }

    pub(super) fn remove_tags(&self, ask: &Ask<'_>) -> Result<String, Fault> {
        self.change(|state| {
            let keys = ask.params.list("TagKeys");
            tags_of(state, ask)?.retain(|k, _| !keys.contains(&k.as_str()));
            Ok(String::new())
        })
    }
}
