//! The tables that describe the others: names, columns, and the last transfers.

use std::collections::{BTreeMap, BTreeSet};

use integration_graph::ObjectType;
use integration_sink::{Manifest, ManifestSnapshot, RecordedPublication, RecordedSnapshot, ValueType, kind_name};
use integration_store::Kind;
use tokio_postgres::{Client, Error, Row};

use crate::names::quoted;

/// The names of the describing tables.
const OWN: [&str; 3] = ["_tables", "_columns", SNAPSHOTS];
const SNAPSHOTS: &str = "_snapshots";

/// Reads the recorded snapshots of a schema, which need not exist. It waits for no transfer.
pub(crate) async fn recorded(client: &Client, schema: &str) -> Result<Vec<RecordedSnapshot>, Error> {
    let table = format!("{}.{}", quoted(schema), quoted(SNAPSHOTS));
    let found = client.query_one("SELECT to_regclass($1::text) IS NOT NULL", &[&table]).await?;
    if found.get(0) { read(client, &table).await } else { Ok(Vec::new()) }
}

async fn read(client: &Client, table: &str) -> Result<Vec<RecordedSnapshot>, Error> {
    let rows = client.query(&format!("SELECT * FROM {table}"), &[]).await?;
    let snapshot = |row: &Row| {
        // A table of an earlier version lacks the last columns.
        let job: Option<String> = row.try_get("job").ok().flatten();
        let number: Option<i64> = row.try_get("number").ok().flatten();
        let with_raw = row.try_get("with_raw").ok().flatten();
        let whole = job.zip(number);
        RecordedSnapshot {
            integration: row.get("integration"),
            instance: row.get("instance"),
            whole: whole.map(|(job, number)| RecordedPublication { job, number: number.unsigned_abs(), with_raw }),
            part: row.try_get("part").ok().flatten(),
        }
    };
    Ok(rows.iter().map(snapshot).collect())
}

/// A table of an earlier transfer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KnownTable {
    pub(crate) name: String,
    pub(crate) columns: Vec<KnownColumn>,
}

/// A column of an earlier transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownColumn {
    pub(crate) name: String,
    /// The property; `None` for a column about the object, such as `_stale`.
    pub(crate) property: Option<String>,
    pub(crate) value_type: ValueType,
}

/// The description of a schema.
#[derive(Debug)]
pub(crate) struct Catalogue {
    schema: String,
    pub(crate) tables: BTreeMap<(Kind, ObjectType), KnownTable>,
    pub(crate) snapshots: Vec<RecordedSnapshot>,
}

impl Catalogue {
    /// Locks the schema for this transaction, creates it if necessary, and reads its description.
    pub(crate) async fn open(client: &Client, schema: &str) -> Result<Self, Error> {
        let lock = format!("integration-sink-postgres/{schema}");
        client.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", &[&lock]).await?;
        // A user may use a schema without the right to create one.
        if client.query_opt("SELECT 1 FROM pg_namespace WHERE nspname = $1", &[&schema]).await?.is_none() {
            client.batch_execute(&format!("CREATE SCHEMA {}", quoted(schema))).await?;
        }
        let of = |name: &str| format!("{}.{}", quoted(schema), quoted(name));
        let [tables, columns, snapshots] = OWN.map(of);
        client
            .batch_execute(&format!(
                "CREATE TABLE IF NOT EXISTS {tables} (kind text, type text, name text NOT NULL UNIQUE, PRIMARY KEY (kind, type));
                 CREATE TABLE IF NOT EXISTS {columns} (table_name text, name text, property text, value_type text NOT NULL,
                    PRIMARY KEY (table_name, name));
                 CREATE TABLE IF NOT EXISTS {snapshots} (integration text, instance text, job text, number bigint,
                    with_raw boolean, part text, published timestamptz NOT NULL, transferred timestamptz NOT NULL,
                    PRIMARY KEY (integration, instance))"
            ))
            .await?;
        // A table of an earlier version. Only its owner may alter it, so it is altered only if necessary.
        let has_part = "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass($1::text) AND attname = 'part'";
        if client.query_opt(has_part, &[&snapshots]).await?.is_none() {
            let alter = "ADD COLUMN with_raw boolean, ADD COLUMN part text, ALTER COLUMN job DROP NOT NULL, \
                         ALTER COLUMN number DROP NOT NULL";
            client.batch_execute(&format!("ALTER TABLE {snapshots} {alter}")).await?;
        }
        let mut catalogue = Self { schema: schema.to_owned(), tables: BTreeMap::new(), snapshots: Vec::new() };
        catalogue.read(client, &tables, &columns, &snapshots).await?;
        Ok(catalogue)
    }

    async fn read(&mut self, client: &Client, tables: &str, columns: &str, snapshots: &str) -> Result<(), Error> {
        for row in client.query(&format!("SELECT kind, type, name FROM {tables}"), &[]).await? {
            let (kind, object_type, name): (String, String, String) = (row.get(0), row.get(1), row.get(2));
            // A row of a later version of this crate names no table that this version writes.
            if let (Some(kind), Ok(object_type)) = (kind_of(&kind), ObjectType::new(object_type)) {
                self.tables.insert((kind, object_type), KnownTable { name, columns: Vec::new() });
            }
        }
        let query = format!("SELECT table_name, name, property, value_type FROM {columns} ORDER BY table_name, name");
        for row in client.query(&query, &[]).await? {
            let (table, name, property): (String, String, Option<String>) = (row.get(0), row.get(1), row.get(2));
            let value_type: String = row.get(3);
            let known = self.tables.values_mut().find(|known| known.name == table);
            if let (Some(known), Ok(value_type)) = (known, value_type.parse()) {
                known.columns.push(KnownColumn { name, property, value_type });
            }
        }
        self.snapshots = read(client, snapshots).await?;
        Ok(())
    }

    /// The names of all tables in the schema.
    pub(crate) fn taken(&self) -> BTreeSet<String> {
        let own = OWN.map(str::to_owned).into_iter();
        self.tables.values().map(|table| table.name.clone()).chain(own).collect()
    }

    /// The name of a table with its schema, as an SQL identifier.
    pub(crate) fn qualified(&self, table: &str) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(table))
    }

    /// Records a table with its columns.
    pub(crate) async fn record(
        &self,
        client: &Client,
        kind: Kind,
        object_type: &ObjectType,
        table: &KnownTable,
    ) -> Result<(), Error> {
        let insert = format!(
            "INSERT INTO {} (kind, type, name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            self.qualified("_tables")
        );
        client.execute(&insert, &[&kind_name(kind), &object_type.as_str(), &table.name]).await?;
        let insert = format!(
            "INSERT INTO {} (table_name, name, property, value_type) VALUES ($1, $2, $3, $4)
             ON CONFLICT (table_name, name) DO UPDATE SET value_type = excluded.value_type",
            self.qualified("_columns")
        );
        let insert = client.prepare(&insert).await?;
        for KnownColumn { name, property, value_type } in &table.columns {
            let value_type = value_type.to_string();
            client.execute(&insert, &[&table.name, name, property, &value_type]).await?;
        }
        Ok(())
    }

    /// Records the snapshots of a transfer. `published` is the time of the last snapshot that was written.
    pub(crate) async fn record_snapshots(&self, client: &Client, manifest: &Manifest) -> Result<(), Error> {
        let insert = format!(
            "INSERT INTO {} (integration, instance, job, number, with_raw, part, published, transferred)
             VALUES ($1, $2, $3, $4, $5, $6, to_timestamp($7::bigint / 1000.0), now())
             ON CONFLICT (integration, instance) DO UPDATE SET job = excluded.job, number = excluded.number,
             with_raw = excluded.with_raw, part = excluded.part, published = excluded.published,
             transferred = excluded.transferred",
            self.qualified(SNAPSHOTS)
        );
        for ManifestSnapshot { id, .. } in &manifest.snapshots {
            let recorded = self.snapshots.iter().find(|recorded| recorded.is_of(id)).cloned();
            let recorded = recorded.unwrap_or_else(|| RecordedSnapshot::nothing(id)).ended(manifest, id);
            let RecordedSnapshot { integration, instance, whole, part } = recorded;
            let number = whole.as_ref().map(|whole| i64::try_from(whole.number).unwrap_or(i64::MAX));
            let with_raw = whole.as_ref().and_then(|whole| whole.with_raw);
            let (job, published) = (whole.map(|whole| whole.job), id.published.millis());
            client.execute(&insert, &[&integration, &instance, &job, &number, &with_raw, &part, &published]).await?;
        }
        Ok(())
    }
}

fn kind_of(name: &str) -> Option<Kind> {
    [Kind::Entity, Kind::Relationship, Kind::MappedRelationship].into_iter().find(|kind| kind_name(*kind) == name)
}
