//! The steps, from requests to emitted objects.

use integration_sdk::prelude::*;

use crate::client::Api;
use crate::types::{Project, ProjectHasUser, User};

/// Emits the people of the account.
#[step(id = "fetch-users", name = "Fetch users", scopes("read"))]
pub async fn fetch_users(api: Client<Api>, users: Emit<User>) -> StepResult {
    let mut listing = api.users();
    while let Some(user) = listing.try_next().await? {
        let (body, raw) = user.into_parts();
        users.add(User::from(body).with_raw(raw)).await?;
    }
    Ok(())
}

/// Emits the projects of the account.
#[step(id = "fetch-projects", name = "Fetch projects", scopes("read"))]
pub async fn fetch_projects(api: Client<Api>, projects: Emit<Project>) -> StepResult {
    let mut listing = api.projects();
    while let Some(project) = listing.try_next().await? {
        let (body, raw) = project.into_parts();
        let project = Project {
            id: body.id,
            name: body.name,
            start_on: body.started_at,
        };
        projects.add(project.with_raw(raw)).await?;
    }
    Ok(())
}

/// Links projects to their members.
#[step(id = "fetch-members", name = "Fetch members", scopes("read"))]
pub async fn fetch_members(
    api: Client<Api>,
    projects: Follow<Project>,
    users: Read<User>,
    has: Emit<ProjectHasUser>,
) -> StepResult {
    projects
        .for_each_concurrent(|project| members_of(project, &api, &users, &has))
        .await
}

async fn members_of(
    project: Project,
    api: &Api,
    users: &Read<User>,
    has: &Emit<ProjectHasUser>,
) -> StepResult {
    let mut listing = api.members(&project.id);
    while let Some(member) = listing.try_next().await? {
        let user = EntityRef::<User>::new(&member.user_id);
        if users.get(&user).await?.is_none() {
            has.skip("a member who has no account");
            continue;
        }
        let role = member.value.role;
        has.add_with(&project, &user, ProjectHasUser { role })
            .await?;
    }
    Ok(())
}
