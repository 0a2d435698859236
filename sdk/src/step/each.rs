//! The parameter that reads entities as they come: `Each<T>`.

use std::marker::PhantomData;
use std::sync::Arc;

use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};

use crate::graph::{ObjectType, PropertyError, Readable};

use super::context::unreadable;
use super::tail::Tail;
use super::{Declaration, Parameter, StepContext, StepError, StepResult};

/// Entities in memory at once.
const PAGE: usize = 500;

/// Reads entities of type `E` one by one, as they are added: the step begins when the steps that emit them do, not when
/// they end. Their order is not told, so neither may the result depend on it.
///
/// Where entities of the type may still change, because equal keys merge or another step amends them, the step waits for
/// all of them, as with [`Read`](super::Read).
pub struct Each<E> {
    context: StepContext,
    object_type: ObjectType,
    tail: Arc<Tail>,
    kind: PhantomData<fn() -> E>,
}

impl<E: Readable> Parameter for Each<E> {
    fn declare(declaration: &mut Declaration) {
        declaration.follows.insert(E::entity_type());
    }
    async fn bind(context: &StepContext) -> StepResult<Self> {
        let object_type = E::entity_type();
        let tail = context.tail(&object_type);
        Ok(Self { context: context.clone(), object_type, tail, kind: PhantomData })
    }
}

impl<E: Readable> Each<E> {
    /// The entities as they come.
    pub fn stream(&self) -> BoxStream<'_, StepResult<E>> {
        self.pages().map_ok(|page| stream::iter(page.into_iter().map(Ok))).try_flatten().boxed()
    }

    /// The entities as they come, as many at once as are there: for work that is cheaper so, such as asking which keys are known.
    pub fn pages(&self) -> BoxStream<'_, StepResult<Vec<E>>> {
        let pages = stream::try_unfold(0, move |position| async move {
            let page = self.next_page(position).await?;
            let Some(next) = page.last().map(|(row, _)| *row) else { return Ok::<_, StepError>(None) };
            let read = |(_, entity): (i64, Result<E, PropertyError>)| {
                entity.map_err(|error| unreadable(&self.object_type, error))
            };
            Ok(Some((page.into_iter().map(read).collect::<StepResult<Vec<E>>>()?, next)))
        });
        pages.boxed()
    }

    /// What was added behind `position`; empty when there is no more to come.
    async fn next_page(&self, position: i64) -> StepResult<Vec<(i64, Result<E, PropertyError>)>> {
        loop {
            let look = self.tail.look();
            let page = self.context.added_since(&self.object_type, position, PAGE, false, E::read).await?;
            if !page.is_empty() || look.ended {
                return Ok(page);
            }
            // A commit costs others time: it is asked for only where there is nothing left to do.
            self.tail.flush().await?;
            let page = self.context.added_since(&self.object_type, position, PAGE, true, E::read).await?;
            if !page.is_empty() {
                return Ok(page);
            }
            look.changed().await;
        }
    }

    /// Whether there is no such entity; waits for the first, or for the end of those that add them.
    ///
    /// # Errors
    /// [`StepError::Unknown`] where none is there and some may have been missed, or the store does not work.
    pub async fn is_empty(&self) -> StepResult<bool> {
        let first = self.next_page(0).await?;
        self.context.surely_empty(&self.object_type, first.is_empty()).await
    }

    /// Does the work for each entity, several at a time. Where the provider fails for one, what is missing is noted under
    /// that entity and the others go on.
    ///
    /// # Errors
    /// What must end the step: see [`StepContext::part`].
    pub async fn for_each_concurrent<F, Fut>(&self, work: F) -> StepResult
    where
        F: Fn(E) -> Fut + Send,
        Fut: Future<Output = StepResult> + Send,
    {
        self.context.for_each_part(&self.object_type, self.stream(), work).await
    }
}
