//! `questions`: runs and checks packs of questions.

mod ask;
mod packs;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use integration_questions::Verdict;
use serde_json::Value;

use crate::account_graph::{self, Snapshots};
use crate::asking::{self, Asking};
use crate::context::Context;
use crate::failure::Failure;
use crate::report::questions as report;
use crate::{console, exit, options};
use packs::{Checked, DeclaredNames, Packs};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} questions run                          ask the questions of this integration
  {name} questions run --tag mfa                ask only the questions with this tag
  {name} questions run own.yaml --format json   ask the questions of a file
  {name} questions check own.yaml               check a file without results
  {name} questions list

Files may have every form that the tools of JupiterOne write: questions.yaml of an integration, a list of questions, a managed \
pack, or a compliance framework. Without a file, the questions that belong to the integration are used.")]
pub(crate) struct Questions {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Ask questions of the collected graph
    Run(Run),
    /// Check files: fields, unique names, and the syntax and names of queries
    Check(Check),
    /// List questions
    List(List),
}

#[derive(Debug, Args)]
struct Chosen {
    /// Question files in YAML or JSON; - stands for stdin [default: the questions of this integration]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only questions with one of these ids
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    question: Vec<String>,
    /// Only questions with one of these tags
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    tag: Vec<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} questions run
  {name} questions run --question heroku-member-without-mfa
  {name} questions run --format markdown --output report.md
  {name} questions run own.yaml --param domain=example.com

A question is bad if a query with resultsAre BAD has results. It is unknown if results need a review, if the graph lacks data \
that the queries read, or if a query names something that the graph does not have.

Exit codes: 0 no question is bad, 1 a query failed, 2 wrong usage, 3 data that a question needs is missing, 4 a question is bad.")]
struct Run {
    #[command(flatten)]
    chosen: Chosen,
    #[command(flatten)]
    snapshots: Snapshots,
    /// Value of a variable or parameter in the queries. May be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = asking::parameter)]
    parameters: Vec<(String, Value)>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Form,
    /// File to write [default: stdout]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Maximum number of results to show of each query as text and Markdown
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
    /// Maximum duration of one query
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = options::age)]
    timeout: Duration,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} questions check own.yaml
  {name} questions check               check the questions of this integration

A name that resembles one that an integration declares is a problem. Another unknown name is a warning, because packs name \
types of other integrations.

Exit codes: 0 no problem, 2 wrong usage, 4 problems.")]
struct Check {
    #[command(flatten)]
    chosen: Chosen,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} questions list
  {name} questions list --tag access --format json")]
struct List {
    #[command(flatten)]
    chosen: Chosen,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: options::Format,
}

/// The format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Text for people
    Text,
    /// One JSON document for programs
    Json,
    /// Markdown for a ticket or a pull request
    Markdown,
    /// SARIF for code hosts: a result for each bad or unknown question
    Sarif,
}

pub(crate) async fn run(context: &Context<'_>, args: &Questions) -> Result<u8, Failure> {
    match &args.action {
        Action::Run(args) => ask_all(context, args).await,
        Action::Check(args) => check(context, args).await,
        Action::List(args) => {
            let chosen = packs::read(context, &args.chosen.files)?.chosen(&args.chosen)?;
            let questions: Vec<_> = chosen.into_iter().map(|chosen| chosen.question).collect();
            match args.format {
                options::Format::Json => context.print_json(&questions)?,
                options::Format::Text => context.print(&report::list(&questions, console::width()))?,
            }
            Ok(exit::SUCCESS)
        }
    }
}

async fn ask_all(context: &Context<'_>, args: &Run) -> Result<u8, Failure> {
    let questions = packs::read(context, &args.chosen.files)?.chosen(&args.chosen)?;
    let graph = account_graph::open(context, &args.snapshots).await?;
    let asking = Asking::new(context, &args.parameters, args.timeout);
    let mut results = Vec::new();
    for question in questions {
        results.push(ask::question(context, &graph, &asking, question).await?);
    }
    let text = match args.format {
        Form::Text => report::text(&results, args.limit, console::width()),
        Form::Markdown => report::markdown(&results, args.limit),
        Form::Json => report::json(&results)?,
        Form::Sarif => report::sarif(context.program, &results)?,
    };
    context.deliver(args.output.as_deref(), &text)?;
    let has = |verdict| results.iter().any(|result: &report::Asked| result.verdict == verdict);
    Ok(match results.iter().any(report::Asked::has_failed) {
        _ if has(Verdict::Bad) => exit::FINDINGS,
        true => exit::FAILED,
        false if results.iter().any(|result| result.verdict == Verdict::Unknown && result.is_unsure()) => {
            exit::INCOMPLETE
        }
        false => exit::SUCCESS,
    })
}

async fn check(context: &Context<'_>, args: &Check) -> Result<u8, Failure> {
    let packs: Packs = packs::read(context, &args.chosen.files)?;
    let Checked { problems, warnings } = packs.checked(&DeclaredNames::of(context).await?);
    let questions = packs.chosen(&args.chosen)?.len();
    context.print(&report::problems(&problems, &warnings, questions))?;
    Ok(if problems.is_empty() { exit::SUCCESS } else { exit::FINDINGS })
}
