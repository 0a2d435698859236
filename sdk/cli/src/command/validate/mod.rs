//! `validate`: checks the schemas, the configuration, and a collected graph.
//!
//! Without an argument, all possible checks run: the schemas always, the configuration if all required fields are set, the
//! graph if there is a job or `--input`. The output lists skipped checks. `--input` and `--job` select only the check of the
//! graph; `--check` and `--write` select only the check of the schemas.
//!
//! ```text
//!   store or files ──▶ pool: parse, object and secrets ──▶ graph ──▶ findings ──▶ text, JSON, SARIF or JUnit
//! ```

mod allowance;
mod config;
mod data;
mod graph;
mod junit;
mod object;
mod pointer;
mod pool;
mod schemas;
mod secrets;
#[cfg(test)]
mod tests;
mod types;

use std::fmt::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use integration_sdk::graph::InstanceId;
use serde::Serialize;

use crate::console;
use crate::context::Context;
use crate::exit;
use crate::failure::Failure;
use crate::options;
use crate::report::text::{counted, paragraph};
use crate::report::{Rule, sarif};
use crate::style::{BOLD, FAINT, GREEN, YELLOW, paint};
use crate::visible::visible;

use allowance::Allowance;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} validate
      run all possible checks
  {name} validate config --instance east
      check the credentials in .env.east and show their owner
  {name} validate data
      check the graph of the newest job
  {name} validate data --input graph --schemas classes
      check a graph in files, with additional class schemas
  {name} validate data --allow time-unit,schema:acme_user
      ignore one rule for all objects, and another for one type
  {name} validate data --input graph --format sarif
      report findings to a code host; use junit for a build server
  {name} validate schemas --write
      write the type schemas to files; use --check in CI

Without an argument, the configuration is skipped if no credentials are set, and the graph if there is no job.

Exit codes: 0 no findings, 1 a check could not run, 2 wrong usage, 4 a check reported findings.")]
pub(crate) struct Validate {
    /// Check to run [default: all possible checks]
    #[arg(value_name = "CHECK")]
    subject: Option<Subject>,
    /// Check the graph in this folder instead of the graph of a job
    #[arg(long, value_name = "DIR", conflicts_with = "job")]
    input: Option<PathBuf>,
    /// Check the graph of this job [default: the newest job]
    #[arg(long, value_name = "ID")]
    job: Option<String>,
    /// Folder of class schemas that extend or replace the built-in ones
    #[arg(long, value_name = "DIR")]
    schemas: Option<PathBuf>,
    /// Maximum number of kinds of findings to show [default: 20; all for sarif and junit]
    #[arg(long, value_name = "N")]
    max_findings: Option<usize>,
    /// Comma-separated rules that the graph may violate, for all objects or for one type
    #[arg(long, value_name = "RULE[:TYPE]", value_delimiter = ',', long_help = Allowance::help())]
    allow: Vec<Allowance>,
    /// Compare the type schemas in this folder with those of the program [default folder: schemas/types]
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = TYPES)]
    check: Option<PathBuf>,
    /// Write the type schemas to this folder, one file per type [default folder: schemas/types]
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = TYPES, conflicts_with = "check")]
    write: Option<PathBuf>,
    /// Check the configuration of the fake provider
    #[arg(long)]
    sample: bool,
    /// Instance to use; without a configured one of this name, .env.NAME is read
    #[arg(long, value_name = "NAME", value_parser = options::instance)]
    instance: Option<InstanceId>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// The default folder of type schemas.
const TYPES: &str = "schemas/types";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text for people
    Text,
    /// JSON for programs
    Json,
    /// SARIF 2.1.0 for code hosts
    Sarif,
    /// JUnit XML for build servers
    Junit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Subject {
    /// The class and type schemas are valid
    Schemas,
    /// The configuration is complete, and the provider accepts the credentials
    Config,
    /// A collected graph follows the rules of --allow
    Data,
}

/// The results of all checks, as JSON.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Results {
    #[serde(skip_serializing_if = "Option::is_none")]
    schemas: Option<schemas::Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<config::Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<data::Outcome>,
    /// The number of all findings.
    findings: u64,
}

/// The result of a check.
trait Check {
    const TITLE: &'static str;
    /// The rules that the check covers.
    const RULES: &'static [Rule];
    /// The number of findings.
    fn findings(&self) -> u64;
    /// The reason why the check did not run.
    fn skipped(&self) -> Option<&str>;
    /// The result in one sentence.
    fn sentence(&self) -> String;
    /// The details below the sentence.
    fn details(&self, width: usize) -> String;
    /// The findings in the general form for SARIF and JUnit.
    fn reports(&self) -> Vec<Report>;
}

/// A finding for SARIF and JUnit.
#[derive(Debug)]
struct Report {
    rule: Rule,
    /// The number of objects with this finding.
    count: u64,
    message: String,
    file: Option<PathBuf>,
    object_type: Option<String>,
    key: Option<String>,
    pointer: String,
}

impl Report {
    /// The place, the message, and the number of objects.
    fn sentence(&self) -> String {
        let mut text = match &self.object_type {
            Some(name) if !name.is_empty() => format!("{name} "),
            _ => String::new(),
        };
        if self.key.is_some() && !self.pointer.is_empty() {
            let _ = write!(text, "{}", self.pointer);
        }
        let message = &self.message;
        let _ = if text.is_empty() { write!(text, "{message}") } else { write!(text, ": {message}") };
        if self.count > 1 {
            let _ = write!(text, ", {}", counted(self.count, "object", "objects"));
        }
        if let Some(key) = &self.key {
            let file = self.file.as_ref().map(|file| format!(" in {}", file.display()));
            let _ = write!(text, "; first: {key}{}", file.unwrap_or_default());
        }
        visible(&text.replace(" : ", ": ")) + "."
    }
}

impl Validate {
    /// The maximum number of kinds of findings to show.
    fn shown(&self) -> usize {
        self.max_findings.unwrap_or(match self.format {
            Format::Text | Format::Json => 20,
            Format::Sarif | Format::Junit => usize::MAX,
        })
    }

    /// The only check to run, if the arguments select one.
    fn only(&self) -> Result<Option<Subject>, Failure> {
        let about_schemas = self.check.is_some() || self.write.is_some();
        let about_data = self.input.is_some() || self.job.is_some() || !self.allow.is_empty();
        match (self.subject, about_schemas, about_data) {
            (None | Some(Subject::Schemas), true, false) => Ok(Some(Subject::Schemas)),
            (_, true, _) => Err(Failure::Usage(
                "--check and --write apply to schemas only; use them with `validate schemas`".to_owned(),
            )),
            (None, false, true) => Ok(Some(Subject::Data)),
            (subject, false, _) => Ok(subject),
        }
    }
}

pub(crate) async fn run(context: &Context<'_>, args: &Validate) -> Result<u8, Failure> {
    let named = args.only()?;
    let wanted = |subject| named.is_none_or(|named| named == subject);
    let mut results = Results::default();
    if wanted(Subject::Schemas) {
        results.schemas = Some(schemas::check(context, args)?);
    }
    if wanted(Subject::Config) {
        results.config = Some(config::check(context, args, named.is_some()).await?);
    }
    let schemas_work = results.schemas.as_ref().is_none_or(|schemas| schemas.findings() == 0);
    if wanted(Subject::Data) {
        results.data = Some(match schemas_work {
            true => data::check(context, args, named.is_some()).await?,
            false => data::Outcome::skipped("the schemas are invalid"),
        });
    }
    results.findings = found(&results.schemas) + found(&results.config) + found(&results.data);
    match args.format {
        Format::Text => context.print(&text(&results, console::width()))?,
        Format::Json => context.print_json(&results)?,
        Format::Sarif => {
            let suites = results.suites();
            let rules: Vec<Rule> = suites.iter().flat_map(|suite| suite.rules).copied().collect();
            let reports: Vec<Report> = suites.into_iter().flat_map(|suite| suite.reports).collect();
            let checked: Vec<sarif::Checked> = rules.iter().map(|rule| checked(*rule)).collect();
            let place = |rule| rules.iter().position(|known| *known == rule).unwrap_or_default();
            let violation = |report: Report| {
                let at = place(report.rule);
                report.into_violation(at)
            };
            let violations: Vec<sarif::Violation> = reports.into_iter().map(violation).collect();
            context.print_json(&sarif::log(context.program, &checked, &violations))?;
        }
        Format::Junit => {
            let document = junit::document(context.program, results.suites());
            context.print(&document.map_err(|error| Failure::Stdout(std::io::Error::other(error)))?)?;
        }
    }
    Ok(if results.findings == 0 { exit::SUCCESS } else { exit::FINDINGS })
}

fn checked(rule: Rule) -> sarif::Checked {
    let (id, title, help) = (rule.id().to_owned(), rule.title().to_owned(), rule.advice().to_owned());
    sarif::Checked { id, title, help, level: rule.level() }
}

impl Report {
    fn into_violation(self, rule: usize) -> sarif::Violation {
        let message = format!("{} To do: {}.", self.sentence(), self.rule.advice());
        let Self { count, file, object_type, key, pointer, .. } = self;
        let level = self.rule.level();
        sarif::Violation {
            rule,
            level,
            message,
            count,
            file,
            object: key.or(object_type).map(|name| (name, pointer)),
            suppression: None,
        }
    }
}

impl Results {
    /// The checks that ran or were skipped.
    fn suites(&self) -> Vec<junit::Suite<'_>> {
        fn suite<C: Check>(check: &Option<C>) -> Option<junit::Suite<'_>> {
            let check = check.as_ref()?;
            let (skipped, reports) = (check.skipped(), check.reports());
            Some(junit::Suite { title: C::TITLE, skipped, rules: C::RULES, reports })
        }
        [suite(&self.schemas), suite(&self.config), suite(&self.data)].into_iter().flatten().collect()
    }
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
    if let Some(reason) = check.skipped() {
        return paragraph(&format!("{} {title}: skipped, {reason}", paint(FAINT, '–')), width, 0, 2);
    }
    let (sign, count) = match check.findings() {
        0 => (paint(GREEN, '✓'), String::new()),
        count => (paint(YELLOW, '✗'), format!(": {}", counted(count, "finding", "findings"))),
    };
    let head = paragraph(&format!("{sign} {title}{count}. {}", check.sentence()), width, 0, 2);
    head + &check.details(width)
}
