//! One hook in front of every call of every service: calls are numbered, listed, and broken on
//! request.

mod call;
mod fault;
mod glob;

pub use call::{After, Before, Call, Listed};
pub use fault::{Do, Fault, FaultView, Match};
pub use glob::matches;

use crate::clock::Clock;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// So many calls are remembered.
const REMEMBERED: usize = 200_000;

/// One request on its way through.
#[derive(Debug)]
pub struct Slot {
    pub n: u64,
    chosen: Mutex<Option<(u64, Do, watch::Receiver<bool>)>>,
}

impl Slot {
    fn action(&self) -> Option<Do> {
        lock(&self.chosen)
            .as_ref()
            .map(|(_, action, _)| action.clone())
    }

    /// Answer 200 and store nothing.
    pub fn lies(&self) -> bool {
        matches!(self.action(), Some(Do::Lie))
    }

    /// Store other bytes than were sent.
    pub fn corrupts(&self) -> bool {
        matches!(self.action(), Some(Do::Corrupt))
    }
}

#[derive(Default)]
struct State {
    next: u64,
    calls: VecDeque<Listed>,
    next_fault: u64,
    faults: Vec<Fault>,
}

#[derive(Clone)]
pub struct Hook {
    clock: Clock,
    state: Arc<Mutex<State>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hook {
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            state: Arc::default(),
        }
    }

    /// Numbers a request that has just arrived; what it is comes with `begin`.
    pub fn arrive(&self, region: &str, service: &str) -> Arc<Slot> {
        let mut state = lock(&self.state);
        state.next += 1;
        let n = state.next;
        state.calls.push_back(Listed {
            n,
            region: region.into(),
            service: service.into(),
            ..Listed::default()
        });
        if state.calls.len() > REMEMBERED {
            state.calls.pop_front();
        }
        Arc::new(Slot {
            n,
            chosen: Mutex::default(),
        })
    }

    fn note(&self, n: u64, change: impl FnOnce(&mut Listed)) {
        let mut state = lock(&self.state);
        // Numbers are dense, so the place of a call follows from the oldest one kept.
        let first = state.calls.front().map_or(0, |c| c.n);
        if let Some(listed) = n.checked_sub(first).and_then(|i| {
            state
                .calls
                .get_mut(usize::try_from(i).unwrap_or(usize::MAX))
        }) {
            change(listed);
        }
    }

    /// Before the call is executed. Waits as long as a fault says; dropped when the client is gone,
    /// and then the call is never executed.
    pub async fn begin(&self, slot: &Slot, call: Call) -> Before {
        let chosen = lock(&self.state).choose(slot.n, &call);
        let name = chosen.as_ref().map(|(_, action, _)| action.name());
        self.note(slot.n, |l| {
            l.service = call.service.into();
            l.operation = call.operation;
            l.thing = call.thing;
            l.role = call.role;
            l.fault = name;
        });
        let Some((id, action, released)) = chosen else {
            return Before::Proceed;
        };
        *lock(&slot.chosen) = Some((id, action.clone(), released.clone()));
        match action {
            Do::Latency { ms } => self.clock.sleep(Duration::from_millis(ms)).await,
            Do::Throttle => {
                let code = if call.service == "s3" {
                    "SlowDown"
                } else {
                    "Throttling"
                };
                return Before::Refuse {
                    code: code.into(),
                    status: if call.service == "s3" { 503 } else { 400 },
                };
            }
            Do::Refuse { code, status } => return Before::Refuse { code, status },
            Do::HoldBefore => self.hold(id, slot.n, released).await,
            Do::Hang => std::future::pending().await,
            Do::Cut => return Before::Cut,
            _ => {}
        }
        Before::Proceed
    }

    /// After it was executed, before its answer leaves.
    pub async fn finish(&self, slot: &Slot, status: u16) -> After {
        self.note(slot.n, |l| l.status = Some(status));
        let chosen = lock(&slot.chosen).clone();
        let Some((id, action, released)) = chosen else {
            return After::default();
        };
        match action {
            Do::DoThenFail { code, status } => After {
                fail: Some((code, status)),
                ..After::default()
            },
            Do::HoldAfter => {
                self.hold(id, slot.n, released).await;
                After::default()
            }
            Do::DoThenCut => After {
                cut: true,
                ..After::default()
            },
            Do::Slow { bytes_per_s } => After {
                slow: Some(bytes_per_s.max(1)),
                ..After::default()
            },
            Do::ReadCorrupt => After {
                flip: true,
                ..After::default()
            },
            _ => After::default(),
        }
    }

    async fn hold(&self, id: u64, n: u64, mut released: watch::Receiver<bool>) {
        let holding = Holding { hook: self, id, n };
        lock(&self.state).held(id, n, true);
        // A fault that was deleted drops its sender: that releases too.
        let _released = released.wait_for(|r| *r).await;
        drop(holding);
    }

    pub fn calls(&self, since: u64) -> Vec<Listed> {
        lock(&self.state)
            .calls
            .iter()
            .filter(|c| c.n > since)
            .cloned()
            .collect()
    }

    pub fn add(&self, r#match: Match, times: u64, action: Do) -> u64 {
        let mut state = lock(&self.state);
        state.next_fault += 1;
        let id = state.next_fault;
        state.faults.push(Fault::new(id, r#match, times, action));
        id
    }

    pub fn faults(&self) -> Vec<FaultView> {
        lock(&self.state).faults.iter().map(Fault::view).collect()
    }

    /// Calls that are held go on.
    pub fn clear(&self) {
        lock(&self.state).faults.clear();
    }

    /// False where there is no such fault.
    pub fn release(&self, id: u64) -> bool {
        let state = lock(&self.state);
        state
            .faults
            .iter()
            .find(|f| f.id == id)
            .is_some_and(Fault::release)
    }
}

/// Takes the call off the list of held ones, also when its client is gone.
struct Holding<'a> {
    hook: &'a Hook,
    id: u64,
    n: u64,
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        lock(&self.hook.state).held(self.id, self.n, false);
    }
}

impl State {
    /// The first fault that wants this call.
    fn choose(&mut self, _n: u64, call: &Call) -> Option<(u64, Do, watch::Receiver<bool>)> {
        let fault = self
            .faults
            .iter_mut()
            .find_map(|f| f.wants(call).then_some(f))?;
        Some((fault.id, fault.action.clone(), fault.subscribe()))
    }

    fn held(&mut self, id: u64, n: u64, now: bool) {
        if let Some(fault) = self.faults.iter_mut().find(|f| f.id == id) {
            fault.held.retain(|h| *h != n);
            if now {
                fault.held.push(n);
            }
        }
    }
}

#[cfg(test)]
mod tests;
