//! Pages of listings.

use super::fault::{Fault, fault};
use super::params::Params;
use super::xml;

/// One page of a listing sorted by id, with the marker of the next page where there is one.
pub(super) fn listing(
    name: &str,
    items: Vec<(String, String)>,
    params: Params<'_>,
) -> Result<String, Fault> {
    let wrong = || {
        fault(
            "InvalidParameterValue",
            "Invalid value for MaxRecords. Must be between 20 and 100.",
        )
    };
    let size: usize = params
        .get("MaxRecords")
        .map_or(Ok(100), |m| m.parse().map_err(|_| wrong()))?;
    if !(20..=100).contains(&size) {
        return Err(wrong());
    }
    let after = params.get("Marker").unwrap_or_default();
    let rest: Vec<_> = items
        .into_iter()
        .filter(|(id, _)| id.as_str() > after)
        .collect();
    let marker = rest
        .get(size.wrapping_sub(1))
        .filter(|_| rest.len() > size)
        .map(|(id, _)| xml::element("Marker", id));
    let page: String = rest.into_iter().take(size).map(|(_, xml)| xml).collect();
    Ok(xml::wrap(name, page) + &marker.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_marker_is_the_last_id_of_a_page_that_is_not_the_last() {
        let items = || {
            (0..25)
                .map(|i| (format!("id-{i:02}"), format!("<X>{i}</X>")))
                .collect()
        };
        let mut form = BTreeMap::from([("MaxRecords".to_owned(), "20".to_owned())]);
        let first = listing("Xs", items(), Params(&form)).expect("a page");
        assert!(
            first.ends_with("<X>19</X></Xs><Marker>id-19</Marker>"),
            "{first}"
        );
        form.insert("Marker".into(), "id-19".into());
        let second = listing("Xs", items(), Params(&form)).expect("a page");
        assert_eq!(
            second,
            "<Xs><X>20</X><X>21</X><X>22</X><X>23</X><X>24</X></Xs>"
        );
        form.insert("MaxRecords".into(), "19".into());
        assert_eq!(
            listing("Xs", items(), Params(&form)).map_err(|f| f.code),
            Err("InvalidParameterValue")
        );
    }
}
