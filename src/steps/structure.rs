//! Indexes and pages of a restored database, looked at for as long as the policy gives.

use super::Context;
use crate::database::{Database, Sample};
use crate::manifest::Check;
use crate::model::Seconds;
use crate::proof::control::Seed;
use crate::proof::{self, Scope};
use crate::report::Fail;

/// `None`: the policy gives no time, or the plan is older than this check.
///
/// # Errors
/// The connection's.
pub(super) async fn looked_into(
    ctx: &Context<'_>,
    scope: &Scope<'_>,
    connection: &impl Database,
    budget: Option<Seconds>,
) -> Result<Option<Check>, Fail> {
    let Some(budget) = budget else {
        return Ok(None);
    };
    let start = ctx.world.monotonic();
    let sample = Sample {
        seed: Seed::of(scope, ctx.plan.run.as_str()).number(2),
        budget,
        left: &|| budget.as_duration().saturating_sub(start.elapsed()),
    };
    let found = connection.structure(sample).await?;
    Ok(Some(proof::amcheck(scope, &found)))
}
