//! Checks objects in several threads and adds the results in the original order.
//!
//! ```text
//!   reader ──▶ batches, round-robin ──▶ threads: parse, check ──▶ results, round-robin ──▶ graph
//! ```
//!
//! Every queue is bounded, so memory is bounded by the batches in flight. Results are collected in the order in which the
//! batches were distributed, so they do not depend on the number of threads.

use std::io;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use integration_sdk::RawJson;
use integration_sdk::dataset::Wrapper;
use integration_sdk::schema::Schemas;
use serde_json::Value;

use crate::report::Rule;

use super::allowance::Allowance;
use super::graph::{Digests, Graph, Seen};
use super::object::{self, Defect, ENDS};

/// The size of a batch in bytes.
const BATCH: usize = 1 << 18;
/// The capacity of each queue, in batches.
const QUEUE: usize = 4;

/// An unparsed object.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) file: Option<Arc<Path>>,
    pub(super) wrapper: Wrapper,
    pub(super) json: Box<str>,
}

type Batch = Vec<Raw>;

/// The input of the pool.
pub(super) struct Feed {
    threads: Vec<SyncSender<Batch>>,
    next: usize,
    batch: Batch,
    bytes: usize,
}

impl Feed {
    pub(super) fn add(&mut self, raw: Raw) {
        self.bytes += raw.json.len();
        self.batch.push(raw);
        if self.bytes >= BATCH {
            self.deal();
        }
    }

    fn deal(&mut self) {
        self.bytes = 0;
        // Sending fails only if the thread has panicked. The panic is propagated when the threads are joined.
        let _ = self.threads[self.next].send(std::mem::take(&mut self.batch));
        self.next = (self.next + 1) % self.threads.len();
    }
}

/// Checks all objects that `read` adds to the feed.
///
/// # Errors
/// The error of `read`, or an [`io::Error`] if the operating system cannot start a thread.
pub(super) fn look<E: From<io::Error>>(
    schemas: &Schemas,
    allowed: &[Allowance],
    read: impl FnOnce(&mut Feed) -> Result<(), E>,
) -> Result<Graph, E> {
    let count = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let digests = Digests::default();
    thread::scope(|scope| {
        let (mut deal, mut collect) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let (batches, raw) = sync_channel::<Batch>(QUEUE);
            let (looked, results) = sync_channel(QUEUE);
            let digests = &digests;
            let work = move || work(schemas, digests, &raw, &looked);
            match thread::Builder::new().spawn_scoped(scope, work) {
                Ok(_) => {
                    deal.push(batches);
                    collect.push(results);
                }
                // Continue with the threads that could be started.
                Err(_) if !deal.is_empty() => break,
                Err(error) => return Err(error.into()),
            }
        }
        let gather = move || gather(&collect, Graph::new(allowed));
        let graph = thread::Builder::new().spawn_scoped(scope, gather)?;
        let mut feed = Feed { threads: deal, next: 0, batch: Vec::new(), bytes: 0 };
        let fed = read(&mut feed);
        feed.deal();
        drop(feed);
        let graph = graph.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        fed.map(|()| graph)
    })
}

fn work(schemas: &Schemas, digests: &Digests, batches: &Receiver<Batch>, looked: &SyncSender<Vec<Seen>>) {
    for batch in batches {
        let seen = batch.into_iter().map(|raw| see(schemas, digests, raw)).collect();
        if looked.send(seen).is_err() {
            return;
        }
    }
}

/// Collects the results in turn; the first closed and empty queue marks the end.
fn gather(queues: &[Receiver<Vec<Seen>>], mut graph: Graph) -> Graph {
    for queue in queues.iter().cycle() {
        let Ok(batch) = queue.recv() else { break };
        batch.into_iter().for_each(|seen| graph.add(seen));
    }
    graph
}

fn see(schemas: &Schemas, digests: &Digests, raw: Raw) -> Seen {
    let Raw { file, wrapper, json } = raw;
    let (mut object, defects) = match RawJson::tree_of(&json) {
        Ok(object) => {
            let defects = object::defects(schemas, &object, &json, wrapper);
            (object, defects)
        }
        // The message describes the syntax and never contains values.
        Err(error) => (Value::Null, vec![Defect::new(Rule::Unreadable, "", format!("this is not an object: {error}"))]),
    };
    let end = |place: &str| object.pointer(place).and_then(Value::as_str).map(|key| digests.of(key));
    let ends = ENDS.map(end);
    let class = object["_class"].as_str().and_then(object::class_named);
    let mut take = |name: &str| match object.get_mut(name).map(Value::take) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let (key, object_type) = (take("_key"), take("_type").unwrap_or_default());
    let digest = key.as_deref().map(|key| digests.of(key));
    let is_entity = wrapper == Wrapper::Entities;
    Seen { file, is_entity, object_type, key: key.unwrap_or_default(), digest, class, ends, defects }
}
