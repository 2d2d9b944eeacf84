//! Databases that do not answer for a moment while their server does.

use super::Context;
use crate::database::Address;
use crate::model::Seconds;
use crate::report::{Code, Fail};
use std::time::Instant;

/// Since when some of them have not answered.
#[derive(Default)]
pub(super) struct Away(Option<Instant>);

impl Away {
    /// Of a database, not of the target that it is dumped to.
    pub fn is_one(fail: &Fail) -> bool {
        fail.code == Code::DatabaseUnavailable
    }

    /// After a round in which some did not answer: whether there is another one. False: they have
    /// had their time, and are left out one by one.
    ///
    /// # Errors
    /// The server itself does not answer: nothing is left out for that, the step is tried again
    /// until the run's deadline. 12 where the process is asked to stop.
    pub async fn again(
        &mut self,
        ctx: &Context<'_>,
        server: &Address,
        patience: Seconds,
    ) -> Result<bool, Fail> {
        ctx.connect(server).await?;
        let since = *self.0.get_or_insert_with(|| ctx.world.monotonic());
        if ctx.world.monotonic().duration_since(since) >= patience.as_duration() {
            return Ok(false);
        }
        ctx.pause().await?;
        Ok(true)
    }
}
