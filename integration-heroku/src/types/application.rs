//! The type `heroku_application`.

use integration_sdk::{EntityKind, Timestamp};

use crate::resource::{self, name_of};

/// An application of a team or a person.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_application", class = "Application", resource = "Application")]
pub struct Application {
    /// The id that Heroku assigned.
    #[entity(key)]
    pub id: String,
    /// The name of the application.
    pub name: String,
    /// The id of the team that owns the application; absent for a personal application.
    pub team_id: Option<String>,
    /// The e-mail address of the owner.
    pub owner: Option<String>,
    /// The id of the owner.
    pub owner_id: Option<String>,
    /// The region in which the application runs.
    pub region: Option<String>,
    /// The operating system image that runs the application.
    pub stack: Option<String>,
    /// The operating system image that builds the application.
    pub build_stack: Option<String>,
    /// The private space in which the application runs.
    pub space: Option<String>,
    /// The id of the private space.
    pub space_id: Option<String>,
    /// Whether the application shows a maintenance page.
    pub maintenance: Option<bool>,
    /// Whether the application is locked, so that no further members can join it.
    pub locked: Option<bool>,
    /// Whether the application is reachable only from inside its private space.
    pub internal_routing: Option<bool>,
    /// Whether the application is archived.
    pub archived: bool,
    /// The time at which the application was archived.
    pub archived_on: Option<Timestamp>,
    /// The address at which users reach the application.
    #[entity(rename = "productionURL")]
    pub production_url: Option<String>,
    /// The address of the Git repository that deploys the application.
    pub git_url: Option<String>,
    /// The size of the repository in bytes.
    pub repo_size: Option<i64>,
    /// The size of the compiled application (slug) in bytes.
    pub slug_size: Option<i64>,
    /// The time of the last release.
    pub released_on: Option<Timestamp>,
    /// The address of the application in Heroku's dashboard.
    pub web_link: String,
    /// The time of its creation.
    pub created_on: Option<Timestamp>,
    /// The time of its last update.
    pub updated_on: Option<Timestamp>,
}

impl Application {
    /// Creates an application. The team's id is a parameter because the body's own reference can be null in the list of
    /// a team.
    pub fn new(app: resource::App, team_id: Option<&str>) -> Self {
        Self {
            team_id: team_id.map(str::to_owned),
            owner_id: app.owner.as_ref().and_then(|owner| owner.id.clone()),
            owner: app.owner.and_then(|owner| owner.email),
            region: name_of(app.region),
            stack: name_of(app.stack),
            build_stack: name_of(app.build_stack),
            space_id: app.space.as_ref().and_then(|space| space.id.clone()),
            space: app.space.and_then(|space| space.name),
            maintenance: app.maintenance,
            locked: app.locked,
            internal_routing: app.internal_routing,
            archived: app.archived_at.is_some(),
            archived_on: app.archived_at,
            production_url: app.web_url,
            git_url: app.git_url,
            repo_size: app.repo_size,
            slug_size: app.slug_size,
            released_on: app.released_at,
            web_link: format!("https://dashboard.heroku.com/apps/{}", app.name),
            created_on: app.created_at,
            updated_on: app.updated_at,
            id: app.id,
            name: app.name,
        }
    }
}
