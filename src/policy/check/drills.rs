//! The drill: where it restores, and what it asks there.

use super::trouble::Found;
use crate::model::{Name, SourceId};
use crate::policy::{Databases, Policy, Source};
use crate::report::Code;

pub(super) fn drill(policy: &Policy, found: &mut Found) {
    let Some(drill) = &policy.drill else {
        found.warning(
            Code::NoDrill,
            "drill",
            "without a drill nothing is ever proven, and `status --check` fails",
        );
        return;
    };
    let production = policy.clusters().any(|c| c.account == drill.account);
    let clusters = policy.clusters().next().is_some();
    if production && !drill.same_account {
        found.error(
            Code::DrillInProduction,
            "drill.account",
            "this is production's account; a drill there needs `same_account: true`",
        );
    }
    if clusters && !policy.targets.iter().any(|t| t.snapshots.is_some()) {
        found.error(
            Code::DrillNoCopy,
            "drill.cluster",
            "no target has `snapshots`, so there is no snapshot copy to restore",
        );
    }
    if policy
        .targets
        .iter()
        .any(|t| t.bucket == drill.scratch_bucket)
    {
        found.error(
            Code::DrillScratch,
            "drill.scratch_bucket",
            "a vault cannot be the scratch bucket",
        );
    }
}

/// An assertion is asked in one database, and that is to be said where there are several.
pub(super) fn assertions(policy: &Policy, found: &mut Found) {
    let all = policy
        .drill
        .iter()
        .flat_map(|d| d.assertions.iter().enumerate());
    for (n, assertion) in all {
        let of = (assertion.source.as_ref(), assertion.database.as_ref());
        if let Err((field, message)) = asked(policy, of) {
            let place = format!("drill.assertions[{n}].{field}");
            found.error(Code::PolicyAssertion, place, message);
        }
    }
}

/// Whether it is clear which database is asked. Else the field that should say it, and why it does
/// not.
pub(super) fn asked(
    policy: &Policy,
    (wanted, database): (Option<&SourceId>, Option<&Name>),
) -> Result<(), (&'static str, String)> {
    let named = |s: &&Source| wanted.is_none_or(|w| w == s.id());
    let servers = || policy.sources.iter().filter(|s| s.databases().is_some());
    let mut asked = servers().filter(named);
    let (first, second) = (asked.next(), asked.next());
    let source = first.ok_or_else(|| {
        let message = match wanted {
            Some(wanted) => format!("there is no source of databases `{wanted}`"),
            None => "there is no source of databases to ask".to_owned(),
        };
        ("source", message)
    })?;
    if second.is_some() {
        let message = "several sources have databases; say with `source` which one is asked";
        return Err(("source", message.to_owned()));
    }
    // Of `all` there may be several at any time.
    let one = matches!(source.databases(), Some(Databases::These(names)) if names.len() == 1);
    let unsaid = database.is_none() && !one;
    let known = |d: &&Name| source.databases().is_none_or(|all| all.names(d));
    let message = match database.filter(|d| !known(d)) {
        _ if unsaid => format!(
            "source `{}` has several databases; say with `database` which one is asked",
            source.id()
        ),
        Some(foreign) => format!(
            "`{foreign}` is none of the `databases` of `{}`",
            source.id()
        ),
        None => return Ok(()),
    };
    Err(("database", message))
}
