//! Applications.

use integration_sdk::{EntityKind, Timestamp};

use crate::resource::{self, name_of};

/// An app of a team.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_application", class = "Application", resource = "Application")]
pub struct Application {
    /// Heroku's id.
    #[entity(key)]
    pub id: String,
    /// The name.
    pub name: String,
    /// The team that it belongs to.
    pub team_id: String,
    /// The e-mail address of its owner.
    pub owner: Option<String>,
    /// Where it runs.
    pub region: Option<String>,
    /// The operating system image that it runs on.
    pub stack: Option<String>,
    /// The operating system image that it is built on.
    pub build_stack: Option<String>,
    /// The private space that it runs in.
    pub space: Option<String>,
    /// It shows a maintenance page.
    pub maintenance: Option<bool>,
    /// Nobody may join it.
    pub locked: Option<bool>,
    /// It is reached from inside its private space only.
    pub internal_routing: Option<bool>,
    /// It was put away.
    pub archived: bool,
    /// When it was put away.
    pub archived_on: Option<Timestamp>,
    /// Where people reach it.
    #[entity(rename = "productionURL")]
    pub production_url: Option<String>,
    /// Where its code is pushed to.
    pub git_url: Option<String>,
    /// The size of its repository in bytes.
    pub repo_size: Option<i64>,
    /// The size of its built code in bytes.
    pub slug_size: Option<i64>,
    /// When a version was last released.
    pub released_on: Option<Timestamp>,
    /// Its page in Heroku's dashboard.
    pub web_link: String,
    /// When it was made.
    pub created_on: Option<Timestamp>,
    /// When it was last changed.
    pub updated_on: Option<Timestamp>,
}

impl Application {
    /// An app as the listing of a team tells it: the body's own mention of the team may be null.
    pub fn new(app: resource::App, team_id: &str) -> Self {
        Self {
            team_id: team_id.to_owned(),
            owner: app.owner.and_then(|owner| owner.email),
            region: name_of(app.region),
            stack: name_of(app.stack),
            build_stack: name_of(app.build_stack),
            space: name_of(app.space),
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
