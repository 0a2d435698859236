//! The types of Acme's graph.

use integration_sdk::prelude::*;

/// A person with an account.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "acme_user", class = "User", resource = "User")]
pub struct User {
    /// The id that Acme assigned.
    #[entity(key)]
    pub id: String,
    /// The full name.
    pub name: String,
    /// The e-mail address.
    #[entity(display_name)]
    pub email: String,
    /// The time of the last sign-in.
    pub last_login_on: Option<Timestamp>,
}

/// A project of the account.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "acme_project", class = "Project", resource = "Project")]
pub struct Project {
    /// The id that Acme assigned.
    #[entity(key)]
    pub id: String,
    /// The name.
    pub name: String,
}

/// An action of a person.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "acme_event", class = "Record", resource = "Event")]
pub struct Event {
    /// The id that Acme assigned.
    #[entity(key)]
    pub id: String,
    /// The name of the action.
    pub name: String,
    /// The time of the action.
    #[entity(rename = "createdOn")]
    pub happened_on: Timestamp,
}

relationship!(
    /// The membership of a person in a project.
    pub ProjectHasUser: Project -[HAS]-> User {
        /// The role: `owner` or `member`.
        role: String,
    }
);
relationship!(
    /// The person who performed an action.
    pub UserPerformedEvent: User -[PERFORMED]-> Event
);
mapped_relationship!(
    /// The person of a login, who may also exist in other integrations.
    pub UserIsPerson: User -[IS]-> "person" Person by ["email"]
);
