//! How long states take beyond the time that the bytes take.

use crate::rds::Durations;
use serde::Serialize;

/// Orders of magnitude to practise with; they are nobody's measurements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LatencyProfile {
    /// As fast as the bytes move
    #[default]
    None,
    /// A few seconds for each state
    Seconds,
    /// Minutes, as a service may take
    Minutes,
}

impl LatencyProfile {
    pub fn durations(self) -> Durations {
        match self {
            Self::None => Durations::default(),
            Self::Seconds => Durations {
                snapshot_s: 2.0,
                copy_s: 4.0,
                cluster_s: 3.0,
                instance_s: 3.0,
            },
            Self::Minutes => Durations {
                snapshot_s: 60.0,
                copy_s: 180.0,
                cluster_s: 120.0,
                instance_s: 240.0,
            },
        }
    }
}
