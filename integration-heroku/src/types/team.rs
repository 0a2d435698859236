//! The type `heroku_team`.

use integration_sdk::{EntityKind, Timestamp};

use crate::resource;

/// A team, which owns applications.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_team", class = "Team", resource = "Team")]
pub struct Team {
    /// The id that Heroku assigned.
    #[entity(key)]
    pub id: String,
    /// The name of the team; absent if the API returns none.
    pub name: Option<String>,
    /// The id of the enterprise account of the team; absent for an independent team.
    pub enterprise_account_id: Option<String>,
    /// The kind of team: `enterprise` or `team`.
    pub team_type: Option<String>,
    /// The role of the key's owner in the team.
    pub role: Option<String>,
    /// Whether new applications of the key's owner go to this team by default.
    pub default: Option<bool>,
    /// The maximum number of members.
    pub membership_limit: Option<i64>,
    /// The identity provider through which its people sign in.
    pub sso_provider: Option<String>,
    /// The id of this identity provider.
    pub sso_provider_id: Option<String>,
    /// The permission that new members get: `admin`, `member`, or `viewer`.
    pub default_permission: Option<String>,
    /// Whether members may install only allowed add-on services.
    pub addons_controlled: Option<bool>,
    /// The names of the features that are enabled for the team.
    pub enabled_features: Option<Vec<String>>,
    /// The address of the team in Heroku's dashboard.
    pub web_link: Option<String>,
    /// The time of its creation.
    pub created_on: Option<Timestamp>,
    /// The time of its last update.
    pub updated_on: Option<Timestamp>,
}

impl Team {
    /// Creates a team from a list of an enterprise account or of independent teams.
    ///
    /// The account's id is a parameter because the body's own reference can be null.
    pub fn new(team: resource::Team, enterprise_account_id: Option<&str>) -> Self {
        let (sso_provider_id, sso_provider) =
            team.identity_provider.map(|provider| (provider.id, provider.name)).unwrap_or_default();
        Self {
            enterprise_account_id: enterprise_account_id.map(str::to_owned),
            team_type: team.r#type,
            role: team.role,
            default: team.default,
            membership_limit: team.membership_limit,
            sso_provider,
            sso_provider_id,
            default_permission: None,
            addons_controlled: None,
            enabled_features: None,
            web_link: team.name.as_ref().map(|name| format!("https://dashboard.heroku.com/teams/{name}")),
            created_on: team.created_at,
            updated_on: team.updated_at,
            id: team.id,
            name: team.name,
        }
    }
}
