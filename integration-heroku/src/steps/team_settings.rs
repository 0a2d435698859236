//! The steps that read the settings of each team, with one request each.

use integration_sdk::prelude::*;

use crate::client::Heroku;
use crate::types::Team;

/// A view of a team: its id is enough.
#[derive(EntityView)]
#[entity(of = Team)]
pub struct Configured {
    #[entity(key)]
    id: String,
}

/// Adds the preferences of teams: the permission of new members, and the control of add-ons.
#[step(id = "fetch-team-preferences", name = "Fetch preferences of teams", scopes("read"))]
pub async fn fetch_team_preferences(
    api: Client<Heroku>,
    teams: Read<Configured>,
    preferences: Annotate<Team>,
) -> StepResult {
    let preferences_of = async |team: Configured| {
        let found = api.team_preferences(&team.id).await?;
        let team: EntityRef<Team> = EntityRef::new(team.id);
        preferences.add(&team, [("defaultPermission", found.default_permission)]).await?;
        preferences.add(&team, [("addonsControlled", found.addons_controls)]).await?;
        Ok(())
    };
    teams.for_each_concurrent(preferences_of).await
}

/// Adds the names of the features that are enabled for teams.
#[step(id = "fetch-team-features", name = "Fetch features of teams", scopes("read"))]
pub async fn fetch_team_features(api: Client<Heroku>, teams: Read<Configured>, features: Annotate<Team>) -> StepResult {
    let features_of = async |team: Configured| {
        let mut enabled = Vec::new();
        let mut listing = api.team_features(&team.id);
        while let Some(feature) = listing.try_next().await? {
            if feature.enabled == Some(true) {
                enabled.push(feature.value.name);
            }
        }
        enabled.sort();
        features.add(&EntityRef::new(team.id), [("enabledFeatures", enabled)]).await?;
        Ok(())
    };
    teams.for_each_concurrent(features_of).await
}
