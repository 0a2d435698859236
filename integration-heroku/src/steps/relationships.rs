//! `build-relationships`.

use integration_sdk::prelude::*;

use crate::types::{Addon, Application, ApplicationHasAddon};

/// Which add-on serves which application: both are listed by team, and only here are both known.
#[step(id = "build-relationships", name = "Build relationships")]
pub async fn build_relationships(
    addons: Read<Addon>,
    apps: Read<Application>,
    has: Emit<ApplicationHasAddon>,
) -> StepResult {
    let mut all = addons.stream();
    while let Some(addon) = all.try_next().await? {
        let app = addon.application_id.as_ref().map(KeyOf::<Application>::new);
        match app {
            Some(app) if apps.get(&app).await?.is_some() => has.add(&app, &addon).await?,
            Some(_) => has.skip("an add-on of an application that was not collected"),
            None => has.skip("an add-on without an application"),
        }
    }
    Ok(())
}
