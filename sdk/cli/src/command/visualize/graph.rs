//! `visualize graph`: a collected graph as a page to explore, for Graphviz, for Mermaid, or by count.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use integration_sdk::graph::ObjectType;
use integration_view::explorer;
use integration_view::graph::{self, GraphPicture, Limit};

use super::collected::{Collected, Half};
use super::{Kind, canvas, collected, counts, create, deliver, gaps};
use crate::context::Context;
use crate::failure::Failure;
use crate::job_lookup;
use crate::report::text::{counted, list};

/// Where the page goes unless told: nobody reads it on stdout.
const PAGE_FILE: &str = "graph.html";

#[derive(Debug, Args)]
pub(super) struct Graph {
    /// The file to write; unless given, graph.html for a page and stdout for anything else
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The kind of picture; by the name of the file unless given, else html
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// The job whose graph it is; the newest unless given
    #[arg(long, value_name = "ID")]
    job: Option<String>,
    /// Show what was added, removed and changed since this job; what a gap of either job may explain is unknown
    #[arg(long, value_name = "ID")]
    against: Option<String>,
    /// Show these types only: entities, with the relationships between them, or the relationships that are named
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',', value_parser = |name: &str| ObjectType::new(name))]
    types: Vec<ObjectType>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A page to explore in a browser: up to 200,000 entities and 500,000 relationships
    Html,
    /// For Graphviz: up to 2,000 entities and 4,000 relationships
    Dot,
    /// For Mermaid: up to 300 entities and 500 relationships
    Mermaid,
    /// How many there are of each type, for a terminal and a graph of any size
    Text,
}

pub(super) async fn run(context: &Context<'_>, args: &Graph) -> Result<(), Failure> {
    let format = format(args)?;
    let collected = find(context, args).await?;
    let output = args.output.as_deref();
    match format {
        Format::Html => {
            let picture = bounded(&collected, "html", Limit::PAGE).await?;
            let path = output.unwrap_or(Path::new(PAGE_FILE));
            write_page(path, &picture).map_err(Failure::file("write", path))?;
            let (entities, relationships) = size(picture.nodes.len() as u64, picture.edges.len() as u64);
            context.print(&format!(
                "{} is written: {entities} and {relationships}. Open it with a browser.\n",
                path.display()
            ))
        }
        Format::Dot => deliver(context, output, &graph::dot(&bounded(&collected, "dot", Limit::DOT).await?)),
        Format::Mermaid => {
            deliver(context, output, &graph::mermaid(&bounded(&collected, "mermaid", Limit::MERMAID).await?))
        }
        Format::Text => {
            let (width, colour) = canvas(output);
            deliver(context, output, &graph::text(&counts::read(&collected).await?, width, colour))
        }
    }
}

fn format(args: &Graph) -> Result<Format, Failure> {
    let (None, Some(path)) = (args.format, &args.output) else { return Ok(args.format.unwrap_or(Format::Html)) };
    match Kind::of(path) {
        Some(Kind::Html) => Ok(Format::Html),
        Some(Kind::Dot) => Ok(Format::Dot),
        Some(Kind::Mermaid) => Ok(Format::Mermaid),
        Some(Kind::Text) => Ok(Format::Text),
        Some(Kind::Svg) => Err(Failure::Usage(format!(
            "{}: a collected graph is not drawn as SVG, in which nothing could be read beyond a few dozen objects. Its \
             formats are html, dot, mermaid and text; what the page of html shows can be saved as SVG there",
            path.display()
        ))),
        None => Err(Kind::unnamed(path, ".html, .dot, .mmd or .txt")),
    }
}

async fn find(context: &Context<'_>, args: &Graph) -> Result<Collected, Failure> {
    let find = |id: Option<String>| async move {
        job_lookup::find(&context.globals.data_dir, context.integration.id(), id.as_deref()).await
    };
    let (store, job) = find(args.job.clone()).await?;
    let mut subtitle = format!("job {} of {}", job_lookup::short(job.id.as_str()), job.started);
    let mut missing = gaps::lines(&job)?;
    let newer = Half::of(&store, &job).await?;
    let older = match &args.against {
        None => None,
        Some(id) => {
            let (_, earlier) = find(Some(id.clone())).await?;
            subtitle += &format!(", against job {} of {}", job_lookup::short(earlier.id.as_str()), earlier.started);
            missing.extend(gaps::lines(&earlier)?);
            Some(Half::of(&store, &earlier).await?)
        }
    };
    let types = wanted_types(args, &newer, older.as_ref())?;
    Ok(Collected { title: context.integration.title().to_owned(), subtitle, missing, types, newer, older })
}

/// The types of `--type`, which either graph must have.
fn wanted_types(args: &Graph, newer: &Half, older: Option<&Half>) -> Result<BTreeSet<ObjectType>, Failure> {
    let census = newer.census.iter().chain(older.iter().flat_map(|older| &older.census));
    let known: BTreeSet<&ObjectType> = census.map(|count| &count.object_type).collect();
    match args.types.iter().find(|wanted| !known.contains(wanted)) {
        None => Ok(args.types.iter().cloned().collect()),
        Some(unknown) => Err(Failure::Usage(format!(
            "the graph has no objects of type {unknown}; its types are {}",
            list(known.into_iter().map(ObjectType::as_str))
        ))),
    }
}

/// The graph, if it is small enough for a format: what is too large is not even read.
async fn bounded(collected: &Collected, format: &str, limit: Limit) -> Result<GraphPicture, Failure> {
    let check = |entities, relationships| match limit.allows(entities, relationships) {
        true => Ok(()),
        false => Err(too_large(size(entities, relationships), format, limit)),
    };
    for half in [&collected.newer].into_iter().chain(&collected.older) {
        let (entities, relationships) = collected.size_of(half);
        check(entities, relationships)?;
    }
    // Removed objects and the targets of mapped relationships are drawn, too.
    let (picture, entities, relationships) = collected::read(collected, limit).await?;
    check(entities, relationships)?;
    Ok(picture)
}

fn size(entities: u64, relationships: u64) -> (String, String) {
    (counted(entities, "entity", "entities"), counted(relationships, "relationship", "relationships"))
}

fn too_large(found: (String, String), format: &str, limit: Limit) -> Failure {
    let most = size(limit.entities, limit.relationships);
    let page = match format {
        "html" => "",
        _ => "--format html makes a page of a larger graph; ",
    };
    Failure::Usage(format!(
        "the graph is too large for --format {format}: {} and {}, and the most are {} and {}. \
         --type TYPE[,TYPE] draws some types only; {page}--format text counts a graph of any size by type",
        found.0, found.1, most.0, most.1
    ))
}

fn write_page(path: &Path, picture: &GraphPicture) -> io::Result<()> {
    let mut out = io::BufWriter::new(create(path)?);
    explorer::write_html(picture, &mut out)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use integration_sdk::diff::Coverage;
    use integration_sdk::graph::StepId;
    use integration_sdk::store::{Count, Kind as ObjectKind, Store};
    use serde_json::json;

    use super::*;

    async fn graph(entities: u64, relationships: u64) -> (tempfile::TempDir, Collected) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(folder.path()).expect("a store");
        let job = store.begin_job("space", "default", &json!({})).await.expect("a job");
        let count = |name: &str, kind, objects| Count {
            step: StepId::new("fetch-planets").expect("an id"),
            object_type: ObjectType::new(name).expect("a type"),
            kind,
            objects,
        };
        let census = vec![
            count("space_planet", ObjectKind::Entity, entities),
            count("space_comet", ObjectKind::Entity, 7),
            count("space_planet_has_moon", ObjectKind::Relationship, relationships),
        ];
        let newer = Half { job, census, coverage: Coverage::default() };
        let (title, subtitle) = (String::new(), String::new());
        (folder, Collected { title, subtitle, missing: Vec::new(), types: BTreeSet::new(), newer, older: None })
    }

    async fn refusal(collected: &Collected, format: &str, limit: Limit) -> String {
        bounded(collected, format, limit).await.map(|_| ()).expect_err("a refusal").to_string()
    }

    #[tokio::test]
    async fn a_graph_too_large_for_a_format_is_refused_with_what_to_do_instead() {
        let (_folder, large) = graph(12_345, 40).await;
        assert_eq!(
            refusal(&large, "mermaid", Limit::MERMAID).await,
            "the graph is too large for --format mermaid: 12,352 entities and 40 relationships, and the most are \
             300 entities and 500 relationships. --type TYPE[,TYPE] draws some types only; --format html makes a page \
             of a larger graph; --format text counts a graph of any size by type"
        );
        let (_folder, dense) = graph(200, 501).await;
        assert!(bounded(&dense, "mermaid", Limit::MERMAID).await.is_err());
        assert!(bounded(&dense, "dot", Limit::DOT).await.is_ok());
    }

    #[tokio::test]
    async fn a_page_has_a_bound_that_some_types_of_a_large_graph_are_within() {
        let (_folder, mut large) = graph(1_000_000, 1_000_000).await;
        assert_eq!(
            refusal(&large, "html", Limit::PAGE).await,
            "the graph is too large for --format html: 1,000,007 entities and 1,000,000 relationships, and the most are \
             200,000 entities and 500,000 relationships. --type TYPE[,TYPE] draws some types only; --format text counts \
             a graph of any size by type"
        );
        large.types =
            ["space_comet", "space_planet_has_moon"].map(|name| ObjectType::new(name).expect("a type")).into();
        assert_eq!(large.size_of(&large.newer), (7, 1_000_000));
        large.types = BTreeSet::from([ObjectType::new("space_comet").expect("a type")]);
        // How many of the relationships lead from comet to comet is known when they are read.
        assert!(bounded(&large, "html", Limit::PAGE).await.is_ok());
    }
}
