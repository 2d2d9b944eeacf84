//! Every row is a function of its id and of how often it was changed: nothing has to be remembered
//! to know what was there before.

use super::chance::{choose, instant, money, pick};
use super::hash_partition;
use super::line::{Row, Shape, array};
use std::fmt::Write as _;

pub const TENANTS: i64 = 40;

pub static SHAPES: [Shape; 10] = [
    Shape {
        name: "app.tenants",
        columns: &["created", "id", "name", "plan", "settings"],
        key: &["id"],
    },
    Shape {
        name: "app.orders",
        columns: &["id", "note", "placed", "state", "tags", "tenant", "total"],
        key: &["id"],
    },
    Shape {
        name: "app.items",
        columns: &["id", "order_id", "price", "quantity", "sku"],
        key: &["id"],
    },
    Shape {
        name: "app.documents",
        columns: &["body", "id", "raw", "tenant", "title"],
        key: &["id"],
    },
    Shape {
        name: "app.ledger",
        columns: &["credit", "debit", "id", "tenant"],
        key: &["id"],
    },
    Shape {
        name: "app.events",
        columns: &["id", "kind", "payload", "tenant"],
        key: &["id", "tenant"],
    },
    Shape {
        name: "app.measurements",
        columns: &["day", "id", "value"],
        key: &["day", "id"],
    },
    Shape {
        name: "app.files",
        columns: &["key", "sha256", "version"],
        key: &["key"],
    },
    Shape {
        name: "app.heartbeat",
        columns: &["at", "id"],
        key: &["id"],
    },
    Shape {
        name: "billing.rates",
        columns: &["currency", "rate"],
        key: &["currency"],
    },
];

/// Every table that holds rows.
pub const LEAVES: [&str; 15] = [
    "app.documents",
    "app.events_0",
    "app.events_1",
    "app.events_2",
    "app.events_3",
    "app.files",
    "app.heartbeat",
    "app.items",
    "app.ledger",
    "app.measurements_2024",
    "app.measurements_2025",
    "app.measurements_rest",
    "app.orders",
    "app.tenants",
    "billing.rates",
];

fn row(shape: usize, leaf: &'static str, values: Vec<Option<String>>) -> Row {
    Row {
        shape: &SHAPES[shape],
        leaf,
        values,
    }
}

pub fn tenant_of(id: i64) -> i64 {
    1 + (pick(id, 1) % TENANTS.cast_unsigned()).cast_signed()
}

pub fn tenant(id: i64, version: i64) -> Row {
    let plan = choose(&["free", "team", "enterprise"], id + version, 3);
    let settings = format!(
        "{{\"seats\": {}, \"theme\": \"{}\"}}",
        1 + (id * 7 + version) % 500,
        choose(&["dark", "light"], id + version, 4)
    );
    let name = format!(
        "{} {id}",
        choose(
            &[
                "Brouwerij",
                "Société Générique",
                "O'Neill & Sons",
                "北京贸易",
                "Müller GmbH"
            ],
            id,
            5
        )
    );
    row(
        0,
        "app.tenants",
        vec![
            Some(instant(id)),
            Some(id.to_string()),
            Some(name),
            Some(plan.into()),
            Some(settings),
        ],
    )
}

pub fn order(id: i64, version: i64) -> Row {
    let note = match pick(id, 6) % 4 {
        0 => None,
        1 => Some(String::new()),
        2 => Some(format!("ring twice\tthen \\wait {id}")),
        _ => Some(format!("for the \"café\"\nline two of {id}")),
    };
    let tags = match pick(id, 7) % 3 {
        0 => array(&[]),
        1 => array(&["gift"]),
        _ => array(&["gift", "two words", "NULL", "a\"b"]),
    };
    let state = if version == 0 {
        "new"
    } else {
        choose(&["paid", "shipped"], id, 8)
    };
    let values = vec![
        Some(id.to_string()),
        note,
        Some(instant(id)),
        Some(state.into()),
        Some(tags),
        Some(tenant_of(id).to_string()),
        Some(money(pick(id, 9) % 1_000_000)),
    ];
    row(1, "app.orders", values)
}

/// Between one and three items of an order.
pub fn items(order: i64) -> Vec<Row> {
    (0..=order % 3)
        .map(|i| {
            let id = order * 3 + i;
            let sku = format!("SKU-{:05}", pick(id, 10) % 100_000);
            let values = [
                id.to_string(),
                order.to_string(),
                money(pick(id, 11) % 50_000),
                (1 + id % 9).to_string(),
                sku,
            ];
            row(2, "app.items", values.map(Some).to_vec())
        })
        .collect()
}

/// Most are small, every fiftieth is large enough to be stored out of line in many pieces.
pub fn document(id: i64, version: i64) -> Row {
    let large = id % 50 == 0;
    let mut body =
        format!("Dokument {id}, Fassung {version}: naïve 测试 🙂\tTab \\ backslash \\N \\.\n");
    let words = if large { 7_000 } else { 10 + pick(id, 12) % 60 };
    for i in 0..words {
        let _infallible = write!(
            body,
            "{:016x}",
            pick(id, 1_000 + i + version.cast_unsigned() * 100_000)
        );
    }
    let body = (id % 17 != 0).then_some(body);
    let raw = (id % 5 != 0).then(|| format!("\\x{:016x}00ff0a5c", pick(id + version, 13)));
    let title = format!(
        "{} #{id}",
        choose(&["Vertrag", "Facture n°", "覚書", "it's"], id, 14)
    );
    row(
        3,
        "app.documents",
        vec![
            body,
            Some(id.to_string()),
            raw,
            Some(tenant_of(id).to_string()),
            Some(title),
        ],
    )
}

pub fn ledger(id: i64) -> Row {
    let values = [
        money(pick(id, 15) % 90_000),
        money(pick(id, 16) % 90_000),
        id.to_string(),
        tenant_of(id).to_string(),
    ];
    row(4, "app.ledger", values.map(Some).to_vec())
}

pub fn event(id: i64) -> Row {
    const PARTS: [&str; 4] = [
        "app.events_0",
        "app.events_1",
        "app.events_2",
        "app.events_3",
    ];
    let tenant = tenant_of(id);
    let part = hash_partition::remainder(i32::try_from(tenant).unwrap_or(0), 4);
    let leaf = usize::try_from(part)
        .ok()
        .and_then(|p| PARTS.get(p))
        .copied()
        .unwrap_or(PARTS[0]);
    let payload = (id % 3 != 0).then(|| {
        format!(
            "{{\"n\": {id}, \"path\": \"/orders/{}\"}}",
            pick(id, 17) % 1000
        )
    });
    let kind = choose(&["login", "order", "export"], id, 18).to_owned();
    row(
        5,
        leaf,
        vec![
            Some(id.to_string()),
            Some(kind),
            payload,
            Some(tenant.to_string()),
        ],
    )
}

/// A change moves it to another year, that is, to another partition.
pub fn measurement(id: i64, version: i64) -> Row {
    let year = 2024 + (pick(id, 19) % 3 + version.cast_unsigned()) % 3;
    let leaf = match year {
        2024 => "app.measurements_2024",
        2025 => "app.measurements_2025",
        _ => "app.measurements_rest",
    };
    let day = format!(
        "{year}-{:02}-{:02}",
        1 + pick(id, 20) % 12,
        1 + pick(id, 21) % 28
    );
    let tenths = u32::try_from(pick(id, 22) % 100_000).unwrap_or(0);
    let value = (id % 11 != 0).then(|| format!("{}", f64::from(tenths) * 0.1));
    row(6, leaf, vec![Some(day), Some(id.to_string()), value])
}

pub fn file(key: &str, version: &str, sha256: &str) -> Row {
    row(
        7,
        "app.files",
        vec![Some(key.into()), Some(sha256.into()), Some(version.into())],
    )
}

/// They never change.
pub fn rates() -> impl Iterator<Item = Row> {
    [("CHF", "0.9310"), ("EUR", "1"), ("JPY", "163.20")]
        .into_iter()
        .map(|(currency, rate)| {
            let values = vec![Some(currency.into()), Some(rate.into())];
            row(9, "billing.rates", values)
        })
}

/// `at` as the server prints it in UTC.
pub fn heartbeat(id: i64, at: &str) -> Row {
    row(
        8,
        "app.heartbeat",
        vec![Some(at.into()), Some(id.to_string())],
    )
}
