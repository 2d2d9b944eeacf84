//! What a policy says of a server's databases.

use crate::model::{Name, Seconds};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// Which databases of a server are dumped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Databases {
    /// Whatever there is at the time.
    All,
    These(Vec<Name>),
}

impl Databases {
    /// Those that are named; of `all` none is.
    pub fn listed(&self) -> &[Name] {
        match self {
            Databases::These(names) => names,
            Databases::All => &[],
        }
    }

    pub fn names(&self, name: &Name) -> bool {
        match self {
            Databases::All => true,
            Databases::These(names) => names.contains(name),
        }
    }
}

impl Serialize for Databases {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Databases::All => to.serialize_str("all"),
            Databases::These(names) => names.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Databases {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Databases;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`all` or a list of names of databases")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Databases, E> {
                match text {
                    "all" => Ok(Databases::All),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Databases, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Databases::These)
            }
        }
        from.deserialize_any(Either)
    }
}

impl JsonSchema for Databases {
    fn schema_name() -> Cow<'static, str> {
        "Databases".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let names = generator.subschema_for::<Vec<Name>>();
        json_schema!({
            "description": "Which databases of a server are dumped: `all`, or a list of names.",
            "anyOf": [{"const": "all"}, names],
        })
    }
}

/// A table that a writer commits to continuously, with a growing number and the instant of the
/// commit: the newest row found after a restore is the measured RPO.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    pub database: Name,
    /// `schema.table`
    pub table: String,
    #[serde(default = "default_id")]
    pub id: String,
    #[serde(default = "default_at")]
    pub at: String,
}

fn default_id() -> String {
    "id".into()
}
fn default_at() -> String {
    "at".into()
}

/// Who reads a running server. The password is in a file, never in a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reader {
    pub user: Name,
    pub password_file: String,
    /// PEM bundle; absent: `credentials.postgres_ca_file`.
    pub ca_file: Option<String>,
}

/// How much of a running cluster is compared with what a drill restores of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceReading {
    /// One reading takes no longer, and the snapshot waits for the first of them.
    #[serde(default = "default_budget")]
    pub budget: Seconds,
    /// Of a hundred rows, so many must not have changed while the snapshot was taken, or a drill
    /// fails.
    #[serde(default = "default_comparable")]
    pub min_comparable: u32,
}

impl Default for SourceReading {
    fn default() -> Self {
        Self {
            budget: default_budget(),
            min_comparable: default_comparable(),
        }
    }
}

fn default_budget() -> Seconds {
    Seconds::minutes(10)
}
fn default_comparable() -> u32 {
    90
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_a_word_and_the_rest_is_a_list() {
        let read = |text: &str| serde_json::from_str::<Databases>(text);
        assert_eq!(read("\"all\"").unwrap(), Databases::All);
        let two = read("[\"shop\", \"billing\"]").unwrap();
        assert_eq!(two.listed().len(), 2);
        assert!(two.names(&Name::new("billing")) && !two.names(&Name::new("other")));
        assert_eq!(
            serde_json::to_string(&two).unwrap(),
            "[\"shop\",\"billing\"]"
        );
        let wrong = read("\"every\"").unwrap_err().to_string();
        assert!(wrong.contains("`all` or a list"), "{wrong}");
    }
}
