//! `validate`: the schemas, the configuration, a collected graph.
//!
//! Where no check is named, all are made that can be: the schemas always; the configuration unless nothing sets a
//! required field; the graph if there is a job, or `--input`. What is passed over is said. With `--input` or `--job` alone,
//! only the graph is checked: that is what these options are about. With `--check` or `--write` alone, only the schemas are.
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
mod sarif;
mod schemas;
mod secrets;
#[cfg(test)]
mod tests;
mod types;

use std::fmt::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::console;
use crate::context::Context;
use crate::exit;
use crate::failure::Failure;
use crate::options;
use crate::report::Rule;
use crate::report::text::{counted, paragraph};
use crate::style::{BOLD, FAINT, GREEN, YELLOW, paint};
use crate::visible::visible;

use allowance::Allowance;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} validate
      all that can be checked
  {name} validate config --instance east
      whether the credentials of .env.east work, and whose they are
  {name} validate data
      the graph of the newest job
  {name} validate data --input graph --schemas classes
      a graph in files, from whatever program, against class schemas of your own
  {name} validate data --allow time-unit,schema:acme_user
      all but two kinds of findings, one of them in a type only
  {name} validate data --input graph --format sarif
      for a code host, which wants to know the files; junit for a build server
  {name} validate schemas --write
      the type schemas as files, to be committed; --check in CI

Without a name, the configuration is passed over where no credentials are set, and the graph where there is no job.
Exit codes: 0 all well, 1 a check could not be made, 2 wrong usage, 4 a check found something.")]
pub(crate) struct Validate {
    /// What to check; all that can be checked unless named
    what: Option<Subject>,
    /// Check a graph in files, from whatever program, rather than that of a job
    #[arg(long, value_name = "DIR", conflicts_with = "job")]
    input: Option<PathBuf>,
    /// Check the graph of this job; the newest unless given
    #[arg(long, value_name = "ID")]
    job: Option<String>,
    /// Class schemas of your own, added to or in the place of the built-in ones
    #[arg(long, value_name = "DIR")]
    schemas: Option<PathBuf>,
    /// How many kinds of findings are shown; unless given, 20 as text and JSON, else all
    #[arg(long, value_name = "N")]
    max_findings: Option<usize>,
    /// Rules of a graph that may be broken, by all objects or by those of a type, with commas between them
    #[arg(long, value_name = "RULE[:TYPE]", value_delimiter = ',', long_help = Allowance::help())]
    allow: Vec<Allowance>,
    /// Compare the type schemas in this folder, schemas/types unless named, with the types of the program
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = TYPES)]
    check: Option<PathBuf>,
    /// Write the type schemas of the program into this folder, schemas/types unless named, a file a type
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = TYPES, conflicts_with = "check")]
    write: Option<PathBuf>,
    /// Check the configuration that leads to the imitation of the provider
    #[arg(long)]
    sample: bool,
    /// Which account: its values stand in .env.NAME
    #[arg(long, value_name = "NAME", value_parser = options::instance)]
    instance: Option<String>,
    /// How the results are written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Where type schemas are kept unless another folder is given.
const TYPES: &str = "schemas/types";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// For code hosts: SARIF 2.1.0
    Sarif,
    /// For build servers: JUnit XML
    Junit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Subject {
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
    /// What it looks for.
    const RULES: &'static [Rule];
    /// How much was found.
    fn findings(&self) -> u64;
    /// Why it was not made.
    fn passed_over(&self) -> Option<&str>;
    /// In a line.
    fn sentence(&self) -> String;
    /// Whatever else there is to know.
    fn details(&self, width: usize) -> String;
    /// Everything that was found, for tools that show results of any program.
    fn reports(&self) -> Vec<Report>;
}

/// A finding as such tools know it.
#[derive(Debug)]
struct Report {
    rule: Rule,
    /// How often.
    count: u64,
    message: String,
    file: Option<PathBuf>,
    object_type: Option<String>,
    key: Option<String>,
    pointer: String,
}

impl Report {
    /// Where, what and how often.
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
    /// How many kinds of findings are shown.
    fn shown(&self) -> usize {
        self.max_findings.unwrap_or(match self.format {
            Format::Text | Format::Json => 20,
            Format::Sarif | Format::Junit => usize::MAX,
        })
    }

    /// The only check that is asked for, where there is one.
    fn only(&self) -> Result<Option<Subject>, Failure> {
        let about_schemas = self.check.is_some() || self.write.is_some();
        let about_data = self.input.is_some() || self.job.is_some() || !self.allow.is_empty();
        match (self.what, about_schemas, about_data) {
            (None | Some(Subject::Schemas), true, false) => Ok(Some(Subject::Schemas)),
            (_, true, _) => Err(Failure::Usage("--check and --write are about schemas: `validate schemas`".to_owned())),
            (None, false, true) => Ok(Some(Subject::Data)),
            (what, false, _) => Ok(what),
        }
    }
}

pub(crate) async fn run(context: &Context<'_>, args: &Validate) -> Result<u8, Failure> {
    let named = args.only()?;
    let wanted = |what| named.is_none_or(|named| named == what);
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
            false => data::Outcome::passed_over("the schemas do not compile"),
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
            context.print_json(&sarif::log(context.program, &rules, &reports))?;
        }
        Format::Junit => {
            let document = junit::document(context.program, results.suites());
            context.print(&document.map_err(|error| Failure::Stdout(std::io::Error::other(error)))?)?;
        }
    }
    Ok(if results.findings == 0 { exit::SUCCESS } else { exit::FINDINGS })
}

impl Results {
    /// The checks that were made or passed over.
    fn suites(&self) -> Vec<junit::Suite<'_>> {
        fn suite<C: Check>(check: &Option<C>) -> Option<junit::Suite<'_>> {
            let check = check.as_ref()?;
            let (passed_over, reports) = (check.passed_over(), check.reports());
            Some(junit::Suite { title: C::TITLE, passed_over, rules: C::RULES, reports })
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
