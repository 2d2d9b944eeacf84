//! Indexes and pages of a restored database, looked at for as long as the policy gives. Last, and
//! in a session of its own: damage can end the process that meets it.

use super::Context;
use crate::database::{Address, Comparable, DatabaseError, Sample, Structure};
use crate::manifest::Check;
use crate::model::Seconds;
use crate::proof::control::Seed;
use crate::proof::{self, Scope};
use crate::report::Fail;

/// `None`: the policy gives no time, or the plan is older than this check.
///
/// # Errors
/// The server does not answer.
pub(super) async fn looked_into(
    ctx: &Context<'_>,
    scope: &Scope<'_>,
    address: &Address,
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
    let looked = ctx.connect(address).await?.structure(sample).await;
    let found = match looked {
        Ok(found) => found,
        // Somebody, or the server itself, ended the session: it is asked again.
        Err(e) if e.code.is_some() && e.transient() => return Err(e.into()),
        Err(e) => {
            // Where the server is away for all, nothing is known, and the step is tried again.
            if e.transient() {
                ctx.connect(address).await?;
            }
            not_survived(&e)
        }
    };
    Ok(Some(proof::amcheck(scope, &found)))
}

/// The catalogue could not be read, or the process that looked is gone while its server is there.
fn not_survived(e: &DatabaseError) -> Structure {
    Structure {
        of: 1,
        looked_at: 0,
        damaged: vec![format!("what was looked at ended the look: {}", e.source)],
        not_looked: None,
    }
}
