//! The step `build-application-owners`.

use integration_sdk::prelude::*;

use super::people::{MAY_BE_MEMBERS, People, Person};
use crate::resource;
use crate::types::{Application, MemberAssignedApplication, Team, User, UserAssignedApplication};

/// A view of an application with its team and its owner.
#[derive(EntityView)]
#[entity(of = Application)]
pub struct Owned {
    #[entity(key)]
    id: String,
    name: String,
    team_id: Option<String>,
    owner: Option<String>,
    owner_id: Option<String>,
}

/// Links people to the applications that they own outside teams.
///
/// The step is separate from the one that emits these applications, because only the links depend on the people who
/// were collected. The owner of an application in a team is an account of the team.
#[step(id = "build-application-owners", name = "Link people to their applications outside teams")]
pub async fn build_application_owners(
    apps: Follow<Owned>,
    teams: Known<Team>,
    people: People,
    by_member: Emit<MemberAssignedApplication>,
    by_user: Emit<UserAssignedApplication>,
) -> StepResult {
    let mut pages = apps.pages();
    while let Some(page) = pages.try_next().await? {
        let teams = teams.known(page.iter().filter_map(|app| app.team_id.as_deref())).await?;
        let owners = people.find(page.iter().filter_map(Owned::person)).await?;
        for app in page {
            if let Some(team) = &app.team_id {
                if !teams.contains(team) {
                    by_member.skip_named("an application of a team that was not collected", &app.name);
                }
                continue;
            }
            match app.owner_id.as_ref().map(|owner| owners.get(owner)) {
                Some(Some(Person::Member(member))) => {
                    by_member.add_with(member, &app, MemberAssignedApplication::of_owner()).await?;
                }
                Some(Some(Person::Outside(user))) => {
                    by_user.add_with(user, &app, UserAssignedApplication::of_owner()).await?;
                }
                Some(None) => {
                    by_member.miss(MAY_BE_MEMBERS, &app.name);
                    by_user.miss(MAY_BE_MEMBERS, &app.name);
                }
                None => by_member.skip_named("an application without a team and an owner", &app.name),
            }
        }
    }
    Ok(())
}

impl Owned {
    /// The owner of an application without a team.
    fn person(&self) -> Option<User> {
        let id = self.owner_id.clone().filter(|_| self.team_id.is_none())?;
        Some(User::new(resource::User { id, email: self.owner.clone(), name: None }))
    }
}
