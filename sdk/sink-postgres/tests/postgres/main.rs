//! Transfers into a real PostgreSQL server.

mod server;

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use integration_sink::conformance::{self, Contents, Expected};
use integration_sink::{
    Cell, ChangeSource, Events, InstanceChanges, Manifest, Record, Report, Sink, SinkError, SnapshotSource,
    SourceOptions, Table, TransferKind, transfer,
};
use integration_sink_postgres::{PostgresSink, PostgresTarget};
use integration_store::{GraphReader, MemoryGraph};
use serde_json::{Map, Value, json};
use server::Server;
use tokio_postgres::{Client, NoTls};

/// A schema in the database of the tests.
struct Schema {
    address: String,
    name: String,
}

impl Schema {
    /// A schema with a new name.
    fn new(server: &Server) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("Schema \"{}\"", NUMBER.fetch_add(1, Ordering::Relaxed));
        Self { address: server.address(), name }
    }

    fn sink(&self) -> PostgresSink {
        PostgresSink::new(PostgresTarget::parse(&self.address).expect("an address").schema(&self.name))
    }

    async fn client(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.address, NoTls).await.expect("a connection");
        tokio::spawn(connection);
        client
    }

    fn of(&self, table: &str) -> String {
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        format!("{}.{}", quoted(&self.name), quoted(table))
    }

    /// The rows of all tables, by property and without absent values.
    async fn rows(&self) -> Vec<Value> {
        let client = self.client().await;
        let exists = client.query("SELECT 1 FROM pg_namespace WHERE nspname = $1", &[&self.name]).await.expect("rows");
        if exists.is_empty() {
            return Vec::new();
        }
        let mut rows = Vec::new();
        let tables = client.query(&format!("SELECT name FROM {}", self.of("_tables")), &[]).await.expect("rows");
        for table in tables {
            let table: String = table.get(0);
            let query = format!("SELECT name, property, value_type FROM {} WHERE table_name = $1", self.of("_columns"));
            let columns = client.query(&query, &[&table]).await.expect("rows");
            let names: Vec<(String, Option<String>, String)> =
                columns.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
            let shown: Vec<String> = names
                .iter()
                .map(|(name, _, value_type)| {
                    let name = format!("\"{}\"", name.replace('"', "\"\""));
                    // Times are compared as milliseconds.
                    let time = |expression: &str| format!("(extract(epoch FROM {expression}) * 1000)::bigint");
                    match value_type.as_str() {
                        "timestamp" => time(&name),
                        "timestamp[]" => format!(
                            "CASE WHEN {name} IS NOT NULL THEN ARRAY(SELECT {} FROM unnest({name}) AS element) END",
                            time("element")
                        ),
                        _ => name,
                    }
                })
                .collect();
            let query = format!("SELECT json_build_array({})::text FROM {}", shown.join(", "), self.of(&table));
            for row in client.query(&query, &[]).await.expect("rows") {
                let values: Vec<Value> = serde_json::from_str(row.get(0)).expect("JSON");
                let named = names.iter().zip(values).filter(|(_, value)| !value.is_null());
                let object: Map<String, Value> = named
                    .map(|((name, property, _), value)| (property.clone().unwrap_or(name.clone()), normal(value)))
                    .collect();
                rows.push(Value::Object(object));
            }
        }
        rows
    }

    async fn number(&self, query: &str) -> i64 {
        self.client().await.query_one(query, &[]).await.expect("a row").get(0)
    }
}

/// A value in which equal numbers are equal.
fn normal(value: Value) -> Value {
    match value {
        Value::Number(number) if number.as_i64().is_none() => json!(number.as_f64()),
        Value::Number(number) => json!(number.as_i64().map(|integer| integer as f64)),
        Value::Array(items) => items.into_iter().map(normal).collect(),
        other => other,
    }
}

fn of_cell(cell: &Cell<'_>) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Boolean(value) => json!(value),
        Cell::Timestamp(value) | Cell::Integer(value) => json!(value),
        Cell::Double(value) => json!(value),
        // The database has no place for this character.
        Cell::Text(text) => json!(text.replace('\0', "\u{fffd}")),
        Cell::List(items) => items.iter().map(of_cell).collect(),
    }
}

impl conformance::Target for Schema {
    fn sink(&self) -> Box<dyn Sink> {
        Box::new(self.sink())
    }

    async fn read(&self) -> Vec<Value> {
        self.rows().await
    }

    fn expected(&self, record: &Record, manifest: &Manifest, snapshot: usize) -> Expected {
        let is_type = |of: &&integration_sink::ManifestType| {
            of.kind == record.object.kind && of.object_type == record.object.object_type
        };
        let of_type = manifest.types.iter().find(is_type).expect("the manifest lists every type");
        let table = Table::new(of_type, TransferKind::Whole, manifest.with_raw, &Default::default());
        let mut cells = Vec::new();
        table.fill(record, &manifest.snapshots[snapshot].id, &mut cells).expect("the surveyed types");
        let named = table.columns.iter().zip(&cells).filter(|(_, cell)| **cell != Cell::Null);
        let object: Map<String, Value> = named
            .map(|(column, cell)| (column.origin.property().unwrap_or(&column.name).to_owned(), normal(of_cell(cell))))
            .collect();
        Expected::of(Value::Object(object))
    }
}

fn user(key: &str, more: Value) -> Value {
    let mut user = json!({"_key": key, "_type": "acme_user", "_class": ["User"]});
    let members = user.as_object_mut().expect("an object");
    members.extend(more.as_object().expect("an object").clone());
    user
}

async fn put(schema: &Schema, objects: impl IntoIterator<Item = Value>) -> Result<Report, SinkError> {
    let reader: Arc<dyn GraphReader> = Arc::new(MemoryGraph::of(objects).expect("a graph"));
    let source = SnapshotSource::open(vec![reader], &SourceOptions::default()).await.expect("a source");
    transfer(&mut schema.sink(), &source, &Events::ignored(), pending()).await
}

/// One test, because all of them share one server.
#[test]
fn the_sink_writes_tables_into_a_real_server() {
    let Some(server) = Server::start() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        conformance::check(async || Schema::new(&server), Contents::Changed).await;
        added_and_wider_properties(&Schema::new(&server)).await;
        unchanged_rows(&Schema::new(&server)).await;
        replaced_characters(&Schema::new(&server)).await;
        hostile_names(&Schema::new(&server)).await;
        changes_that_do_not_fit(&Schema::new(&server)).await;
        refused_connections(&server).await;
    });
}

async fn added_and_wider_properties(schema: &Schema) {
    put(schema, [user("1", json!({"n": 1, "seenOn": 1_000, "flag": true, "list": [1]}))]).await.expect("a transfer");
    put(schema, [user("1", json!({"n": 1.5, "seenOn": "never", "flag": "no", "list": ["x"], "new": "value"}))])
        .await
        .expect("a transfer");
    let rows = schema.rows().await;
    let [row] = &rows[..] else { panic!("one row: {rows:?}") };
    assert_eq!(
        [&row["n"], &row["seenOn"], &row["flag"], &row["list"], &row["new"]],
        [&json!(1.5), &json!("never"), &json!("no"), &json!(["x"]), &json!("value")]
    );
    // Columns never become narrower, and a property that is gone has no value.
    put(schema, [user("1", json!({"n": 2, "list": "single"}))]).await.expect("a transfer");
    let rows = schema.rows().await;
    assert_eq!([&rows[0]["n"], &rows[0]["list"], &rows[0]["new"]], [&json!(2.0), &json!(["single"]), &Value::Null]);
}

async fn unchanged_rows(schema: &Schema) {
    let users = || (0..500).map(|number| user(&format!("{number:04}"), json!({"number": number})));
    put(schema, users()).await.expect("a transfer");
    let version = format!("SELECT max(xmin::text::bigint) FROM {}", schema.of("acme_user"));
    let before = schema.number(&version).await;
    put(schema, users()).await.expect("a transfer");
    assert_eq!(schema.number(&version).await, before, "an unchanged row is not written again");
    let report = put(schema, users().skip(1)).await.expect("a transfer");
    assert_eq!((report.written(), report.unchanged(), report.deleted()), (0, 499, 1));
    let report = put(schema, [json!({"_key": "t", "_type": "acme_team", "_class": "Team"})]).await.expect("a transfer");
    assert_eq!((report.deleted(), schema.rows().await.len()), (499, 1), "a type without objects has no rows");
}

async fn replaced_characters(schema: &Schema) {
    let report = put(schema, [user("1", json!({"name": "a\0"})), user("2", json!({"name": "a"}))]).await;
    assert_eq!(report.expect("a transfer").altered(), 1);
}

async fn hostile_names(schema: &Schema) {
    let long = "x".repeat(100);
    let names = ["\"; DROP SCHEMA public; --", "ä ö", "Name", "name", "tag.a-b", &long, &format!("{long}y")];
    let properties: Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), json!(*name))).collect();
    put(schema, [user("1", Value::Object(properties.clone()))]).await.expect("a transfer");
    let rows = schema.rows().await;
    for name in names {
        assert_eq!(rows[0][name], json!(name));
    }
    put(schema, [user("1", Value::Object(properties))]).await.expect("names are stable");
    assert_eq!(schema.rows().await, rows);
}

async fn changes_that_do_not_fit(schema: &Schema) {
    let reader = || Arc::new(MemoryGraph::of([user("1", json!({}))]).expect("a graph")) as Arc<dyn GraphReader>;
    let changes = InstanceChanges { newer: reader(), older: Some(reader()), changes: Vec::new() };
    let source = ChangeSource::open(vec![changes], &SourceOptions::default()).await.expect("changes");
    let error =
        transfer(&mut schema.sink(), &source, &Events::ignored(), pending()).await.expect_err("no snapshot yet");
    assert!(matches!(&error, SinkError::Unsuitable(text) if text.contains("no snapshot")), "{error}");
    assert_eq!(schema.sink().recorded().await.expect("no snapshots"), []);
    put(schema, [user("1", json!({}))]).await.expect("a transfer");
    assert_eq!(schema.sink().recorded().await.expect("a snapshot").len(), 1);
    transfer(&mut schema.sink(), &source, &Events::ignored(), pending()).await.expect("the changes fit");
}

async fn refused_connections(server: &Server) {
    let address = server.address().replace("/postgres", "/none").replace("//postgres", "//nobody");
    let schema = Schema { address, name: "x".to_owned() };
    let error = put(&schema, [user("1", json!({}))]).await.expect_err("no such database").to_string();
    assert!(error.contains("cannot connect to PostgreSQL at 127.0.0.1"), "{error}");
    // The server has no certificate, and the client does not fall back to a plain connection.
    let schema = Schema { address: format!("{}?sslmode=require", server.address()), name: "x".to_owned() };
    let error = put(&schema, [user("1", json!({}))]).await.expect_err("no encryption").to_string();
    assert!(error.to_lowercase().contains("tls"), "{error}");
}
