//! Where the roles of a server differ from those of a dump.

use super::super::platform;
use super::action::attributes;
use crate::database::found::Difference;
use crate::manifest::{Membership, RoleRow, Roles};

/// In the order of the dump's roles. `here` is the server that is restored into.
pub(in crate::database::postgres) fn differences(wanted: &Roles, here: &Roles) -> Vec<Difference> {
    let mut all = Vec::new();
    for role in wanted.roles.iter().filter(|r| !platform::role(&r.name)) {
        match here.roles.iter().find(|h| h.name == role.name) {
            Some(found) => all.extend(of_role(role, found)),
            None => all.push(difference(&role.name, "", "is not there")),
        }
    }
    let exists = |name: &str| here.roles.iter().any(|r| r.name == name);
    for membership in wanted.memberships.iter().filter(|m| exists(&m.member)) {
        all.extend(of_membership(membership, here));
    }
    for grant in wanted.parameters.iter().filter(|p| exists(&p.role)) {
        if !here.parameters.contains(grant) {
            let what = format!("{} on parameter {}", grant.privilege, grant.parameter);
            all.push(difference(&grant.role, &what, "is not granted here"));
        }
    }
    all.dedup();
    all
}

fn difference(role: &str, what: &str, text: &str) -> Difference {
    Difference {
        role: role.into(),
        what: what.into(),
        text: text.into(),
    }
}

fn of_role(wanted: &RoleRow, here: &RoleRow) -> Vec<Difference> {
    let differs = |what: &str, wanted_is: String, here_is: String| {
        let text = format!("is {wanted_is} in the dump and {here_is} here");
        (wanted_is != here_is).then(|| difference(&wanted.name, what, &text))
    };
    let word = |on: bool, word: &str| format!("{}{word}", if on { "" } else { "NO" });
    let flag =
        |what: &str, wanted: bool, here: bool| differs(what, word(wanted, what), word(here, what));
    let limit = |role: &RoleRow| role.connection_limit.to_string();
    let mut found = vec![
        flag("LOGIN", wanted.login, here.login),
        flag("INHERIT", wanted.inherit, here.inherit),
        differs("CONNECTION LIMIT", limit(wanted), limit(here)),
        differs("VALID UNTIL", until(wanted), until(here)),
    ];
    for ((attribute, on), (_, now)) in attributes(wanted).into_iter().zip(attributes(here)) {
        found.push(flag(attribute, on, now));
    }
    let mut all: Vec<Difference> = found.into_iter().flatten().collect();
    all.extend(of_settings(wanted, here));
    if wanted.comment != here.comment {
        all.push(difference(&wanted.name, "comment", "is another one here"));
    }
    all
}

fn until(role: &RoleRow) -> String {
    role.valid_until.clone().unwrap_or_else(|| "no date".into())
}

fn of_settings(wanted: &RoleRow, here: &RoleRow) -> Vec<Difference> {
    let missing = |s: &&crate::manifest::RoleSetting| !here.settings.contains(s);
    let named = |settings: &[crate::manifest::RoleSetting], name: &str| {
        settings.iter().any(|s| s.name == name)
    };
    let other = wanted.settings.iter().filter(missing).map(|s| {
        let text = if named(&here.settings, &s.name) {
            "has another value here"
        } else {
            "is not set here"
        };
        difference(&wanted.name, &format!("setting {}", s.name), text)
    });
    let more = here
        .settings
        .iter()
        .filter(|s| !named(&wanted.settings, &s.name))
        .map(|s| {
            difference(
                &wanted.name,
                &format!("setting {}", s.name),
                "is set here only",
            )
        });
    other.chain(more).collect()
}

fn of_membership(wanted: &Membership, here: &Roles) -> Option<Difference> {
    let what = format!("membership in {:?}", wanted.role);
    let same = |m: &&Membership| m.role == wanted.role && m.member == wanted.member;
    let same: Vec<&Membership> = here.memberships.iter().filter(same).collect();
    let text = if same.is_empty() {
        "is not there".to_owned()
    } else if !same.iter().any(|m| m.admin == wanted.admin) {
        "has another ADMIN option here".to_owned()
    } else {
        let grantor = wanted.grantor.as_ref().filter(|g| !platform::role(g))?;
        let by = |m: &&Membership| m.grantor.as_ref() == Some(grantor);
        let other = same.iter().find_map(|m| m.grantor.as_ref());
        match (same.iter().any(by), other) {
            // An older server forgets who it was.
            (true, _) | (_, None) => return None,
            (false, Some(other)) => {
                format!("was granted by {grantor:?} in the dump and by {other:?} here")
            }
        }
    };
    Some(difference(&wanted.member, &what, &text))
}
