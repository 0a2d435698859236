//! Parameters that add to the graph: `Emit<T>` and `Amend<T>`.

use std::fmt::Display;
use std::marker::PhantomData;
use std::ops::Deref;

use crate::graph::{
    AsEntityRef, Class, Draft, EntityDeclaration, EntityKind, EntityRef, MappedRelationship,
    MappedRelationshipDeclaration, MappedRelationshipKind, ObjectKey, ObjectType, ObjectWriter, Properties, Property,
    RelationshipDeclaration, RelationshipKind, written,
};

use super::{Declaration, ObjectError, Parameter, StepContext, StepResult};

/// A type that a step can emit. Derives and declaring macros implement this trait.
pub trait Emittable: Sized + Send + Sync + 'static {
    /// The parameter that adds values of the type.
    type Emitter: Parameter;
}

/// Adds objects of type `T` to the graph. As a parameter, it declares that the step may add them.
pub struct Emit<T: Emittable>(T::Emitter);

impl<T: Emittable> Deref for Emit<T> {
    type Target = T::Emitter;
    fn deref(&self) -> &T::Emitter {
        &self.0
    }
}

impl<T: Emittable> Parameter for Emit<T> {
    fn declare(declaration: &mut Declaration) {
        T::Emitter::declare(declaration);
    }
    async fn bind(context: &StepContext) -> StepResult<Self> {
        T::Emitter::bind(context).await.map(Self)
    }
}

fn parse_key(key: String, object_type: &ObjectType) -> Result<ObjectKey, ObjectError> {
    ObjectKey::new(key).map_err(|source| ObjectError::MissingKey { object_type: object_type.clone(), source })
}

/// Adds entities of type `E`.
pub struct EntityEmitter<E> {
    context: StepContext,
    declaration: EntityDeclaration,
    kind: PhantomData<fn() -> E>,
}

impl<E: EntityKind> Parameter for EntityEmitter<E> {
    fn declare(declaration: &mut Declaration) {
        declaration.entities.push(E::declaration());
    }
    async fn bind(context: &StepContext) -> StepResult<Self> {
        Ok(Self { context: context.clone(), declaration: E::declaration(), kind: PhantomData })
    }
}

impl<E: EntityKind> EntityEmitter<E> {
    /// Adds an entity and returns it, for use in its relationships.
    ///
    /// # Errors
    /// [`StepError::Object`](super::StepError::Object) if its key is not valid or it violates its schema, both only
    /// under `--validation fail`; [`StepError::Store`](super::StepError::Store) if the store fails.
    pub async fn add(&self, draft: impl Into<Draft<E>>) -> StepResult<E> {
        let (draft, ingest) = (draft.into(), self.context.ingest());
        match parse_key(draft.value.key(), &self.declaration.object_type) {
            Ok(key) => ingest.add_value(draft, key, &self.declaration).await,
            Err(error) => ingest.reject(error).await.map(|()| draft.value),
        }
    }

    /// Quarantines an entity of which only the key is known, so that its children are collected.
    ///
    /// It is for [stand-ins](crate::http::Listing::with_stand_ins) of elements that are reported as gaps.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub async fn quarantine(&self, draft: impl Into<Draft<E>>) -> StepResult<E> {
        let (draft, ingest) = (draft.into(), self.context.ingest());
        match parse_key(draft.value.key(), &self.declaration.object_type) {
            Ok(key) => ingest.quarantine_value(draft, key, &self.declaration).await,
            Err(error) => ingest.reject(error).await.map(|()| draft.value),
        }
    }

    /// Counts an entity that the step omits on purpose.
    pub fn skip(&self, reason: &str) {
        self.context.skip(&self.declaration.object_type, reason);
    }

    /// Counts a skipped entity and keeps its name, such as an e-mail address.
    ///
    /// The details of the summary and the log list the name.
    pub fn skip_named(&self, reason: &str, name: impl Display) {
        self.context.skip_named(&self.declaration.object_type, reason, &name);
    }

    /// Records an entity that is missing because its input could not be collected.
    ///
    /// It counts as a gap of the type unless the step inherits one. The summary and the log contain its name.
    pub fn miss(&self, reason: &str, name: impl Display) {
        self.context.miss(&self.declaration.object_type, reason, &name);
    }
}

/// Adds relationships of type `R`.
pub struct RelationshipEmitter<R> {
    context: StepContext,
    declaration: RelationshipDeclaration,
    kind: PhantomData<fn() -> R>,
}

impl<R: RelationshipKind> Parameter for RelationshipEmitter<R> {
    fn declare(declaration: &mut Declaration) {
        declaration.relationships.push(R::declaration());
    }
    async fn bind(context: &StepContext) -> StepResult<Self> {
        Ok(Self { context: context.clone(), declaration: R::declaration(), kind: PhantomData })
    }
}

impl<R: RelationshipKind> RelationshipEmitter<R> {
    /// Adds a relationship with properties.
    ///
    /// # Errors
    /// As [`EntityEmitter::add`].
    pub async fn add_with(
        &self,
        from: &impl AsEntityRef<R::From>,
        to: &impl AsEntityRef<R::To>,
        properties: R::Properties,
    ) -> StepResult {
        let (ingest, object_type) = (self.context.ingest(), &self.declaration.object_type);
        let ends = parse_key(from.related_key(), object_type)
            .and_then(|from| parse_key(to.related_key(), object_type).map(|to| (from, to)));
        match ends {
            Ok((from, to)) => ingest.add_between(&self.declaration, from, to, &properties).await,
            Err(error) => ingest.reject(error).await,
        }
    }

    /// Counts a relationship that the step omits on purpose.
    pub fn skip(&self, reason: &str) {
        self.context.skip(&self.declaration.object_type, reason);
    }

    /// Counts a skipped relationship and keeps its name, such as an e-mail address.
    ///
    /// The details of the summary and the log list the name.
    pub fn skip_named(&self, reason: &str, name: impl Display) {
        self.context.skip_named(&self.declaration.object_type, reason, &name);
    }

    /// Records a relationship that is missing because its input could not be collected.
    ///
    /// It counts as a gap of the type unless the step inherits one. The summary and the log contain its name.
    pub fn miss(&self, reason: &str, name: impl Display) {
        self.context.miss(&self.declaration.object_type, reason, &name);
    }
}

impl<R: RelationshipKind<Properties = ()>> RelationshipEmitter<R> {
    /// Adds a relationship.
    ///
    /// # Errors
    /// As [`EntityEmitter::add`].
    pub async fn add(&self, from: &impl AsEntityRef<R::From>, to: &impl AsEntityRef<R::To>) -> StepResult {
        self.add_with(from, to, ()).await
    }
}

/// Adds mapped relationships of type `M`.
pub struct MappedRelationshipEmitter<M> {
    context: StepContext,
    declaration: MappedRelationshipDeclaration,
    kind: PhantomData<fn() -> M>,
}

impl<M: MappedRelationshipKind> Parameter for MappedRelationshipEmitter<M> {
    fn declare(declaration: &mut Declaration) {
        declaration.mapped_relationships.push(M::declaration());
    }
    async fn bind(context: &StepContext) -> StepResult<Self> {
        Ok(Self { context: context.clone(), declaration: M::declaration(), kind: PhantomData })
    }
}

impl<M: MappedRelationshipKind> MappedRelationshipEmitter<M> {
    /// Adds a relationship to any entity with these properties. They must include the filter properties.
    ///
    /// # Errors
    /// As [`EntityEmitter::add`].
    pub async fn add(
        &self,
        source: &impl AsEntityRef<M::Source>,
        target: impl IntoIterator<Item = (&'static str, String)>,
    ) -> StepResult {
        let source = match parse_key(source.related_key(), &self.declaration.object_type) {
            Ok(source) => source,
            Err(error) => return self.context.ingest().reject(error).await,
        };
        let class = Class::literal(M::TARGET_CLASS);
        let mut target_entity: Properties =
            target.into_iter().map(|(name, text)| (name.to_owned(), text.into())).collect();
        target_entity.insert("_class".into(), class.as_str().into());
        target_entity.insert("_type".into(), M::TARGET_TYPE.into());
        let filter = std::iter::once("_class").chain(M::MATCH_ON.iter().copied()).map(str::to_owned).collect();
        let relationship = MappedRelationship {
            class: M::CLASS,
            object_type: self.declaration.object_type.clone(),
            source,
            direction: M::DIRECTION,
            target_filter_keys: vec![filter],
            target_entity,
            skip_target_creation: false,
            properties: Properties::new(),
        };
        self.context.add_mapped_relationship(relationship).await
    }
}

/// Adds properties to entities of type `E` that another step emits.
///
/// Steps that read `E` see the additions. A gap of the amending step does not make the type incomplete.
pub struct Amend<E> {
    context: StepContext,
    object_type: ObjectType,
    kind: PhantomData<fn() -> E>,
}

impl<E: EntityKind> Parameter for Amend<E> {
    fn declare(declaration: &mut Declaration) {
        declaration.amends.insert(E::object_type());
    }
    async fn bind(context: &StepContext) -> StepResult<Self> {
        Ok(Self { context: context.clone(), object_type: E::object_type(), kind: PhantomData })
    }
}

impl<E: EntityKind> Amend<E> {
    /// Adds properties that the entity lacks; returns `false` if it does not exist.
    ///
    /// # Errors
    /// [`StepError::Object`](super::StepError::Object) if the key is not valid,
    /// [`StepError::Store`](super::StepError::Store) if the store fails.
    pub async fn add<P: Property>(
        &self,
        entity: &impl AsEntityRef<E>,
        properties: impl IntoIterator<Item = (&'static str, P)>,
    ) -> StepResult<bool> {
        Ok(self.add_all([(EntityRef::new(entity.related_key()), properties)]).await? > 0)
    }

    /// Amends many entities with a single wait for the store, and returns how many exist.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub async fn add_all<P: Property, I: IntoIterator<Item = (&'static str, P)>>(
        &self,
        amendments: impl IntoIterator<Item = (EntityRef<E>, I)>,
    ) -> StepResult<usize> {
        let amendment = |(entity, properties): (EntityRef<E>, I)| {
            let key = parse_key(entity.into_key(), &self.object_type)?;
            let write = |object: &mut ObjectWriter| {
                properties.into_iter().for_each(|(name, value)| object.property(name, &value));
            };
            Ok((key, written(write)))
        };
        let amendments = amendments.into_iter().map(amendment).collect::<StepResult<_>>()?;
        self.context.amend_all(amendments).await
    }
}
