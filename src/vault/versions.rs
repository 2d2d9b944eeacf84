//! The reading rule: what was created first counts, whatever was put over it since.

use crate::aws::s3::Listed;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The oldest version of each key, in the order of the keys: what was created, whatever was put
/// over it since.
pub fn first_versions(rows: Vec<Listed>) -> Vec<Listed> {
    let mut firsts: BTreeMap<String, Listed> = BTreeMap::new();
    let age = |r: &Listed| -> Timestamp { r.last_modified };
    // Rows come with the newest version of a key first.
    for row in rows.into_iter().filter(|r| !r.delete_marker) {
        match firsts.get(&row.key) {
            Some(known) if age(known) < age(&row) => {}
            _ => drop(firsts.insert(row.key.clone(), row)),
        }
    }
    firsts.into_values().collect()
}
