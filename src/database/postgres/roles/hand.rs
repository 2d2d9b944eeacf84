//! The same roles as SQL for `psql`, for whoever has a dump and not this program.

use super::action::{Action, actions};
use crate::database::quote::literal;
use crate::manifest::Roles;
use std::collections::{BTreeMap, BTreeSet};

/// One statement that makes the roles that are missing and touches none that exists. Every stored
/// text in it is inside of a literal on one line, inside of a dollar-quoted body: no line of it is
/// a command of psql.
pub(in crate::database::postgres) fn by_hand(wanted: &Roles, version: u32) -> String {
    let all = actions(wanted, &BTreeSet::new(), version);
    let mut by_role: BTreeMap<&str, Vec<&Action>> = BTreeMap::new();
    let (shared, own): (Vec<&Action>, Vec<&Action>) = all.iter().partition(|a| granted(a));
    for action in own {
        by_role.entry(&action.role).or_default().push(action);
    }
    let mut body = String::from("DECLARE\n  made text[] := '{}';\nBEGIN\n");
    for (role, actions) in by_role {
        let role = literal(role);
        push(
            &mut body,
            format_args!(
                "  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {role}) \
                 THEN\n    \
             made := made || {role}::text;\n"
            ),
        );
        actions.iter().for_each(|a| execute(&mut body, a));
        body.push_str("  END IF;\n");
    }
    for action in shared {
        let needs = action.needs.iter().chain([&action.role]);
        let made: Vec<String> = needs
            .map(|r| format!("{} = ANY (made)", literal(r)))
            .collect();
        push(
            &mut body,
            format_args!("  IF {} THEN\n", made.join(" AND ")),
        );
        execute(&mut body, action);
        body.push_str("  END IF;\n");
    }
    body.push_str("END\n");
    let tag = tag(&body);
    format!(
        "-- Makes the roles that are missing here; passwords are not part of a dump.\nSET \
         client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\nDO {tag}\n{body}{tag};\n"
    )
}

/// Memberships and grants: only when all roles are there.
fn granted(action: &Action) -> bool {
    action.what.starts_with("membership ") || action.what.contains(" on parameter ")
}

fn push(body: &mut String, text: std::fmt::Arguments<'_>) {
    body.push_str(&text.to_string());
}

/// One way after the other, as a load tries them; what a server refuses is told and is in nobody's
/// way.
fn execute(body: &mut String, action: &Action) {
    for way in &action.ways {
        body.push_str("    BEGIN\n");
        for sql in way {
            push(body, format_args!("      EXECUTE {};\n", literal(sql)));
        }
        body.push_str("    EXCEPTION WHEN OTHERS THEN\n");
    }
    body.push_str("      RAISE WARNING '%', SQLERRM;\n");
    body.push_str(&"    END;\n".repeat(action.ways.len()));
}

/// A dollar quote that the body does not hold.
fn tag(body: &str) -> String {
    let mut n = 0;
    loop {
        let tag = format!("$dr{n}$");
        if !body.contains(&tag) {
            return tag;
        }
        n += 1;
    }
}
