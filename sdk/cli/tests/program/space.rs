//! A small integration that the tests run as a program. Its configuration selects its faults.

use std::process::ExitCode;

use integration_cli::{Program, Sample};
use integration_sdk::Integration;
use integration_sdk::config::SecretString;
use integration_sdk::http::{Endpoint, Http, Provider, ProviderError, ProviderErrorKind, VerifiedAccount};
use integration_sdk::prelude::*;
use integration_sdk::step::IngestionSource;
use integration_sdk::{Plan, Timestamp};

fn main() -> ExitCode {
    // Only tests that set this variable use a provider.
    let space = match std::env::var_os("SPACE_HAS_PROVIDER") {
        Some(_) => Integration::of::<Station>("space", "Space"),
        None => Integration::without_provider::<Mission>("space", "Space"),
    };
    let space = space
        .source(IngestionSource::new("comets", "Comets", "Bodies that appear rarely.").off_by_default())
        .step(fetch_planets())
        .step(fetch_moons())
        .step(fetch_comets())
        .step(map_craters());
    debug_assert!(Plan::new(&space).is_ok());
    Program::new(space).version("1.2.3").sample(sample).main()
}

async fn sample() -> std::io::Result<Sample> {
    Ok(Sample { values: vec![("SPACE_API_KEY".into(), "sample-key".into())], server: Box::new(()) })
}

/// A mission.
#[derive(Debug, Config)]
struct Mission {
    /// The key of the station.
    api_key: Option<SecretString>,
    /// The address of the station.
    #[config(default = "http://127.0.0.1:1")]
    api_url: integration_sdk::config::Url,
    /// The simulated fault: `nothing`, `moons`, `planets` or `time`.
    #[config(default = "nothing")]
    trouble: String,
}

struct Station(Http);

impl Provider for Station {
    type Config = Mission;

    fn endpoint(mission: &Mission) -> Endpoint {
        let endpoint = Endpoint::new(mission.api_url.clone());
        match &mission.api_key {
            Some(key) => endpoint.bearer(key),
            None => endpoint,
        }
    }

    fn new(http: Http) -> Self {
        Self(http)
    }

    async fn verify(&self) -> Result<VerifiedAccount, ProviderError> {
        let whoami: serde_json::Value = self.0.get("/whoami", &[]).json().await?;
        let access = VerifiedAccount::of(whoami["email"].as_str().unwrap_or_default());
        Ok(access.with_scopes(["read".to_owned()].into()))
    }
}

/// A body that moves around a star.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "space_planet", class = "Site", resource = "Planet")]
struct Planet {
    #[entity(key)]
    id: String,
    name: String,
    web_link: String,
    seen_on: Option<Timestamp>,
}

/// A body that moves around a planet.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "space_moon", class = "Site", resource = "Moon")]
struct Moon {
    #[entity(key)]
    id: String,
    name: String,
}

/// A body that appears rarely.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "space_comet", class = "Site", resource = "Comet")]
struct Comet {
    #[entity(key)]
    id: String,
    name: String,
}

/// A hole in a moon.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "space_crater", class = "Site", resource = "Crater")]
struct Crater {
    #[entity(key)]
    id: String,
    name: String,
}

relationship!(
    /// A planet has a moon.
    PlanetHasMoon: Planet -[HAS]-> Moon
);
mapped_relationship!(PlanetIsDiscovered: Planet <-[IDENTIFIED]- "person" Person by ["email"]);

fn rejected(path: &str) -> ProviderError {
    ProviderError::new(ProviderErrorKind::Rejected, format!("GET /{path}: 500 (request 0f1e2d3c)"))
}

#[step(id = "fetch-planets", name = "Fetch planets", scopes("read"))]
async fn fetch_planets(
    mission: ConfigOf<Mission>,
    planets: Emit<Planet>,
    discovered: Emit<PlanetIsDiscovered>,
) -> StepResult {
    let _ = &discovered;
    for name in ["Earth", "Mars", "Venus"] {
        let id = format!("planet:{}", name.to_lowercase());
        let web_link = if name == "Mars" { "not a link" } else { "https://space.example/planet" }.to_owned();
        planets.add(Planet { id, name: name.into(), web_link, seen_on: None }).await?;
    }
    planets.skip("too far away");
    match mission.trouble.as_str() {
        "planets" => Err(rejected("planets").into()),
        "time" => std::future::pending().await,
        _ => Ok(()),
    }
}

/// Collects the moons; two of three planets fail if the fault `moons` is selected.
#[step(id = "fetch-moons", name = "Fetch moons", scopes("read"))]
async fn fetch_moons(
    mission: ConfigOf<Mission>,
    planets: Read<Planet>,
    moons: Emit<Moon>,
    has: Emit<PlanetHasMoon>,
) -> StepResult {
    let (mission, moons, has) = (&mission, &moons, &has);
    planets
        .for_each_concurrent(|planet| async move {
            if planet.name == "Earth" {
                let moon = moons.add(Moon { id: "moon:of-earth".into(), name: "Moon".into() }).await?;
                return has.add(&planet, &moon).await;
            }
            if mission.trouble == "moons" { Err(rejected(&planet.id).into()) } else { Ok(()) }
        })
        .await
}

#[step(id = "fetch-comets", name = "Fetch comets", source = "comets")]
async fn fetch_comets(comets: Emit<Comet>) -> StepResult {
    comets.add(Comet { id: "comet:halley".into(), name: "Halley".into() }).await.map(drop)
}

#[step(id = "map-craters", name = "Map craters", scopes("read", "telescope"))]
async fn map_craters(moons: Read<Moon>, craters: Emit<Crater>) -> StepResult {
    let craters = &craters;
    moons
        .for_each_concurrent(|moon| async move {
            craters.add(Crater { id: format!("crater:{}", moon.id), name: "Tycho".into() }).await.map(drop)
        })
        .await
}
