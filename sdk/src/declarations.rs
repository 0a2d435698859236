//! Declarations of relationship types, which also make the types emittable by steps.

/// Declares a relationship type between two entity types, with optional properties.
///
/// ```
/// # use integration_sdk::prelude::*;
/// # #[derive(EntityKind)]
/// # #[entity(type = "acme_team", class = "Team", resource = "Team")]
/// # pub struct Team { #[entity(key)] id: String, name: String }
/// # #[derive(EntityKind)]
/// # #[entity(type = "acme_user", class = "User", resource = "User")]
/// # pub struct User { #[entity(key)] id: String, name: String }
/// relationship!(
///     /// A person works in a team.
///     pub TeamHasUser: Team -[HAS]-> User { role: String }
/// );
/// assert_eq!(TeamHasUser::declaration().object_type.as_str(), "acme_team_has_user");
/// ```
///
/// Both ends must be entity types:
///
/// ```compile_fail,E0277
/// # use integration_sdk::prelude::*;
/// # #[derive(EntityKind)]
/// # #[entity(type = "acme_team", class = "Team", resource = "Team")]
/// # pub struct Team { #[entity(key)] id: String, name: String }
/// pub struct User { id: String }
///
/// relationship!(pub TeamHasUser: Team -[HAS]-> User);
/// ```
///
/// The verb must be a [`RelationshipClass`](crate::graph::RelationshipClass):
///
/// ```compile_fail,E0599
/// # use integration_sdk::prelude::*;
/// # #[derive(EntityKind)]
/// # #[entity(type = "acme_team", class = "Team", resource = "Team")]
/// # pub struct Team { #[entity(key)] id: String, name: String }
/// relationship!(pub TeamOwnsTeam: Team -[POSSESSES]-> Team);
/// ```
#[macro_export]
macro_rules! relationship {

    ($(#[$doc:meta])* $vis:vis $name:ident : $from:ident -[$class:ident]-> $to:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        $vis struct $name;
        impl $crate::graph::RelationshipKind for $name {
            type From = $from;
            type To = $to;
            type Properties = ();
            const CLASS: $crate::graph::RelationshipClass = $crate::graph::RelationshipClass::$class;
        }
        impl $crate::step::Emittable for $name {
            type Emitter = $crate::step::RelationshipEmitter<Self>;
        }
    };
    ($(#[$doc:meta])* $vis:vis $name:ident : $from:ident -[$class:ident]-> $to:ident { $($(#[$fdoc:meta])* $field:ident : $ty:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, $crate::RelationshipProperties)]
        $vis struct $name { $($(#[$fdoc])* pub $field: $ty),+ }
        impl $crate::graph::RelationshipKind for $name {
            type From = $from;
            type To = $to;
            type Properties = Self;
            const CLASS: $crate::graph::RelationshipClass = $crate::graph::RelationshipClass::$class;
        }
        impl $crate::step::Emittable for $name {
            type Emitter = $crate::step::RelationshipEmitter<Self>;
        }
    };
}

/// Declares a relationship to an entity of another source, identified by properties.
///
/// `Source -[CLASS]-> "type" Class by [properties]` points to the target, and
/// `Source <-[CLASS]- "type" Class by [properties]` from it.
///
/// ```
/// # use integration_sdk::prelude::*;
/// # #[derive(EntityKind)]
/// # #[entity(type = "acme_user", class = "User", resource = "User")]
/// # pub struct User { #[entity(key)] id: String, name: String }
/// mapped_relationship!(pub UserIsPerson: User -[IS]-> "person" Person by ["email"]);
/// assert_eq!(UserIsPerson::declaration().object_type.as_str(), "acme_user_is_person");
/// ```
#[macro_export]
macro_rules! mapped_relationship {
    ($(#[$doc:meta])* $vis:vis $name:ident : $source:ident -[$class:ident]-> $target:literal $tclass:ident by [$($key:literal),+]) => {
        $crate::mapped_relationship!(@make [$(#[$doc])*] $vis $name $source $class Forward $target $tclass $($key)+);
    };
    ($(#[$doc:meta])* $vis:vis $name:ident : $source:ident <-[$class:ident]- $target:literal $tclass:ident by [$($key:literal),+]) => {
        $crate::mapped_relationship!(@make [$(#[$doc])*] $vis $name $source $class Reverse $target $tclass $($key)+);
    };
    (@make [$(#[$doc:meta])*] $vis:vis $name:ident $source:ident $class:ident $direction:ident $target:literal $tclass:ident $($key:literal)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        $vis struct $name;
        impl $crate::graph::MappedRelationshipKind for $name {
            type Source = $source;
            const CLASS: $crate::graph::RelationshipClass = $crate::graph::RelationshipClass::$class;
            const DIRECTION: $crate::graph::Direction = $crate::graph::Direction::$direction;
            const TARGET_TYPE: &'static str = $target;
            const TARGET_CLASS: &'static str = stringify!($tclass);
            const MATCH_ON: &'static [&'static str] = &[$($key),+];
        }
        impl $crate::step::Emittable for $name {
            type Emitter = $crate::step::MappedRelationshipEmitter<Self>;
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::graph::{EntityKind as _, EntityView as _};
    use crate::{EntityKind, EntityView};

    #[derive(EntityKind)]
    #[entity(type = "acme_team", class = "Team", resource = "Team")]
    struct Team {
        #[entity(key)]
        id: String,
        name: String,
        #[entity(rename = "leadId")]
        lead: Option<String>,
    }

    #[derive(EntityView)]
    #[entity(of = Team)]
    struct Lead {
        #[entity(key)]
        id: String,
        #[entity(rename = "leadId")]
        lead: Option<String>,
    }

    #[derive(EntityView)]
    #[entity(of = Team)]
    struct Forgotten {
        #[entity(key)]
        id: String,
        lead: Option<String>,
    }

    #[test]
    fn a_view_reads_what_the_entity_would() {
        let team = Team { id: "team-1".into(), name: "Ops".into(), lead: Some("user-1".into()) };
        let json = team.to_entity().into_json().to_string();
        let (team, lead) = (Team::read(&json).unwrap(), Lead::read(&json).unwrap());
        assert_eq!((team.entity_key(), &team.lead), (lead.entity_key(), &lead.lead));
        assert_eq!((lead.id.as_str(), lead.lead.as_deref()), ("team-1", Some("user-1")));
        assert_eq!(Lead::entity_type(), Team::object_type());
    }

    #[test]
    #[should_panic(expected = "acme_team has no property `lead`")]
    fn a_view_of_what_is_not_there_is_a_mistake_of_the_first_start() {
        assert!(Forgotten::read(r#"{"id":"team-1"}"#).is_ok_and(|view| view.lead.is_none() && view.id == "team-1"));
        Forgotten::entity_type();
    }
}
