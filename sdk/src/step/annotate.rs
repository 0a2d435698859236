//! The parameter that adds properties that no other step reads: `Annotate<T>`.

use std::ops::Deref;

use crate::graph::EntityKind;

use super::{Amend, Declaration, Parameter, StepContext, StepResult};

/// Adds properties that no other step reads to entities of type `E`.
///
/// The functions are those of [`Amend`]. As a parameter, it makes no step wait: steps that read or follow `E` start
/// without the additions and may see some of them. Use it if the additions cost requests of their own, and if all steps
/// of the type need only its other properties.
///
/// ```
/// # use integration_sdk::Integration;
/// # use integration_sdk::prelude::*;
/// # /// A planet.
/// # #[derive(EntityKind)]
/// # #[entity(type = "space_planet", class = "Site", resource = "Planet")]
/// # struct Planet { #[entity(key)] id: String, name: String }
/// # #[step(id = "fetch-planets", name = "Fetch planets")]
/// # async fn fetch_planets(planets: Emit<Planet>) -> StepResult {
/// #     planets.add(Planet { id: "planet:mars".into(), name: "Mars".into() }).await.map(drop)
/// # }
/// #[step(id = "measure-planets", name = "Measure planets")]
/// async fn measure_planets(planets: Read<Planet>, sizes: Annotate<Planet>) -> StepResult {
///     planets.for_each_concurrent(async |planet| sizes.add(&planet, [("radiusKm", 3390.0)]).await.map(drop)).await
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # use integration_testing_kit::{Collected, assert_entity};
/// let space = Integration::without_provider::<()>("space", "Space").step(fetch_planets()).step(measure_planets());
/// let collected = Collected::run_without_values(&space).await;
/// assert_entity!(collected, "planet:mars", { radiusKm: 3390 });
/// # }
/// ```
pub struct Annotate<E>(Amend<E>);

impl<E> Deref for Annotate<E> {
    type Target = Amend<E>;
    fn deref(&self) -> &Amend<E> {
        &self.0
    }
}

impl<E: EntityKind> Parameter for Annotate<E> {
    fn declare(declaration: &mut Declaration) {
        Amend::<E>::declare(declaration);
        declaration.annotates.insert(E::object_type());
    }
    async fn bind(context: &StepContext) -> StepResult<Self> {
        Amend::bind(context).await.map(Self)
    }
}
