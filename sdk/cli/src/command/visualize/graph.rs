//! `visualize graph`: draws a collected graph as a page, for Graphviz, for Mermaid, or as counts.

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
use crate::style::printable_path;

/// The default file of the page, which is not useful on stdout.
const PAGE_FILE: &str = "graph.html";

#[derive(Debug, Args)]
pub(super) struct Graph {
    /// File to write [default: graph.html for html, stdout for other formats]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Output format [default: by the file name extension, or html]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Job whose graph to draw [default: the newest job]
    #[arg(long, value_name = "ID")]
    job: Option<String>,
    /// Show changes since this job; differences caused by missing data are marked as unknown
    #[arg(long, value_name = "ID")]
    against: Option<String>,
    /// Show only these types of entities with their relationships, or these types of relationships
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',', value_parser = |name: &str| ObjectType::new(name))]
    types: Vec<ObjectType>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A page for a browser, with up to 200,000 entities and 500,000 relationships
    Html,
    /// Source for Graphviz, with up to 2,000 entities and 4,000 relationships
    Dot,
    /// Source for Mermaid, with up to 300 entities and 500 relationships
    Mermaid,
    /// Counts of each type as text, for a graph of any size
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
                "Wrote {} with {entities} and {relationships}. Open it in a browser.\n",
                printable_path(path)
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
            "cannot write {} as SVG: a collected graph is too large to be readable. Use html, dot, mermaid or text; the \
             html page can save its current view as SVG",
            printable_path(path)
        ))),
        None => Err(Kind::unnamed(path, ".html, .dot, .mmd or .txt")),
    }
}

async fn find(context: &Context<'_>, args: &Graph) -> Result<Collected, Failure> {
    let find = |id: Option<String>| async move {
        job_lookup::find_graph(&context.globals.data_dir, context.integration.id(), id.as_deref()).await
    };
    let (_, job, snapshot) = find(args.job.clone()).await?;
    let mut subtitle = format!("job {} of {}", job_lookup::short(job.id.as_str()), job.started);
    let mut missing = gaps::lines(&job)?;
    let newer = Half::of(snapshot, &job).await?;
    let older = match &args.against {
        None => None,
        Some(id) => {
            let (_, earlier, snapshot) = find(Some(id.clone())).await?;
            subtitle += &format!(", against job {} of {}", job_lookup::short(earlier.id.as_str()), earlier.started);
            missing.extend(gaps::lines(&earlier)?);
            Some(Half::of(snapshot, &earlier).await?)
        }
    };
    let types = wanted_types(args, &newer, older.as_ref())?;
    Ok(Collected { title: context.integration.title().to_owned(), subtitle, missing, types, newer, older })
}

/// Returns the types of `--type`, all of which must exist in either graph.
fn wanted_types(args: &Graph, newer: &Half, older: Option<&Half>) -> Result<BTreeSet<ObjectType>, Failure> {
    let counts_by_step_and_type =
        newer.counts_by_step_and_type.iter().chain(older.iter().flat_map(|older| &older.counts_by_step_and_type));
    let known: BTreeSet<&ObjectType> = counts_by_step_and_type.map(|count| &count.object_type).collect();
    match args.types.iter().find(|wanted| !known.contains(wanted)) {
        None => Ok(args.types.iter().cloned().collect()),
        Some(unknown) => Err(Failure::Usage(format!(
            "the graph has no objects of type {unknown}; its types are: {}",
            list(known.into_iter().map(ObjectType::as_str))
        ))),
    }
}

/// Reads the graph if it is small enough for the format.
async fn bounded(collected: &Collected, format: &str, limit: Limit) -> Result<GraphPicture, Failure> {
    let check = |entities, relationships| match limit.allows(entities, relationships) {
        true => Ok(()),
        false => Err(too_large(size(entities, relationships), format, limit)),
    };
    for half in [&collected.newer].into_iter().chain(&collected.older) {
        let (entities, relationships) = collected.size_of(half);
        check(entities, relationships)?;
    }
    // Removed objects and the targets of mapped relationships are drawn as well.
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
        _ => "use --format html for a larger graph, ",
    };
    Failure::Usage(format!(
        "the graph is too large for --format {format}: it has {} and {}, and the maximum is {} and {}. \
         Use --type TYPE[,TYPE] to select some types, {page}or --format text to count the objects of each type",
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
    use integration_sdk::config::Values;
    use integration_sdk::diff::Coverage;
    use integration_sdk::graph::StepId;
    use integration_sdk::step::Step;
    use integration_sdk::store::{Count, Kind as ObjectKind, Store};
    use integration_sdk::{Integration, Job};

    use super::*;

    async fn graph(entities: u64, relationships: u64) -> (tempfile::TempDir, Collected) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(folder.path()).expect("a store");
        let step = Step::new(StepId::new("fetch-planets").expect("an id"), "Planets", |_| async { Ok(()) });
        let space = Integration::without_provider::<()>("space", "Space").step(step);
        let summary = Job::new(&space, &store).run(&Values::default(), Default::default()).await.expect("a job");
        let row = store.job(Some(summary.job.as_str())).await.expect("a store").expect("the job");
        let snapshot = store.snapshot_of(&row).await.expect("a store").expect("a graph");
        let count = |name: &str, kind, objects| Count {
            step: StepId::new("fetch-planets").expect("an id"),
            object_type: ObjectType::new(name).expect("a type"),
            kind,
            objects,
        };
        let counts_by_step_and_type = vec![
            count("space_planet", ObjectKind::Entity, entities),
            count("space_comet", ObjectKind::Entity, 7),
            count("space_planet_has_moon", ObjectKind::Relationship, relationships),
        ];
        let newer = Half { snapshot, counts_by_step_and_type, types: Vec::new(), coverage: Coverage::default() };
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
            "the graph is too large for --format mermaid: it has 12,352 entities and 40 relationships, and the maximum \
             is 300 entities and 500 relationships. Use --type TYPE[,TYPE] to select some types, use --format html for a \
             larger graph, or --format text to count the objects of each type"
        );
        let (_folder, dense) = graph(200, 501).await;
        assert!(bounded(&dense, "mermaid", Limit::MERMAID).await.is_err());
        assert!(bounded(&dense, "dot", Limit::DOT).await.is_ok());
    }

    #[tokio::test]
    async fn selected_types_of_a_large_graph_fit_into_a_page() {
        let (_folder, mut large) = graph(1_000_000, 1_000_000).await;
        assert_eq!(
            refusal(&large, "html", Limit::PAGE).await,
            "the graph is too large for --format html: it has 1,000,007 entities and 1,000,000 relationships, and the \
             maximum is 200,000 entities and 500,000 relationships. Use --type TYPE[,TYPE] to select some types, or \
             --format text to count the objects of each type"
        );
        large.types =
            ["space_comet", "space_planet_has_moon"].map(|name| ObjectType::new(name).expect("a type")).into();
        assert_eq!(large.size_of(&large.newer), (7, 1_000_000));
        large.types = BTreeSet::from([ObjectType::new("space_comet").expect("a type")]);
        // The number of relationships between comets is known only after they are read.
        assert!(bounded(&large, "html", Limit::PAGE).await.is_ok());
    }
}
