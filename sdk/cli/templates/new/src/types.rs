//! The entities and relationships of the graph.

use integration_sdk::prelude::*;

use crate::client::UserBody;

/// A person with an account.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "{{snake}}_user", class = "User")]
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
