//! Results of queries, and their shapes in the API of JupiterOne.

use std::sync::Arc;

use integration_graph::Properties;
use serde_json::{Map, Value, json};

/// The result of a query.
#[derive(Debug, Clone, PartialEq)]
pub enum QueryResult {
    /// The entities of a query without `RETURN`, with all their properties.
    List {
        /// The entities.
        entities: Vec<Properties>,
    },
    /// The rows of a query with `RETURN`.
    Table(TableResult),
    /// The entities and relationships of `RETURN TREE`, with all their properties.
    Tree {
        /// The entities.
        vertices: Vec<Properties>,
        /// The relationships. Their ends are `_fromEntityId` and `_toEntityId`.
        edges: Vec<Properties>,
    },
}

/// Rows with named columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TableResult {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The cells of each row, in the order of the columns; `null` if undefined. A cell that is an entity or a
    /// relationship has the shape of a row of a list.
    pub rows: Vec<Vec<Value>>,
    /// The aliases of the entities that rows come from. Empty for distinct rows and groups.
    pub aliases: Vec<String>,
    /// The ids of these entities: those of the first row, then those of the next. A path can lack an optional one.
    pub ids: Vec<Option<Arc<str>>>,
}

impl QueryResult {
    /// The number of rows: of entities, of rows, or of vertices.
    pub fn rows(&self) -> usize {
        match self {
            Self::List { entities } => entities.len(),
            Self::Table(table) => table.rows.len(),
            Self::Tree { vertices, .. } => vertices.len(),
        }
    }

    /// Returns the response of JupiterOne's API: `type`, `data`, and `totalCount`.
    ///
    /// `_meta.byAlias` is part of a table row if `with_metadata` is set.
    pub fn to_api_json(&self, total: u64, with_metadata: bool) -> Value {
        let data = match self.api_data(with_metadata) {
            ApiData::Rows(rows) => rows.collect(),
            ApiData::Tree { vertices, edges } => {
                json!({ "vertices": vertices.collect::<Value>(), "edges": edges.collect::<Value>() })
            }
        };
        json!({ "type": self.api_type(), "data": data, "totalCount": total })
    }

    /// Returns the `type` in the response of JupiterOne's API.
    pub fn api_type(&self) -> &'static str {
        match self {
            Self::List { .. } => "list",
            Self::Table(_) => "table",
            Self::Tree { .. } => "tree",
        }
    }

    /// Returns the `data` in the response of JupiterOne's API, object by object. A large result need not be in memory twice.
    pub fn api_data(&self, with_metadata: bool) -> ApiData<'_> {
        match self {
            Self::List { entities } => ApiData::Rows(Box::new(entities.iter().map(entity))),
            Self::Table(table) => ApiData::Rows(Box::new(table.api_rows(with_metadata))),
            Self::Tree { vertices, edges } => ApiData::Tree {
                vertices: Box::new(vertices.iter().map(entity)),
                edges: Box::new(edges.iter().map(tree_edge)),
            },
        }
    }
}

/// Objects of a response of JupiterOne's API.
pub type ApiObjects<'r> = Box<dyn Iterator<Item = Value> + 'r>;

/// The `data` in a response of JupiterOne's API.
pub enum ApiData<'r> {
    /// The rows of a list or of a table.
    Rows(ApiObjects<'r>),
    /// The two lists of a tree.
    Tree {
        /// The entities.
        vertices: ApiObjects<'r>,
        /// The relationships.
        edges: ApiObjects<'r>,
    },
}

impl std::fmt::Debug for ApiData<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Rows(_)) { "Rows(..)" } else { "Tree(..)" })
    }
}

impl TableResult {
    fn api_rows(&self, with_metadata: bool) -> impl Iterator<Item = Value> {
        self.rows.iter().enumerate().map(move |(number, cells)| {
            let mut row: Map<String, Value> = self.columns.iter().cloned().zip(cells.iter().cloned()).collect();
            if with_metadata && !self.aliases.is_empty() {
                let ids = self.ids.iter().skip(number * self.aliases.len());
                let by_alias = self.aliases.iter().zip(ids).filter_map(|(alias, id)| {
                    let id = id.as_deref()?;
                    Some((alias.clone(), json!({ "id": id, "entity": { "_id": id } })))
                });
                row.insert("_meta".to_owned(), json!({ "byAlias": by_alias.collect::<Map<_, _>>() }));
            }
            Value::Object(row)
        })
    }
}

/// Returns an entity in the shape of a list row: its id, its metadata, and its other properties.
pub(crate) fn entity(properties: &Properties) -> Value {
    object(properties, "entity")
}

/// Returns a relationship in the shape of a list row.
pub(crate) fn relationship(properties: &Properties) -> Value {
    object(properties, "relationship")
}

fn tree_edge(properties: &Properties) -> Value {
    let mut edge = relationship(properties);
    edge["fromVertexId"] = properties.get("_fromEntityId").cloned().unwrap_or_default();
    edge["toVertexId"] = properties.get("_toEntityId").cloned().unwrap_or_default();
    edge
}

fn object(properties: &Properties, kind: &str) -> Value {
    let is_metadata = |name: &String| name.starts_with('_') || name == "displayName";
    let of = |metadata: bool| -> Map<String, Value> {
        let named = properties.iter().filter(|(name, _)| is_metadata(name) == metadata);
        named.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let id = properties.get("_id").cloned().unwrap_or_default();
    let mut object = Map::new();
    object.insert("id".to_owned(), id);
    object.insert(kind.to_owned(), Value::Object(of(true)));
    object.insert("properties".to_owned(), Value::Object(of(false)));
    Value::Object(object)
}
