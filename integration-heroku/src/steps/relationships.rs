//! The step `build-relationships`.

use integration_sdk::prelude::*;

use crate::types::{Addon, Application, ApplicationHasAddon};

/// The fields of an add-on that locate its application. A view avoids reading the complete add-ons again.
#[derive(EntityView)]
#[entity(of = Addon)]
pub struct Placement {
    #[entity(key)]
    id: String,
    name: String,
    application_id: Option<String>,
}

/// Links add-ons to their applications.
///
/// Two steps read the two kinds of objects, team by team, and neither knows the other's. This step follows both.
#[step(id = "build-relationships", name = "Build relationships")]
pub async fn build_relationships(
    addons: Follow<Placement>,
    apps: Read<Application>,
    has: Emit<ApplicationHasAddon>,
) -> StepResult {
    let mut pages = addons.pages();
    let has_all_apps = apps.is_complete().await?;
    while let Some(page) = pages.try_next().await? {
        let known = apps.known(page.iter().filter_map(|addon| addon.application_id.as_deref())).await?;
        for addon in page {
            match &addon.application_id {
                Some(app) if known.contains(app) => has.add(&EntityRef::new(app), &addon).await?,
                Some(_) if has_all_apps => {
                    has.skip_named("an add-on of an application that was not collected", addon.name)
                }
                Some(_) => {
                    has.miss("the applications of these add-ons may be among those that were not collected", addon.name)
                }
                None => has.skip_named("an add-on without an application", addon.name),
            }
        }
    }
    Ok(())
}
