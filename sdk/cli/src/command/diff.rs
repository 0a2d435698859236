//! `diff`: the changes between two jobs or two graphs in files.

mod select;
mod source;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use integration_sdk::diff::{ChangeOptions, Files, ObjectChange, PropertyPattern};
use integration_sdk::graph::InstanceId;

use crate::context::Context;
use crate::failure::Failure;
use crate::report::changes::{self, Changes, Form};
use crate::report::text::{counted, list};
use crate::shell::quoted_path;
use crate::style::printable_path;
use crate::{console, exit, options};
use source::Source;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} diff                            compare the two newest jobs of an instance
  {name} diff 0198f3a2                   compare this job with the newest one
  {name} diff 2026-11-01 2026-12-01      compare the newest jobs at two times
  {name} diff --ignore '*On'             ignore the times of objects
  {name} diff --exit-code                exit with code 4 if something changed
  {name} diff --format markdown          write a report for a ticket
  {name} diff --input old --input new    compare two exports of any program

FROM and TO are `newest`, `previous`, the first characters of a job id, or a time. A time is a date, or a date with a time, in UTC \
unless it has an offset; it selects the newest job that had ended by then.

Data that one of the jobs could not collect is unknown, not removed. Unknown objects do not change the exit code.

Exit codes: 0 compared, 1 failed, 2 wrong usage, 4 with --exit-code if an object was added, removed or changed.")]
pub(crate) struct Diff {
    /// Older job [default: the job before the newest one]
    #[arg(value_name = "FROM")]
    from: Option<String>,
    /// Newer job [default: the newest job]
    #[arg(value_name = "TO")]
    to: Option<String>,
    /// Graph in files, given twice: a folder of `collect --output`, or a J1QL result of RETURN TREE
    #[arg(long, value_name = "PATH", conflicts_with_all = ["from", "to", "instance"])]
    input: Vec<PathBuf>,
    /// Instance that the jobs belong to
    #[arg(long, value_name = "NAME", value_parser = options::instance)]
    instance: Option<InstanceId>,
    /// Compare only these types of entities and relationships
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    types: Vec<String>,
    /// Ignore differences of a property; * and ? stand for any characters. May be repeated
    #[arg(long, value_name = "PROPERTY")]
    ignore: Vec<PropertyPattern>,
    /// Compare raw data as well
    #[arg(long)]
    raw: bool,
    /// Maximum number of changes to print, shared among the types [default: 100 as text and Markdown]
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
    /// File to write [default: stdout]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Exit with code 4 if an object was added, removed or changed
    #[arg(long)]
    exit_code: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text for people
    Text,
    /// One JSON document for programs
    Json,
    /// Markdown for a pull request or a ticket
    Markdown,
}

/// The maximum number of changes in text and Markdown without `--limit`.
const LIMIT: usize = 100;
/// The width of text that is not printed to a terminal.
const PLAIN_WIDTH: usize = 80;

pub(crate) async fn run(context: &Context<'_>, args: &Diff) -> Result<u8, Failure> {
    let options = ChangeOptions {
        raw: args.raw,
        ignore: args.ignore.clone(),
        types: args.types.iter().cloned().collect::<BTreeSet<_>>(),
    };
    let source = find(context, args).await?;
    let out = changes::Out::new(context, args.output.as_deref())?;
    let mut report = Changes::new(form(args), limit(args), source.sides(), out);
    let add = |change: ObjectChange| report.add(change);
    let counts = match &source {
        Source::Jobs(jobs) => {
            check_types(context, &options, &jobs.types())?;
            jobs.changes(&options, add).await?
        }
        Source::Files(files) => {
            let comparison = files.compare()?;
            check_types(context, &options, &comparison.types())?;
            for repeated in comparison.repeated() {
                context.console.note(&format!(
                    "{} contains {} of objects such as {}; the one with the greatest updatedOn is compared.",
                    printable_path(&repeated.path),
                    counted(repeated.descriptions, "other description", "other descriptions"),
                    repeated.key
                ));
            }
            comparison.changes(&options, add)?
        }
    };
    let has_changes = counts.total().has_changes();
    report.finish(&counts)?;
    Ok(if args.exit_code && has_changes { exit::FINDINGS } else { exit::SUCCESS })
}

fn form(args: &Diff) -> Form {
    match args.format {
        Format::Json => Form::Json,
        Format::Markdown => Form::Markdown,
        Format::Text if args.output.is_some() => Form::Text { width: PLAIN_WIDTH },
        Format::Text => {
            Form::Text { width: Some(console::width()).filter(|width| *width < usize::MAX).unwrap_or(PLAIN_WIDTH) }
        }
    }
}

fn limit(args: &Diff) -> Option<usize> {
    args.limit.or((args.format != Format::Json).then_some(LIMIT))
}

async fn find(context: &Context<'_>, args: &Diff) -> Result<Source, Failure> {
    match args.input.as_slice() {
        [] => source::jobs(context, args.from.as_deref(), args.to.as_deref(), args.instance.as_ref()).await,
        [older, newer] => files(older, newer),
        [folder] if folder.is_dir() => match Files::pair_in(folder)? {
            Some([older, newer]) => files(&older, &newer),
            None => Err(once(context, folder)),
        },
        [only] => Err(once(context, only)),
        _ => Err(Failure::Usage("--input is given more than twice; compare two graphs at a time".to_owned())),
    }
}

fn once(context: &Context<'_>, path: &Path) -> Failure {
    Failure::Usage(format!(
        "two graphs are compared: use `{} diff --input {} --input OTHER`, or one folder with exactly two results of J1QL queries",
        context.called(),
        quoted_path(path)
    ))
}

fn files(older: &Path, newer: &Path) -> Result<Source, Failure> {
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    if real(older).is_some_and(|older| real(newer) == Some(older)) {
        return Err(Failure::Usage(format!("both sides are {}: name two different graphs", printable_path(older))));
    }
    Ok(Source::Files(Box::new(Files::open(older, newer)?)))
}

/// Checks that every type of `--type` is one of the integrations, or exists in either graph.
fn check_types(context: &Context<'_>, options: &ChangeOptions, known: &BTreeSet<&str>) -> Result<(), Failure> {
    let steps = || context.offers.iter().flat_map(|offer| offer.integration.steps());
    let is_declared =
        |wanted: &str| steps().any(|step| step.declaration().emits().iter().any(|of| of.as_str() == wanted));
    match options.types.iter().find(|wanted| !known.contains(wanted.as_str()) && !is_declared(wanted)) {
        None => Ok(()),
        Some(unknown) => {
            Err(Failure::Usage(format!("neither graph has objects of type {unknown}; the types are: {}", list(known))))
        }
    }
}
