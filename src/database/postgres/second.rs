//! What is tried of a statement that was refused to a user who is no superuser: the same, with what
//! the new owner lacks given for the moment, or as the role in whose name it gives.

use super::lex::tokens;
use super::script::{Statement, find};
use crate::database::quote::ident;

impl Statement {
    pub(super) fn second(&self, database: &str) -> Option<String> {
        let all = tokens(&self.text);
        let words: Vec<&str> = all.iter().map(|(_, t)| *t).collect();
        match find(&words, &["owner", "to"]) {
            Some(_) => self.with_create(&words, database),
            None => self.as_role(&all, &words),
        }
    }

    /// An owner must be able to make things in the schema of what it gets, or in the database: it
    /// can for the moment.
    fn with_create(&self, words: &[&str], database: &str) -> Option<String> {
        let owner = ident(self.owner.as_deref()?);
        let within = match words.iter().position(|t| *t == ".") {
            Some(dot) => format!("SCHEMA {}", words.get(dot.checked_sub(1)?)?),
            None if words.get(1) == Some(&"PUBLICATION") => format!("DATABASE {}", ident(database)),
            None => return None,
        };
        Some(format!(
            "GRANT CREATE ON {within} TO {owner};\n{}\n;REVOKE CREATE ON {within} FROM {owner}",
            self.text
        ))
    }

    /// Only a superuser sets another authorization; a member of the role gives as well as it does.
    fn as_role(&self, all: &[(usize, &str)], words: &[&str]) -> Option<String> {
        let mut text = self.text.clone();
        for n in (0..words.len()).rev() {
            let rest = words.get(n..)?;
            let begins = |word: &str| find(rest, &[word, "session", "authorization"]) == Some(0);
            if begins("set") || begins("reset") {
                let (end, word) = all.get(n + 2)?;
                let (start, _) = all.get(n)?;
                text.replace_range(
                    start..&(end + word.len()),
                    &format!("{} ROLE", words.get(n)?),
                );
            }
        }
        (text != self.text).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(text: &str) -> Option<String> {
        Statement::of(text).and_then(|s| s.second("d b"))
    }

    #[test]
    fn an_owner_may_make_things_for_the_moment_where_it_gets_one() {
        assert_eq!(
            second("ALTER TABLE \"a\".b OWNER TO o;").as_deref(),
            Some(
                "GRANT CREATE ON SCHEMA \"a\" TO \"o\";\nALTER TABLE \"a\".b OWNER TO o;\n;REVOKE \
                 CREATE ON SCHEMA \"a\" FROM \"o\""
            )
        );
        let publication = second("ALTER PUBLICATION p OWNER TO o;").unwrap_or_default();
        assert!(publication.starts_with("GRANT CREATE ON DATABASE \"d b\" TO \"o\";\n"));
        assert_eq!(second("ALTER SERVER s OWNER TO o;"), None);
        assert_eq!(second("CREATE TABLE a.b (c text);"), None);
    }

    #[test]
    fn what_is_given_in_somebodys_name_is_given_as_that_role() {
        let given = "SET SESSION AUTHORIZATION \"a b\";\nGRANT SELECT ON TABLE t TO c;\nRESET \
                     SESSION AUTHORIZATION;";
        let wanted = "SET ROLE \"a b\";\nGRANT SELECT ON TABLE t TO c;\nRESET ROLE;";
        assert_eq!(second(given).as_deref(), Some(wanted));
    }
}
