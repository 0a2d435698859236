//! `visualize`: draws the steps, the types, or a collected graph.

mod collected;
mod counts;
mod gaps;
mod graph;
mod graphs;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use integration_sdk::{Plan, Summary, owner_only};
use integration_view::{StepGraph, TypeGraph, steps, types};

use crate::context::Context;
use crate::failure::Failure;
use crate::style::printable_path;
use crate::{console, exit, job_lookup};

#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:
  {name} visualize steps                        print the steps and their dependencies
  {name} visualize steps --output steps.svg     draw them as a picture
  {name} visualize steps --job                  add the results of the newest job
  {name} visualize types --format mermaid       draw the data model for a README
  {name} visualize graph --output graph.html    write the newest graph as a web page
  {name} visualize graph --format text          count the objects of each type"
)]
pub(crate) struct Visualize {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Debug, Subcommand)]
enum Subject {
    /// Draw the steps and their dependencies
    #[command(after_help = "Examples:\n  {name} visualize steps\n  {name} visualize steps --job --output steps.html")]
    Steps(Picture),
    /// Draw the types of entities and their relationships
    #[command(after_help = "Examples:\n  {name} visualize types\n  {name} visualize types --job --output types.svg")]
    Types(Picture),
    /// Draw a collected graph: a page to explore, a picture of every object, or counts by type
    #[command(after_help = "Examples:
  {name} visualize graph                          write graph.html for a browser
  {name} visualize graph --against 0198f3a2       show the changes since that job
  {name} visualize graph --format text            count the objects of each type
  {name} visualize graph --output small.mmd       draw every object with Mermaid")]
    Graph(graph::Graph),
}

#[derive(Debug, Args)]
struct Picture {
    /// File to write [default: stdout]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Output format [default: by the file name extension, or text]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Kind>,
    /// Add the results of a job: the newest, or the one with this id
    #[arg(long, value_name = "ID", num_args = 0..=1)]
    job: Option<Option<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A self-contained picture
    Svg,
    /// A self-contained web page
    Html,
    /// Source for Graphviz
    Dot,
    /// Source for Mermaid
    Mermaid,
    /// Text for a terminal
    Text,
}

pub(crate) async fn run(context: &Context<'_>, args: &Visualize) -> Result<u8, Failure> {
    let picture = match &args.subject {
        Subject::Steps(picture) | Subject::Types(picture) => picture,
        Subject::Graph(args) => {
            graph::run(context, args).await?;
            return Ok(exit::SUCCESS);
        }
    };
    let kind = kind(picture)?;
    let plan = Plan::new(context.integration)?;
    let summary = summary(context, picture).await?;
    let drawn = match &args.subject {
        Subject::Steps(_) => draw_steps(&graphs::steps(context.integration, &plan, summary.as_ref()), kind, picture),
        Subject::Types(_) | Subject::Graph(_) => {
            draw_types(&graphs::types(context.integration, summary.as_ref()), kind, picture)
        }
    };
    deliver(context, picture.output.as_deref(), &drawn)?;
    Ok(exit::SUCCESS)
}

/// Writes a picture to its file and reports the path, or writes it to stdout.
fn deliver(context: &Context<'_>, output: Option<&Path>, drawn: &str) -> Result<(), Failure> {
    let Some(path) = output else { return context.print(drawn) };
    let write = || create(path)?.write_all(drawn.as_bytes());
    write().map_err(Failure::file("write", path))?;
    context.print(&format!("Wrote {}.\n", printable_path(path)))
}

/// Creates an owner-only file and its parent folders, because pictures contain collected data.
fn create(path: &Path) -> std::io::Result<File> {
    if let Some(folder) = path.parent() {
        owner_only::create_folder(folder)?;
    }
    owner_only::create(path)
}

async fn summary(context: &Context<'_>, picture: &Picture) -> Result<Option<Summary>, Failure> {
    let Some(wanted) = &picture.job else { return Ok(None) };
    let (_, job) = job_lookup::find(&context.globals.data_dir, context.integration.id(), wanted.as_deref()).await?;
    job_lookup::summary(&job).cloned().map(Some)
}

fn kind(picture: &Picture) -> Result<Kind, Failure> {
    match (picture.format, &picture.output) {
        (None, Some(path)) => Kind::of(path).ok_or_else(|| Kind::unnamed(path, ".svg, .html, .dot, .mmd or .txt")),
        (format, _) => Ok(format.unwrap_or(Kind::Text)),
    }
}

impl Kind {
    /// The kind for the extension of a file name.
    fn of(path: &Path) -> Option<Kind> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "svg" => Some(Kind::Svg),
            "html" | "htm" => Some(Kind::Html),
            "dot" | "gv" => Some(Kind::Dot),
            "mmd" | "mermaid" => Some(Kind::Mermaid),
            "txt" => Some(Kind::Text),
            _ => None,
        }
    }

    fn unnamed(path: &Path, endings: &str) -> Failure {
        let path = printable_path(path);
        Failure::Usage(format!("the format of {path} is unknown: add --format, or use the extension {endings}"))
    }
}

/// The width and the use of colour: those of the terminal, or fixed values for a file.
fn canvas(output: Option<&Path>) -> (usize, bool) {
    if output.is_some() { (100, false) } else { (console::width().min(200), console::coloured()) }
}

fn draw_steps(graph: &StepGraph, kind: Kind, picture: &Picture) -> String {
    let (width, colour) = canvas(picture.output.as_deref());
    match kind {
        Kind::Svg => steps::svg(graph),
        Kind::Html => steps::html(graph),
        Kind::Dot => steps::dot(graph),
        Kind::Mermaid => steps::mermaid(graph),
        Kind::Text => steps::text(graph, width, colour),
    }
}

fn draw_types(graph: &TypeGraph, kind: Kind, picture: &Picture) -> String {
    let (width, colour) = canvas(picture.output.as_deref());
    match kind {
        Kind::Svg => types::svg(graph),
        Kind::Html => types::html(graph),
        Kind::Dot => types::dot(graph),
        Kind::Mermaid => types::mermaid(graph),
        Kind::Text => types::text(graph, width, colour),
    }
}
