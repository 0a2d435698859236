//! `visualize graph`: a collected graph as one page that a browser opens from disk.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use integration_sdk::graph::{Direction, ObjectKey};
use integration_sdk::store::{JobRow, JobStore, Kind, Row, Store};
use integration_view::explorer::{self, Change, GraphEdge, GraphNode, GraphPicture};
use serde::Deserialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::history;
use crate::report::words::counted;
use crate::session::Session;

/// Objects read from the store at once.
const PAGE: usize = 1_000;
/// Entities above which raw data stay out of the page: a browser would have to read hundreds of megabytes.
const WITH_RAW_DATA: usize = 60_000;

#[derive(Debug, Args)]
pub(super) struct Explorer {
    /// The page to write
    #[arg(long, value_name = "FILE", default_value = "graph.html")]
    output: PathBuf,
    /// The job whose graph it is; the newest unless given
    #[arg(long, value_name = "ID")]
    job: Option<String>,
    /// Show what was added, removed and changed since this job
    #[arg(long, value_name = "ID")]
    against: Option<String>,
}

pub(super) async fn run(session: &Session<'_>, order: &Explorer) -> Result<(), Failure> {
    let find = |id: Option<String>| async move {
        history::find(&session.globals.data_dir, session.integration.id(), id.as_deref()).await
    };
    let (store, job) = find(order.job.clone()).await?;
    let mut objects = load(&store, &job).await?;
    let mut subtitle = format!("job {} of {}", history::short(job.id.as_str()), job.started);
    if let Some(id) = &order.against {
        let (_, earlier) = find(Some(id.clone())).await?;
        subtitle += &format!(", against job {} of {}", history::short(earlier.id.as_str()), earlier.started);
        compare(&mut objects, load(&store, &earlier).await?);
    }
    let picture = picture(session.integration.title().to_owned(), subtitle, objects);
    write(&order.output, &picture).map_err(Failure::file("write", &order.output))?;
    let (entities, relationships) = (picture.nodes.len() as u64, picture.edges.len() as u64);
    session.print(&format!(
        "{} is written: {} and {}. Open it with a browser.\n",
        order.output.display(),
        counted(entities, "entity", "entities"),
        counted(relationships, "relationship", "relationships")
    ))
}

fn write(path: &Path, picture: &GraphPicture) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let mut out = BufWriter::new(File::create(path)?);
    explorer::write_html(picture, &mut out)?;
    out.flush()
}

/// An object of the store, and what became of it.
struct Object {
    row: Row,
    change: Change,
}

impl Object {
    fn json(&self) -> String {
        String::from_utf8_lossy(&self.row.json).into_owned()
    }
}

async fn load(store: &Store, job: &JobRow) -> Result<BTreeMap<ObjectKey, Object>, Failure> {
    let job: JobStore = store.open_job(job);
    let mut objects = BTreeMap::new();
    for count in job.census().await? {
        let mut after = None;
        loop {
            let page = job.step_page(count.step.clone(), count.object_type.clone(), after, PAGE).await?;
            let last = page.len() < PAGE;
            after = page.last().map(|row| row.key.clone());
            objects.extend(page.into_iter().map(|row| (row.key.clone(), Object { row, change: Change::Same })));
            if last {
                break;
            }
        }
    }
    Ok(objects)
}

fn compare(now: &mut BTreeMap<ObjectKey, Object>, before: BTreeMap<ObjectKey, Object>) {
    for (key, object) in now.iter_mut() {
        object.change = match before.get(key) {
            None => Change::Added,
            Some(earlier) if earlier.row.json == object.row.json => Change::Same,
            Some(earlier) => Change::Changed { before: earlier.json() },
        };
    }
    for (key, object) in before {
        now.entry(key).or_insert(Object { change: Change::Removed, ..object });
    }
}

fn picture(title: String, subtitle: String, objects: BTreeMap<ObjectKey, Object>) -> GraphPicture {
    let mut picture = GraphPicture { title, subtitle, ..GraphPicture::default() };
    let entities = objects.values().filter(|object| object.row.kind == Kind::Entity).count();
    let mut targets: BTreeMap<String, GraphNode> = BTreeMap::new();
    for object in objects.into_values() {
        match object.row.kind {
            Kind::Entity => picture.nodes.push(node(object, entities <= WITH_RAW_DATA)),
            Kind::Relationship => picture.edges.extend(edge(object)),
            Kind::MappedRelationship => picture.edges.extend(mapped(object, &mut targets)),
        }
    }
    picture.nodes.extend(targets.into_values());
    picture
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "displayName")]
    display_name: Option<String>,
}

fn node(object: Object, raw_data: bool) -> GraphNode {
    let name = serde_json::from_slice::<Named>(&object.row.json).ok().and_then(|named| named.display_name);
    let json = if raw_data { object.json() } else { without_raw_data(&object.row.json) };
    GraphNode {
        key: object.row.key.to_string(),
        object_type: object.row.object_type.to_string(),
        classes: object.row.class.split(',').map(str::to_owned).collect(),
        name: name.unwrap_or_default(),
        json,
        change: object.change,
    }
}

fn without_raw_data(json: &[u8]) -> String {
    let mut object: Value = serde_json::from_slice(json).unwrap_or_default();
    if let Some(properties) = object.as_object_mut() {
        properties.remove("_rawData");
    }
    object.to_string()
}

fn edge(object: Object) -> Option<GraphEdge> {
    let json = object.json();
    let (from, to) = object.row.ends?;
    Some(GraphEdge {
        key: object.row.key.to_string(),
        object_type: object.row.object_type.to_string(),
        class: object.row.class,
        from: from.to_string(),
        to: to.to_string(),
        json,
        change: object.change,
    })
}

#[derive(Deserialize)]
struct Mapped {
    #[serde(rename = "_mapping")]
    mapping: Mapping,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mapping {
    relationship_direction: Direction,
    source_entity_key: String,
    target_filter_keys: Vec<Vec<String>>,
    target_entity: serde_json::Map<String, Value>,
}

/// A mapped relationship leads to an entity of another source: a node that is known by what it is found by.
fn mapped(object: Object, targets: &mut BTreeMap<String, GraphNode>) -> Option<GraphEdge> {
    let Mapped { mapping } = serde_json::from_slice(&object.row.json).ok()?;
    let text = |name: &str| {
        mapping.target_entity.get(name).map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    };
    let found_by: Vec<String> = mapping.target_filter_keys.first()?.iter().filter_map(|name| text(name)).collect();
    let key = format!("mapped:{}", found_by.join(":"));
    targets.entry(key.clone()).or_insert_with(|| GraphNode {
        key: key.clone(),
        object_type: text("_type").unwrap_or_else(|| "unknown".to_owned()),
        classes: text("_class").into_iter().collect(),
        name: text("displayName").or_else(|| text("name")).or_else(|| text("email")).unwrap_or_default(),
        json: Value::Object(mapping.target_entity.clone()).to_string(),
        change: object.change.clone(),
    });
    let ends = match mapping.relationship_direction {
        Direction::Forward => (mapping.source_entity_key.clone(), key),
        Direction::Reverse => (key, mapping.source_entity_key.clone()),
    };
    let json = object.json();
    Some(GraphEdge {
        key: object.row.key.to_string(),
        object_type: object.row.object_type.to_string(),
        class: object.row.class,
        from: ends.0,
        to: ends.1,
        json,
        change: object.change,
    })
}
