//! The step `fetch-access`.

use std::fmt::Display;

use integration_sdk::prelude::*;
use integration_sdk::step::{Declaration, Parameter, StepContext};

use super::people::{MAY_BE_MEMBERS, People, Person};
use crate::client::Heroku;
use crate::resource::{self, Grantee, PermissionEntity};
use crate::types::{
    Application, MemberAssignedApplication, MemberAssignedSpace, Space, Team, User, UserAssignedApplication,
    UserAssignedSpace,
};

const NOT_COLLECTED: &str = "access to an application or space that was not collected";
const MAY_BE_MISSING: &str = "these applications and spaces may be among those that were not collected";

/// A view of an application with its owner.
#[derive(EntityView)]
#[entity(of = Application)]
pub struct Ownership {
    #[entity(key)]
    id: String,
    owner_id: Option<String>,
}

/// Links people to the applications and spaces that they have access to, with one list per team.
#[step(id = "fetch-access", name = "Fetch access to applications and spaces", scopes("read"))]
pub async fn fetch_access(
    api: Client<Heroku>,
    teams: Follow<Team>,
    people: People,
    apps: Read<Ownership>,
    spaces: Known<Space>,
    access: Access,
) -> StepResult {
    teams.for_each_concurrent(|team| access_in(team, &api, &people, &apps, &spaces, &access)).await
}

async fn access_in(
    team: Team,
    api: &Heroku,
    people: &People,
    apps: &Read<Ownership>,
    spaces: &Known<Space>,
    access: &Access,
) -> StepResult {
    let mut pages = api.team_permissions(&team.id).by_page();
    let has_all_places = apps.is_complete().await? && spaces.is_complete().await?;
    while let Some(page) = pages.try_next().await? {
        let ids = || page.iter().map(|entity| entity.id.as_str());
        let (owners, spaces) = (apps.get_all(ids()).await?, spaces.known(ids()).await?);
        let grantees = page.iter().flat_map(|entity| entity.users.iter().flatten());
        let people = people.find(grantees.cloned().map(person)).await?;
        for PermissionEntity { id, name, users, .. } in page.into_iter().map(|entity| entity.value) {
            let place = match (owners.get(&id), spaces.contains(&id)) {
                (Some(app), _) => Place::Application(EntityRef::new(id), app.owner_id.clone()),
                (None, true) => Place::Space(EntityRef::new(id)),
                (None, false) => {
                    access.without_place(has_all_places, name.unwrap_or(id));
                    continue;
                }
            };
            for user in users.into_iter().flatten() {
                access.add(people.get(&user.id), &place, user).await?;
            }
        }
    }
    Ok(())
}

fn person(Grantee { id, email, .. }: Grantee) -> User {
    User::new(resource::User { id, email, name: None })
}

/// An object that people have access to.
enum Place {
    /// An application with the id of its owner.
    Application(EntityRef<Application>, Option<String>),
    Space(EntityRef<Space>),
}

/// Adds the access of people, in a relationship type for each kind of person and of object.
pub struct Access {
    member_to_app: Emit<MemberAssignedApplication>,
    user_to_app: Emit<UserAssignedApplication>,
    member_to_space: Emit<MemberAssignedSpace>,
    user_to_space: Emit<UserAssignedSpace>,
}

impl Parameter for Access {
    fn declare(declaration: &mut Declaration) {
        Emit::<MemberAssignedApplication>::declare(declaration);
        Emit::<UserAssignedApplication>::declare(declaration);
        Emit::<MemberAssignedSpace>::declare(declaration);
        Emit::<UserAssignedSpace>::declare(declaration);
    }
    async fn bind(context: &StepContext) -> StepResult<Self> {
        Ok(Self {
            member_to_app: Emit::bind(context).await?,
            user_to_app: Emit::bind(context).await?,
            member_to_space: Emit::bind(context).await?,
            user_to_space: Emit::bind(context).await?,
        })
    }
}

impl Access {
    async fn add(&self, person: Option<&Person>, place: &Place, grantee: Grantee) -> StepResult {
        let permissions = grantee.permissions.unwrap_or_default();
        match (person, place) {
            (Some(Person::Member(member)), Place::Application(app, owner)) => {
                let owner = owner.as_ref() == Some(&grantee.id);
                self.member_to_app.add_with(member, app, MemberAssignedApplication { permissions, owner }).await
            }
            (Some(Person::Outside(user)), Place::Application(app, owner)) => {
                let owner = owner.as_ref() == Some(&grantee.id);
                self.user_to_app.add_with(user, app, UserAssignedApplication { permissions, owner }).await
            }
            (Some(Person::Member(member)), Place::Space(space)) => {
                self.member_to_space.add_with(member, space, MemberAssignedSpace { permissions }).await
            }
            (Some(Person::Outside(user)), Place::Space(space)) => {
                self.user_to_space.add_with(user, space, UserAssignedSpace { permissions }).await
            }
            (None, place) => {
                let is_app = matches!(place, Place::Application(..));
                self.miss(is_app, !is_app, MAY_BE_MEMBERS, grantee.email.unwrap_or(grantee.id));
                Ok(())
            }
        }
    }

    /// Counts the access to an object that is not in the graph.
    fn without_place(&self, has_all_places: bool, name: String) {
        match has_all_places {
            true => self.member_to_app.skip_named(NOT_COLLECTED, name),
            false => self.miss(true, true, MAY_BE_MISSING, name),
        }
    }

    /// Reports access that may exist, to an application or to a space. The kind of the person is not certain.
    fn miss(&self, to_app: bool, to_space: bool, reason: &str, name: impl Display) {
        if to_app {
            self.member_to_app.miss(reason, &name);
            self.user_to_app.miss(reason, &name);
        }
        if to_space {
            self.member_to_space.miss(reason, &name);
            self.user_to_space.miss(reason, &name);
        }
    }
}
