//! Clusters that are made.

use crate::model::Name;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a cluster that is made looks like: its instance, and where it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterShape {
    pub instance_class: Name,
    pub subnet_group: Option<Name>,
    #[serde(default)]
    pub security_groups: Vec<Name>,
    pub parameter_group: Option<Name>,
    /// Aurora capacity units for `db.serverless`.
    pub min_acu: Option<f64>,
    pub max_acu: Option<f64>,
}

/// `db.serverless, 2 to 64 capacity units, subnet group production, security groups sg-1 and sg-2`:
/// what is not said is the service's own default, and told as such.
impl fmt::Display for ClusterShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.instance_class)?;
        if let Some((min, max)) = self.capacity() {
            write!(f, ", {min} to {max} capacity units")?;
        }
        match &self.subnet_group {
            Some(group) => write!(f, ", subnet group {group}")?,
            None => write!(f, ", default subnet group")?,
        }
        if self.security_groups.is_empty() {
            write!(f, ", default security group")?;
        }
        for (n, group) in self.security_groups.iter().enumerate() {
            let before = match n {
                0 => ", security groups",
                n if n + 1 == self.security_groups.len() => " and",
                _ => ",",
            };
            write!(f, "{before} {group}")?;
        }
        match &self.parameter_group {
            Some(group) => write!(f, ", parameter group {group}"),
            None => write!(f, ", default parameter group"),
        }
    }
}

impl ClusterShape {
    /// The instance class that has capacity units instead of a size.
    pub const SERVERLESS: &str = "db.serverless";

    /// Minimum and maximum of capacity units. Both or none: the service refuses half of it.
    pub fn capacity(&self) -> Option<(f64, f64)> {
        self.min_acu.zip(self.max_acu)
    }

    /// # Errors
    /// A sentence that says what is missing or too much.
    pub fn check_capacity(&self) -> Result<(), String> {
        let serverless = self.instance_class.as_str() == Self::SERVERLESS;
        match (self.min_acu, self.max_acu) {
            (None, None) if serverless => Err(format!(
                "instance class {} needs min_acu and max_acu, the capacity units it may have",
                Self::SERVERLESS
            )),
            (Some(_), None) | (None, Some(_)) => {
                Err("min_acu and max_acu go together; one of them is missing".into())
            }
            (Some(min), Some(max))
                if !(0.0..=max).contains(&min) || !(1.0..=256.0).contains(&max) =>
            {
                Err(format!(
                    "capacity from {min} to {max} is none that the service offers; min_acu is at \
                     most max_acu, which is from 1 to 256"
                ))
            }
            _ => Ok(()),
        }
    }
}
