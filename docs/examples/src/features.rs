use crate::{client::Heroku, types::Team};
use integration_sdk::{http::RangePagination, prelude::*, serde::Deserialize};

/// A feature that can be switched on for a team.
#[derive(EntityKind, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
#[entity(type = "heroku_feature", class = "Resource", resource = "Feature")]
pub struct Feature {
    #[entity(key)]
    pub id: String,
    pub name: String,
    /// Whether the feature is switched on.
    pub enabled: Option<bool>,
}
relationship!(pub HasFeature: Team -[HAS]-> Feature);
const BY_ID: RangePagination = RangePagination { order_by: "id", max: 1_000 };

#[step(id = "fetch-features", name = "Fetch features", scopes("read"))]
pub async fn fetch(api: Client<Heroku>, teams: Follow<Team>, emit: Emit<Feature>, has: Emit<HasFeature>) -> StepResult {
    let (api, emit, has) = (&api, &emit, &has);
    let features_of = |team: Team| async move {
        let mut listing = api.http().get("/teams/{id}/features", &[&team.id]).ranges::<Feature>(BY_ID);
        while let Some(feature) = listing.try_next().await? {
            let feature = emit.add(feature.value.with_raw(feature.raw)).await?;
            has.add(&team, &feature).await?;
        }
        Ok(())
    };
    teams.for_each_concurrent(features_of).await
}
