//! The type `heroku_team_invitation`.

use integration_sdk::{EntityKind, Timestamp};

use crate::resource;

/// A pending invitation of a person to a team.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_team_invitation", class = "Record", resource = "Team Invitation")]
pub struct Invitation {
    /// The id that Heroku assigned. It differs from the secret token that accepts the invitation.
    #[entity(key)]
    pub id: String,
    /// The e-mail address of the invited person, which serves as the name; the id if the API returns no address.
    pub name: String,
    /// The e-mail address of the invited person.
    pub email: Option<String>,
    /// The id of the invited person, which differs from the ids of memberships.
    pub invited_user_id: Option<String>,
    /// The e-mail address of the person who sent the invitation.
    pub invited_by: Option<String>,
    /// The role that the person gets in the team.
    pub role: Option<String>,
    /// The id of the team.
    pub team_id: String,
    /// The status; always `pending`.
    pub status: String,
    /// The time of its creation.
    pub created_on: Option<Timestamp>,
    /// The time of its last update.
    pub updated_on: Option<Timestamp>,
}

impl Invitation {
    /// Creates an invitation from a team's list. The team's id is a parameter because the body's own reference can be
    /// null.
    pub fn new(invitation: resource::TeamInvitation, team_id: &str) -> Self {
        let email = invitation.user.as_ref().and_then(|user| user.email.clone());
        Self {
            name: email.clone().unwrap_or_else(|| invitation.id.clone()),
            email,
            invited_user_id: invitation.user.map(|user| user.id),
            invited_by: invitation.invited_by.and_then(|user| user.email),
            role: invitation.role,
            team_id: team_id.to_owned(),
            status: "pending".to_owned(),
            created_on: invitation.created_at,
            updated_on: invitation.updated_at,
            id: invitation.id,
        }
    }
}
