//! Every sink passes the conformance suite, with readers that are independent of the code that writes.

mod graphs;
mod neo4j;
mod tables;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use futures::executor::block_on;
use integration_graph::run::{JobState, Summary};
use integration_graph::{InstanceId, JobId};
use integration_sink::conformance::{Contents, Expected, Target, check, object_json};
use integration_sink::{Manifest, Record, Sink};
use integration_sink_files::Exchange;
use serde_json::Value;
use serde_json::value::RawValue;

/// Returns the JSON of an object without its raw data, which is the text of `_rawData`: no tree holds all numbers.
pub fn parted(json: &str) -> Value {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(json).expect("an object");
    let member = |(name, value): (String, &RawValue)| match name.as_str() {
        "_rawData" => (name, Value::from(value.get())),
        _ => (name, serde_json::from_str(value.get()).expect("a value")),
    };
    members.into_iter().map(member).collect()
}

/// Creates a folder for a target, in memory if possible: every transfer waits for the disk several times.
pub fn place() -> tempfile::TempDir {
    let memory = tempfile::tempdir_in("/dev/shm");
    memory.or_else(|_| tempfile::tempdir()).expect("a folder")
}

/// Returns the files below a folder.
pub fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

struct ExchangeTarget(tempfile::TempDir);

impl Target for ExchangeTarget {
    fn sink(&self) -> Box<dyn Sink> {
        let summary = Summary::new(JobId::generate(), "acme", InstanceId::default(), JobState::Complete);
        Box::new(Exchange::new(&self.0.path().join("target"), summary))
    }

    async fn read(&self) -> Vec<Value> {
        let mut objects = Vec::new();
        for path in files(&self.0.path().join("target/graph")) {
            let text = fs::read_to_string(path).expect("a file");
            let wrapper: BTreeMap<String, Vec<&RawValue>> = serde_json::from_str(&text).expect("a graph file");
            objects.extend(wrapper.into_values().flatten().map(|object| parted(object.get())));
        }
        objects
    }

    fn takes(&self, manifest: &Manifest) -> bool {
        manifest.snapshots.len() == 1
    }

    fn expected(&self, record: &Record, _: &Manifest, _: usize) -> Expected {
        Expected::Written(object_json(&record.object))
    }
}

#[test]
fn the_exchange_layout_conforms() {
    let create = async || ExchangeTarget(place());
    block_on(check(create, Contents::Replaced));
}
