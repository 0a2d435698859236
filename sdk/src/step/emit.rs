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
#[diagnostic::on_unimplemented(
    message = "a step cannot emit `{Self}`",
    label = "neither an entity type nor a relationship type",
    note = "derive `EntityKind` for an entity type, or declare a relationship type with `relationship!` or `mapped_relationship!`"
)]
pub trait Emittable: Sized + Send + Sync + 'static {
    /// The parameter that adds values of the type.
    type Emitter: Parameter;
}

/// Adds objects of type `T` to the graph. As a parameter, it declares that the step may add them.
///
/// `T` is an entity type, a [relationship](crate::relationship) type, or a
/// [mapped relationship](crate::mapped_relationship) type. The functions are those of its emitter: [`EntityEmitter`],
/// [`RelationshipEmitter`], or [`MappedRelationshipEmitter`].
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
/// #[step(id = "fetch-planets", name = "Fetch planets")]
/// async fn fetch_planets(planets: Emit<Planet>, moons: Emit<Moon>, has: Emit<PlanetHasMoon>) -> StepResult {
///     let earth = planets.add(Planet::new("Earth")).await?;
///     let luna = moons.add(Moon { id: "moon:luna".into(), name: "Luna".into() }).await?;
///     has.add(&earth, &luna).await?;
///     moons.skip("smaller than 1 km");
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # use integration_testing_kit::{Collected, assert_graph};
/// let space = Integration::without_provider::<()>("space", "Space").step(fetch_planets());
/// let collected = Collected::run_without_values(&space).await;
/// assert_graph!(collected, { space_planet: 1, space_moon: 1, space_planet_has_moon: 1 });
/// # }
/// ```
///
/// A type that no macro declares cannot be emitted:
///
/// ```compile_fail,E0277
/// # use integration_sdk::prelude::*;
/// #[step(id = "fetch-planets", name = "Fetch planets")]
/// async fn fetch_planets(names: Emit<String>) -> StepResult { Ok(()) }
/// ```
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

/// Adds entities of type `E`. A step receives it as [`Emit<E>`](Emit).
///
/// A [`Draft`] carries the provider's JSON and the tags of the source along with the typed value:
///
/// ```
/// # use integration_sdk::Integration;
/// # use integration_sdk::prelude::*;
/// # use integration_sdk::serde_json::json;
/// # /// A planet.
/// # #[derive(EntityKind)]
/// # #[entity(type = "space_planet", class = "Site", resource = "Planet")]
/// # struct Planet { #[entity(key)] id: String, name: String }
/// # impl Planet {
/// #     fn new(name: &str) -> Self { Self { id: format!("planet:{}", name.to_lowercase()), name: name.into() } }
/// # }
/// #[step(id = "fetch-planets", name = "Fetch planets")]
/// async fn fetch_planets(planets: Emit<Planet>) -> StepResult {
///     let tags = [("zone".to_owned(), "habitable".to_owned())].into();
///     planets.add(Planet::new("Earth").with_raw(json!({"name": "Earth", "moons": 1})).with_tags(tags)).await?;
///     planets.skip_named("a dwarf planet", "Pluto");
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # use integration_testing_kit::{Collected, assert_entity};
/// let space = Integration::without_provider::<()>("space", "Space").step(fetch_planets());
/// let collected = Collected::run_without_values(&space).await;
/// assert_entity!(collected, "planet:earth", { name: "Earth", "tag.zone": "habitable" });
/// # }
/// ```
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
    /// It counts as a gap of the type unless an inherited gap covers it. The summary and the log contain its name.
    pub fn miss(&self, reason: &str, name: impl Display) {
        self.context.miss(&self.declaration.object_type, reason, &name);
    }
}

/// Adds relationships of type `R`. A step receives it as [`Emit<R>`](Emit).
///
/// Each end is an entity, a [view](crate::EntityView) of it, or its key as an [`EntityRef`]. If an end is
/// rejected or quarantined, the relationship is removed when all steps have ended.
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
/// relationship!(
///     /// A regular flight between two planets.
///     PlanetConnectsPlanet: Planet -[CONNECTS]-> Planet {
///         /// The days between two flights.
///         days: i64,
///     }
/// );
///
/// #[step(id = "fetch-planets", name = "Fetch planets")]
/// async fn fetch_planets(planets: Emit<Planet>, connects: Emit<PlanetConnectsPlanet>) -> StepResult {
///     let earth = planets.add(Planet::new("Earth")).await?;
///     planets.add(Planet::new("Mars")).await?;
///     connects.add_with(&earth, &EntityRef::new("planet:mars"), PlanetConnectsPlanet { days: 780 }).await
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # use integration_testing_kit::{Collected, assert_relationship};
/// let space = Integration::without_provider::<()>("space", "Space").step(fetch_planets());
/// let collected = Collected::run_without_values(&space).await;
/// assert_relationship!(collected, "planet:earth" -[CONNECTS]-> "planet:mars", { days: 780 });
/// # }
/// ```
///
/// The ends must have the declared types:
///
/// ```compile_fail,E0271
/// # use integration_sdk::prelude::*;
/// # #[derive(EntityKind)]
/// # #[entity(type = "space_planet", class = "Site", resource = "Planet")]
/// # struct Planet { #[entity(key)] id: String }
/// # #[derive(EntityKind)]
/// # #[entity(type = "space_moon", class = "Site", resource = "Moon")]
/// # struct Moon { #[entity(key)] id: String }
/// relationship!(PlanetHasMoon: Planet -[HAS]-> Moon);
///
/// async fn link(has: &Emit<PlanetHasMoon>, planet: &Planet, moon: &Moon) -> StepResult {
///     has.add(moon, planet).await
/// }
/// ```
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
    /// It counts as a gap of the type unless an inherited gap covers it. The summary and the log contain its name.
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

/// Adds mapped relationships of type `M`. A step receives it as [`Emit<M>`](Emit).
///
/// ```
/// # use integration_sdk::Integration;
/// # use integration_sdk::prelude::*;
/// /// An astronaut.
/// #[derive(EntityKind)]
/// #[entity(type = "space_astronaut", class = "User", resource = "Astronaut")]
/// struct Astronaut { #[entity(key)] id: String, email: String, name: String }
///
/// mapped_relationship!(
///     /// The person, whom another integration may also know.
///     AstronautIsPerson: Astronaut -[IS]-> "person" Person by ["email"]
/// );
///
/// #[step(id = "fetch-astronauts", name = "Fetch astronauts")]
/// async fn fetch_astronauts(astronauts: Emit<Astronaut>, is: Emit<AstronautIsPerson>) -> StepResult {
///     let sally = Astronaut { id: "a1".into(), email: "sally@space.example".into(), name: "Sally".into() };
///     let sally = astronauts.add(sally).await?;
///     is.add(&sally, [("email", sally.email.clone())]).await
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # use integration_testing_kit::{Collected, assert_graph};
/// let space = Integration::without_provider::<()>("space", "Space").step(fetch_astronauts());
/// let collected = Collected::run_without_values(&space).await;
/// assert_graph!(collected, { space_astronaut: 1, space_astronaut_is_person: 1 });
/// # }
/// ```
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
        self.add_to(source, vec![M::MATCH_ON.to_vec()], target, false).await
    }

    /// Adds a relationship to the entities with the properties of any of the filters. It creates no entity.
    ///
    /// Each filter lists names of `target`. The class of the target is part of each filter.
    ///
    /// # Errors
    /// As [`EntityEmitter::add`].
    pub async fn add_to_existing(
        &self,
        source: &impl AsEntityRef<M::Source>,
        filters: Vec<Vec<&'static str>>,
        target: impl IntoIterator<Item = (&'static str, String)>,
    ) -> StepResult {
        self.add_to(source, filters, target, true).await
    }

    /// Records a relationship that is missing because its input could not be collected.
    ///
    /// It counts as a gap of the type unless an inherited gap covers it. The summary and the log contain its name.
    pub fn miss(&self, reason: &str, name: impl Display) {
        self.context.miss(&self.declaration.object_type, reason, &name);
    }

    async fn add_to(
        &self,
        source: &impl AsEntityRef<M::Source>,
        filters: Vec<Vec<&'static str>>,
        target: impl IntoIterator<Item = (&'static str, String)>,
        skip_target_creation: bool,
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
        let with_class = |names: Vec<&'static str>| std::iter::once("_class").chain(names).map(str::to_owned).collect();
        let relationship = MappedRelationship {
            class: M::CLASS,
            object_type: self.declaration.object_type.clone(),
            source,
            direction: M::DIRECTION,
            target_filter_keys: filters.into_iter().map(with_class).collect(),
            target_entity,
            skip_target_creation,
            properties: Properties::new(),
        };
        self.context.add_mapped_relationship(relationship).await
    }
}

/// Adds properties to entities of type `E` that another step emits.
///
/// Steps that read `E` see the additions. A gap of the amending step does not make the type incomplete.
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
/// # #[step(id = "fetch-planets", name = "Fetch planets")]
/// # async fn fetch_planets(planets: Emit<Planet>) -> StepResult {
/// #     for name in ["Earth", "Mars"] { planets.add(Planet::new(name)).await?; }
/// #     Ok(())
/// # }
/// #[step(id = "measure-planets", name = "Measure planets")]
/// async fn measure_planets(planets: Amend<Planet>) -> StepResult {
///     let exists = planets.add(&EntityRef::new("planet:mars"), [("radiusKm", 3390.0)]).await?;
///     assert!(exists);
///     let radii = [("planet:earth", 6371.0), ("planet:vulcan", 1.0)];
///     let amended = planets.add_all(radii.map(|(key, radius)| (EntityRef::new(key), [("radiusKm", radius)]))).await?;
///     assert_eq!(amended, 1);
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # use integration_testing_kit::{Collected, assert_entity};
/// let space = Integration::without_provider::<()>("space", "Space").step(fetch_planets()).step(measure_planets());
/// let collected = Collected::run_without_values(&space).await;
/// assert_entity!(collected, "planet:mars", { radiusKm: 3390 });
/// # }
/// ```
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
