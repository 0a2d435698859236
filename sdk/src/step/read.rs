//! The parameter that reads the graph: `Read<T>`.

use std::collections::{HashMap, HashSet};
use std::marker::PhantomData;

use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};

use tokio_util::task::AbortOnDropHandle;

use crate::graph::{AsEntityRef, EntityView, ObjectKey, ObjectType};
use crate::store::{CollectedPage, ScanCursor};

use super::context::{read_all, unreadable};
use super::known::known;
use super::{Declaration, Parameter, StepContext, StepError, StepResult};

/// The size of a page: enough to keep a step busy, and small enough for memory.
const PAGE: usize = 500;

/// Reads entities of type `E`. As a parameter, it makes the step wait for all steps that emit them.
///
/// `E` is an entity type, or a [view](macro@crate::EntityView) with some of its properties.
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
/// # /// A moon.
/// # #[derive(EntityKind)]
/// # #[entity(type = "space_moon", class = "Site", resource = "Moon")]
/// # struct Moon { #[entity(key)] id: String, name: String }
/// # relationship!(PlanetHasMoon: Planet -[HAS]-> Moon);
/// # #[step(id = "fetch-planets", name = "Fetch planets")]
/// # async fn fetch_planets(planets: Emit<Planet>) -> StepResult {
/// #     for name in ["Earth", "Mars"] { planets.add(Planet::new(name)).await?; }
/// #     Ok(())
/// # }
/// #[step(id = "fetch-moons", name = "Fetch moons")]
/// async fn fetch_moons(planets: Read<Planet>, moons: Emit<Moon>, has: Emit<PlanetHasMoon>) -> StepResult {
///     for (name, planet) in [("Luna", "planet:earth"), ("Vanth", "planet:orcus")] {
///         let Some(planet) = planets.get(&EntityRef::new(planet)).await? else {
///             moons.skip_named("its planet is unknown", name);
///             continue;
///         };
///         let moon = moons.add(Moon { id: format!("moon:{name}"), name: name.into() }).await?;
///         has.add(&planet, &moon).await?;
///     }
///     let names: Vec<String> = planets.stream().map_ok(|planet| planet.name).try_collect().await?;
///     assert_eq!(names, ["Earth", "Mars"]);
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # use integration_testing_kit::{Collected, assert_graph};
/// let space = Integration::without_provider::<()>("space", "Space").step(fetch_planets()).step(fetch_moons());
/// let collected = Collected::run_without_values(&space).await;
/// assert_graph!(collected, { space_planet: 2, space_moon: 1, space_planet_has_moon: 1 });
/// # }
/// ```
pub struct Read<E> {
    context: StepContext,
    object_type: ObjectType,
    kind: PhantomData<fn() -> E>,
}

/// The entities of a page, and the place of the next one.
type Coming<E> = (StepResult<Vec<E>>, Option<ScanCursor>);

/// The state of an iteration over pages.
enum Turn<E> {
    First,
    Coming(AbortOnDropHandle<StepResult<Coming<E>>>),
    End,
}

impl<E: EntityView> Parameter for Read<E> {
    fn declare(declaration: &mut Declaration) {
        declaration.reads.insert(E::entity_type());
    }
    async fn bind(context: &StepContext) -> StepResult<Self> {
        Ok(Self { context: context.clone(), object_type: E::entity_type(), kind: PhantomData })
    }
}

impl<E: EntityView> Read<E> {
    /// Streams the entities in key order, with one page in memory.
    pub fn stream(&self) -> BoxStream<'_, StepResult<E>> {
        self.pages().map_ok(|page| stream::iter(page.into_iter().map(Ok))).try_flatten().boxed()
    }

    /// Streams the entities in pages, for work that is cheaper in bulk. The next page is read in the background.
    pub fn pages(&self) -> BoxStream<'_, StepResult<Vec<E>>> {
        let pages = stream::try_unfold(Turn::First, move |turn| async move {
            let coming = match turn {
                Turn::First => self.page(ScanCursor::FIRST_KEY),
                Turn::Coming(page) => page,
                Turn::End => return Ok::<_, StepError>(None),
            };
            let (entities, next) =
                coming.await.map_err(|error| StepError::Other(format!("a page could not be read: {error}")))??;
            let next = next.map_or(Turn::End, |from| Turn::Coming(self.page(from)));
            Ok(Some((entities?, next)))
        });
        pages.boxed()
    }

    fn page(&self, from: ScanCursor) -> AbortOnDropHandle<StepResult<Coming<E>>> {
        let (context, object_type) = (self.context.clone(), self.object_type.clone());
        AbortOnDropHandle::new(tokio::spawn(async move {
            let CollectedPage { objects, next } = context.scan(&object_type, from, PAGE).await?;
            Ok((read_all(&object_type, &objects), next))
        }))
    }

    /// Returns the keys for which the graph contains an entity.
    ///
    /// # Errors
    /// [`StepError::Store`] if the store fails.
    pub async fn known<'a>(&self, keys: impl IntoIterator<Item = &'a str>) -> StepResult<HashSet<String>> {
        known(&self.context, &self.object_type, keys).await
    }

    /// Returns whether all steps that add entities of the type completed without a gap.
    ///
    /// If not, an unknown key may belong to an entity that exists at the provider. Objects that depend on it are
    /// [missing](super::RelationshipEmitter::miss), not skipped.
    ///
    /// # Errors
    /// [`StepError::Store`] if the store fails.
    pub async fn is_complete(&self) -> StepResult<bool> {
        self.context.has_all(&self.object_type).await
    }

    /// Runs the work for each entity, several concurrently.
    ///
    /// If the provider fails for one entity, the gap is limited to that parent, and the others continue.
    ///
    /// # Errors
    /// Every error that must end the step: see [`StepContext::partition`].
    pub async fn for_each_concurrent<F, Fut>(&self, work: F) -> StepResult
    where
        F: Fn(E) -> Fut + Send,
        Fut: Future<Output = StepResult> + Send,
    {
        self.context.for_each_partition(&self.object_type, self.stream(), |_| true, work).await
    }

    /// Runs the work for each entity that the configuration selects, several concurrently.
    ///
    /// Nothing is requested under the other entities. Their objects in earlier snapshots stay in the graph as stale, and
    /// the types of the step are partial. A job without other gaps is complete.
    ///
    /// # Errors
    /// As [`for_each_concurrent`](Self::for_each_concurrent).
    pub async fn for_each_selected<S, F, Fut>(&self, selects: S, work: F) -> StepResult
    where
        S: Fn(&E) -> bool + Send + Sync,
        F: Fn(E) -> Fut + Send,
        Fut: Future<Output = StepResult> + Send,
    {
        self.context.for_each_partition(&self.object_type, self.stream(), selects, work).await
    }

    /// Returns whether the graph contains no such entity.
    ///
    /// # Errors
    /// [`StepError::Unknown`] if no entity was found but some may be missing, [`StepError::Store`] if the store fails.
    pub async fn is_empty(&self) -> StepResult<bool> {
        let first = self.context.scan(&self.object_type, ScanCursor::FIRST_APPENDED, 1).await?;
        self.context.surely_empty(&self.object_type, first.objects.is_empty()).await
    }

    /// Returns the entity with this key, if the graph contains it.
    ///
    /// # Errors
    /// [`StepError::Unreadable`] if the entity does not fit `E`, [`StepError::Store`] if the store fails.
    pub async fn get(&self, key: &impl AsEntityRef<E::Entity>) -> StepResult<Option<E>> {
        let Ok(key) = ObjectKey::new(key.related_key()) else { return Ok(None) };
        let found = self.context.entities(&self.object_type, vec![key]).await?.pop();
        found.map(|(_, json)| E::read(&json)).transpose().map_err(|source| unreadable(&self.object_type, source))
    }

    /// Returns the entities with these keys that the graph contains, by key, in one read of the store.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn get_all<'a>(&self, keys: impl IntoIterator<Item = &'a str>) -> StepResult<HashMap<String, E>> {
        let keys = keys.into_iter().filter_map(|key| ObjectKey::new(key).ok()).collect();
        let found = self.context.entities(&self.object_type, keys).await?;
        let read = |(key, json): (ObjectKey, String)| E::read(&json).map(|entity| (key.to_string(), entity));
        let read = found.into_iter().map(read).collect::<Result<_, _>>();
        read.map_err(|source| unreadable(&self.object_type, source))
    }
}
