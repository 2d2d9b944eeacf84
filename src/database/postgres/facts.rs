//! What belongs to a database and to no schema of it: read from the catalogues, compared, and made
//! again by statements of our own.

use super::connect::Postgres;
use super::platform;
use super::roles::list;
use crate::database::error::DatabaseError;
use crate::database::found::Takes;
use crate::database::quote::{ident, literal};
use crate::manifest::{DatabaseFacts, DatabaseSetting};

/// A server calls what an ICU database is sorted by otherwise in each version.
fn facts(version: u32) -> String {
    let (provider, locale) = match version {
        170_000.. => ("d.datlocprovider", "d.datlocale"),
        150_000.. => ("d.datlocprovider", "d.daticulocale"),
        _ => ("'c'", "NULL"),
    };
    format!(
        "SELECT json_build_object('encoding', pg_encoding_to_char(d.encoding), 'collate', \
         d.datcollate, 'ctype', d.datctype, 'provider', CASE {provider}::text WHEN 'i' THEN 'icu' \
         WHEN 'b' THEN 'builtin' ELSE 'libc' END, 'locale', {locale}, 'owner', \
         pg_get_userbyid(d.datdba), 'connection_limit', d.datconnlimit, 'comment', \
         shobj_description(d.oid, 'pg_database'), 'settings', (SELECT \
         coalesce(json_agg(json_build_object('role', r.rolname, 'name', split_part(l.line, '=', \
         1), 'value', substr(l.line, strpos(l.line, '=') + 1)) ORDER BY r.rolname COLLATE \"C\" \
         NULLS FIRST, l.at), '[]') FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = \
         s.setrole, unnest(s.setconfig) WITH ORDINALITY AS l (line, at) WHERE s.setdatabase = \
         d.oid), 'rights', CASE WHEN d.datacl IS NOT NULL THEN \
         (SELECT coalesce(json_agg(json_build_object('role', CASE a.grantee WHEN 0 THEN NULL ELSE \
         pg_get_userbyid(a.grantee) END, 'privilege', a.privilege_type, 'grantable', \
         a.is_grantable)), '[]') FROM aclexplode(d.datacl) \
         a) END) FROM pg_database d WHERE d.datname = current_database()"
    )
}

impl Postgres {
    /// # Errors
    /// The server's.
    pub(super) async fn facts(&self) -> Result<DatabaseFacts, DatabaseError> {
        let found: Vec<DatabaseFacts> = self.json(&facts(self.version_num().await?)).await?;
        let none = || self.odd("read the catalogues", "the database is not in its own list");
        found.into_iter().next().ok_or_else(none)
    }

    /// Statements that give this database what another one had.
    pub(super) fn dress(&self, facts: &DatabaseFacts, takes: Takes) -> String {
        statements(&ident(&self.address.database), facts, takes)
    }
}

fn statements(database: &str, facts: &DatabaseFacts, takes: Takes) -> String {
    let of_platform = |role: &Option<String>| role.as_deref().is_some_and(platform::role);
    let settings = facts.settings.iter().filter(|s| !of_platform(&s.role));
    let mut all: Vec<String> = settings.map(|s| setting(database, s)).collect();
    if let Takes::All { sessions } = takes {
        if let Some(comment) = &facts.comment {
            all.push(format!(
                "COMMENT ON DATABASE {database} IS {}",
                literal(comment)
            ));
        }
        // With a smaller one what comes after could not enter; it is told.
        if facts.connection_limit > i64::from(sessions) {
            let limit = facts.connection_limit;
            all.push(format!(
                "ALTER DATABASE {database} CONNECTION LIMIT {limit}"
            ));
        }
    }
    // At the end: it opens what was closed.
    match &facts.rights {
        None => {
            all.push(format!(
                "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO PUBLIC"
            ));
            // Whoever loads owns the database, and who owned it keeps what he could do.
            if !platform::role(&facts.owner) && !facts.owner.is_empty() {
                let owner = ident(&facts.owner);
                all.push(format!("GRANT ALL ON DATABASE {database} TO {owner}"));
            }
        }
        Some(rights) => {
            all.push(format!("REVOKE ALL ON DATABASE {database} FROM PUBLIC"));
            let theirs = rights.iter().filter(|r| !of_platform(&r.role));
            for right in theirs {
                let to = right.role.as_deref().map_or("PUBLIC".into(), ident);
                let option = match right.grantable {
                    true => " WITH GRANT OPTION",
                    false => "",
                };
                let what = &right.privilege;
                all.push(format!(
                    "GRANT {what} ON DATABASE {database} TO {to}{option}"
                ));
            }
        }
    }
    all.iter().map(|sql| format!("{sql};\n")).collect()
}

fn setting(database: &str, setting: &DatabaseSetting) -> String {
    let of = match &setting.role {
        None => format!("DATABASE {database}"),
        Some(role) => format!("ROLE {} IN DATABASE {database}", ident(role)),
    };
    let value = list(&setting.name, &setting.value).unwrap_or_else(|| literal(&setting.value));
    format!("ALTER {of} SET {} TO {value}", ident(&setting.name))
}

/// What a database that is there has otherwise, and no load changes.
pub(super) fn differences(wanted: &DatabaseFacts, here: &DatabaseFacts) -> Vec<String> {
    let nothing = String::new();
    let of = |f: &DatabaseFacts| {
        [
            ("encoding", f.encoding.clone()),
            ("collation", f.collate.clone()),
            ("character classes", f.ctype.clone()),
            ("locale provider", f.provider.clone()),
            ("locale", f.locale.clone().unwrap_or(nothing.clone())),
            ("connection limit", f.connection_limit.to_string()),
            ("owner", f.owner.clone()),
        ]
    };
    let both = of(wanted).into_iter().zip(of(here));
    both.filter(|((what, wanted), (_, here))| {
        wanted != here && !(*what == "owner" && platform::role(wanted))
    })
    .map(|((what, wanted), (_, here))| {
        format!("database: {what} is {wanted:?} in the dump and {here:?} here")
    })
    .collect()
}

/// The same kind of database, made anew.
pub(super) fn made_like(facts: &DatabaseFacts) -> String {
    let mut options = format!(
        " ENCODING {} LC_COLLATE {} LC_CTYPE {}",
        literal(&facts.encoding),
        literal(&facts.collate),
        literal(&facts.ctype)
    );
    let locale = facts.locale.as_deref().map(literal);
    match (facts.provider.as_str(), locale) {
        ("icu", Some(locale)) => {
            options.push_str(&format!(" LOCALE_PROVIDER icu ICU_LOCALE {locale}"));
        }
        ("builtin", Some(locale)) => {
            options.push_str(&format!(" LOCALE_PROVIDER builtin BUILTIN_LOCALE {locale}"));
        }
        _ => {}
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::DatabaseRight;

    fn given() -> DatabaseFacts {
        let of = |role: Option<&str>, name: &str, value: &str| DatabaseSetting {
            role: role.map(str::to_owned),
            name: name.into(),
            value: value.into(),
        };
        let right = |role: Option<&str>, privilege: &str| DatabaseRight {
            role: role.map(str::to_owned),
            privilege: privilege.into(),
            grantable: role.is_some(),
        };
        DatabaseFacts {
            owner: "boss".into(),
            connection_limit: 9,
            comment: Some("it's".into()),
            settings: vec![
                of(None, "search_path", "a, \"B c\""),
                of(Some("o'p"), "work_mem", "7MB"),
            ],
            rights: Some(vec![
                right(None, "TEMPORARY"),
                right(Some("boss"), "CREATE"),
                right(Some("rdsadmin"), "CREATE"),
                right(Some("app"), "CONNECT"),
            ]),
            ..DatabaseFacts::default()
        }
    }

    #[test]
    fn a_database_gets_what_it_had_and_is_opened_at_the_end() {
        let sql = statements("\"d\"", &given(), Takes::All { sessions: 4 });
        let wanted = "ALTER DATABASE \"d\" SET \"search_path\" TO 'a', 'B c';\n\
             ALTER ROLE \"o'p\" IN DATABASE \"d\" SET \"work_mem\" TO '7MB';\n\
             COMMENT ON DATABASE \"d\" IS 'it''s';\n\
             ALTER DATABASE \"d\" CONNECTION LIMIT 9;\n\
             REVOKE ALL ON DATABASE \"d\" FROM PUBLIC;\n\
             GRANT TEMPORARY ON DATABASE \"d\" TO PUBLIC;\n\
             GRANT CREATE ON DATABASE \"d\" TO \"boss\" WITH GRANT OPTION;\n\
             GRANT CONNECT ON DATABASE \"d\" TO \"app\" WITH GRANT OPTION;\n";
        assert_eq!(sql, wanted);
        let less = statements("d", &given(), Takes::All { sessions: 9 });
        assert!(!less.contains("LIMIT"), "{less}");
        let scratch = statements("d", &given(), Takes::WithoutName);
        assert!(!scratch.contains("COMMENT"), "{scratch}");
        let plain = statements("d", &DatabaseFacts::default(), Takes::WithoutName);
        assert_eq!(plain, "GRANT CONNECT, TEMPORARY ON DATABASE d TO PUBLIC;\n");
    }

    #[test]
    fn what_a_given_database_has_otherwise_is_named() {
        let here = DatabaseFacts {
            encoding: "UTF8".into(),
            ..given()
        };
        let wanted = "database: encoding is \"\" in the dump and \"UTF8\" here";
        assert_eq!(differences(&given(), &here), [wanted]);
        assert!(differences(&here, &here).is_empty());
    }
}
