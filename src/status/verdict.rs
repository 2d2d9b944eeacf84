//! What is known of one way to restore one point: the newest verdict decides.

use crate::manifest::Proof;
use crate::model::{Method, Name, SourceId, TargetName};

/// One way to restore something: proofs of one say nothing of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Way<'a> {
    pub source: &'a SourceId,
    pub method: Method,
    /// Of a dump.
    pub database: Option<&'a Name>,
    pub target: &'a TargetName,
}

impl<'a> Way<'a> {
    /// The way that a proof tried.
    pub fn of(proof: &'a Proof) -> Self {
        Self {
            source: &proof.source,
            method: proof.method,
            database: proof.database.as_ref(),
            target: &proof.target,
        }
    }
}

/// The newest of a point's proofs of one way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict<'a> {
    Passed(&'a Proof),
    /// A failed drill un-proves a point that had passed, until a later one passes.
    Failed(&'a Proof),
    NeverTried,
}

/// `proofs` are those of one point, in any order.
pub fn verdict<'a>(proofs: &'a [Proof], way: Way<'_>) -> Verdict<'a> {
    let newest = proofs
        .iter()
        .filter(|p| Way::of(p) == way)
        // Of two at one instant the one that says less good.
        .max_by_key(|p| (p.at, !p.passed));
    match newest {
        Some(proof) if proof.passed => Verdict::Passed(proof),
        Some(proof) => Verdict::Failed(proof),
        None => Verdict::NeverTried,
    }
}
