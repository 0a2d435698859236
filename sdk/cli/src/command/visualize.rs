//! `visualize`: pictures of the steps, of the types and of a collected graph.

mod explorer;
mod graphs;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use integration_sdk::{Plan, Summary};
use integration_view::{StepGraph, TypeGraph, steps, types};

use crate::failure::Failure;
use crate::session::Session;
use crate::{exit, history, screen};

#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:
  {name} visualize steps                        who waits for whom, in the terminal
  {name} visualize steps --output steps.svg     as a picture
  {name} visualize steps --job                  with how the newest job went
  {name} visualize types --format mermaid       for a README on a code forge
  {name} visualize graph --output graph.html    the newest graph, to explore in a browser"
)]
pub(crate) struct Visualize {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The steps, and what each waits for
    #[command(after_help = "Examples:\n  {name} visualize steps\n  {name} visualize steps --job --output steps.html")]
    Steps(Picture),
    /// The types of entities, and how they are related
    #[command(after_help = "Examples:\n  {name} visualize types\n  {name} visualize types --job --output types.svg")]
    Types(Picture),
    /// A collected graph, as one page that a browser opens from disk
    #[command(
        after_help = "Examples:\n  {name} visualize graph\n  {name} visualize graph --job 0198f3a2 --output monday.html\n  {name} visualize graph --against 0198f3a2"
    )]
    Graph(explorer::Explorer),
}

#[derive(Debug, Args)]
struct Picture {
    /// The file to write; stdout unless given
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The kind of picture; by the name of the file unless given, else text
    #[arg(long, value_name = "FORMAT")]
    format: Option<Kind>,
    /// Lay a finished job over it: the newest, or that of an id
    #[arg(long, value_name = "ID", num_args = 0..=1)]
    job: Option<Option<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A picture that stands on its own
    Svg,
    /// A page that stands on its own
    Html,
    /// For Graphviz
    Dot,
    /// For Mermaid
    Mermaid,
    /// For a terminal
    Text,
}

pub(crate) async fn run(session: &Session<'_>, order: &Visualize) -> Result<u8, Failure> {
    let picture = match &order.what {
        What::Steps(picture) | What::Types(picture) => picture,
        What::Graph(explorer) => {
            explorer::run(session, explorer).await?;
            return Ok(exit::SUCCESS);
        }
    };
    let kind = kind(picture)?;
    let plan = Plan::new(session.integration)?;
    let summary = summary(session, picture).await?;
    let drawn = match &order.what {
        What::Steps(_) => draw_steps(&graphs::steps(session.integration, &plan, summary.as_ref()), kind, picture),
        What::Types(_) | What::Graph(_) => {
            draw_types(&graphs::types(session.integration, summary.as_ref()), kind, picture)
        }
    };
    match &picture.output {
        None => session.print(&drawn)?,
        Some(path) => {
            write(path, &drawn).map_err(Failure::file("write", path))?;
            session.print(&format!("{} is written\n", path.display()))?;
        }
    }
    Ok(exit::SUCCESS)
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::File::create(path)?.write_all(text.as_bytes())
}

async fn summary(session: &Session<'_>, picture: &Picture) -> Result<Option<Summary>, Failure> {
    let Some(wanted) = &picture.job else { return Ok(None) };
    let (_, job) = history::find(&session.globals.data_dir, session.integration.id(), wanted.as_deref()).await?;
    history::summary(&job).map(Some)
}

fn kind(picture: &Picture) -> Result<Kind, Failure> {
    let (None, Some(path)) = (picture.format, &picture.output) else {
        return Ok(picture.format.unwrap_or(Kind::Text));
    };
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "svg" => Ok(Kind::Svg),
        "html" | "htm" => Ok(Kind::Html),
        "dot" | "gv" => Ok(Kind::Dot),
        "mmd" | "mermaid" => Ok(Kind::Mermaid),
        "txt" => Ok(Kind::Text),
        _ => Err(Failure::Usage(format!(
            "{} does not say which kind of picture it is to be: add --format, or end the name in .svg, .html, .dot, \
             .mmd or .txt",
            path.display()
        ))),
    }
}

/// The columns and the colours of text: those of the terminal, or none in particular.
fn canvas(picture: &Picture) -> (usize, bool) {
    if picture.output.is_some() { (100, false) } else { (screen::width().min(200), screen::coloured()) }
}

fn draw_steps(graph: &StepGraph, kind: Kind, picture: &Picture) -> String {
    let (width, colour) = canvas(picture);
    match kind {
        Kind::Svg => steps::svg(graph),
        Kind::Html => steps::html(graph),
        Kind::Dot => steps::dot(graph),
        Kind::Mermaid => steps::mermaid(graph),
        Kind::Text => steps::text(graph, width, colour),
    }
}

fn draw_types(graph: &TypeGraph, kind: Kind, picture: &Picture) -> String {
    let (width, colour) = canvas(picture);
    match kind {
        Kind::Svg => types::svg(graph),
        Kind::Html => types::html(graph),
        Kind::Dot => types::dot(graph),
        Kind::Mermaid => types::mermaid(graph),
        Kind::Text => types::text(graph, width, colour),
    }
}
