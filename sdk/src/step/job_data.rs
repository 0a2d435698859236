//! Job data shared between steps: `Publish<T>` and `JobData<T>`.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Declaration, Parameter, StepContext, StepError, StepResult};

/// Data that one step publishes for later steps of the job.
pub trait JobDatum: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name of the data, unique in the integration.
    const NAME: &'static str;
}

/// Publishes job data. Only one step of an integration may publish each name.
pub struct Publish<T>(StepContext, PhantomData<fn() -> T>);

impl<T: JobDatum> Parameter for Publish<T> {
    fn declare(declaration: &mut Declaration) {
        declaration.publishes.insert(T::NAME.to_owned());
    }
    async fn bind(context: &StepContext) -> StepResult<Self> {
        Ok(Self(context.clone(), PhantomData))
    }
}

impl<T: JobDatum> Publish<T> {
    /// Sets the data, replacing an earlier value.
    ///
    /// # Errors
    /// [`StepError::Other`] if the data cannot be represented as JSON, [`StepError::Store`] if the store fails.
    pub async fn set(&self, data: &T) -> StepResult {
        let value = serde_json::to_value(data).map_err(|error| StepError::Other(format!("{}: {error}", T::NAME)))?;
        self.0.publish(T::NAME, &value).await
    }
}

/// Job data of another step; `None` if that step failed or published nothing.
pub struct JobData<T>(pub Option<T>);

impl<T: JobDatum> Parameter for JobData<T> {
    fn declare(declaration: &mut Declaration) {
        declaration.uses.insert(T::NAME.to_owned());
    }
    async fn bind(context: &StepContext) -> StepResult<Self> {
        let Some(value) = context.data(T::NAME).await? else { return Ok(Self(None)) };
        let data = serde_json::from_value(value).map_err(|error| StepError::Other(format!("{}: {error}", T::NAME)))?;
        Ok(Self(Some(data)))
    }
}
