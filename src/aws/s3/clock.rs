//! The store's clock: the `Date` of its newest answer. The SDK hides a wrong local clock by
//! correcting its signatures, so nothing else shows it.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use jiff::Timestamp;
use std::sync::{Arc, Mutex};

/// Shared by all clones of a bucket.
#[derive(Clone, Debug, Default)]
pub struct StoreClock {
    newest: Arc<Mutex<Option<Timestamp>>>,
}

impl StoreClock {
    /// `Date` of the newest answer; none before the first.
    pub fn last(&self) -> Option<Timestamp> {
        self.newest.lock().ok().and_then(|t| *t)
    }
}

#[dyn_dispatch_hint]
impl Intercept for StoreClock {
    fn name(&self) -> &'static str {
        "StoreClock"
    }

    fn read_before_deserialization(
        &self,
        context: &context::BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context
            .response()
            .headers()
            .get("date")
            .and_then(|d| jiff::fmt::rfc2822::parse(d).ok());
        if let (Some(date), Ok(mut newest)) = (date, self.newest.lock()) {
            *newest = Some(date.timestamp());
        }
        Ok(())
    }
}
