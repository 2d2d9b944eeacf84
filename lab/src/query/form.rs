//! What a request says: a form, or a flat JSON object.

use std::collections::BTreeMap;

pub(super) fn form(body: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(body);
    let decode = |t: &str| {
        percent_encoding::percent_decode_str(&t.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    text.split('&')
        .filter(|p| !p.is_empty())
        .map(|p| p.split_once('=').unwrap_or((p, "")))
        .map(|(k, v)| (decode(k), decode(v)))
        .collect()
}

/// The texts of a flat JSON object.
pub(super) fn json_params(body: &[u8]) -> BTreeMap<String, String> {
    let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let fields = value.as_object().cloned().unwrap_or_default();
    fields
        .into_iter()
        .map(|(k, v)| (k, v.as_str().map_or_else(|| v.to_string(), str::to_owned)))
        .collect()
}

/// What a call is about, for the list of calls: the target of an operation rather than its source.
pub(super) fn thing(params: &BTreeMap<String, String>) -> String {
    let names = [
        "TargetDBClusterSnapshotIdentifier",
        "DBInstanceIdentifier",
        "DBClusterSnapshotIdentifier",
        "DBClusterIdentifier",
        "ResourceName",
        "KeyId",
    ];
    names
        .iter()
        .find_map(|n| params.get(*n))
        .cloned()
        .unwrap_or_default()
}
