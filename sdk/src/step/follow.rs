//! The parameter that reads entities while they are added: `Follow<T>`.

use std::marker::PhantomData;
use std::sync::Arc;

use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};

use crate::graph::{EntityView, ObjectType};
use crate::store::{CollectedPage, ScanCursor};

use super::context::read_all;
use super::watermark::Watermark;
use super::{Declaration, Parameter, StepContext, StepError, StepResult};

/// The maximum number of entities in memory.
const PAGE: usize = 500;

/// Reads entities of type `E` while they are added.
///
/// The step starts together with the steps that emit them. The order of the entities is undefined, so the result must
/// not depend on it. If entities of the type can still change, because equal keys merge or another step amends them,
/// the step waits for all of them, as with [`Read`](super::Read).
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
/// async fn fetch_moons(planets: Follow<Planet>, moons: Emit<Moon>, has: Emit<PlanetHasMoon>) -> StepResult {
///     let moons_of = async |planet: Planet| {
///         // A real step requests the moons of the planet here.
///         let moon = Moon { id: format!("moon-of-{}", planet.id), name: format!("A moon of {}", planet.name) };
///         let moon = moons.add(moon).await?;
///         has.add(&planet, &moon).await
///     };
///     planets.for_each_concurrent(moons_of).await
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # use integration_testing_kit::{Collected, assert_graph};
/// let space = Integration::without_provider::<()>("space", "Space").step(fetch_planets()).step(fetch_moons());
/// let collected = Collected::run_without_values(&space).await;
/// assert_graph!(collected, { space_planet: 2, space_moon: 2, space_planet_has_moon: 2 });
/// # }
/// ```
pub struct Follow<E> {
    context: StepContext,
    object_type: ObjectType,
    watermark: Arc<Watermark>,
    kind: PhantomData<fn() -> E>,
}

impl<E: EntityView> Parameter for Follow<E> {
    fn declare(declaration: &mut Declaration) {
        declaration.follows.insert(E::entity_type());
    }
    async fn bind(context: &StepContext) -> StepResult<Self> {
        let object_type = E::entity_type();
        let watermark = context.watermark(&object_type);
        Ok(Self { context: context.clone(), object_type, watermark, kind: PhantomData })
    }
}

impl<E: EntityView> Follow<E> {
    /// Streams the entities in the order in which they become available.
    pub fn stream(&self) -> BoxStream<'_, StepResult<E>> {
        self.pages().map_ok(|page| stream::iter(page.into_iter().map(Ok))).try_flatten().boxed()
    }

    /// Streams the entities in pages, for work that is cheaper in bulk.
    pub fn pages(&self) -> BoxStream<'_, StepResult<Vec<E>>> {
        let pages = stream::try_unfold(ScanCursor::FIRST_APPENDED, move |from| async move {
            let CollectedPage { objects, next } = self.next_page(from).await?;
            let Some(next) = next.filter(|_| !objects.is_empty()) else { return Ok::<_, StepError>(None) };
            Ok(Some((read_all(&self.object_type, &objects)?, next)))
        });
        pages.boxed()
    }

    /// Reads the next entities; an empty page means that the type is complete.
    async fn next_page(&self, from: ScanCursor) -> StepResult<CollectedPage> {
        loop {
            let cursor = self.watermark.cursor();
            let page = self.context.scan(&self.object_type, from.clone(), PAGE).await?;
            if !page.objects.is_empty() || cursor.ended {
                return Ok(page);
            }
            // A commit delays other steps. It is requested only when this step has no other work.
            self.watermark.flush().await?;
            self.context.commit().await?;
            let page = self.context.scan(&self.object_type, from.clone(), PAGE).await?;
            if !page.objects.is_empty() {
                return Ok(page);
            }
            cursor.changed().await;
        }
    }

    /// Returns whether the type is empty, once its first entity or its end is known.
    ///
    /// # Errors
    /// [`StepError::Unknown`] if no entity was found but some may be missing, [`StepError::Store`] if the store fails.
    pub async fn is_empty(&self) -> StepResult<bool> {
        let first = self.next_page(ScanCursor::FIRST_APPENDED).await?;
        self.context.surely_empty(&self.object_type, first.objects.is_empty()).await
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
}
