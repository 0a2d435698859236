//! Teams.

use integration_sdk::{EntityKind, Timestamp};

use crate::resource::{self, name_of};

/// A team, to which applications belong.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_team", class = "Team", resource = "Team")]
pub struct Team {
    /// Heroku's id.
    #[entity(key)]
    pub id: String,
    /// The name.
    pub name: String,
    /// The enterprise account that it belongs to; absent for a team of its own.
    pub enterprise_account_id: Option<String>,
    /// `enterprise` or `team`.
    pub team_type: Option<String>,
    /// What the key's owner is in it.
    pub role: Option<String>,
    /// The team that new apps of the key's owner go to.
    pub default: Option<bool>,
    /// How many people it may have.
    pub membership_limit: Option<i64>,
    /// The identity provider that people sign in with.
    pub sso_provider: Option<String>,
    /// Its page in Heroku's dashboard.
    pub web_link: String,
    /// When it was made.
    pub created_on: Option<Timestamp>,
    /// When it was last changed.
    pub updated_on: Option<Timestamp>,
}

impl Team {
    /// A team as the listing of an enterprise account, or of no account, tells it: the body's own mention of the account
    /// may be null.
    pub fn new(team: resource::Team, enterprise_account_id: Option<&str>) -> Self {
        Self {
            enterprise_account_id: enterprise_account_id.map(str::to_owned),
            team_type: team.r#type,
            role: team.role,
            default: team.default,
            // The API's schema says `number`; people are counted in whole ones.
            membership_limit: team.membership_limit.map(|limit| limit as i64),
            sso_provider: name_of(team.identity_provider),
            web_link: format!("https://dashboard.heroku.com/teams/{}", team.name),
            created_on: team.created_at,
            updated_on: team.updated_at,
            id: team.id,
            name: team.name,
        }
    }
}
