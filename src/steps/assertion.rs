//! What a policy asks of restored data.

use crate::database::{Database, literal};
use crate::manifest::Check;
use crate::policy::Assertion;
use crate::proof::Scope;
use crate::report::Fail;

pub(super) async fn ask(
    connection: &impl Database,
    scope: &Scope<'_>,
    assertion: &Assertion,
) -> Result<Check, Fail> {
    let id = format!("assertion:{}", assertion.id);
    Ok(match connection.ask(&assertion.sql).await? {
        Ok(Some(found)) if found == assertion.expect => scope.check(&id, true, 1, 1, None),
        Ok(found) => scope.check(
            &id,
            false,
            1,
            1,
            Some(format!(
                "returned {}, wanted {}",
                told(found.as_deref(), &assertion.expect),
                literal(&assertion.expect)
            )),
        ),
        Err(e) if e.transient() => return Err(e.into()),
        Err(e) => scope.check(&id, false, 1, 0, Some(format!("{e}: {}", e.source))),
    })
}

/// A number where a number was wanted, or a truth value where one was; another text may be a
/// tenant's and is not kept.
fn told(found: Option<&str>, wanted: &str) -> String {
    let number = |text: &str| text.len() < 40 && text.parse::<f64>().is_ok();
    let truth = |text: &str| matches!(text, "t" | "f");
    match found {
        None => "nothing".into(),
        Some(text) if number(text) && number(wanted) => literal(text),
        Some(text) if truth(text) && truth(wanted) => literal(text),
        Some(_) => "another text".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn an_assertion_keeps_numbers_and_no_text_of_a_row() {
        assert_eq!(told(Some("7"), "0"), "'7'");
        assert_eq!(told(Some("f"), "t"), "'f'");
        assert_eq!(told(None, "t"), "nothing");
        for (found, wanted) in [("mia@example.org", "0"), ("41111111", "x"), ("f", "0")] {
            assert_eq!(told(Some(found), wanted), "another text");
        }
    }
}
