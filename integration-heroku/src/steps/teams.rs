//! The step `fetch-teams`.

use integration_sdk::prelude::*;

use crate::client::Heroku;
use crate::types::{Account, AccountHasTeam, Team};

/// Emits the teams of every enterprise account.
///
/// If the key's owner belongs to no enterprise account, the step emits the teams of the key's owner instead.
#[step(id = "fetch-teams", name = "Fetch teams", scopes("read"))]
pub async fn fetch_teams(
    api: Client<Heroku>,
    accounts: Each<Account>,
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
        let (team, raw) = team.into_parts();
        let team = teams.add(Team::new(team, Some(&account.id)).with_raw(raw)).await?;
        has.add(&account, &team).await?;
    }
    Ok(())
}

async fn teams_of_their_own(api: &Heroku, teams: &Emit<Team>) -> StepResult {
    let mut listing = api.teams();
    while let Some(team) = listing.try_next().await? {
        let (team, raw) = team.into_parts();
        teams.add(Team::new(team, None).with_raw(raw)).await?;
    }
    Ok(())
}
