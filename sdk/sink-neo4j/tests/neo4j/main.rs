//! Transfers into a real server that speaks Bolt.

mod server;

use std::future::pending;
use std::sync::Arc;

use integration_sink::conformance::{self, Contents, Expected};
use integration_sink::{
    Action, Batch, ChangeSource, ChangedObject, Events, InstanceChanges, Manifest, Record, Report, Sink, SinkError,
    SnapshotSource, Source, SourceOptions, transfer,
};
use integration_sink_neo4j::{CypherScript, Layout, Neo4jSink, Neo4jTarget};
use integration_store::{GraphReader, Kind, MemoryGraph};
use neo4rs::{ConfigBuilder, Graph, query};
use serde_json::{Map, Value, json};
use server::{PASSWORD, Server};

/// The database of the tests.
struct Database {
    address: String,
    graph: Graph,
    stamps: bool,
}

impl Database {
    /// Empties the database of a server.
    async fn empty(server: &Server) -> Self {
        let config = ConfigBuilder::default().uri(server.address()).user("root").password(PASSWORD);
        let graph = Graph::connect(config.build().expect("a configuration")).expect("an address");
        graph.run(query("MATCH (n) DETACH DELETE n")).await.expect("an empty database");
        Self { address: server.address(), graph, stamps: false }
    }

    fn sink(&self) -> Neo4jSink {
        let target = Neo4jTarget::parse(&self.address).expect("an address").user("root").password(PASSWORD.into());
        Neo4jSink::new(target.layout(Layout { stamps: self.stamps }))
    }

    async fn rows(&self, statement: &str) -> Vec<Value> {
        let mut stream = self.graph.execute(query(statement)).await.expect("a result");
        let mut rows = Vec::new();
        while let Some(row) = stream.next().await.expect("a row") {
            rows.push(row.to::<Value>().expect("a map"));
        }
        rows
    }

    /// The labels, the type, or the ends of all objects, and their properties.
    async fn objects(&self) -> Vec<Value> {
        let mut objects = self.rows("MATCH (n:_Entity) RETURN labels(n) AS labels, properties(n) AS properties").await;
        for object in &mut objects {
            let labels = object["labels"].as_array_mut().expect("labels");
            labels.iter_mut().for_each(|label| *label = beginning(label));
            labels.sort_by_key(Value::to_string);
        }
        let edges =
            "MATCH (a)-[r]->(b) RETURN type(r) AS type, a._key AS from, b._key AS to, properties(r) AS properties";
        objects.extend(self.rows(edges).await);
        objects
    }
}

/// The beginning of a label. Long ones are cut.
fn beginning(label: &Value) -> Value {
    label.as_str().expect("a label").chars().take(100).collect::<String>().into()
}

/// The value that a property has in the database.
fn property(value: &Value) -> Option<Value> {
    let as_text = |value: &Value| if value.is_string() { value.clone() } else { json!(value.to_string()) };
    Some(match value {
        Value::Null => return None,
        Value::Number(number) if number.is_u64() && number.as_i64().is_none() => json!(number.to_string()),
        Value::Object(_) => json!(value.to_string()),
        Value::Array(items) => {
            let items: Vec<&Value> = items.iter().filter(|item| !item.is_null()).collect();
            let is = |test: fn(&Value) -> bool| items.iter().all(|item| test(item));
            if is(Value::is_i64) || is(Value::is_string) || is(Value::is_boolean) {
                json!(items)
            } else if is(Value::is_number) {
                items.iter().map(|item| item.as_f64()).collect()
            } else {
                items.into_iter().map(as_text).collect()
            }
        }
        other => other.clone(),
    })
}

impl conformance::Target for Database {
    fn sink(&self) -> Box<dyn Sink> {
        Box::new(self.sink())
    }

    async fn read(&self) -> Vec<Value> {
        let mut objects = self.objects().await;
        // Every transfer has its own name.
        for object in &mut objects {
            object["properties"].as_object_mut().expect("properties").remove("_transfer").expect("a name");
        }
        objects
    }

    fn expected(&self, record: &Record, manifest: &Manifest, snapshot: usize) -> Expected {
        let (object, id) = (&record.object, &manifest.snapshots[snapshot].id);
        let json: Map<String, Value> = serde_json::from_str(&object.properties).expect("JSON");
        let mut properties: Map<String, Value> = json
            .iter()
            .filter_map(|(name, value)| {
                let name = match name.as_str() {
                    "" => "_",
                    "_stale" => "_stale_2",
                    name => name,
                };
                Some((name.to_owned(), property(value)?))
            })
            .collect();
        properties.insert("_integrationType".to_owned(), json!(id.integration));
        properties.insert("_integrationInstanceID".to_owned(), json!(id.instance.as_str()));
        if object.is_stale {
            properties.insert("_stale".to_owned(), json!(true));
        }
        if let Some(raw) = object.raw.as_ref().filter(|_| manifest.with_raw) {
            properties.insert("_rawData".to_owned(), json!(raw));
        }
        match (object.kind, &object.ends) {
            (Kind::Entity, _) => {
                let classes = match &json["_class"] {
                    Value::Array(classes) => classes.clone(),
                    class => vec![class.clone()],
                };
                properties.insert("_class".to_owned(), json!(classes));
                let mut labels = [vec![json!("_Entity"), json["_type"].clone()], classes].concat();
                labels.iter_mut().for_each(|label| *label = beginning(label));
                labels.sort_by_key(Value::to_string);
                Expected::of(json!({"labels": labels, "properties": properties}))
            }
            // The conformance suite names an entity that is in no graph.
            (Kind::Relationship, Some((from, to))) if to.as_str() != "user:gone" => Expected::of(json!({
                "type": json["_class"], "from": from.as_str(), "to": to.as_str(), "properties": properties
            })),
            _ => Expected::Refused,
        }
    }
}

fn object(key: &str, object_type: &str, class: &str, more: Value) -> Value {
    let mut object = json!({"_key": key, "_type": object_type, "_class": class});
    object.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    object
}

fn user(key: &str, more: Value) -> Value {
    object(key, "acme_user", "User", more)
}

fn reader(objects: impl IntoIterator<Item = Value>) -> Arc<dyn GraphReader> {
    Arc::new(MemoryGraph::of(objects).expect("a graph"))
}

async fn source(objects: impl IntoIterator<Item = Value>) -> SnapshotSource {
    SnapshotSource::open(vec![reader(objects)], &SourceOptions::default()).await.expect("a source")
}

async fn put(database: &Database, objects: impl IntoIterator<Item = Value>) -> Report {
    let source = source(objects).await;
    transfer(&mut database.sink(), &source, &Events::ignored(), pending()).await.expect("a transfer")
}

/// One test, because all of them share one server.
#[test]
fn the_sink_writes_a_graph_into_a_real_server() {
    let Some(server) = Server::start() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        conformance::check(async || Database::empty(&server).await, Contents::Changed).await;
        labels_follow_types_and_classes(&Database::empty(&server).await).await;
        hostile_names(&Database::empty(&server).await).await;
        objects_of_an_import(&Database::empty(&server).await).await;
        changed_relationships(&Database::empty(&server).await).await;
        two_transfers_at_once(&Database::empty(&server).await).await;
        stamps(&Database { stamps: true, ..Database::empty(&server).await }).await;
        changes_that_do_not_fit(&Database::empty(&server).await).await;
        refused_connections(&server).await;
        scripts(&server).await;
    });
}

async fn labels_follow_types_and_classes(database: &Database) {
    put(database, [user("1", json!({"lost": 1})), user("2", json!({}))]).await;
    database.graph.run(query("MATCH (n {_key: '1'}) SET n:Mine")).await.expect("a label");
    let group = object("1", "acme_group", "Group", json!({}));
    put(database, [group, user("2", json!({}))]).await;
    let labels = database.rows("MATCH (n {_key: '1'}) UNWIND labels(n) AS label RETURN label ORDER BY label").await;
    let labels: Vec<&Value> = labels.iter().map(|row| &row["label"]).collect();
    assert_eq!(labels, ["Group", "Mine", "_Entity", "acme_group"], "labels of other programs stay");
    let left = database.rows("MATCH (n:User) RETURN count(n) AS users").await;
    assert_eq!(left, [json!({"users": 1})]);
}

async fn hostile_names(database: &Database) {
    let name = "x`) DETACH DELETE n // \\u0060";
    let hostile = json!({"_key": "h", "_type": "acme_user", "_class": [name, "User"], name: name});
    let link = |class: &str| {
        json!({"_key": format!("h|{class}|h"), "_type": "acme_user_x_user", "_class": class,
               "_fromEntityKey": "h", "_toEntityKey": "h"})
    };
    // Two classes between the same nodes stay apart. The server of the tests has one namespace for labels and types.
    let report = put(database, [hostile, link(&format!("y{name}")), link("HAS")]).await;
    assert_eq!((report.written(), report.skipped()), (3, 0));
    let objects = database.objects().await;
    assert_eq!(objects.len(), 3);
    assert_eq!(objects[0]["properties"][name], json!(name));
    let is_plain = |label: &Value| *label == json!("x`) DETACH DELETE n // _u0060");
    assert!(objects[0]["labels"].as_array().expect("labels").iter().any(is_plain), "{}", objects[0]);
}

/// An import of files gives objects another name of the transfer, or none.
async fn objects_of_an_import(database: &Database) {
    let link = json!({"_key": "1|has|2", "_type": "acme_user_has_user", "_class": "HAS",
                      "_fromEntityKey": "1", "_toEntityKey": "2"});
    put(database, [user("1", json!({})), user("2", json!({})), user("3", json!({})), link]).await;
    database.graph.run(query("MATCH (n:_Entity) WHERE n._key <> '3' REMOVE n._transfer")).await.expect("no name");
    database.graph.run(query("MATCH ()-[r]->() REMOVE r._transfer")).await.expect("no name");
    let foreign =
        "CREATE (:_Entity {_key: '9', _integrationType: 'acme', _integrationInstanceID: 'other'}), (:Mine {_key: '8'})";
    database.graph.run(query(foreign)).await.expect("nodes of others");
    let report = put(database, [user("1", json!({}))]).await;
    assert_eq!(report.deleted(), 3, "two entities and a relationship: {report:?}");
    let left = database.rows("MATCH (n) WHERE n._key IS NOT NULL RETURN n._key AS key ORDER BY key").await;
    assert_eq!(left, ["1", "8", "9"].map(|key| json!({"key": key})));
}

fn link(class: &str, to: &str) -> Value {
    json!({"_key": "link", "_type": "acme_user_x_user", "_class": class, "_fromEntityKey": "1", "_toEntityKey": to})
}

/// A relationship with another class or end replaces the former one.
async fn changed_relationships(database: &Database) {
    let users = || [user("1", json!({})), user("2", json!({}))];
    let mut older = reader(users().into_iter().chain([link("HAS", "2")]));
    put(database, users().into_iter().chain([link("HAS", "2")])).await;
    for (class, to) in [("OWNS", "2"), ("OWNS", "1")] {
        let newer = reader(users().into_iter().chain([link(class, to)]));
        let change = ChangedObject {
            kind: Kind::Relationship,
            object_type: integration_graph::ObjectType::literal("acme_user_x_user"),
            key: integration_graph::ObjectKey::stored("link").expect("a key"),
            action: Action::Changed,
        };
        let changes = InstanceChanges { newer: newer.clone(), older: Some(older), changes: vec![change] };
        let source = ChangeSource::open(vec![changes], &SourceOptions::default()).await.expect("changes");
        transfer(&mut database.sink(), &source, &Events::ignored(), pending()).await.expect("a transfer");
        let found = database.rows("MATCH ()-[r]->(b) RETURN type(r) AS class, b._key AS to").await;
        assert_eq!(found, [json!({"class": class, "to": to})]);
        older = newer;
    }
}

/// The later of two transfers continues, and the earlier one writes nothing more.
async fn two_transfers_at_once(database: &Database) {
    let source = source([user("1", json!({}))]).await;
    let mut first = database.sink();
    first.open(source.manifest(), Events::ignored()).await.expect("an open sink");
    put(database, [user("1", json!({})), user("2", json!({}))]).await;
    let error = first.close().await.expect_err("another transfer").to_string();
    assert!(error.contains("another export has begun to write the instance default"), "{error}");
    let left = database.rows("MATCH (n:_Entity) RETURN count(n) AS users").await;
    assert_eq!(left, [json!({"users": 2})], "the first transfer has deleted nothing");
}

async fn stamps(database: &Database) {
    put(database, [user("1", json!({})), user("2", json!({"id": "own"}))]).await;
    let query =
        "MATCH (n:_Entity) RETURN n.id AS id, n.firstseen IS NOT NULL AS first, n.lastupdated AS last ORDER BY n._key";
    let rows = database.rows(query).await;
    assert_eq!((&rows[0]["id"], &rows[1]["id"], &rows[0]["first"]), (&json!("1"), &json!("own"), &json!(true)));
    assert_eq!(rows[0]["last"], rows[1]["last"], "all objects of a transfer share one stamp");
    let graph = || reader([user("1", json!({}))]);
    let changes = InstanceChanges { newer: graph(), older: Some(graph()), changes: Vec::new() };
    let source = ChangeSource::open(vec![changes], &SourceOptions::default()).await.expect("changes");
    transfer(&mut database.sink(), &source, &Events::ignored(), pending()).await.expect("the same layout");
    let target = Neo4jTarget::parse(&database.address).expect("an address").user("root").password(PASSWORD.into());
    let error = transfer(&mut Neo4jSink::new(target), &source, &Events::ignored(), pending()).await;
    let error = error.expect_err("another layout").to_string();
    assert!(error.contains("have stamps, and changed objects would have none"), "{error}");
}

/// A transfer that is dropped after a batch.
async fn interrupt(database: &Database, source: &dyn Source) {
    let mut sink = database.sink();
    sink.open(source.manifest(), Events::ignored()).await.expect("an open sink");
    let reader = reader([user("new", json!({}))]);
    let objects = reader.scan(integration_store::Selection::default());
    let objects: Vec<_> = futures::TryStreamExt::try_concat(objects).await.expect("objects");
    let record = Record { action: Action::Added, object: objects[0].clone() };
    let (kind, object_type) = (record.object.kind, record.object.object_type.clone());
    sink.write(Batch { kind, object_type, snapshot: 0, records: vec![record] }).await.expect("a written batch");
}

async fn changes_that_do_not_fit(database: &Database) {
    let (kind, key) = (Kind::Entity, "1");
    let changes = |newer: Arc<dyn GraphReader>, older: Option<Arc<dyn GraphReader>>| async move {
        let object = newer.scan(integration_store::Selection::default());
        let object = futures::TryStreamExt::try_concat(object).await.expect("objects").remove(0);
        let change = ChangedObject { kind, object_type: object.object_type, key: object.key, action: Action::Changed };
        let changes = InstanceChanges { newer, older, changes: vec![change] };
        ChangeSource::open(vec![changes], &SourceOptions::default()).await.expect("changes")
    };
    let graph = || reader([user(key, json!({}))]);
    let source = changes(graph(), Some(graph())).await;
    let transferred = async || transfer(&mut database.sink(), &source, &Events::ignored(), pending()).await;
    let error = transferred().await.expect_err("no snapshot yet");
    assert!(matches!(&error, SinkError::Unsuitable(text) if text.contains("no snapshot")), "{error}");
    assert_eq!(database.sink().recorded().await.expect("no snapshots"), []);
    put(database, [user(key, json!({}))]).await;
    assert_eq!(database.sink().recorded().await.expect("a snapshot").len(), 1);
    transferred().await.expect("the changes fit");
    // After an interruption, only the same transfer and whole ones fit.
    interrupt(database, &source).await;
    transferred().await.expect("the same transfer again");
    let later = {
        let conformance = conformance::graphs().into_iter().find(|graph| graph.name == "lists").expect("the graph");
        conformance.source(false).await
    };
    interrupt(database, &later).await;
    let marked = database.rows("MATCH (n:_Snapshot) WHERE n._pending IS NOT NULL RETURN n._pending AS pending").await;
    assert_eq!(marked.len(), 1, "the database contains a part of another snapshot");
}

async fn refused_connections(server: &Server) {
    let put = async |target: Neo4jTarget| {
        let source = source([user("1", json!({}))]).await;
        let result = transfer(&mut Neo4jSink::new(target), &source, &Events::ignored(), pending()).await;
        result.expect_err("no connection").to_string()
    };
    let target = || Neo4jTarget::parse(&server.address()).expect("an address").user("root");
    let error = put(target().password("wr0ng".into())).await;
    assert!(error.contains("cannot connect to Neo4j at 127.0.0.1") && !error.contains("wr0ng"), "{error}");
    // The server has no certificate, and the client does not fall back to a plain connection.
    let encrypted = server.address().replace("bolt://", "bolt+s://");
    put(Neo4jTarget::parse(&encrypted).expect("an address").password(PASSWORD.into())).await;
}

/// The statements of a script have the effect of a transfer.
async fn scripts(server: &Server) {
    use conformance::Target;
    use futures::TryStreamExt;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("graph.cypher");
    for graph in conformance::graphs().into_iter().filter(|graph| graph.name != "large raw data") {
        let database = Database::empty(server).await;
        let source = graph.source(true).await;
        let mut sink = CypherScript::new(&path, Layout::default());
        let report = transfer(&mut sink, &source, &Events::ignored(), pending()).await.expect("a script");
        let script = std::fs::read_to_string(&path).expect("a file");
        for _ in 0..2 {
            for statement in script.split_terminator(";\n") {
                database.graph.run(query(statement)).await.unwrap_or_else(|error| panic!("{error}: {statement:.2000}"));
            }
        }
        let batches: Vec<Batch> = source.read(true, None).try_collect().await.expect("the objects");
        let expected = |batch: &Batch| -> Vec<Expected> {
            let of = |record| database.expected(record, source.manifest(), batch.snapshot);
            batch.records.iter().map(of).collect()
        };
        let mut expected: Vec<String> = batches
            .iter()
            .flat_map(expected)
            .filter_map(|expected| if let Expected::Written(value) = expected { Some(value) } else { None })
            // A script has no place for the character NUL.
            .map(|value| value.to_string().replace("\\u0000", "\u{fffd}"))
            .collect();
        let mut found: Vec<String> = Target::read(&database).await.iter().map(Value::to_string).collect();
        expected.sort();
        found.sort();
        assert_eq!(report.written(), expected.len() as u64, "{}", graph.name);
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{}", graph.name);
        }
        assert_eq!(found.len(), expected.len(), "{}", graph.name);
    }
}
