//! `visualize graph`: a collected graph as a page to explore, for Graphviz, for Mermaid, or by count.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use integration_sdk::store::{Count, JobRow, JobStore, Kind as ObjectKind, Store};
use integration_view::explorer;
use integration_view::graph::{self, GraphPicture, Limit};

use super::collected::Collected;
use super::{Kind, canvas, collected, counts, create, deliver};
use crate::failure::Failure;
use crate::history;
use crate::report::words::counted;
use crate::session::Session;

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
    /// Show what was added, removed and changed since this job
    #[arg(long, value_name = "ID")]
    against: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A page to explore in a browser, for a graph of any size
    Html,
    /// For Graphviz: up to 2,000 entities and 4,000 relationships
    Dot,
    /// For Mermaid: up to 300 entities and 500 relationships
    Mermaid,
    /// How many there are of each type, for a terminal
    Text,
}

pub(super) async fn run(session: &Session<'_>, order: &Graph) -> Result<(), Failure> {
    let format = format(order)?;
    let collected = find(session, order).await?;
    let output = order.output.as_deref();
    match format {
        Format::Html => {
            let picture = collected::read(&collected).await?;
            let path = output.unwrap_or(Path::new(PAGE_FILE));
            write_page(path, &picture).map_err(Failure::file("write", path))?;
            let (entities, relationships) = size(picture.nodes.len() as u64, picture.edges.len() as u64);
            session.print(&format!(
                "{} is written: {entities} and {relationships}. Open it with a browser.\n",
                path.display()
            ))
        }
        Format::Dot => deliver(session, output, &graph::dot(&small(&collected, "Graphviz", "dot", Limit::DOT).await?)),
        Format::Mermaid => {
            deliver(session, output, &graph::mermaid(&small(&collected, "Mermaid", "mermaid", Limit::MERMAID).await?))
        }
        Format::Text => {
            let (width, colour) = canvas(output);
            deliver(session, output, &graph::text(&counts::read(&collected).await?, width, colour))
        }
    }
}

fn format(order: &Graph) -> Result<Format, Failure> {
    let (None, Some(path)) = (order.format, &order.output) else { return Ok(order.format.unwrap_or(Format::Html)) };
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

async fn find(session: &Session<'_>, order: &Graph) -> Result<Collected, Failure> {
    let find = |id: Option<String>| async move {
        history::find(&session.globals.data_dir, session.integration.id(), id.as_deref()).await
    };
    let (store, job) = find(order.job.clone()).await?;
    let mut subtitle = format!("job {} of {}", history::short(job.id.as_str()), job.started);
    let (job, census) = opened(&store, &job).await?;
    let earlier = match &order.against {
        None => None,
        Some(id) => {
            let (_, earlier) = find(Some(id.clone())).await?;
            subtitle += &format!(", against job {} of {}", history::short(earlier.id.as_str()), earlier.started);
            Some(opened(&store, &earlier).await?)
        }
    };
    Ok(Collected { title: session.integration.title().to_owned(), subtitle, job, census, earlier })
}

async fn opened(store: &Store, job: &JobRow) -> Result<(JobStore, Vec<Count>), Failure> {
    let job = store.open_job(job);
    let census = job.census().await?;
    Ok((job, census))
}

/// The graph, where it is small enough for a tool: what is too large is not even read.
async fn small(collected: &Collected, tool: &str, format: &str, limit: Limit) -> Result<GraphPicture, Failure> {
    let check = |entities, relationships| match limit.allows(entities, relationships) {
        true => Ok(()),
        false => Err(too_large(size(entities, relationships), tool, format, limit)),
    };
    for census in [&collected.census].into_iter().chain(collected.earlier.as_ref().map(|(_, census)| census)) {
        let objects = |entities: bool| {
            census.iter().filter(move |count| (count.kind == ObjectKind::Entity) == entities).map(|count| count.objects)
        };
        check(objects(true).sum(), objects(false).sum())?;
    }
    // Removed objects and the targets of mapped relationships are drawn, too.
    let picture = collected::read(collected).await?;
    check(picture.nodes.len() as u64, picture.edges.len() as u64)?;
    Ok(picture)
}

fn size(entities: u64, relationships: u64) -> (String, String) {
    (counted(entities, "entity", "entities"), counted(relationships, "relationship", "relationships"))
}

fn too_large(found: (String, String), tool: &str, format: &str, limit: Limit) -> Failure {
    let most = size(limit.entities, limit.relationships);
    Failure::Usage(format!(
        "the graph is too large for {tool}: {} and {}, and --format {format} goes up to {} and {}. \
         --format html makes a page to explore, whatever the size; --format text counts by type",
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
    use integration_sdk::graph::{ObjectType, StepId};
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
            count("space_planet_has_moon", ObjectKind::Relationship, relationships),
        ];
        (folder, Collected { title: String::new(), subtitle: String::new(), job, census, earlier: None })
    }

    #[tokio::test]
    async fn a_graph_too_large_for_a_tool_is_refused_with_what_to_do_instead() {
        let (_folder, large) = graph(12_345, 40).await;
        let refused = small(&large, "Mermaid", "mermaid", Limit::MERMAID).await.map(|_| ()).expect_err("a refusal");
        assert_eq!(
            refused.to_string(),
            "the graph is too large for Mermaid: 12,345 entities and 40 relationships, and --format mermaid goes up to \
             300 entities and 500 relationships. --format html makes a page to explore, whatever the size; \
             --format text counts by type"
        );
        let (_folder, dense) = graph(300, 501).await;
        assert!(small(&dense, "Mermaid", "mermaid", Limit::MERMAID).await.is_err());
        assert!(small(&dense, "Graphviz", "dot", Limit::DOT).await.is_ok());
    }
}
