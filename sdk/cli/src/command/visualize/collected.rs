//! A collected graph, or two laid over each other, as there is to draw: read from the store object by object.

use std::collections::BTreeMap;

use integration_sdk::graph::{Direction, ObjectKey};
use integration_sdk::store::{Count, JobStore, Kind, Row};
use integration_view::graph::{Change, GraphEdge, GraphNode, GraphPicture};
use serde::Deserialize;
use serde_json::Value;

use crate::failure::Failure;

/// Objects read from the store at once.
pub(super) const PAGE: usize = 1_000;
/// Entities above which raw data stay out of the page: a browser would have to read hundreds of megabytes.
const WITH_RAW_DATA: usize = 60_000;

/// A graph in the store, and the one to compare it with.
pub(super) struct Collected {
    pub(super) title: String,
    pub(super) subtitle: String,
    pub(super) job: JobStore,
    pub(super) census: Vec<Count>,
    pub(super) earlier: Option<(JobStore, Vec<Count>)>,
}

/// Everything there is to draw.
pub(super) async fn read(collected: &Collected) -> Result<GraphPicture, Failure> {
    let mut objects = load(&collected.job, &collected.census).await?;
    if let Some((earlier, census)) = &collected.earlier {
        compare(&mut objects, load(earlier, census).await?);
    }
    Ok(picture(collected.title.clone(), collected.subtitle.clone(), objects))
}

/// An object of the store, and what became of it.
struct Object {
    row: Row,
    json: String,
    change: Change,
}

async fn load(job: &JobStore, census: &[Count]) -> Result<BTreeMap<ObjectKey, Object>, Failure> {
    let mut objects = BTreeMap::new();
    for count in census {
        let mut after = None;
        loop {
            let page = job.step_page(count.step.clone(), count.object_type.clone(), after, PAGE).await?;
            after = page.next;
            objects.extend(page.objects.iter().map(|(row, json)| {
                let (row, json) = (row.clone(), json.to_owned());
                (row.key.clone(), Object { row, json, change: Change::Same })
            }));
            if after.is_none() {
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
            Some(earlier) if earlier.json == object.json => Change::Same,
            Some(earlier) => Change::Changed { before: earlier.json.clone() },
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
    let name = serde_json::from_str::<Named>(&object.json).ok().and_then(|named| named.display_name);
    let json = if raw_data { object.json.clone() } else { without_raw_data(&object.json) };
    GraphNode {
        key: object.row.key.to_string(),
        object_type: object.row.object_type.to_string(),
        classes: object.row.class.split(',').map(str::to_owned).collect(),
        name: name.unwrap_or_default(),
        json,
        change: object.change,
    }
}

fn without_raw_data(json: &str) -> String {
    let mut object: Value = serde_json::from_str(json).unwrap_or_default();
    if let Some(properties) = object.as_object_mut() {
        properties.remove("_rawData");
    }
    object.to_string()
}

fn edge(object: Object) -> Option<GraphEdge> {
    let json = object.json;
    let (from, to) = object.row.ends?;
    Some(GraphEdge {
        key: object.row.key.to_string(),
        object_type: object.row.object_type.to_string(),
        class: object.row.class.to_string(),
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
    let Mapped { mapping } = serde_json::from_str(&object.json).ok()?;
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
    let json = object.json.clone();
    Some(GraphEdge {
        key: object.row.key.to_string(),
        object_type: object.row.object_type.to_string(),
        class: object.row.class.to_string(),
        from: ends.0,
        to: ends.1,
        json,
        change: object.change,
    })
}
