//! The statements that make a role: one thing each, so that what a server refuses is one thing.

use super::super::platform;
use crate::database::quote::{ident, literal};
use crate::manifest::{Membership, ParameterGrant, RoleRow, RoleSetting, Roles};
use std::collections::BTreeSet;

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Action {
    /// The role that it is about, and what of it: together they name a difference.
    pub role: String,
    pub what: String,
    /// Ways to do it, the best first; each is statements that belong together.
    pub ways: Vec<Vec<String>>,
    /// A role that must have been made for this: the other one of a membership.
    pub needs: Option<String>,
}

/// Settings whose value is a list of names. Given as one literal, such a list would be taken for
/// one name; the server's own list of them is not to be read by SQL.
const LISTS: [&str; 6] = [
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

/// What makes the roles that are missing. Roles that exist, `there`, are not touched: they get no
/// attribute, no setting and no membership, and nobody becomes a member of them.
pub(super) fn actions(wanted: &Roles, there: &BTreeSet<String>, version: u32) -> Vec<Action> {
    let missing: Vec<&RoleRow> = wanted
        .roles
        .iter()
        .filter(|r| !there.contains(&r.name) && !platform::role(&r.name))
        .collect();
    let made = |name: &str| missing.iter().find(|r| r.name == name).copied();
    let mut all: Vec<Action> = missing.iter().flat_map(|r| of_role(r)).collect();
    for membership in in_order(&wanted.memberships) {
        let granted = made(&membership.role).is_some() || platform::role(&membership.role);
        if let Some(member) = made(&membership.member).filter(|_| granted) {
            all.extend(grant(membership, member, version));
        }
    }
    let parameters = wanted.parameters.iter().filter(|p| made(&p.role).is_some());
    all.extend(parameters.map(parameter));
    all
}

fn one(role: &str, what: impl Into<String>, sql: String) -> Action {
    Action {
        role: role.into(),
        what: what.into(),
        ways: vec![vec![sql]],
        needs: None,
    }
}

fn of_role(role: &RoleRow) -> Vec<Action> {
    let (name, quoted) = (&role.name, ident(&role.name));
    let word = |on: bool, word: &str| format!("{}{word}", if on { "" } else { "NO" });
    let until = role.valid_until.as_ref();
    let create = format!(
        "CREATE ROLE {quoted} WITH {} {} CONNECTION LIMIT {}{}",
        word(role.login, "LOGIN"),
        word(role.inherit, "INHERIT"),
        role.connection_limit,
        until.map_or(String::new(), |u| format!(" VALID UNTIL {}", literal(u)))
    );
    let mut all = vec![one(name, "", create)];
    for (attribute, on) in attributes(role) {
        if on {
            all.push(one(
                name,
                attribute,
                format!("ALTER ROLE {quoted} WITH {attribute}"),
            ));
        }
    }
    all.extend(role.settings.iter().map(|s| Action {
        role: name.clone(),
        what: format!("setting {}", s.name),
        ways: set(&quoted, s),
        needs: None,
    }));
    if let Some(comment) = &role.comment {
        let sql = format!("COMMENT ON ROLE {quoted} IS {}", literal(comment));
        all.push(one(name, "comment", sql));
    }
    all
}

/// Attributes that not everybody may give, by their words in SQL.
pub(super) fn attributes(role: &RoleRow) -> [(&'static str, bool); 5] {
    [
        ("CREATEDB", role.create_db),
        ("CREATEROLE", role.create_role),
        ("REPLICATION", role.replication),
        ("BYPASSRLS", role.bypass_rls),
        ("SUPERUSER", role.superuser),
    ]
}

/// The stored value must come out byte for byte. A plain value is stored as the literal says. A
/// list is stored as the session has it; where the session refuses it, name by name.
fn set(role: &str, setting: &RoleSetting) -> Vec<Vec<String>> {
    let (name, value) = (ident(&setting.name), literal(&setting.value));
    if !LISTS.contains(&setting.name.as_str()) {
        return vec![vec![format!("ALTER ROLE {role} SET {name} TO {value}")]];
    }
    let mut ways = vec![vec![
        format!(
            "SELECT pg_catalog.set_config({}, {value}, true)",
            literal(&setting.name)
        ),
        format!("ALTER ROLE {role} SET {name} FROM CURRENT"),
        // Ours again.
        "SET LOCAL search_path = pg_catalog".into(),
    ]];
    if let Some(list) = list(&setting.name, &setting.value) {
        ways.push(vec![format!("ALTER ROLE {role} SET {name} TO {list}")]);
    }
    ways
}

/// The value of a setting that is a list of names, as it is given; `None`: it is none.
pub(in crate::database::postgres) fn list(setting: &str, value: &str) -> Option<String> {
    let names = names(value).filter(|_| LISTS.contains(&setting))?;
    let names: Vec<String> = names.iter().map(|n| literal(n)).collect();
    Some(names.join(", "))
}

/// The names of a stored list: `a, "b, c"`; `None` where it is no such list.
fn names(list: &str) -> Option<Vec<String>> {
    let (mut names, mut rest) = (Vec::new(), list.trim());
    loop {
        let mut name = String::new();
        if let Some(mut inside) = rest.strip_prefix('"') {
            loop {
                let (part, after) = inside.split_once('"')?;
                name.push_str(part);
                match after.strip_prefix('"') {
                    Some(more) => (inside, name) = (more, name + "\""),
                    None => {
                        rest = after.trim_start();
                        break;
                    }
                }
            }
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            name.push_str(rest[..end].trim_end());
            rest = &rest[end..];
            if name.is_empty() || name.contains(['"', ' ']) {
                return None;
            }
        }
        names.push(name);
        if rest.is_empty() {
            return Some(names);
        }
        rest = rest.strip_prefix(',')?.trim_start();
    }
}

/// Who grants must have been given the role with its admin option before: those whose grantor still
/// waits for it come later.
fn in_order(memberships: &[Membership]) -> Vec<&Membership> {
    let mut left: Vec<&Membership> = memberships.iter().collect();
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let waits = |m: &&Membership| {
            let gives = |o: &&Membership| o.admin && o.role == m.role && o.member != m.member;
            let by = |o: &&Membership| Some(&o.member) == m.grantor.as_ref();
            left.iter().any(|o| gives(o) && by(o))
        };
        let (later, mut now): (Vec<_>, Vec<_>) = left.iter().copied().partition(waits);
        // A circle that no server makes.
        let later = if now.is_empty() {
            now = later;
            Vec::new()
        } else {
            later
        };
        ordered.append(&mut now);
        left = later;
    }
    ordered
}

/// A server before 16 has no INHERIT and SET options; a membership that lacks one of them would
/// give more there than it gave, and is not made.
fn grant(membership: &Membership, member: &RoleRow, version: u32) -> Option<Action> {
    let (inherit, set) = (membership.inherit, membership.set);
    let less = set == Some(false) || (inherit == Some(false) && member.inherit);
    if version < 160_000 && less {
        return None;
    }
    let mut options = Vec::new();
    if membership.admin {
        options.push(
            if version < 160_000 {
                "ADMIN OPTION"
            } else {
                "ADMIN TRUE"
            }
            .to_owned(),
        );
    }
    if version >= 160_000 {
        let option = |name, on: Option<bool>| {
            on.map(|on| format!("{name} {}", if on { "TRUE" } else { "FALSE" }))
        };
        options.extend(option("INHERIT", inherit));
        options.extend(option("SET", set));
    }
    let with = if options.is_empty() {
        String::new()
    } else {
        format!(" WITH {}", options.join(", "))
    };
    let (role, to) = (ident(&membership.role), ident(&membership.member));
    let sql = format!("GRANT {role} TO {to}{with}");
    let grantor = membership.grantor.iter().filter(|g| !platform::role(g));
    let mut ways: Vec<Vec<String>> = grantor
        .map(|g| vec![format!("{sql} GRANTED BY {}", ident(g))])
        .collect();
    ways.push(vec![sql]);
    Some(Action {
        role: membership.member.clone(),
        what: format!("membership in {:?}", membership.role),
        ways,
        needs: Some(membership.role.clone()).filter(|r| !platform::role(r)),
    })
}

fn parameter(grant: &ParameterGrant) -> Action {
    // Two words of SQL, not a stored text.
    let privilege = if grant.privilege == "ALTER SYSTEM" {
        "ALTER SYSTEM"
    } else {
        "SET"
    };
    let with = if grant.grantable {
        " WITH GRANT OPTION"
    } else {
        ""
    };
    let sql = format!(
        "GRANT {privilege} ON PARAMETER {} TO {}{with}",
        ident(&grant.parameter),
        ident(&grant.role)
    );
    let what = format!("{privilege} on parameter {}", grant.parameter);
    one(&grant.role, what, sql)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_list_is_read_as_the_server_reads_it() {
        let some = |names: &[&str]| Some(names.iter().map(|n| (*n).to_owned()).collect());
        assert_eq!(
            names("a, \"B, \"\"c\"\"\nd\" ,e"),
            some(&["a", "B, \"c\"\nd", "e"])
        );
        assert_eq!(names("\"\""), some(&[""]));
        assert_eq!(names("a, \"b"), None);
        assert_eq!(names("a b"), None);
        assert_eq!(names(""), None);
    }

    #[test]
    fn a_role_that_exists_is_in_no_statement() {
        let role = |name: &str| RoleRow {
            name: name.into(),
            superuser: true,
            inherit: true,
            create_role: false,
            create_db: false,
            login: true,
            replication: false,
            bypass_rls: false,
            connection_limit: -1,
            valid_until: None,
            settings: Vec::new(),
            comment: Some("x".into()),
        };
        let member = |role: &str, member: &str| Membership {
            role: role.into(),
            member: member.into(),
            admin: true,
            inherit: Some(true),
            set: Some(false),
            grantor: None,
        };
        let wanted = Roles {
            roles: vec![role("new"), role("old")],
            memberships: vec![
                member("old", "new"),
                member("new", "old"),
                member("pg_monitor", "new"),
            ],
            ..Roles::default()
        };
        let all = actions(&wanted, &BTreeSet::from(["old".to_owned()]), 160_004);
        let sql: Vec<&String> = all.iter().flat_map(|a| &a.ways[0]).collect();
        assert!(sql.iter().all(|s| !s.contains("old")), "{sql:?}");
        assert_eq!(
            sql.last().map(|s| s.as_str()),
            Some("GRANT \"pg_monitor\" TO \"new\" WITH ADMIN TRUE, INHERIT TRUE, SET FALSE")
        );
        let by = |m: Membership, grantor: &str, admin: bool| Membership {
            grantor: Some(grantor.into()),
            admin,
            ..m
        };
        let chain = [
            by(member("r", "a"), "c", false),
            by(member("r", "c"), "b", true),
            by(member("r", "b"), "root", true),
            by(member("r", "d"), "d", true),
        ];
        let ordered: Vec<&str> = in_order(&chain).iter().map(|m| m.member.as_str()).collect();
        assert_eq!(ordered, ["b", "d", "c", "a"]);
        let made = grant(&chain[1], &role("c"), 160_004).map(|a| a.ways.concat());
        let plain = "GRANT \"r\" TO \"c\" WITH ADMIN TRUE, INHERIT TRUE, SET FALSE";
        let wanted_ways = vec![format!("{plain} GRANTED BY \"b\""), plain.to_owned()];
        assert_eq!(made, Some(wanted_ways));
        let older = actions(&wanted, &BTreeSet::from(["old".to_owned()]), 150_004);
        assert!(older.iter().all(|a| !a.what.starts_with("membership")));
    }
}
