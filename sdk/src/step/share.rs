//! Job data shared between steps: `Publish<T>` and `Data<T>`.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Declaration, Parameter, StepContext, StepError, StepResult};

/// Data that one step leaves for others in the job's store.
pub trait JobData: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its name, unique in the integration.
    const NAME: &'static str;
}

/// Publishes job data; one step only may.
pub struct Publish<T>(StepContext, PhantomData<fn() -> T>);

impl<T: JobData> Parameter for Publish<T> {
    fn declare(declaration: &mut Declaration) {
        declaration.publishes.insert(T::NAME.to_owned());
    }
    async fn bind(context: &StepContext) -> StepResult<Self> {
        Ok(Self(context.clone(), PhantomData))
    }
}

impl<T: JobData> Publish<T> {
    /// Sets the data, over what was there.
    ///
    /// # Errors
    /// [`StepError`] where the data are not JSON or the store does not work.
    pub async fn set(&self, data: &T) -> StepResult {
        let value = serde_json::to_value(data).map_err(|error| StepError::Other(format!("{}: {error}", T::NAME)))?;
        self.0.publish(T::NAME, &value).await
    }
}

/// Job data that another step published; `None` where that step failed or published nothing.
pub struct Data<T>(pub Option<T>);

impl<T: JobData> Parameter for Data<T> {
    fn declare(declaration: &mut Declaration) {
        declaration.uses.insert(T::NAME.to_owned());
    }
    async fn bind(context: &StepContext) -> StepResult<Self> {
        let Some(value) = context.data(T::NAME).await? else { return Ok(Self(None)) };
        let data = serde_json::from_value(value).map_err(|error| StepError::Other(format!("{}: {error}", T::NAME)))?;
        Ok(Self(Some(data)))
    }
}
