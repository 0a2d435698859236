//! The steps `fetch-personal-apps` and `fetch-personal-addons`.

use std::collections::BTreeSet;

use integration_sdk::prelude::*;

use super::people::{MAY_BE_MEMBERS, People, Person};
use crate::client::Heroku;
use crate::resource;
use crate::types::{Addon, Application, MemberAssignedApplication, Team, User, UserAssignedApplication};

const OF_A_TEAM: &str = "these applications may be among those of the teams that were not collected";
const MAY_BE_PERSONAL: &str = "these add-ons may belong to applications that were not collected";
const NO_APPLICATION: &str = "an add-on of an application outside the collected ones";

/// Emits the applications that no team listed: those of people, and shared ones of other teams.
///
/// The list of a collected team is authoritative for its applications, so the step omits them.
#[step(id = "fetch-personal-apps", name = "Fetch applications outside teams", scopes("read"))]
pub async fn fetch_personal_apps(
    api: Client<Heroku>,
    teams: Known<Team>,
    known: Known<Application>,
    people: People,
    apps: Emit<Application>,
    by_member: Emit<MemberAssignedApplication>,
    by_user: Emit<UserAssignedApplication>,
) -> StepResult {
    let mut pages = api.apps().by_page();
    let has_all_others = known.is_complete().await?;
    while let Some(page) = pages.try_next().await? {
        let others = known.known(page.iter().map(|app| app.id.as_str())).await?;
        let teams = teams.known(page.iter().filter_map(|app| team_of(app))).await?;
        let is_listed =
            |app: &resource::App| others.contains(&app.id) || team_of(app).is_some_and(|it| teams.contains(it));
        let page: Vec<_> = page.into_iter().filter(|app| !is_listed(app)).collect();
        let people = people.find(page.iter().filter_map(|app| owner_of(app)).filter(|_| has_all_others)).await?;
        for app in page {
            let team = team_of(&app).map(str::to_owned);
            if !has_all_others {
                apps.miss(OF_A_TEAM, &app.name);
                continue;
            }
            let owner = owner_of(&app).map(|owner| owner.id);
            let (app, raw) = app.into_parts();
            let app = apps.add(Application::new(app, team.as_deref()).with_raw(raw)).await?;
            match owner.map(|owner| people.get(&owner)) {
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
                None if team.is_none() => by_member.skip_named("an application without a team and an owner", &app.name),
                None => by_member.skip_named("an application of a team that was not collected", &app.name),
            }
        }
    }
    Ok(())
}

fn team_of(app: &resource::App) -> Option<&str> {
    app.team.as_ref()?.id.as_deref()
}

/// The owner of an application without a team. The owner of another one is an account of its team.
fn owner_of(app: &resource::App) -> Option<User> {
    let owner = app.owner.clone().filter(|_| team_of(app).is_none())?;
    Some(User::new(resource::User { id: owner.id?, email: owner.email, name: None }))
}

/// A view of an application with its team.
#[derive(EntityView)]
#[entity(of = Application)]
pub struct Belonging {
    #[entity(key)]
    id: String,
    team_id: Option<String>,
}

/// Emits the add-ons of applications that no team listed, with one list. Without such an application, no list is read.
#[step(id = "fetch-personal-addons", name = "Fetch add-ons outside teams", scopes("read"))]
pub async fn fetch_personal_addons(
    api: Client<Heroku>,
    teams: Known<Team>,
    apps: Read<Belonging>,
    known: Known<Addon>,
    addons: Emit<Addon>,
) -> StepResult {
    let mut personal = BTreeSet::new();
    let mut pages = apps.pages();
    while let Some(page) = pages.try_next().await? {
        let teams = teams.known(page.iter().filter_map(|app| app.team_id.as_deref())).await?;
        let outside = page.into_iter().filter(|app| app.team_id.as_ref().is_none_or(|team| !teams.contains(team)));
        personal.extend(outside.map(|app| app.id));
    }
    if personal.is_empty() {
        return Ok(());
    }
    let has_all_apps = apps.is_complete().await?;
    let mut pages = api.addons().by_page();
    while let Some(page) = pages.try_next().await? {
        let others = known.known(page.iter().map(|addon| addon.id.as_str())).await?;
        let page: Vec<_> = page.into_iter().filter(|addon| !others.contains(&addon.id)).collect();
        let known_apps = apps.known(page.iter().filter_map(|addon| app_of(addon))).await?;
        for addon in page {
            match app_of(&addon) {
                Some(app) if personal.contains(app) => {
                    let (addon, raw) = addon.into_parts();
                    addons.add(Addon::from(addon).with_raw(raw)).await?;
                }
                // The list of the team is authoritative.
                Some(app) if known_apps.contains(app) => {}
                _ if has_all_apps => addons.skip_named(NO_APPLICATION, &addon.name),
                _ => addons.miss(MAY_BE_PERSONAL, &addon.name),
            }
        }
    }
    Ok(())
}

fn app_of(addon: &resource::Addon) -> Option<&str> {
    addon.app.as_ref().map(|app| app.id.as_str())
}
