//! Heroku as a graph: enterprise accounts, teams, people, applications and add-ons.
//!
//! [`integration`] describes it to the SDK; the steps are in [`steps`], what they make in [`types`], what they ask in
//! [`client`]. The requests are as few as the API allows: a list a team, in the largest pages.
#![deny(missing_docs)]

pub mod client;
pub mod config;
pub mod fake;
pub mod resource;
pub mod steps;
pub mod types;

use integration_sdk::Integration;

use client::Heroku;
use fake::{FakeHeroku, FakeOptions, Organisation};
use integration_cli::Sample;

/// The integration.
pub fn integration() -> Integration {
    let heroku = Integration::of::<Heroku>("heroku", "Heroku");
    steps::all().into_iter().fold(heroku, Integration::step).secret_fields([
        "token",
        "secret",
        "password",
        "certificate",
    ])
}

/// What `--sample` collects from: an imitation of Heroku on loopback, with a small made-up organisation.
///
/// # Errors
/// No socket can be had.
pub async fn sample() -> std::io::Result<Sample> {
    let heroku = FakeHeroku::start(Organisation::sample(), FakeOptions::default()).await;
    let heroku = heroku.map_err(std::io::Error::other)?;
    let values =
        vec![("HEROKU_API_KEY".to_owned(), heroku.token().to_owned()), ("HEROKU_API_URL".to_owned(), heroku.url())];
    Ok(Sample { values, server: Box::new(heroku) })
}
