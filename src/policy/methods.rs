//! The table of methods, as far as a policy goes: what each restores, what of a policy it needs,
//! and what its objective counts from. Nothing else that reads a policy tells methods apart.

use super::objective::Objective;
use super::sources::Source;
use super::timing::Schedule;
use super::types::Policy;
use crate::model::{Method, SourceId, SourceKind};

/// What one restore by a method brings back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Source,
    /// Each database of a source for itself.
    Database,
}

/// What a policy says of one method.
struct Row {
    /// Kinds of sources that it restores.
    kinds: &'static [SourceKind],
    unit: Unit,
    /// Whether this policy makes points that it can restore such a source from.
    available: fn(&Policy, &Source) -> bool,
    /// Whose slots its points come from: no RPO is shorter than the gaps between them.
    points: for<'a> fn(&'a Policy, &Source) -> Option<&'a Schedule>,
}

fn row(method: Method) -> Row {
    match method {
        Method::Snapshot => Row {
            kinds: &[SourceKind::Aurora],
            unit: Unit::Source,
            available: |policy, _| policy.targets.iter().any(|t| t.snapshots.is_some()),
            points: |policy, _| Some(&policy.schedule),
        },
        Method::Dump => Row {
            kinds: &[SourceKind::Aurora, SourceKind::Postgres],
            unit: Unit::Database,
            available: |policy, source| dumped_on(policy, source).is_some(),
            points: dumped_on,
        },
        Method::Files => Row {
            kinds: &[SourceKind::Bucket],
            unit: Unit::Source,
            available: |_, _| true,
            points: |policy, _| Some(&policy.schedule),
        },
    }
}

/// A cluster is dumped by its drills, a server at each slot.
fn dumped_on<'a>(policy: &'a Policy, source: &Source) -> Option<&'a Schedule> {
    match source.kind() {
        SourceKind::Aurora => policy.drill.as_ref().map(|d| &d.schedule),
        SourceKind::Postgres | SourceKind::Bucket => Some(&policy.schedule),
    }
}

/// What one restore by this method brings back.
pub fn unit(method: Method) -> Unit {
    row(method).unit
}

impl Source {
    /// Methods that restore a source of its kind.
    pub fn methods(&self) -> impl Iterator<Item = Method> + '_ {
        Method::ALL.into_iter().filter(|m| self.has(*m))
    }

    /// Whether this method restores a source of its kind.
    pub fn has(&self, method: Method) -> bool {
        row(method).kinds.contains(&self.kind())
    }
}

impl Policy {
    /// Whether points that are made by this policy can be restored so: the source's kind has the
    /// method, and the policy has what it takes.
    pub fn serves(&self, source: &Source, method: Method) -> bool {
        source.has(method) && (row(method).available)(self, source)
    }

    /// Whose slots the points come from that this method restores the source from. `None`: no
    /// schedule makes any.
    pub fn points_of(&self, source: &Source, method: Method) -> Option<&Schedule> {
        (row(method).points)(self, source)
    }

    /// What is promised of a source by one method: what the source itself says, else what the
    /// policy says of all. `None`: nothing.
    pub fn objective(&self, source: &SourceId, method: Method) -> Option<&Objective> {
        let own = self.sources.iter().find(|s| s.id() == source);
        let own = own.and_then(|s| s.objectives().get(&method));
        own.or_else(|| self.objectives.get(&method))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::parse;

    fn mixed() -> Policy {
        parse("mixed.yaml", include_str!("../../policies/mixed.yaml")).unwrap()
    }

    #[test]
    fn each_kind_has_its_methods() {
        let policy = mixed();
        for source in &policy.sources {
            let methods: Vec<Method> = source.methods().collect();
            let wanted: &[Method] = match source {
                Source::Aurora(_) => &[Method::Snapshot, Method::Dump],
                Source::Postgres(_) => &[Method::Dump],
                Source::Bucket(_) => &[Method::Files],
            };
            assert_eq!(methods, wanted, "{}", source.id());
            assert!(methods.iter().all(|m| policy.serves(source, *m)));
        }
    }

    #[test]
    fn what_lacks_its_place_in_the_policy_is_not_served() {
        let mut policy = mixed();
        policy.drill = None;
        policy.targets.iter_mut().for_each(|t| t.snapshots = None);
        let served = |id: &str, method| {
            let source = policy.sources.iter().find(|s| s.id().as_str() == id);
            policy.serves(source.unwrap(), method)
        };
        assert!(!served("shop", Method::Snapshot) && !served("shop", Method::Dump));
        assert!(served("ledger", Method::Dump) && served("media", Method::Files));
        assert!(!served("media", Method::Dump), "a bucket has no dumps");
    }

    #[test]
    fn a_cluster_is_dumped_by_its_drills_and_a_server_at_each_slot() {
        let policy = mixed();
        let dumped = |id: &str| {
            let source = policy.sources.iter().find(|s| s.id().as_str() == id);
            policy.points_of(source.unwrap(), Method::Dump)
        };
        let drills = policy.drill.as_ref().map(|d| &d.schedule);
        assert_eq!(dumped("shop"), drills);
        assert_eq!(dumped("ledger"), Some(&policy.schedule));
    }

    #[test]
    fn a_sources_own_objective_comes_before_the_policys() {
        let policy = mixed();
        let rto = |id: &str, method| {
            let objective = policy.objective(&SourceId::new(id), method);
            objective.map(|o| o.rto.to_string())
        };
        assert_eq!(rto("shop", Method::Dump).as_deref(), Some("4h"));
        assert_eq!(rto("ledger", Method::Dump).as_deref(), Some("1h"));
        let gone = rto("gone", Method::Dump);
        assert_eq!(gone.as_deref(), Some("4h"), "what is proven stays promised");
        let none = Policy {
            objectives: Default::default(),
            ..policy.clone()
        };
        assert_eq!(none.objective(&SourceId::new("shop"), Method::Dump), None);
    }
}
