//! Heroku as a graph: enterprise accounts, teams, people, applications, add-ons, pipelines, and private spaces.
//!
//! [`integration`] describes Heroku to the SDK. The steps are in [`steps`], the types of the graph in [`types`], and
//! the API client in [`client`]. Requests are the scarce resource, so the integration reads one list per team, in the
//! largest pages that the API allows.
#![deny(missing_docs)]

pub mod client;
pub mod config;
pub mod cost;
pub mod details;
pub mod fake;
pub mod resource;
pub mod steps;
pub mod types;

use integration_sdk::graph::StepId;
use integration_sdk::{AccountKind, Integration};

use client::Heroku;
use fake::{FakeHeroku, FakeOptions, Organisation};
use integration_cli::Sample;
use types::{Account, Application, Team};

/// The questions about a Heroku account, in the form of `questions.yaml`.
pub const QUESTIONS: &str = include_str!("../questions/questions.yaml");

/// The questions about people with access to Heroku, which need the directory as well.
pub const PEOPLE_QUESTIONS: &str = include_str!("../questions/people.yaml");

/// The directory of the sample's organisation.
const SAMPLE_PEOPLE: &str = include_str!("../people/sample.csv");

/// The rules about a Heroku account: questions and changes, in the form of JupiterOne's rules.
pub const RULES: &str = include_str!("../rules/heroku.yaml");

/// The Heroku integration: its client, its steps, and its secret fields.
pub fn integration() -> Integration {
    let heroku =
        account_kinds().into_iter().fold(Integration::of::<Heroku>("heroku", "Heroku"), Integration::account_kind);
    let heroku = details::sources().into_iter().chain(cost::sources()).fold(heroku, Integration::source);
    let steps = steps::all().into_iter().chain(details::all()).chain(cost::all());
    steps.fold(heroku, Integration::step).secret_fields([
        "token",
        "secret",
        "password",
        "certificate",
        "body",
        "log_input_url",
        "sso_target_url",
        "slo_target_url",
        "certificate_chain",
        "command",
        "endpoint",
        "grant",
        "headers",
        "invoices",
        "payment_method",
        "pre_shared_key",
        "session",
        "sms_number",
        // The addresses of drains and webhooks, whose paths may be tokens.
        "url",
    ])
}

/// The kinds of accounts, each with the step that finds them.
fn account_kinds() -> [AccountKind; 3] {
    let (accounts, teams, apps) = ("fetch-account", "fetch-independent-teams", "fetch-personal-apps");
    let one_of = |what: &str| format!("{what} that the owner of the key can see");
    [
        AccountKind::of::<Account>(StepId::literal(accounts), "enterprise account", "enterprise accounts"),
        AccountKind::of::<Team>(StepId::literal(teams), "team outside of these", "teams outside of these"),
        AccountKind::of::<Application>(
            StepId::literal(apps),
            one_of("application outside of all teams"),
            one_of("applications outside of all teams"),
        ),
    ]
}

/// Starts a fake Heroku on loopback for `--sample`. It serves a small made-up organisation.
///
/// # Errors
/// Returns an error if no loopback socket is available.
pub async fn sample() -> std::io::Result<Sample> {
    let heroku = FakeHeroku::start(Organisation::sample(), FakeOptions::default()).await;
    let heroku = heroku.map_err(std::io::Error::other)?;
    let values =
        vec![("HEROKU_API_KEY".to_owned(), heroku.token().to_owned()), ("HEROKU_API_URL".to_owned(), heroku.url())];
    Ok(Sample { values, server: Box::new(heroku) })
}

/// Writes the directory of the sample's organisation into a temporary file for `--sample --integration directory`.
///
/// # Errors
/// Returns an error if the file cannot be written.
pub async fn sample_directory() -> std::io::Result<Sample> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("people.csv");
    std::fs::write(&file, SAMPLE_PEOPLE)?;
    let values = vec![("DIRECTORY_PEOPLE_FILE".to_owned(), file.display().to_string())];
    Ok(Sample { values, server: Box::new(folder) })
}
