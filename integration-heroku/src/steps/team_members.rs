//! The step `fetch-team-members`.

use integration_sdk::prelude::*;

use super::people::{MAY_BE_MEMBERS, People, Person};
use crate::client::Heroku;
use crate::resource::TeamMember;
use crate::types::{AccountMember, Team, TeamHasMember, TeamHasUser, User, names};

/// Links teams to their members and adds the role and the names of each member.
///
/// Heroku requires the scope `global` for these lists. Without it, the step reports a gap for every team.
#[step(id = "fetch-team-members", name = "Fetch team members", scopes("global"))]
pub async fn fetch_team_members(
    api: Client<Heroku>,
    teams: Follow<Team>,
    people: People,
    has: Emit<TeamHasMember>,
    has_user: Emit<TeamHasUser>,
    profiles: Amend<AccountMember>,
) -> StepResult {
    teams.for_each_concurrent(|team| members_of(team, &api, &people, &has, &has_user, &profiles)).await
}

async fn members_of(
    team: Team,
    api: &Heroku,
    people: &People,
    has: &Emit<TeamHasMember>,
    has_user: &Emit<TeamHasUser>,
    profiles: &Amend<AccountMember>,
) -> StepResult {
    let mut pages = api.team_members(&team.id).by_page();
    let team_name = team.name.as_deref().unwrap_or(&team.id);
    while let Some(page) = pages.try_next().await? {
        let people = people.find(page.iter().filter_map(|membership| person(membership))).await?;
        let mut named = Vec::new();
        for membership in page {
            let TeamMember { id, role, email, user, .. } = membership.value;
            let Some(user) = user else {
                let person = email.unwrap_or_else(|| format!("membership {id}"));
                has.skip_named("a membership without a person", format!("{person} in team {team_name}"));
                continue;
            };
            match people.get(&user.id) {
                Some(Person::Member(member)) => {
                    has.add_with(&team, member, TeamHasMember { role }).await?;
                    let (first, last) = names(user.name.as_deref());
                    named.extend(first.map(|first| (member.clone(), [("firstName", Some(first)), ("lastName", last)])));
                }
                Some(Person::Outside(user)) => has_user.add_with(&team, user, TeamHasUser { role }).await?,
                None => {
                    let person = format!("{} in team {team_name}", user.email.or(email).unwrap_or(user.id));
                    has.miss(MAY_BE_MEMBERS, &person);
                    has_user.miss(MAY_BE_MEMBERS, &person);
                }
            }
        }
        profiles.add_all(named).await?;
    }
    Ok(())
}

/// The person of a membership, as a user outside the accounts would be.
fn person(membership: &TeamMember) -> Option<User> {
    let mut user = membership.user.clone()?;
    user.email = user.email.or_else(|| membership.email.clone());
    Some(User::new(user).with_second_factor(membership.two_factor_authentication))
}
