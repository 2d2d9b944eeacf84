//! What is known of one way to restore one point: the newest verdict decides.

use crate::manifest::Proof;
use crate::model::{Method, TargetName};

/// The newest of a point's proofs of one method and target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict<'a> {
    Passed(&'a Proof),
    /// A failed drill un-proves a point that had passed, until a later one passes.
    Failed(&'a Proof),
    NeverTried,
}

/// `proofs` are those of one point, in any order.
pub fn verdict<'a>(proofs: &'a [Proof], method: Method, target: &TargetName) -> Verdict<'a> {
    let newest = proofs
        .iter()
        .filter(|p| p.method == method && p.target == *target)
        // Of two at one instant the one that says less good.
        .max_by_key(|p| (p.at, !p.passed));
    match newest {
        Some(proof) if proof.passed => Verdict::Passed(proof),
        Some(proof) => Verdict::Failed(proof),
        None => Verdict::NeverTried,
    }
}
