//! The difference between this machine's clock and the service's.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use aws_sdk_sagemaker::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_sagemaker::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sagemaker::error::BoxError;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use super::SageMaker;
use super::error::refusal;
use crate::service::Answer;

impl SageMaker {
    /// Returns by how many seconds this machine's clock is ahead of the service's, as the `Date` of one
    /// response has it; `None` if it has none. A `Date` has whole seconds, so it is off by one at most.
    ///
    /// # Errors
    /// If the request is refused without a `Date`.
    pub async fn clock_ahead(&self) -> Answer<Option<f64>> {
        let seen = Seen::default();
        let request = self.client().list_artifacts().max_results(1);
        let answer = request.customize().interceptor(seen.clone()).send().await;
        let ahead = *seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (ahead, answer) {
            (Some(ahead), _) => Ok(Some(ahead)),
            (None, Ok(_)) => Ok(None),
            (None, Err(error)) => Err(refusal(&error)),
        }
    }
}

/// Keeps by how much the clock is ahead of the last response.
#[derive(Debug, Clone, Default)]
struct Seen(Arc<Mutex<Option<f64>>>);

impl Intercept for Seen {
    fn name(&self) -> &'static str {
        "clock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        if let Some(theirs) = date.and_then(|date| SystemTime::try_from(date).ok()) {
            let ours = SystemTime::now();
            let ahead = match ours.duration_since(theirs) {
                Ok(ahead) => ahead.as_secs_f64(),
                Err(error) => -error.duration().as_secs_f64(),
            };
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(ahead);
        }
        Ok(())
    }
}
