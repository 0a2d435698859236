//! `rules`: checks rules, and evaluates them on the collected graph.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use integration_query::syntax;
use integration_rules::{
    AlertLevel, Problem, Program, ReadError, Rule, RuleInput, Severity, parse_rules, parse_terraform, problems_of,
};
use integration_sdk::input;
use integration_watch::{Applied, Book, Limits, Subject, evaluate_rules};
use jiff::Timestamp;
use serde_json::Value;

use crate::account_graph::{self, Snapshots};
use crate::asking;
use crate::context::Context;
use crate::failure::Failure;
use crate::offer::Offers;
use crate::report::rules as report;
use crate::style::{printable, printable_path};
use crate::{console, exit, interrupt, options};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} rules check rules.yaml
  {name} rules run                               evaluate the rules of this integration
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
    Check(Check),
    /// Evaluate rules, and open, update, or resolve alerts
    Run(Run),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} rules check rules.yaml

Exit codes: 0 no problem, 2 wrong usage, 4 problems.")]
struct Check {
    /// Rule files in YAML, JSON or Terraform [default: the rules of this integration]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} rules run rules.yaml
  {name} rules run rules.yaml --fail-on high
  {name} rules run rules.yaml --format json --instance east

A rule opens at most one alert, which is updated while its condition holds and resolved when it certainly does not. Missing data \
neither opens nor resolves an alert. This command carries out CREATE_ALERT; it lists the other actions and does not carry them out.

Exit codes: 0 evaluated, 1 a query failed, 2 wrong usage, 3 missing data left a rule undecided, 4 an alert of the level of \
--fail-on or above is open.")]
struct Run {
    /// Rule files in YAML, JSON or Terraform [default: the rules of this integration]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    snapshots: Snapshots,
    /// Value of ${param.NAME} and {{param.NAME}}. May be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = asking::parameter)]
    parameters: Vec<(String, Value)>,
    /// Exit with code 4 if an alert of this level or above is open
    #[arg(long, value_name = "LEVEL")]
    fail_on: Option<Level>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: options::Format,
    /// Maximum duration of one query
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = options::age)]
    timeout: Duration,
}

/// The level of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Level {
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
        Action::Check(args) => {
            let rules = read(context, &args.files)?;
            let (problems, errors) = (problems_of(&rules), query_errors(&rules));
            context.print(&report::problems(&problems, &errors, rules.len()))?;
            let is_finding = |problem: &Problem| problem.severity() != Severity::Note;
            Ok(if errors.is_empty() && !problems.iter().any(is_finding) { exit::SUCCESS } else { exit::FINDINGS })
        }
        Action::Run(args) => evaluate_all(context, args).await,
    }
}

async fn evaluate_all(context: &Context<'_>, args: &Run) -> Result<u8, Failure> {
    let programs = compile(read(context, &args.files)?)?;
    let (store, snapshots) = account_graph::snapshots(context, &args.snapshots).await?;
    let subject = Subject {
        store,
        snapshots,
        catalogue: Arc::new(account_graph::catalogue(context.offers.iter().map(|offer| &offer.integration))),
        parameters: args.parameters.iter().cloned().collect(),
        limits: Limits { query: args.timeout, ..Limits::default() },
    };
    let data_dir = &context.globals.data_dir;
    let cancelled = interrupt::cancellation();
    let report = evaluate_rules(data_dir, &subject, &programs, Timestamp::now(), &cancelled.token).await?;
    warn_of_lost_changes(context, &report.rules);
    match args.format {
        options::Format::Json => context.print_json(&report::json(&report.rules))?,
        options::Format::Text => context.print(&report::text(&report.rules, console::width()))?,
    }
    let open = Book::read(data_dir)?.alerts;
    let fails = |level: Level| open.iter().any(|alert| alert.is_open() && alert.level >= AlertLevel::from(level));
    Ok(match args.fail_on.is_some_and(fails) {
        true => exit::FINDINGS,
        false if report.rules.iter().any(report::has_failed) => exit::FAILED,
        false if report.rules.iter().any(report::is_undecided) => exit::INCOMPLETE,
        false => exit::SUCCESS,
    })
}

/// Warns of changes that no rule will see, because the snapshots before them were pruned.
fn warn_of_lost_changes(context: &Context<'_>, rules: &[Applied]) {
    for applied in rules.iter().filter(|applied| !applied.evaluated.lost.is_empty()) {
        let instances = applied.evaluated.lost.join(", ");
        context.console.warn(&format!(
            "{} missed changes of {}, because graphs that it had not seen were pruned.",
            printable(&applied.evaluated.rule),
            printable(&instances)
        ));
    }
}

/// Compiles the rules that belong to the integrations of a program.
pub(crate) fn own_rules(offers: &Offers) -> Result<Vec<Arc<Program>>, Failure> {
    let own = offers.iter().filter_map(|offer| offer.rules);
    let parsed = own.map(parse_own).collect::<Result<Vec<_>, _>>()?;
    compile(parsed.into_iter().flatten().collect())
}

fn parse_own(text: &str) -> Result<Vec<Rule>, Failure> {
    let wrong = |error: ReadError| Failure::Document {
        name: "the rules of this integration".to_owned(),
        error: error.to_string(),
    };
    parse_rules(text).map_err(wrong)
}

/// Reads rules of files, or those of the integration. The extension `.tf` marks Terraform.
pub(super) fn read(context: &Context<'_>, files: &[PathBuf]) -> Result<Vec<Rule>, Failure> {
    if files.is_empty() {
        let Some(own) = context.rules else {
            return Err(Failure::Usage("this integration has no rules: name a file".to_owned()));
        };
        return parse_own(own);
    }
    let mut rules = Vec::new();
    for path in files {
        let text = input::read_to_string(path, input::DOCUMENT).map_err(Failure::file("read", path))?;
        let wrong = |error: String| Failure::Document { name: printable_path(path), error };
        rules.extend(match path.extension().is_some_and(|extension| extension == "tf") {
            true => parse_terraform(&text).map_err(|error| wrong(error.to_string()))?,
            false => parse_rules(&text).map_err(|error| wrong(error.to_string()))?,
        });
    }
    Ok(rules)
}

/// The syntax errors of queries. A query with templates has its text only when the rule is evaluated.
fn query_errors(rules: &[Rule]) -> Vec<String> {
    let mut errors = Vec::new();
    for rule in rules {
        let RuleInput::Queries(queries) = &rule.input else { continue };
        for query in queries.iter().filter(|query| !query.query.contains("{{")) {
            if let Err(error) = syntax::parse(&query.query) {
                errors.push(format!("{}: query {}\n{}", rule.name, query.name, error.render(&query.query)));
            }
        }
    }
    errors
}

/// Compiles rules, or lists the problems that prevent it.
pub(super) fn compile(rules: Vec<Rule>) -> Result<Vec<Arc<Program>>, Failure> {
    let compiled = Program::compile_all(rules).map_err(|problems| {
        let errors = problems.iter().filter(|problem| problem.severity() == Severity::Error);
        let texts: Vec<String> = errors.map(ToString::to_string).collect();
        Failure::Usage(format!("the rules cannot be evaluated: {}", texts.join("; ")))
    })?;
    Ok(compiled.into_iter().map(Arc::new).collect())
}
