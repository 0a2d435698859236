//! The graph of Acme.

use integration_sdk::prelude::*;

/// A person with an account.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "acme_user", class = "User", resource = "User")]
pub struct User {
    /// Acme's id.
    #[entity(key)]
    pub id: String,
    /// The full name.
    pub name: String,
    /// The e-mail address.
    #[entity(display_name)]
    pub email: String,
    /// When the person last signed in.
    pub last_login_on: Option<Timestamp>,
}

/// A piece of work.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "acme_project", class = "Project", resource = "Project")]
pub struct Project {
    /// Acme's id.
    #[entity(key)]
    pub id: String,
    /// The name.
    pub name: String,
}

/// Something that a person did.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "acme_event", class = "Record", resource = "Event")]
pub struct Event {
    /// Acme's id.
    #[entity(key)]
    pub id: String,
    /// What was done.
    pub name: String,
    /// When it was done.
    #[entity(rename = "createdOn")]
    pub happened_on: Timestamp,
}

relationship!(
    /// A person works in a project.
    pub ProjectHasUser: Project -[HAS]-> User {
        /// `owner` or `member`.
        role: String,
    }
);
relationship!(
    /// A person did something.
    pub UserPerformedEvent: User -[PERFORMED]-> Event
);
mapped_relationship!(
    /// The login belongs to a person whom other sources know as well.
    pub UserIsPerson: User -[IS]-> "person" Person by ["email"]
);
