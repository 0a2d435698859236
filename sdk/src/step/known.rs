//! The parameter that looks up keys: `Known<T>`.

use std::collections::HashSet;
use std::marker::PhantomData;

use crate::graph::{EntityView, ObjectKey, ObjectType};

use super::{Declaration, Parameter, StepContext, StepResult};

/// Looks up which entities of type `E` exist, and whether all of them were collected.
///
/// As a parameter, it makes the step wait for all steps that emit them, like [`Read`](super::Read), but not for the
/// steps that amend them: additional properties change neither answer. A resumed job therefore repeats the step only if
/// an emitter runs again.
///
/// ```
/// # use integration_sdk::Integration;
/// # use integration_sdk::prelude::*;
/// # /// A planet.
/// # #[derive(EntityKind)]
/// # #[entity(type = "space_planet", class = "Site", resource = "Planet")]
/// # struct Planet { #[entity(key)] id: String, name: String }
/// # /// A moon.
/// # #[derive(EntityKind)]
/// # #[entity(type = "space_moon", class = "Site", resource = "Moon")]
/// # struct Moon { #[entity(key)] id: String, name: String }
/// # relationship!(PlanetHasMoon: Planet -[HAS]-> Moon);
/// # #[step(id = "fetch-planets", name = "Fetch planets")]
/// # async fn fetch_planets(planets: Emit<Planet>) -> StepResult {
/// #     planets.add(Planet { id: "planet:earth".into(), name: "Earth".into() }).await?;
/// #     Ok(())
/// # }
/// #[step(id = "fetch-moons", name = "Fetch moons")]
/// async fn fetch_moons(planets: Known<Planet>, moons: Emit<Moon>, has: Emit<PlanetHasMoon>) -> StepResult {
///     let page = [("Luna", "planet:earth"), ("Vanth", "planet:orcus")];
///     let known = planets.known(page.map(|(_, planet)| planet)).await?;
///     for (name, planet) in page {
///         let moon = moons.add(Moon { id: format!("moon:{name}"), name: name.into() }).await?;
///         if known.contains(planet) {
///             has.add(&EntityRef::new(planet), &moon).await?;
///         } else if planets.is_complete().await? {
///             has.skip_named("its planet is not in the account", name);
///         } else {
///             has.miss("its planet may be missing", name);
///         }
///     }
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # use integration_testing_kit::{Collected, assert_graph};
/// let space = Integration::without_provider::<()>("space", "Space").step(fetch_planets()).step(fetch_moons());
/// let collected = Collected::run_without_values(&space).await;
/// assert_graph!(collected, { space_planet: 1, space_moon: 2, space_planet_has_moon: 1 });
/// # }
/// ```
pub struct Known<E> {
    context: StepContext,
    object_type: ObjectType,
    kind: PhantomData<fn() -> E>,
}

impl<E: EntityView> Parameter for Known<E> {
    fn declare(declaration: &mut Declaration) {
        declaration.knows.insert(E::entity_type());
    }
    async fn bind(context: &StepContext) -> StepResult<Self> {
        Ok(Self { context: context.clone(), object_type: E::entity_type(), kind: PhantomData })
    }
}

impl<E: EntityView> Known<E> {
    /// Returns the keys for which the graph contains an entity.
    ///
    /// # Errors
    /// [`StepError::Store`](super::StepError::Store) if the store fails.
    pub async fn known<'a>(&self, keys: impl IntoIterator<Item = &'a str>) -> StepResult<HashSet<String>> {
        known(&self.context, &self.object_type, keys).await
    }

    /// Returns whether all steps that add entities of the type completed without a gap.
    ///
    /// If not, an unknown key may belong to an entity that exists at the provider. Objects that depend on it are
    /// [missing](super::RelationshipEmitter::miss), not skipped.
    ///
    /// # Errors
    /// [`StepError::Store`](super::StepError::Store) if the store fails.
    pub async fn is_complete(&self) -> StepResult<bool> {
        self.context.has_all(&self.object_type).await
    }

    /// Returns the parents under which all steps that add entities of the type collected everything.
    ///
    /// An entity that is unknown under such a parent did not exist there when the parent was listed.
    ///
    /// # Errors
    /// [`StepError::Store`](super::StepError::Store) if the store fails.
    pub async fn complete_under<'a>(&self, parents: impl IntoIterator<Item = &'a str>) -> StepResult<HashSet<String>> {
        let parents = parents.into_iter().filter_map(|key| ObjectKey::new(key).ok()).collect();
        let complete = self.context.complete_under(&self.object_type, parents).await?;
        Ok(complete.iter().map(ToString::to_string).collect())
    }
}

/// Returns those of `keys` that belong to entities of a type. Invalid keys belong to none.
pub(super) async fn known<'a>(
    context: &StepContext,
    object_type: &ObjectType,
    keys: impl IntoIterator<Item = &'a str>,
) -> StepResult<HashSet<String>> {
    let keys = keys.into_iter().filter_map(|key| ObjectKey::new(key).ok()).collect();
    Ok(context.known(object_type, keys).await?.iter().map(ToString::to_string).collect())
}
