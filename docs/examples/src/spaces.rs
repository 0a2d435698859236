use crate::{client::Heroku, types::Team};
use integration_sdk::{http::RangePagination, prelude::*, serde::Deserialize};

/// A private space: a network that isolates its applications from other customers.
#[derive(EntityKind, Deserialize)]
#[serde(crate = "integration_sdk::serde")]
#[entity(type = "heroku_space", class = "Network", resource = "Space")]
pub struct Space {
    #[entity(key)]
    pub id: String,
    pub name: String,
    /// Whether the space follows the stricter rules of Heroku Shield.
    pub shield: Option<bool>,
}
relationship!(pub HasSpace: Team -[HAS]-> Space);
const BY_ID: RangePagination = RangePagination { order_by: "id", max: 1_000 };

#[step(id = "fetch-spaces", name = "Fetch spaces", scopes("read"))]
pub async fn fetch(api: Client<Heroku>, teams: Follow<Team>, spaces: Emit<Space>, has: Emit<HasSpace>) -> StepResult {
    let (api, spaces, has) = (&api, &spaces, &has);
    let spaces_of = |team: Team| async move {
        let mut listing = api.http().get("/teams/{id}/spaces", &[&team.id]).ranges::<Space>(BY_ID);
        while let Some(space) = listing.try_next().await? {
            let space = spaces.add(space.value.with_raw(space.raw)).await?;
            has.add(&team, &space).await?;
        }
        Ok(())
    };
    teams.for_each_concurrent(spaces_of).await
}
