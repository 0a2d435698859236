//! The step `fetch-team-members`.

use integration_sdk::prelude::*;

use crate::client::Heroku;
use crate::resource::TeamMember;
use crate::types::{AccountMember, Team, TeamHasMember, names};

/// Links teams to their members and adds the role and the names of each member.
///
/// Heroku requires the scope `global` for these lists. Without it, the step reports a gap for every team.
#[step(id = "fetch-team-members", name = "Fetch team members", scopes("global"))]
pub async fn fetch_team_members(
    api: Client<Heroku>,
    teams: Follow<Team>,
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
    let mut pages = api.team_members(&team.id).by_page();
    let has_all_people = members.is_complete().await?;
    let team_name = team.name.as_deref().unwrap_or(&team.id);
    while let Some(page) = pages.try_next().await? {
        let ids = page.iter().filter_map(|membership| Some(membership.user.as_ref()?.id.as_str()));
        let known = members.known(ids).await?;
        let mut named = Vec::new();
        for membership in page {
            let TeamMember { id, role, email, user, .. } = membership.value;
            let Some(user) = user else {
                let person = email.unwrap_or_else(|| format!("membership {id}"));
                has.skip_named("a membership without a person", format!("{person} in team {team_name}"));
                continue;
            };
            if !known.contains(&user.id) {
                let person = user.email.or(email).unwrap_or(user.id);
                let person = format!("{person} in team {team_name}");
                match has_all_people {
                    true => has.skip_named("a person who is in no enterprise account", person),
                    false => has.miss("these people may be among those that were not collected", person),
                }
                continue;
            }
            let (first, last) = names(user.name.as_deref());
            let member = EntityRef::new(user.id);
            has.add_with(&team, &member, TeamHasMember { role }).await?;
            named.extend(first.map(|first| (member, [("firstName", Some(first)), ("lastName", last)])));
        }
        profiles.add_all(named).await?;
    }
    Ok(())
}
