//! D/policy.yaml: a policy of `dr` for this lab.

use crate::accounts::{DRILL, PRIMARY_REGION, PRODUCTION, SECOND_REGION, VAULT};
use crate::kms::default_key;
use std::collections::BTreeMap;

const TEMPLATE: &str = include_str!("policy.yaml");

/// URLs by service, by region.
pub type Endpoints = BTreeMap<String, BTreeMap<&'static str, String>>;

/// The template with this lab's names in it.
pub fn text(endpoints: &Endpoints) -> String {
    let accounts = [
        ("production", PRODUCTION),
        ("vault", VAULT),
        ("drill", DRILL),
    ]
    .map(|(n, a)| (format!("account.{n}"), a.to_owned()));
    let keys = [PRIMARY_REGION, SECOND_REGION]
        .into_iter()
        .filter_map(|r| Some((format!("key.{r}"), default_key(r)?)));
    let urls = endpoints.iter().flat_map(|(region, services)| {
        services
            .iter()
            .map(move |(s, url)| (format!("{s}.{region}"), url.clone()))
    });
    accounts
        .into_iter()
        .chain(keys)
        .chain(urls)
        .fold(TEMPLATE.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{{{name}}}}}"), &value)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::REGIONS;

    #[test]
    fn no_placeholder_is_left() {
        let services = || {
            ["s3", "rds", "sts", "kms"]
                .map(|s| (s, format!("http://127.0.0.1/{s}")))
                .into()
        };
        let text = text(&REGIONS.map(|r| (r.to_owned(), services())).into());
        assert!(
            !text.contains("{{") && text.contains("s3: http://127.0.0.1/s3\n"),
            "{text}"
        );
    }
}
