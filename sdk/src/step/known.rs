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
