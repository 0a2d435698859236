//! The types of the usage. Credits are US dollars.

use integration_sdk::prelude::*;
use integration_sdk::serde::Deserialize;

use crate::types::{Application, Team};

/// An element of `/teams/{id}/usage/monthly`.
#[derive(Debug, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct TeamUsageBody {
    pub(super) month: String,
    pub(super) apps: Option<Vec<ApplicationUsageBody>>,
    pub(super) dynos: Option<f64>,
    pub(super) addons: Option<f64>,
    pub(super) data: Option<f64>,
    pub(super) partner: Option<f64>,
    pub(super) space: Option<f64>,
    pub(super) connect: Option<f64>,
}

/// The usage of one application in a month. It names the application, but not its id.
#[derive(Debug, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct ApplicationUsageBody {
    pub(super) app_name: String,
    pub(super) dynos: Option<f64>,
    pub(super) addons: Option<f64>,
    pub(super) data: Option<f64>,
    pub(super) partner: Option<f64>,
}

/// The usage of a team in one month.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_team_usage", class = "Record", resource = "Team Usage")]
pub struct TeamUsage {
    /// The id of the team and the month.
    #[entity(key)]
    pub key: String,
    /// The name of the team and the month.
    pub name: String,
    /// The id of the team.
    pub team_id: String,
    /// The month, such as `2026-11`.
    pub month: String,
    /// The number of used dynos, on average over the month.
    pub dynos: Option<f64>,
    /// The credits for all add-ons.
    pub addon_credits: Option<f64>,
    /// The credits for add-ons of Heroku, such as databases.
    pub data_credits: Option<f64>,
    /// The credits for add-ons of other providers.
    pub partner_credits: Option<f64>,
    /// The credits for private spaces.
    pub space_credits: Option<f64>,
    /// The maximum number of rows that Heroku Connect synchronised.
    pub connect_rows: Option<f64>,
}

impl TeamUsage {
    pub(super) fn new(body: &TeamUsageBody, team: &Team) -> Self {
        Self {
            key: key(&team.id, &body.month),
            name: format!("{} {}", team.name.as_deref().unwrap_or(&team.id), body.month),
            team_id: team.id.clone(),
            month: body.month.clone(),
            dynos: body.dynos,
            addon_credits: body.addons,
            data_credits: body.data,
            partner_credits: body.partner,
            space_credits: body.space,
            connect_rows: body.connect,
        }
    }
}

/// The usage of an application in one month.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_application_usage", class = "Record", resource = "Application Usage")]
pub struct ApplicationUsage {
    /// The id of the application and the month.
    #[entity(key)]
    pub key: String,
    /// The name of the application and the month.
    pub name: String,
    /// The id of the application.
    pub application_id: String,
    /// The month, such as `2026-11`.
    pub month: String,
    /// The number of used dynos, on average over the month.
    pub dynos: Option<f64>,
    /// The credits for all add-ons.
    pub addon_credits: Option<f64>,
    /// The credits for add-ons of Heroku, such as databases.
    pub data_credits: Option<f64>,
    /// The credits for add-ons of other providers.
    pub partner_credits: Option<f64>,
}

impl ApplicationUsage {
    pub(super) fn new(body: ApplicationUsageBody, application_id: &str, month: &str) -> Self {
        Self {
            key: key(application_id, month),
            name: format!("{} {month}", body.app_name),
            application_id: application_id.to_owned(),
            month: month.to_owned(),
            dynos: body.dynos,
            addon_credits: body.addons,
            data_credits: body.data,
            partner_credits: body.partner,
        }
    }
}

fn key(id: &str, month: &str) -> String {
    format!("heroku_usage:{id}:{month}")
}

relationship!(
    /// The usage of a team in a month.
    pub TeamHasUsage: Team -[HAS]-> TeamUsage
);
relationship!(
    /// The usage of an application in a month.
    pub ApplicationHasUsage: Application -[HAS]-> ApplicationUsage
);
