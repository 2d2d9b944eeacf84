//! Faults: which calls, how often, and what happens to them.

use super::call::Call;
use super::glob::matches;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    pub region: Option<String>,
    pub service: Option<String>,
    pub operation: Option<String>,
    /// With `*`.
    pub thing: Option<String>,
    pub role: Option<String>,
    /// The k-th matching call from now, one-based.
    pub nth: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Do {
    Latency { ms: u64 },
    Throttle,
    Refuse { code: String, status: u16 },
    DoThenFail { code: String, status: u16 },
    HoldBefore,
    HoldAfter,
    Hang,
    Cut,
    DoThenCut,
    Slow { bytes_per_s: u64 },
    Lie,
    Corrupt,
    ReadCorrupt,
}

impl Do {
    pub fn name(&self) -> &'static str {
        match self {
            Do::Latency { .. } => "latency",
            Do::Throttle => "throttle",
            Do::Refuse { .. } => "refuse",
            Do::DoThenFail { .. } => "do_then_fail",
            Do::HoldBefore => "hold_before",
            Do::HoldAfter => "hold_after",
            Do::Hang => "hang",
            Do::Cut => "cut",
            Do::DoThenCut => "do_then_cut",
            Do::Slow { .. } => "slow",
            Do::Lie => "lie",
            Do::Corrupt => "corrupt",
            Do::ReadCorrupt => "read_corrupt",
        }
    }
}

pub struct Fault {
    pub id: u64,
    wanted: Match,
    /// 0: always.
    times: u64,
    pub action: Do,
    seen: u64,
    applied: u64,
    pub held: Vec<u64>,
    released: watch::Sender<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FaultView {
    pub id: u64,
    /// Calls that matched.
    pub seen: u64,
    /// How often it will still strike; absent: always.
    pub left: Option<u64>,
    pub held: Vec<u64>,
}

impl Fault {
    pub fn new(id: u64, wanted: Match, times: u64, action: Do) -> Self {
        Self {
            id,
            wanted,
            times,
            action,
            seen: 0,
            applied: 0,
            held: Vec::new(),
            released: watch::Sender::new(false),
        }
    }

    fn fits(&self, call: &Call) -> bool {
        let same =
            |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|w| w == found);
        same(&self.wanted.region, &call.region)
            && same(&self.wanted.service, call.service)
            && same(&self.wanted.operation, &call.operation)
            && self
                .wanted
                .thing
                .as_ref()
                .is_none_or(|t| matches(t, &call.thing))
            && self
                .wanted
                .role
                .as_ref()
                .is_none_or(|r| call.role.is_some_and(|c| c.as_str() == r))
    }

    /// Counts a matching call; true where the fault strikes it.
    pub fn wants(&mut self, call: &Call) -> bool {
        if !self.fits(call) {
            return false;
        }
        self.seen += 1;
        let from = self.wanted.nth.unwrap_or(1);
        let strikes = self.seen >= from && (self.times == 0 || self.applied < self.times);
        self.applied += u64::from(strikes);
        strikes
    }

    pub fn subscribe(&self) -> watch::Receiver<bool> {
        self.released.subscribe()
    }

    pub fn release(&self) -> bool {
        self.released.send_replace(true);
        true
    }

    pub fn view(&self) -> FaultView {
        FaultView {
            id: self.id,
            seen: self.seen,
            left: (self.times > 0).then(|| self.times - self.applied),
            held: self.held.clone(),
        }
    }
}
