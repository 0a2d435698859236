//! The entities and relationships of the graph.

use integration_sdk::prelude::*;

use crate::client::UserBody;

/// A person with an account.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "acme_user", class = "User")]
#[entity(resource = "User")]
pub struct User {
    /// The id that the provider assigned.
    #[entity(key)]
    pub id: String,
    /// The full name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
}

impl From<UserBody> for User {
    fn from(body: UserBody) -> Self {
        Self {
            id: body.id,
            name: body.name,
            email: body.email,
        }
    }
}

/// A project of the account.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "acme_project", class = "Project")]
#[entity(resource = "Project")]
pub struct Project {
    /// The id that Acme assigned.
    #[entity(key)]
    pub id: String,
    /// The name.
    pub name: String,
    /// The time at which the work started.
    pub start_on: Option<Timestamp>,
}

relationship!(
    /// The membership of a person in a project.
    pub ProjectHasUser: Project -[HAS]-> User {
        /// The role: `owner` or `member`.
        role: String,
    }
);
