//! The step `fetch-spaces`.

use integration_sdk::prelude::*;

use crate::client::Heroku;
use crate::types::{Space, Team, TeamOwnsSpace};

/// Emits the private spaces of all teams, with one list.
#[step(id = "fetch-spaces", name = "Fetch private spaces", scopes("read"))]
pub async fn fetch_spaces(
    api: Client<Heroku>,
    teams: Known<Team>,
    spaces: Emit<Space>,
    owns: Emit<TeamOwnsSpace>,
) -> StepResult {
    let mut pages = api.spaces().by_page();
    let has_all_teams = teams.is_complete().await?;
    while let Some(page) = pages.try_next().await? {
        let known = teams.known(page.iter().filter_map(|space| Some(space.team.as_ref()?.id.as_str()))).await?;
        for space in page {
            let (space, raw) = space.into_parts();
            let space = spaces.add(Space::from(space).with_raw(raw)).await?;
            match &space.team_id {
                Some(team) if known.contains(team) => owns.add(&EntityRef::new(team), &space).await?,
                Some(_) if has_all_teams => owns.skip_named("a space of a team that was not collected", &space.name),
                Some(_) => {
                    owns.miss("the teams of these spaces may be among those that were not collected", &space.name);
                }
                None => owns.skip_named("a space without a team", &space.name),
            }
        }
    }
    Ok(())
}
