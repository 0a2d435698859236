//! `rules`: checks, keeps, and evaluates rules.

mod check;
mod run;
mod store;

use clap::{Args, Subcommand, ValueEnum};
use integration_rules::{AlertLevel, Rule, parse_rules};
use integration_watch::{ActiveRules, RuleStore, active_rules};

use crate::context::Context;
use crate::failure::Failure;

pub(super) use run::deliver;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} rules check rules.yaml                 find mistakes before the first evaluation
  {name} rules add rules.yaml                   keep rules for `rules run` and `serve`
  {name} rules run                              evaluate the added rules and those of this integration
  {name} rules run rules.yaml --fail-on high    evaluate rules after a collection, for example in CI
  {name} alerts list

Files have the forms of JupiterOne's rules: an exported rule, a list for its client, a rule pack, or Terraform (.tf), in YAML or \
JSON. A rule with `changes` instead of `question` is about the changes of the graph since the last evaluation.")]
pub(crate) struct Rules {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Check files: fields, conditions, templates, and queries
    Check(check::Check),
    /// Evaluate rules, open, update, or resolve alerts, and carry out actions
    Run(run::Run),
    /// Add the rules of files to the data directory
    Add(store::Add),
    /// List the rules of the data directory and of this integration
    List(store::List),
    /// Show a rule
    Show(store::Show),
    /// Remove an added rule, and resolve its alert
    Remove(store::Remove),
}

/// The level of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl From<Level> for AlertLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Info => Self::Info,
            Level::Low => Self::Low,
            Level::Medium => Self::Medium,
            Level::High => Self::High,
            Level::Critical => Self::Critical,
        }
    }
}

pub(crate) async fn run(context: &Context<'_>, args: &Rules) -> Result<u8, Failure> {
    match &args.action {
        Action::Check(args) => check::run(context, args).await,
        Action::Run(args) => run::run(context, args).await,
        Action::Add(args) => store::add(context, args).await,
        Action::List(args) => store::list(context, args),
        Action::Show(args) => store::show(context, args),
        Action::Remove(args) => store::remove(context, args).await,
    }
}

/// Returns the added rules, and those of the program's integrations.
fn active(context: &Context<'_>) -> Result<ActiveRules, Failure> {
    let packs = context.offers.iter().filter_map(|offer| offer.rules);
    let active = active_rules(&context.globals.data_dir, packs)?;
    match active.programs.is_empty() && active.unusable.is_empty() {
        true => Err(no_rules()),
        false => Ok(active),
    }
}

fn no_rules() -> Failure {
    Failure::Usage("there are no rules: name a file, or add one with `rules add`".to_owned())
}

/// Returns the added rules, and those of the integrations that no added rule replaces, each with its source.
fn known<'a>(context: &'a Context<'_>) -> Result<Vec<(Rule, &'a str)>, Failure> {
    let added = RuleStore::of(&context.globals.data_dir).rules()?;
    let mut known: Vec<(Rule, &str)> = Vec::new();
    for offer in context.offers.iter() {
        let own = offer.rules.map_or(Ok(Vec::new()), parse_rules).map_err(|error| Failure::Document {
            name: "the rules of this integration".to_owned(),
            error: error.to_string(),
        })?;
        let is_replaced = |rule: &Rule| added.iter().any(|added| added.name == rule.name);
        known.extend(own.into_iter().filter(|rule| !is_replaced(rule)).map(|rule| (rule, offer.id())));
    }
    known.extend(added.into_iter().map(|rule| (rule, "added")));
    Ok(known)
}
