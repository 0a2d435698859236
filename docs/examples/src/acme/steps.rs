//! The steps, from requests to emitted objects.

use integration_sdk::prelude::*;
use integration_sdk::serde::{Deserialize, Serialize};
use integration_sdk::step::JobDatum;

use super::{Acme, Event, Project, ProjectHasUser, User, UserIsPerson, UserPerformedEvent};

/// Emits the people of the account, each with a mapped relationship to a person.
#[step(id = "fetch-users", name = "Fetch users", scopes("read"))]
pub async fn fetch_users(api: Client<Acme>, users: Emit<User>, is: Emit<UserIsPerson>) -> StepResult {
    let mut listing = api.users();
    while let Some(user) = listing.try_next().await? {
        let (body, raw) = user.into_parts();
        let user = User { id: body.id, name: body.name, email: body.email, last_login_on: body.last_login_at };
        let user = users.add(user.with_raw(raw)).await?;
        is.add(&user, [("email", user.email.clone())]).await?;
    }
    Ok(())
}

/// Emits the projects, with their labels as tags.
#[step(id = "fetch-projects", name = "Fetch projects", scopes("read"))]
pub async fn fetch_projects(api: Client<Acme>, projects: Emit<Project>) -> StepResult {
    let mut listing = api.projects();
    while let Some(project) = listing.try_next().await? {
        let (body, raw) = project.into_parts();
        let project = Project { id: body.id, name: body.name };
        projects.add(project.with_raw(raw).with_tags(body.labels)).await?;
    }
    Ok(())
}

/// Links projects to their members.
#[step(id = "fetch-members", name = "Fetch members", scopes("read"))]
pub async fn fetch_members(
    api: Client<Acme>,
    projects: Follow<Project>,
    users: Read<User>,
    has: Emit<ProjectHasUser>,
) -> StepResult {
    projects.for_each_concurrent(|project| members_of(project, &api, &users, &has)).await
}

async fn members_of(project: Project, api: &Acme, users: &Read<User>, has: &Emit<ProjectHasUser>) -> StepResult {
    let mut listing = api.members(&project.id);
    while let Some(member) = listing.try_next().await? {
        let user = EntityRef::<User>::new(&member.user_id);
        if users.get(&user).await?.is_none() {
            has.skip("a member who has no account");
            continue;
        }
        has.add_with(&project, &user, ProjectHasUser { role: member.value.role }).await?;
    }
    Ok(())
}

/// Adds the use of a second factor to users. One list covers all of them.
#[step(id = "fetch-second-factors", name = "Fetch second factors", scopes("read"))]
pub async fn fetch_second_factors(api: Client<Acme>, users: Amend<User>) -> StepResult {
    let secured = api.second_factors().await?;
    users.add_all(secured.into_iter().map(|id| (EntityRef::new(id), [("mfaEnabled", true)]))).await?;
    Ok(())
}

/// The number of days of events that the account's subscription includes.
#[derive(Serialize, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct AuditedDays(u32);

impl JobDatum for AuditedDays {
    const NAME: &'static str = "audited-days";
}

/// Publishes the number of audited days.
#[step(id = "fetch-subscription", name = "Fetch subscription", scopes("read"), source = "events")]
pub async fn fetch_subscription(api: Client<Acme>, days: Publish<AuditedDays>) -> StepResult {
    let subscription = api.subscription().await?;
    days.set(&AuditedDays(subscription.audited_days)).await
}

/// Emits the events of the days that the subscription includes.
#[step(id = "fetch-events", name = "Fetch events", scopes("read"), source = "events")]
pub async fn fetch_events(
    api: Client<Acme>,
    JobData(days): JobData<AuditedDays>,
    events: Emit<Event>,
    performed: Emit<UserPerformedEvent>,
) -> StepResult {
    let mut listing = api.events(days.map_or(1, |days| days.0));
    while let Some(event) = listing.try_next().await? {
        let (body, raw) = event.into_parts();
        let event = Event { id: body.id, name: body.action, happened_on: body.happened_at };
        let event = events.add(event.with_raw(raw)).await?;
        performed.add(&EntityRef::new(body.user_id), &event).await?;
    }
    Ok(())
}
