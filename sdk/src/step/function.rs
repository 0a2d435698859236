//! Functions as steps: each parameter declares itself, then binds itself to a run.

use std::ops::Deref;

use futures::future::BoxFuture;

use crate::config::Config;
use crate::http::Provider;

use super::{Declaration, StepContext, StepError, StepResult};

/// A parameter of a step function.
///
/// Other parameters than those of this crate are possible: a type that declares and binds several of them, for example.
///
/// ```
/// # use integration_sdk::Integration;
/// # use integration_sdk::prelude::*;
/// use integration_sdk::step::{Declaration, Parameter, StepContext};
/// # /// A planet.
/// # #[derive(EntityKind)]
/// # #[entity(type = "space_planet", class = "Site", resource = "Planet")]
/// # struct Planet { #[entity(key)] id: String, name: String }
/// # /// A moon.
/// # #[derive(EntityKind)]
/// # #[entity(type = "space_moon", class = "Site", resource = "Moon")]
/// # struct Moon { #[entity(key)] id: String, name: String }
///
/// /// Emits planets and moons.
/// struct Bodies { planets: Emit<Planet>, moons: Emit<Moon> }
///
/// impl Parameter for Bodies {
///     fn declare(declaration: &mut Declaration) {
///         Emit::<Planet>::declare(declaration);
///         Emit::<Moon>::declare(declaration);
///     }
///     async fn bind(context: &StepContext) -> StepResult<Self> {
///         Ok(Self { planets: Emit::bind(context).await?, moons: Emit::bind(context).await? })
///     }
/// }
///
/// #[step(id = "fetch-bodies", name = "Fetch bodies")]
/// async fn fetch_bodies(bodies: Bodies) -> StepResult {
///     bodies.planets.add(Planet { id: "planet:earth".into(), name: "Earth".into() }).await?;
///     bodies.moons.add(Moon { id: "moon:luna".into(), name: "Luna".into() }).await?;
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # use integration_testing_kit::{Collected, assert_graph};
/// let space = Integration::without_provider::<()>("space", "Space").step(fetch_bodies());
/// assert_graph!(Collected::run_without_values(&space).await, { space_planet: 1, space_moon: 1 });
/// # }
/// ```
///
/// Any other type is an error that names the parameters:
///
/// ```compile_fail,E0277
/// # use integration_sdk::prelude::*;
/// #[step(id = "fetch-planets", name = "Fetch planets")]
/// async fn fetch_planets(names: Vec<String>) -> StepResult {
///     Ok(())
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a step cannot have a parameter of type `{Self}`",
    label = "not a step parameter",
    note = "the parameters are `Client<P>`, `ConfigOf<C>`, `Emit<T>`, `Read<E>`, `Follow<E>`, `Amend<E>`, `Publish<T>`, `JobData<T>` and `StepContext`",
    note = "a step receives its parameters by value, without `&`"
)]
pub trait Parameter: Sized + Send + 'static {
    /// Adds the effects of this parameter to the declaration of the step.
    fn declare(declaration: &mut Declaration);
    /// Creates the parameter for one run.
    fn bind(context: &StepContext) -> impl Future<Output = StepResult<Self>> + Send;
}

/// An async function whose parameters all implement [`Parameter`].
///
/// It has at most nine parameters and returns [`StepResult`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a step function",
    label = "not a step function",
    note = "a step function is an `async fn` with at most nine step parameters that returns `StepResult`, and its future is `Send`",
    note = "`#[step]` reports the parameter or the result that does not fit"
)]
pub trait StepFunction<Parameters>: Clone + Send + Sync + 'static {
    /// Declares every parameter.
    fn declare(declaration: &mut Declaration);
    /// Binds every parameter and calls the function.
    fn call(self, context: StepContext) -> BoxFuture<'static, StepResult>;
}

macro_rules! step_function {
    ($($parameter:ident),*) => {
        impl<F, Fut, $($parameter: Parameter),*> StepFunction<($($parameter,)*)> for F
        where
            F: Fn($($parameter),*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = StepResult> + Send + 'static,
        {
            fn declare(_declaration: &mut Declaration) {
                $($parameter::declare(_declaration);)*
            }
            #[allow(non_snake_case)]
            fn call(self, _context: StepContext) -> BoxFuture<'static, StepResult> {
                Box::pin(async move {
                    $(let $parameter = $parameter::bind(&_context).await?;)*
                    self($($parameter),*).await
                })
            }
        }
    };
}

step_function!();
step_function!(A);
step_function!(A, B);
step_function!(A, B, C);
step_function!(A, B, C, D);
step_function!(A, B, C, D, E);
step_function!(A, B, C, D, E, G);
step_function!(A, B, C, D, E, G, H);
step_function!(A, B, C, D, E, G, H, I);
step_function!(A, B, C, D, E, G, H, I, J);

/// The client of the provider, which counts the requests of its step.
///
/// It dereferences to `P`, the [`Provider`] of the integration.
///
/// ```
/// # use integration_sdk::Integration;
/// # use integration_sdk::http::{Endpoint, Http, Provider, ProviderError, VerifiedAccount};
/// # use integration_sdk::http::{StatusCode, WireResponse, respond_with};
/// # use integration_sdk::prelude::*;
/// # /// A planet.
/// # #[derive(EntityKind)]
/// # #[entity(type = "space_planet", class = "Site", resource = "Planet")]
/// # struct Planet { #[entity(key)] id: String, name: String }
/// # impl Planet {
/// #     fn new(name: &str) -> Self { Self { id: format!("planet:{}", name.to_lowercase()), name: name.into() } }
/// # }
/// # struct Space(Http);
/// # impl Provider for Space {
/// #     type Config = ();
/// #     fn endpoint(_: &()) -> Endpoint { Endpoint::new("https://api.space.example".parse().expect("a URL")) }
/// #     fn new(http: Http) -> Self { Self(http) }
/// #     async fn verify(&self) -> Result<VerifiedAccount, ProviderError> { Ok(VerifiedAccount::of("ada")) }
/// # }
/// impl Space {
///     async fn planets(&self) -> Result<Vec<String>, ProviderError> {
///         self.0.get("/planets", &[]).json().await
///     }
/// }
///
/// #[step(id = "fetch-planets", name = "Fetch planets")]
/// async fn fetch_planets(api: Client<Space>, planets: Emit<Planet>) -> StepResult {
///     for name in api.planets().await? {
///         planets.add(Planet::new(&name)).await?;
///     }
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # use integration_testing_kit::{Collected, assert_graph};
/// let space = Integration::of::<Space>("space", "Space").step(fetch_planets());
/// let api = respond_with(|_| Ok(WireResponse::new(StatusCode::OK, r#"["Earth", "Mars"]"#)));
/// let collected = Collected::run_without_values(&space).with_job(|job| job.transport(api.clone())).await;
/// assert_graph!(collected, { space_planet: 2 });
/// # }
/// ```
pub struct Client<P>(P);

impl<P> Deref for Client<P> {
    type Target = P;
    fn deref(&self) -> &P {
        &self.0
    }
}

impl<P: Provider> Parameter for Client<P> {
    fn declare(_: &mut Declaration) {}
    async fn bind(context: &StepContext) -> StepResult<Self> {
        match context.http() {
            Some(http) => Ok(Self(P::new(http))),
            None => Err(StepError::Other("the integration declares no provider: create it with `Integration::of` instead of `Integration::without_provider`".into())),
        }
    }
}

/// The configuration of the integration. It dereferences to `C`.
///
/// ```
/// # use integration_sdk::Integration;
/// # use integration_sdk::prelude::*;
/// # /// A planet.
/// # #[derive(EntityKind)]
/// # #[entity(type = "space_planet", class = "Site", resource = "Planet")]
/// # struct Planet { #[entity(key)] id: String, name: String }
/// # impl Planet {
/// #     fn new(name: &str) -> Self { Self { id: format!("planet:{}", name.to_lowercase()), name: name.into() } }
/// # }
/// /// The settings of the telescope.
/// #[derive(Config)]
/// struct Telescope {
///     /// The planet to observe.
///     target: String,
/// }
///
/// #[step(id = "fetch-planets", name = "Fetch planets")]
/// async fn fetch_planets(config: ConfigOf<Telescope>, planets: Emit<Planet>) -> StepResult {
///     planets.add(Planet::new(&config.target)).await?;
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # use integration_testing_kit::{Collected, assert_entity};
/// let space = Integration::without_provider::<Telescope>("space", "Space").step(fetch_planets());
/// let collected = Collected::run(&space, [("SPACE_TARGET", "Mars")]).await;
/// assert_entity!(collected, "planet:mars", { name: "Mars" });
/// # }
/// ```
pub struct ConfigOf<C>(std::sync::Arc<C>);

impl<C> Deref for ConfigOf<C> {
    type Target = C;
    fn deref(&self) -> &C {
        &self.0
    }
}

impl<C: Config> Parameter for ConfigOf<C> {
    fn declare(_: &mut Declaration) {}
    async fn bind(context: &StepContext) -> StepResult<Self> {
        match context.config().downcast::<C>() {
            Ok(config) => Ok(Self(config)),
            Err(_) => Err(StepError::Other(
                "the step requires a configuration of another type than the integration declares".into(),
            )),
        }
    }
}

impl Parameter for StepContext {
    fn declare(_: &mut Declaration) {}
    async fn bind(context: &StepContext) -> StepResult<Self> {
        Ok(context.clone())
    }
}
