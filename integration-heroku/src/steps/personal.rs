//! The steps `fetch-personal-apps` and `fetch-personal-addons`.

use std::collections::BTreeSet;

use integration_sdk::prelude::*;
use integration_sdk::serde::{Deserialize, Serialize};
use integration_sdk::step::JobDatum;

use crate::client::Heroku;
use crate::resource;
use crate::types::{Addon, Application, Team, TeamOwnsApplication};

const OF_A_TEAM: &str = "the teams of these applications may be among those that were not collected";
const MAY_BE_PERSONAL: &str = "these add-ons may belong to applications that were not collected";
const NO_APPLICATION: &str = "an add-on of an application outside the collected ones";

/// The ids of the applications of collected teams that only the list of all applications contains.
#[derive(Serialize, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
pub struct Unlisted(BTreeSet<String>);

impl JobDatum for Unlisted {
    const NAME: &'static str = "unlisted-applications";
}

/// Emits the applications that no team listed: those of people, and shared ones of other teams.
///
/// The list of a collected team is authoritative for its applications, so the step omits them. An application that moves
/// from a team that is listed later to one that was listed earlier is in neither list. This list is read after those of
/// all teams, so it contains the application, and the application would otherwise count as removed. If the list of the
/// team is a gap, the gap covers the application.
///
/// An application names its team in this list. One without a team therefore belongs to a person, even if the lists of
/// teams were refused.
#[step(id = "fetch-personal-apps", name = "Fetch applications outside teams", scopes("read"))]
pub async fn fetch_personal_apps(
    api: Client<Heroku>,
    teams: Known<Team>,
    known: Known<Application>,
    apps: Emit<Application>,
    owns: Emit<TeamOwnsApplication>,
    unlisted: Publish<Unlisted>,
) -> StepResult {
    let mut pages = api.apps().by_page();
    let has_all_teams = teams.is_complete().await?;
    let mut late = BTreeSet::new();
    while let Some(page) = pages.try_next().await? {
        let others = known.known(page.iter().map(|app| app.id.as_str())).await?;
        let page: Vec<_> = page.into_iter().filter(|app| !others.contains(&app.id)).collect();
        let teams = teams.known(page.iter().filter_map(|app| team_of(app))).await?;
        let listed = known.complete_under(teams.iter().map(String::as_str)).await?;
        for app in page {
            let team = team_of(&app).map(str::to_owned);
            let collected_team = team.as_ref().filter(|team| teams.contains(*team));
            if collected_team.is_some_and(|team| !listed.contains(team)) {
                continue;
            }
            if team.is_some() && collected_team.is_none() && !has_all_teams {
                apps.miss(OF_A_TEAM, &app.name);
                continue;
            }
            let (app, raw) = app.into_parts();
            let app = apps.add(Application::new(app, team.as_deref()).with_raw(raw)).await?;
            if let Some(team) = collected_team {
                owns.add(&EntityRef::new(team.as_str()), &app).await?;
                late.insert(app.id);
            }
        }
    }
    unlisted.set(&Unlisted(late)).await
}

fn team_of(app: &resource::App) -> Option<&str> {
    app.team.as_ref()?.id.as_deref()
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
    JobData(unlisted): JobData<Unlisted>,
    known: Known<Addon>,
    addons: Emit<Addon>,
) -> StepResult {
    let mut personal = unlisted.map(|Unlisted(apps)| apps).unwrap_or_default();
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
