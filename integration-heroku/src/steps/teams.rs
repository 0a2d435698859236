//! The steps `fetch-teams` and `fetch-independent-teams`.

use integration_sdk::http::Item;
use integration_sdk::prelude::*;

use crate::client::Heroku;
use crate::resource;
use crate::types::{Account, AccountHasTeam, Team};

const OF_AN_ACCOUNT: &str = "these teams may belong to the enterprise accounts that were not collected";

/// Emits the teams of every enterprise account.
#[step(id = "fetch-teams", name = "Fetch teams of enterprise accounts", scopes("read"))]
pub async fn fetch_teams(
    api: Client<Heroku>,
    accounts: Follow<Account>,
    teams: Emit<Team>,
    has: Emit<AccountHasTeam>,
) -> StepResult {
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

/// Emits the other teams of the key's owner: independent ones, and those of accounts that the owner is not a member of.
///
/// A team of an account that was not collected is a gap, because its description here lacks the account.
#[step(id = "fetch-independent-teams", name = "Fetch teams outside enterprise accounts", scopes("read"))]
pub async fn fetch_independent_teams(api: Client<Heroku>, known: Known<Team>, teams: Emit<Team>) -> StepResult {
    let mut pages = api.teams().by_page();
    let has_all_others = known.is_complete().await?;
    while let Some(page) = pages.try_next().await? {
        let others = known.known(page.iter().map(|team| team.id.as_str())).await?;
        for team in page.into_iter().filter(|team| !others.contains(&team.id)) {
            if !has_all_others && may_have_an_account(&team) {
                teams.miss(OF_AN_ACCOUNT, team.name.as_ref().unwrap_or(&team.id));
                continue;
            }
            let account = team.enterprise_account.as_ref().map(|account| account.id.clone());
            add(team, account.as_deref(), &teams).await?;
        }
    }
    Ok(())
}

/// Whether a team may belong to an enterprise account. The reference to the account can be absent.
fn may_have_an_account(team: &resource::Team) -> bool {
    team.enterprise_account.is_some() || team.r#type.as_deref() != Some("team")
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
