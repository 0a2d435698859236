//! The evaluation of a query from its text to its answer.

use std::sync::Arc;
use std::time::Instant;

use integration_graph::Properties;
use serde_json::Value as Json;

use crate::answer::Answer;
use crate::bind::{Output, bind};
use crate::complete::incomplete;
use crate::error::QueryError;
use crate::execute::{ABSENT, NumberMap, Outcome, Rows, execute};
use crate::graph::{AccountGraph, EdgeId, GraphError, NodeId};
use crate::options::Options;
use crate::profile::{Operator, Profile};
use crate::result::{QueryResult, TableResult, entity, relationship};
use crate::syntax::{Query, parse};
use crate::value::Value;

/// The bytes that an allocation takes beside its content.
const ALLOCATION: usize = 16;

/// The number of objects that are read together.
const BATCH: usize = 10_000;

/// Evaluates a query over a graph.
///
/// The evaluation is synchronous except for the objects of its result, which are read at the end. It checks its limits
/// regularly; run it on a thread that may be busy for as long as the deadline allows.
///
/// # Errors
/// [`QueryError::Invalid`] with all errors in the text, [`QueryError::TimedOut`], [`QueryError::TooLarge`], and
/// [`QueryError::Cancelled`] at the limits of the options, and [`QueryError::Graph`] if the store fails.
pub async fn run(text: &str, graph: &AccountGraph, options: &Options) -> Result<Answer, QueryError> {
    let started = Instant::now();
    let query = parse(text)?;
    evaluate(&query, started, graph, options).await
}

/// Evaluates a parsed query over a graph. See [`run`].
///
/// # Errors
/// Those of [`run`].
pub async fn run_query(query: &Query, graph: &AccountGraph, options: &Options) -> Result<Answer, QueryError> {
    evaluate(query, Instant::now(), graph, options).await
}

/// Checks a query without evaluating it: its syntax, and its names in a graph. Returns the warnings.
///
/// # Errors
/// [`QueryError::Invalid`] with all errors in the text, and [`QueryError::Graph`] if the store fails.
pub fn check(
    text: &str,
    graph: &AccountGraph,
    options: &Options,
) -> Result<Vec<crate::diagnostic::Diagnostic>, QueryError> {
    Ok(bind(&parse(text)?, graph, options)?.1)
}

async fn evaluate(
    query: &Query,
    started: Instant,
    graph: &AccountGraph,
    options: &Options,
) -> Result<Answer, QueryError> {
    match attempt(query, started, graph, options).await {
        // Sections of an index are checked when they are read, so damage appears during the evaluation.
        Err(QueryError::Graph(GraphError::Damaged { .. })) => {
            graph.repair().await?;
            attempt(query, started, graph, options).await
        }
        result => result,
    }
}

async fn attempt(
    query: &Query,
    started: Instant,
    graph: &AccountGraph,
    options: &Options,
) -> Result<Answer, QueryError> {
    let (bound, mut warnings) = bind(query, graph, options)?;
    let bind_time = started.elapsed();
    let executed = execute(&bound, graph, options)?;
    warnings.extend(executed.warnings);
    let incomplete = incomplete(&bound, graph, &options.catalogue)?;
    let mut profile = executed.profile;
    let bind_operator = Operator { name: "bind", detail: String::new(), estimated: None, rows: 0, time: bind_time };
    profile.operators.insert(0, bind_operator);
    let mut reader = ObjectReader { graph, options, used: 0 };
    let reading = Instant::now();
    let (result, total, returned) = match executed.outcome {
        Outcome::Entities { nodes, total } => {
            let entities = reader.nodes(&nodes).await?;
            let returned = entities.len() as u64;
            (QueryResult::List { entities }, total, returned)
        }
        Outcome::Tree { nodes, edges, heads, total } => {
            let (vertices, edges) = (reader.nodes(&nodes).await?, reader.edges(&edges).await?);
            (QueryResult::Tree { vertices, edges }, total, heads)
        }
        Outcome::Table(rows) => {
            let (total, returned) = (rows.total, rows.rows.len() as u64);
            (QueryResult::Table(table(rows, graph, &mut reader).await?), total, returned)
        }
    };
    read_operator(&mut profile, reading, &bound.output, result.rows());
    let is_truncated = bound.limit.is_some() && bound.skip.saturating_add(returned) < total;
    Ok(Answer { result, total, is_truncated, incomplete, warnings, profile })
}

fn read_operator(profile: &mut Profile, reading: Instant, output: &Output, rows: usize) {
    let name = if matches!(output, Output::Table(_)) { "cells" } else { "read" };
    let (detail, rows) = (String::new(), rows as u64);
    profile.operators.push(Operator { name, detail, estimated: None, rows, time: reading.elapsed() });
}

/// Reads objects in batches, within the limits of the options.
struct ObjectReader<'r> {
    graph: &'r AccountGraph,
    options: &'r Options,
    used: usize,
}

impl ObjectReader<'_> {
    async fn nodes(&mut self, numbers: &[u32]) -> Result<Vec<Properties>, QueryError> {
        let mut objects = Vec::with_capacity(numbers.len());
        for batch in numbers.chunks(BATCH) {
            let batch: Vec<NodeId> = batch.iter().copied().map(NodeId).collect();
            let read = self.graph.nodes(&batch).await;
            objects.extend(self.counted(read)?);
        }
        Ok(objects)
    }

    async fn edges(&mut self, numbers: &[u32]) -> Result<Vec<Properties>, QueryError> {
        let mut objects = Vec::with_capacity(numbers.len());
        for batch in numbers.chunks(BATCH) {
            let batch: Vec<EdgeId> = batch.iter().copied().map(EdgeId).collect();
            let read = self.graph.edges(&batch).await;
            objects.extend(self.counted(read)?);
        }
        Ok(objects)
    }

    /// Checks the limits after a batch.
    fn counted(&mut self, read: Result<Vec<Properties>, GraphError>) -> Result<Vec<Properties>, QueryError> {
        let objects = read?;
        self.spend(objects.iter().map(size).sum(), "objects")?;
        self.check("read objects")?;
        Ok(objects)
    }

    /// Counts memory of the result.
    fn spend(&mut self, bytes: usize, content: &'static str) -> Result<(), QueryError> {
        self.used = self.used.saturating_add(bytes);
        let limit = self.options.memory >> 20;
        if self.used > self.options.memory { Err(QueryError::TooLarge { limit, content }) } else { Ok(()) }
    }

    /// Checks the limits of time.
    fn check(&self, activity: &'static str) -> Result<(), QueryError> {
        if self.options.cancelled.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(QueryError::Cancelled);
        }
        if self.options.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(QueryError::TimedOut { activity });
        }
        Ok(())
    }
}

/// Returns the approximate memory of a cell in bytes.
fn cell_size(value: &Json) -> usize {
    let owned = match value {
        Json::String(text) => ALLOCATION + text.len(),
        Json::Array(values) => ALLOCATION + values.iter().map(cell_size).sum::<usize>(),
        Json::Object(object) => object.iter().map(|(name, own)| 96 + name.len() + cell_size(own)).sum(),
        _ => 0,
    };
    size_of::<Json>() + owned
}

/// Returns the approximate memory of an object in bytes.
fn size(properties: &Properties) -> usize {
    let value = |value: &Json| match value {
        Json::String(text) => text.len(),
        Json::Array(values) => values.len() * 48,
        _ => 0,
    };
    properties.iter().map(|(name, own)| 96 + name.len() + value(own)).sum()
}

/// Reads the objects in the cells of a table.
async fn table(rows: Rows, graph: &AccountGraph, reader: &mut ObjectReader<'_>) -> Result<TableResult, QueryError> {
    let (mut nodes, mut edges) = (Vec::new(), Vec::new());
    for cell in rows.rows.iter().flatten() {
        objects(cell, &mut nodes, &mut edges);
    }
    for numbers in [&mut nodes, &mut edges] {
        numbers.sort_unstable();
        numbers.dedup();
    }
    let shape = |numbers: &[u32], objects: Vec<Properties>, shape: fn(&Properties) -> Json| -> NumberMap<u32, Json> {
        numbers.iter().copied().zip(objects.iter().map(shape)).collect()
    };
    let node_cells = shape(&nodes, reader.nodes(&nodes).await?, entity);
    let edge_cells = shape(&edges, reader.edges(&edges).await?, relationship);
    let mut cells: Vec<Vec<Json>> = Vec::with_capacity(rows.rows.len());
    for (number, row) in rows.rows.into_iter().enumerate() {
        let row: Vec<Json> = row.into_iter().map(|cell| json(cell, &node_cells, &edge_cells)).collect();
        reader.spend(ALLOCATION + size_of::<Vec<Json>>() + row.iter().map(cell_size).sum::<usize>(), "rows")?;
        if number % BATCH == 0 {
            reader.check("converted rows")?;
        }
        cells.push(row);
    }
    reader.spend(rows.entities.len() * size_of::<Option<Arc<str>>>(), "rows")?;
    let mut ids = EntityIds { graph, known: NumberMap::default() };
    let ids = rows.entities.iter().map(|node| ids.of(*node)).collect::<Result<_, _>>()?;
    Ok(TableResult { columns: rows.columns, rows: cells, aliases: rows.aliases, ids })
}

/// Collects the objects in a cell. Lists contain objects after `MERGE` only, and no further lists.
fn objects(cell: &Value, nodes: &mut Vec<u32>, edges: &mut Vec<u32>) {
    let elements = match cell {
        Value::List(elements) => elements.as_slice(),
        single => std::slice::from_ref(single),
    };
    for element in elements {
        match element {
            Value::Node(node) => nodes.push(*node),
            Value::Edge(edge) => edges.push(*edge),
            _ => {}
        }
    }
}

fn json(cell: Value, nodes: &NumberMap<u32, Json>, edges: &NumberMap<u32, Json>) -> Json {
    let object = |element: Value| match element {
        Value::Node(node) => nodes.get(&node).cloned().unwrap_or_default(),
        Value::Edge(edge) => edges.get(&edge).cloned().unwrap_or_default(),
        other => other.into_json(),
    };
    match cell {
        Value::List(elements) => elements.into_iter().map(object).collect(),
        single => object(single),
    }
}

/// The ids of entities. Rows share them.
struct EntityIds<'g> {
    graph: &'g AccountGraph,
    known: NumberMap<u32, Arc<str>>,
}

impl EntityIds<'_> {
    fn of(&mut self, node: u32) -> Result<Option<Arc<str>>, GraphError> {
        if node == ABSENT {
            return Ok(None);
        }
        if let Some(known) = self.known.get(&node) {
            return Ok(Some(Arc::clone(known)));
        }
        let id: Arc<str> = self.graph.id_of(NodeId(node))?.into();
        self.known.insert(node, Arc::clone(&id));
        Ok(Some(id))
    }
}
