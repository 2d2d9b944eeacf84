//! Reading the form of a query call.

use super::fault::{Fault, fault, missing};
use super::state::Tags;
use std::collections::BTreeMap;

/// The parameters of a call.
#[derive(Clone, Copy)]
pub struct Params<'a>(pub &'a BTreeMap<String, String>);

impl<'a> Params<'a> {
    pub fn get(self, name: &str) -> Option<&'a str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|v| !v.is_empty())
    }

    pub fn need(self, name: &str) -> Result<&'a str, Fault> {
        self.get(name).ok_or_else(|| missing(name))
    }

    pub fn flag(self, name: &str) -> Option<bool> {
        self.get(name).map(|v| v.eq_ignore_ascii_case("true"))
    }

    /// A new identifier: lower case as the service stores it, checked as the service checks it.
    pub fn new_id(self, name: &str) -> Result<String, Fault> {
        let id = self.need(name)?.to_ascii_lowercase();
        let letters = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let limit = if name.contains("Snapshot") { 255 } else { 63 };
        let good = letters
            && id.len() <= limit
            && id.starts_with(|c: char| c.is_ascii_alphabetic())
            && !id.ends_with('-')
            && !id.contains("--");
        if good {
            return Ok(id);
        }
        Err(fault(
            "InvalidParameterValue",
            format!(
                "The parameter {name} is not a valid identifier. Identifiers must begin with a \
                 letter; must contain only ASCII letters, digits, and hyphens; and must not end \
                 with a hyphen or contain two consecutive hyphens."
            ),
        ))
    }

    /// `List.Member.1`, `List.Member.2` …, whatever the member is called.
    pub fn list(self, list: &str) -> Vec<&'a str> {
        let prefix = format!("{list}.");
        let mut found: Vec<(u32, &str)> = self
            .0
            .iter()
            .filter_map(|(k, v)| {
                Some((
                    k.strip_prefix(&prefix)?.rsplit('.').next()?.parse().ok()?,
                    v.as_str(),
                ))
            })
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, v)| v).collect()
    }

    /// `Tags.Tag.1.Key` with its `Value`.
    pub fn tags(self) -> Tags {
        self.pairs("Tags", "Key", "Value")
            .into_iter()
            .map(|(k, v)| {
                (
                    k.to_owned(),
                    v.first().copied().unwrap_or_default().to_owned(),
                )
            })
            .collect()
    }

    /// `Filters.Filter.1.Name` with its `Values.Value.1` ….
    pub fn filters(self) -> Vec<(&'a str, Vec<&'a str>)> {
        self.pairs("Filters", "Name", "Values")
    }

    /// The capacity that Serverless v2 may take, least and most: both or neither.
    pub fn scaling(self) -> Result<Option<(String, String)>, Fault> {
        let end = |end: &str| {
            self.get(&format!("ServerlessV2ScalingConfiguration.{end}Capacity"))
                .map(str::to_owned)
        };
        let wrong = |why: String| Err(fault("InvalidParameterValue", why));
        let (min, max) = match (end("Min"), end("Max")) {
            (None, None) => return Ok(None),
            (Some(min), Some(max)) => (min, max),
            (min, _) => {
                let missing = if min.is_none() { "Min" } else { "Max" };
                return wrong(format!(
                    "ServerlessV2ScalingConfiguration needs a {missing}Capacity beside the other."
                ));
            }
        };
        let units = |text: &str| {
            let units = text.parse::<f64>().ok()?;
            ((0.0..=256.0).contains(&units) && (units * 2.0).fract() == 0.0).then_some(units)
        };
        match (units(&min), units(&max)) {
            (Some(low), Some(high)) if low <= high && high >= 1.0 => Ok(Some((min, max))),
            _ => wrong(format!(
                "Serverless v2 capacity is 0 to 256 in halves, at least 1 at most, and the least \
                 is no more than the most: {min} to {max}."
            )),
        }
    }

    fn pairs(self, list: &str, name: &str, value: &str) -> Vec<(&'a str, Vec<&'a str>)> {
        let (list, name) = (format!("{list}."), format!(".{name}"));
        let heads = self.0.iter().filter_map(|(k, v)| {
            Some((
                k.strip_suffix(&name).filter(|h| h.starts_with(&list))?,
                v.as_str(),
            ))
        });
        heads
            .map(|(head, key)| {
                let single = self.0.get(&format!("{head}.{value}")).map(String::as_str);
                (
                    key,
                    single.map_or_else(|| self.list(&format!("{head}.{value}")), |v| vec![v]),
                )
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn lists_tags_and_filters_are_found() {
        let form = form(&[
            ("Tags.Tag.1.Key", "a"),
            ("Tags.Tag.1.Value", "1"),
            ("Tags.Tag.2.Key", "b"),
            ("ValuesToAdd.AttributeValue.10", "ten"),
            ("ValuesToAdd.AttributeValue.2", "two"),
            ("Filters.Filter.1.Name", "db-cluster-id"),
            ("Filters.Filter.1.Values.Value.1", "shop"),
        ]);
        let params = Params(&form);
        assert_eq!(
            params.tags(),
            [("a", "1"), ("b", "")]
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .into()
        );
        assert_eq!(params.list("ValuesToAdd"), ["two", "ten"]);
        assert_eq!(params.filters(), [("db-cluster-id", vec!["shop"])]);
    }

    #[test]
    fn capacity_has_both_ends_or_none() {
        let scaling = |min: &str, max: &str| {
            let both = form(&[
                ("ServerlessV2ScalingConfiguration.MinCapacity", min),
                ("ServerlessV2ScalingConfiguration.MaxCapacity", max),
            ]);
            Params(&both).scaling().map_err(|f| f.code)
        };
        assert_eq!(scaling("", ""), Ok(None));
        assert_eq!(scaling("0.5", "16"), Ok(Some(("0.5".into(), "16".into()))));
        for (min, max) in [
            ("0.5", ""),
            ("", "16"),
            ("8", "4"),
            ("0.3", "4"),
            ("0", "257"),
        ] {
            assert_eq!(
                scaling(min, max),
                Err("InvalidParameterValue"),
                "{min} {max}"
            );
        }
    }

    #[test]
    fn identifiers_are_checked() {
        let id = |text: &str| {
            Params(&form(&[("DBClusterIdentifier", text)]))
                .new_id("DBClusterIdentifier")
                .map_err(|f| f.code)
        };
        assert_eq!(id("Shop-2"), Ok("shop-2".to_owned()));
        for wrong in ["2shop", "a--b", "a-", "a_b", &"a".repeat(64)] {
            assert_eq!(id(wrong), Err("InvalidParameterValue"), "{wrong}");
        }
        assert_eq!(id(""), Err("MissingParameter"));
    }
}
