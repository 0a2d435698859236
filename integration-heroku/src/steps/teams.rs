//! The step `fetch-teams`.

use integration_sdk::http::Item;
use integration_sdk::prelude::*;

use crate::client::Heroku;
use crate::resource;
use crate::types::{Account, AccountHasTeam, Team};

/// Emits the teams of every enterprise account.
///
/// If the key's owner belongs to no enterprise account, the step emits the teams of the key's owner instead.
#[step(id = "fetch-teams", name = "Fetch teams", scopes("read"))]
pub async fn fetch_teams(
    api: Client<Heroku>,
    accounts: Follow<Account>,
    teams: Emit<Team>,
    has: Emit<AccountHasTeam>,
) -> StepResult {
    if accounts.is_empty().await? {
        return teams_of_their_own(&api, &teams).await;
    }
    accounts.for_each_concurrent(|account| teams_of(account, &api, &teams, &has)).await
}

async fn teams_of(account: Account, api: &Heroku, teams: &Emit<Team>, has: &Emit<AccountHasTeam>) -> StepResult {
    let mut listing = api.enterprise_teams(&account.id);
    while let Some(team) = listing.try_next().await? {
        if let Some(team) = add(team, Some(&account.id), teams).await? {
            has.add(&account, &team).await?;
        }
    }
    Ok(())
}

async fn teams_of_their_own(api: &Heroku, teams: &Emit<Team>) -> StepResult {
    let mut listing = api.teams();
    while let Some(team) = listing.try_next().await? {
        add(team, None, teams).await?;
    }
    Ok(())
}

/// Adds a team and returns it, or quarantines it if only its id could be read: that is enough for its lists.
async fn add(team: Item<resource::Team>, account: Option<&str>, teams: &Emit<Team>) -> StepResult<Option<Team>> {
    let is_stand_in = team.is_stand_in();
    let (team, raw) = team.into_parts();
    let team = Team::new(team, account).with_raw(raw);
    if is_stand_in {
        teams.quarantine(team).await?;
        return Ok(None);
    }
    teams.add(team).await.map(Some)
}
