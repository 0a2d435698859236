//! The step `fetch-addons`.

use integration_sdk::prelude::*;

use crate::client::Heroku;
use crate::types::{Addon, Team};

/// Emits the add-ons of all applications, with one list per team.
#[step(id = "fetch-addons", name = "Fetch add-ons", scopes("read"))]
pub async fn fetch_addons(api: Client<Heroku>, teams: Follow<Team>, addons: Emit<Addon>) -> StepResult {
    teams.for_each_concurrent(|team| addons_of(team, &api, &addons)).await
}

async fn addons_of(team: Team, api: &Heroku, addons: &Emit<Addon>) -> StepResult {
    let mut listing = api.team_addons(&team.id);
    while let Some(addon) = listing.try_next().await? {
        let (addon, raw) = addon.into_parts();
        addons.add(Addon::from(addon).with_raw(raw)).await?;
    }
    Ok(())
}
