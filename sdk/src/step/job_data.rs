//! Job data shared between steps: `Publish<T>` and `JobData<T>`.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Declaration, Parameter, StepContext, StepError, StepResult};

/// Data that one step publishes for later steps of the job.
///
/// ```
/// # use integration_sdk::Integration;
/// # use integration_sdk::prelude::*;
/// use integration_sdk::serde::{Deserialize, Serialize};
/// use integration_sdk::step::JobDatum;
/// # /// A planet.
/// # #[derive(EntityKind)]
/// # #[entity(type = "space_planet", class = "Site", resource = "Planet")]
/// # struct Planet { #[entity(key)] id: String, name: String }
/// # impl Planet {
/// #     fn new(name: &str) -> Self { Self { id: format!("planet:{}", name.to_lowercase()), name: name.into() } }
/// # }
///
/// /// The range of the telescope.
/// #[derive(Serialize, Deserialize)]
/// #[serde(crate = "integration_sdk::serde")]
/// struct Range { light_years: u64 }
///
/// impl JobDatum for Range {
///     const NAME: &'static str = "range";
/// }
///
/// #[step(id = "fetch-range", name = "Fetch range")]
/// async fn fetch_range(range: Publish<Range>) -> StepResult {
///     range.set(&Range { light_years: 4 }).await
/// }
///
/// #[step(id = "fetch-planets", name = "Fetch planets")]
/// async fn fetch_planets(JobData(range): JobData<Range>, planets: Emit<Planet>) -> StepResult {
///     if range.is_some_and(|range| range.light_years >= 4) {
///         planets.add(Planet::new("Proxima")).await?;
///     }
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # use integration_testing_kit::{Collected, assert_graph};
/// let space = Integration::without_provider::<()>("space", "Space").step(fetch_range()).step(fetch_planets());
/// let collected = Collected::run_without_values(&space).await;
/// assert_graph!(collected, { space_planet: 1 });
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not job data",
    label = "not job data",
    note = "implement `JobDatum` with the name of the data"
)]
pub trait JobDatum: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name of the data, unique in the integration.
    const NAME: &'static str;
}

/// Publishes job data. Only one step of an integration may publish each name.
///
/// ```
/// # use integration_sdk::prelude::*;
/// # use integration_sdk::step::JobDatum;
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct Range { light_years: u64 }
/// # impl JobDatum for Range { const NAME: &'static str = "range"; }
/// #[step(id = "fetch-range", name = "Fetch range")]
/// async fn fetch_range(range: Publish<Range>) -> StepResult {
///     range.set(&Range { light_years: 4 }).await
/// }
/// assert_eq!(fetch_range().declaration().publishes, ["range".to_owned()].into());
/// ```
///
/// [`JobDatum`] shows both sides.
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
///
/// ```
/// # use integration_sdk::prelude::*;
/// # use integration_sdk::step::JobDatum;
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct Range { light_years: u64 }
/// # impl JobDatum for Range { const NAME: &'static str = "range"; }
/// #[step(id = "observe", name = "Observe")]
/// async fn observe(JobData(range): JobData<Range>) -> StepResult {
///     let light_years = range.map_or(1, |range| range.light_years);
///     println!("observing up to {light_years} light-years");
///     Ok(())
/// }
/// assert_eq!(observe().declaration().uses, ["range".to_owned()].into());
/// ```
///
/// [`JobDatum`] shows both sides.
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
