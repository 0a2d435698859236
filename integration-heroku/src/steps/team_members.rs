//! `fetch-team-members`.

use integration_sdk::prelude::*;

use crate::client::Heroku;
use crate::resource::TeamMember;
use crate::types::{AccountMember, Team, TeamHasMember, names};

/// Who works in which team, and as what. Heroku asks for the scope `global`; without it every team is reported as missing.
#[step(id = "fetch-team-members", name = "Fetch team members", scopes("global"))]
pub async fn fetch_team_members(
    api: Client<Heroku>,
    teams: Each<Team>,
    members: Read<AccountMember>,
    has: Emit<TeamHasMember>,
    profiles: Amend<AccountMember>,
) -> StepResult {
    teams.for_each_concurrent(|team| members_of(team, &api, &members, &has, &profiles)).await
}

async fn members_of(
    team: Team,
    api: &Heroku,
    members: &Read<AccountMember>,
    has: &Emit<TeamHasMember>,
    profiles: &Amend<AccountMember>,
) -> StepResult {
    let mut listing = api.team_members(&team.id);
    while let Some(membership) = listing.try_next().await? {
        let TeamMember { role, user, .. } = membership.value;
        let Some(user) = user else {
            has.skip("a membership without a person");
            continue;
        };
        let member = KeyOf::new(user.id);
        if members.get(&member).await?.is_none() {
            has.skip("a person who is in no enterprise account");
            continue;
        }
        has.add_with(&team, &member, TeamHasMember { role }).await?;
        let (first_name, last_name) = names(user.name.as_deref());
        if first_name.is_some() {
            profiles.add(&member, [("firstName", first_name), ("lastName", last_name)]).await?;
        }
    }
    Ok(())
}
