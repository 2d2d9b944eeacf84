//! Reads everything that a point references. Changes nothing.

use super::{Context, Perform};
use crate::plan::{CodeCounted, PointVerified, VerifyPoint};
use crate::report::{Fail, Severity};
use crate::verification::Verification;
use std::collections::BTreeMap;

impl Perform for VerifyPoint {
    async fn perform(&self, ctx: &Context<'_>) -> Result<PointVerified, Fail> {
        let progress = |done: u64, total: u64| ctx.report(done, total, "objects");
        let verification = Verification {
            world: ctx.world,
            clients: ctx.clients,
            role: ctx.role,
            policy: &ctx.plan.policy,
            targets: &ctx.plan.targets,
            asked: self,
            progress: &progress,
        };
        let found = verification.verify().await?;
        let mut wrong: BTreeMap<String, u64> = BTreeMap::new();
        for finding in &found.findings {
            if finding.severity == Severity::Error {
                *wrong.entry(finding.code.to_string()).or_default() += 1;
            }
        }
        // Each with its key for whoever asked; the journal has them counted.
        ctx.said.say(found.findings);
        let counted = |(code, findings)| CodeCounted { code, findings };
        Ok(PointVerified {
            point: found.point,
            targets: found.targets,
            wrong: wrong.into_iter().map(counted).collect(),
        })
    }
}
