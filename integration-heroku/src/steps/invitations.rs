//! The step `fetch-invitations`.

use integration_sdk::prelude::*;

use super::people::{MAY_BE_MEMBERS, People, Person};
use crate::client::Heroku;
use crate::types::{Invitation, MemberCreatedInvitation, Team, TeamHasInvitation, User, UserCreatedInvitation};

/// Emits the pending invitations of every team, with their senders.
#[step(id = "fetch-invitations", name = "Fetch invitations", scopes("read"))]
pub async fn fetch_invitations(
    api: Client<Heroku>,
    teams: Follow<Team>,
    people: People,
    invitations: Emit<Invitation>,
    has: Emit<TeamHasInvitation>,
    by_member: Emit<MemberCreatedInvitation>,
    by_user: Emit<UserCreatedInvitation>,
) -> StepResult {
    let sent = (&by_member, &by_user);
    teams.for_each_concurrent(|team| invitations_of(team, &api, &people, &invitations, &has, sent)).await
}

async fn invitations_of(
    team: Team,
    api: &Heroku,
    people: &People,
    invitations: &Emit<Invitation>,
    has: &Emit<TeamHasInvitation>,
    (by_member, by_user): (&Emit<MemberCreatedInvitation>, &Emit<UserCreatedInvitation>),
) -> StepResult {
    let mut pages = api.team_invitations(&team.id).by_page();
    while let Some(page) = pages.try_next().await? {
        let senders = people.find(page.iter().filter_map(|sent| sent.invited_by.clone()).map(User::new)).await?;
        for invitation in page {
            let (invitation, raw) = invitation.into_parts();
            let sender = invitation.invited_by.clone();
            let invitation = invitations.add(Invitation::new(invitation, &team.id).with_raw(raw)).await?;
            has.add(&team, &invitation).await?;
            match sender.map(|sender| senders.get(&sender.id)) {
                Some(Some(Person::Member(member))) => by_member.add(member, &invitation).await?,
                Some(Some(Person::Outside(user))) => by_user.add(user, &invitation).await?,
                Some(None) => {
                    by_member.miss(MAY_BE_MEMBERS, &invitation.name);
                    by_user.miss(MAY_BE_MEMBERS, &invitation.name);
                }
                None => by_member.skip_named("an invitation without a sender", &invitation.name),
            }
        }
    }
    Ok(())
}
