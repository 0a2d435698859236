//! `validate`: the schemas, the configuration, a collected graph.
//!
//! Where no check is named, all are made that can be: the schemas always; the configuration unless nothing sets a
//! required field; the graph if there is a job, or `--input`. What is passed over is said. With `--input` or `--job` alone,
//! only the graph is checked: that is what these options are about.

mod config;
mod data;
mod graph;
mod schemas;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::arguments::{self, Format};
use crate::exit;
use crate::failure::Failure;
use crate::ink::{BOLD, FAINT, GREEN, YELLOW, paint};
use crate::report::words::{counted, paragraph};
use crate::screen;
use crate::session::Session;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} validate
      all that can be checked
  {name} validate config --instance east
      whether the credentials of .env.east work, and whose they are
  {name} validate data
      the graph of the newest job
  {name} validate data --input graph --schemas classes
      a graph in files, against class schemas of your own

Without a name, the configuration is passed over where no credentials are set, and the graph where there is no job.
Exit codes: 0 all well, 1 a check could not be made, 2 wrong usage, 4 a check found something.")]
pub(crate) struct Validate {
    /// What to check; all that can be checked unless named
    what: Option<What>,
    /// Check a graph in files, from whatever program, rather than that of a job
    #[arg(long, value_name = "DIR", conflicts_with = "job")]
    input: Option<PathBuf>,
    /// Check the graph of this job; the newest unless given
    #[arg(long, value_name = "ID")]
    job: Option<String>,
    /// Class schemas of your own, added to or in the place of the built-in ones
    #[arg(long, value_name = "DIR")]
    schemas: Option<PathBuf>,
    /// How many kinds of findings are shown
    #[arg(long, value_name = "N", default_value = "20")]
    max_findings: usize,
    /// Check the configuration that leads to the imitation of the provider
    #[arg(long)]
    sample: bool,
    /// Which account: its values stand in .env.NAME
    #[arg(long, value_name = "NAME", value_parser = arguments::instance)]
    instance: Option<String>,
    /// How the results are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Do all class and type schemas compile
    Schemas,
    /// Is the configuration complete, and does the provider accept it
    Config,
    /// Does a collected graph keep the rules
    Data,
}

/// The results of the checks, as a program reads them.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Results {
    #[serde(skip_serializing_if = "Option::is_none")]
    schemas: Option<schemas::Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<config::Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<data::Outcome>,
    /// Everything that was found.
    findings: u64,
}

/// What a check has to say.
trait Check {
    const TITLE: &'static str;
    /// How much was found.
    fn findings(&self) -> u64;
    /// Why it was not made.
    fn passed_over(&self) -> Option<&str>;
    /// In a line.
    fn sentence(&self) -> String;
    /// Whatever else there is to know.
    fn details(&self, width: usize) -> String;
}

pub(crate) async fn run(session: &Session<'_>, order: &Validate) -> Result<u8, Failure> {
    let only_data = order.what.is_none() && (order.input.is_some() || order.job.is_some());
    let named = if only_data { Some(What::Data) } else { order.what };
    let wanted = |what| named.is_none_or(|named| named == what);
    let mut results = Results::default();
    if wanted(What::Schemas) {
        results.schemas = Some(schemas::check(session, order)?);
    }
    if wanted(What::Config) {
        results.config = Some(config::check(session, order, named.is_some()).await?);
    }
    let schemas_work = results.schemas.as_ref().is_none_or(|schemas| schemas.findings() == 0);
    if wanted(What::Data) {
        results.data = Some(match schemas_work {
            true => data::check(session, order, named.is_some()).await?,
            false => data::Outcome::passed_over("the schemas do not compile"),
        });
    }
    results.findings = found(&results.schemas) + found(&results.config) + found(&results.data);
    match order.format {
        Format::Json => session.print_json(&results)?,
        Format::Text => session.print(&text(&results, screen::width()))?,
    }
    Ok(if results.findings == 0 { exit::SUCCESS } else { exit::FINDINGS })
}

fn found<C: Check>(check: &Option<C>) -> u64 {
    check.as_ref().map_or(0, Check::findings)
}

fn text(results: &Results, width: usize) -> String {
    let mut text = describe(&results.schemas, width);
    text += &describe(&results.config, width);
    text += &describe(&results.data, width);
    text
}

fn describe<C: Check>(check: &Option<C>, width: usize) -> String {
    let Some(check) = check else { return String::new() };
    let title = paint(BOLD, C::TITLE);
    if let Some(reason) = check.passed_over() {
        return paragraph(&format!("{} {title}: passed over, {reason}", paint(FAINT, '–')), width, 0, 2);
    }
    let (sign, count) = match check.findings() {
        0 => (paint(GREEN, '✓'), String::new()),
        count => (paint(YELLOW, '✗'), format!(": {}", counted(count, "finding", "findings"))),
    };
    let head = paragraph(&format!("{sign} {title}{count}. {}", check.sentence()), width, 0, 2);
    head + &check.details(width)
}
