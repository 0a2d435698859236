//! The entities and relationships of the graph.

use integration_sdk::prelude::*;

use crate::client::UserBody;

/// A person with an account.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "acme_user", class = "User")]
#[entity(resource = "User")]
pub struct User {
    /// The provider's id.
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

/// A piece of work.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "acme_project", class = "Project")]
#[entity(resource = "Project")]
pub struct Project {
    /// Acme's id.
    #[entity(key)]
    pub id: String,
    /// The name.
    pub name: String,
    /// When the work began.
    pub start_on: Option<Timestamp>,
}

relationship!(
    /// A person works in a project.
    pub ProjectHasUser: Project -[HAS]-> User {
        /// `owner` or `member`.
        role: String,
    }
);
