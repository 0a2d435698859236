//! Functions as steps: each parameter declares itself, then binds itself to a run.

use std::ops::Deref;

use futures::future::BoxFuture;

use crate::config::Config;
use crate::http::Provider;

use super::{Declaration, StepContext, StepError, StepResult};

/// A parameter of a step function.
pub trait Parameter: Sized + Send + 'static {
    /// Adds the effects of this parameter to the declaration of the step.
    fn declare(declaration: &mut Declaration);
    /// Creates the parameter for one run.
    fn bind(context: &StepContext) -> impl Future<Output = StepResult<Self>> + Send;
}

/// An async function whose parameters all implement [`Parameter`].
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
            None => Err(StepError::Other("the integration declares no provider: create it with `Integration::of` instead of `Integration::offline`".into())),
        }
    }
}

/// The configuration of the integration.
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
