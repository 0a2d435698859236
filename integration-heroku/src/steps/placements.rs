//! The step `build-placements`.

use integration_sdk::prelude::*;

use crate::types::{Application, Space, SpaceHasApplication};

/// The fields of an application that locate its space.
#[derive(EntityView)]
#[entity(of = Application)]
pub struct InSpace {
    #[entity(key)]
    id: String,
    name: String,
    space_id: Option<String>,
}

/// Links private spaces to their applications.
#[step(id = "build-placements", name = "Link spaces to their applications")]
pub async fn build_placements(
    apps: Follow<InSpace>,
    spaces: Known<Space>,
    has: Emit<SpaceHasApplication>,
) -> StepResult {
    let mut pages = apps.pages();
    let has_all_spaces = spaces.is_complete().await?;
    while let Some(page) = pages.try_next().await? {
        let known = spaces.known(page.iter().filter_map(|app| app.space_id.as_deref())).await?;
        for app in page {
            match &app.space_id {
                Some(space) if known.contains(space) => has.add(&EntityRef::new(space), &app).await?,
                Some(_) if has_all_spaces => {
                    has.skip_named("an application in a space that was not collected", app.name);
                }
                Some(_) => {
                    has.miss("the spaces of these applications may be among those that were not collected", app.name);
                }
                None => {}
            }
        }
    }
    Ok(())
}
