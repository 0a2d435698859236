//! The step `fetch-apps`.

use integration_sdk::prelude::*;

use crate::client::Heroku;
use crate::types::{Application, Team, TeamOwnsApplication};

/// Emits the applications of every team.
#[step(id = "fetch-apps", name = "Fetch applications", scopes("read"))]
pub async fn fetch_apps(
    api: Client<Heroku>,
    teams: Follow<Team>,
    apps: Emit<Application>,
    owns: Emit<TeamOwnsApplication>,
) -> StepResult {
    teams.for_each_concurrent(|team| apps_of(team, &api, &apps, &owns)).await
}

async fn apps_of(team: Team, api: &Heroku, apps: &Emit<Application>, owns: &Emit<TeamOwnsApplication>) -> StepResult {
    let mut listing = api.team_apps(&team.id);
    while let Some(app) = listing.try_next().await? {
        let (app, raw) = app.into_parts();
        let app = apps.add(Application::new(app, Some(&team.id)).with_raw(raw)).await?;
        owns.add(&team, &app).await?;
    }
    Ok(())
}
