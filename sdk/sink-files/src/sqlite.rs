//! A SQLite database with one table for each type.
//!
//! | type | SQLite |
//! | --- | --- |
//! | boolean | `INTEGER`, 0 or 1 |
//! | integer | `INTEGER` |
//! | double | `REAL` |
//! | timestamp | `INTEGER`, milliseconds since 1970 |
//! | text | `TEXT` |
//! | list | `TEXT`, a JSON list |
//!
//! A table has the name of its type, and an index of the keys or the ends. The table `_columns` lists the columns
//! with their types and properties, and `_manifest` contains the snapshots and gaps as JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use integration_files::owner_only::Kind as EntryKind;
use integration_files::staging::Staging;
use integration_graph::ObjectType;
use integration_sink::{
    Batch, BlockingSink, Capabilities, Cell, Element, Manifest, Report, SinkError, Table, ValueType, kind_name,
};
use integration_store::Kind;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, OpenFlags, ToSql, params, params_from_iter};

use crate::csv::json;

const COLUMNS: &str = "CREATE TABLE _columns (\"table\" TEXT NOT NULL, kind TEXT NOT NULL, type TEXT NOT NULL, \
                       \"column\" TEXT NOT NULL, value_type TEXT NOT NULL, property TEXT); \
                       CREATE TABLE _manifest (document TEXT NOT NULL);";

/// The properties with their types, by kind and type of the objects.
type EarlierColumns = BTreeMap<(String, String), BTreeMap<String, ValueType>>;

/// A sink that writes a SQLite database.
pub struct Sqlite {
    path: PathBuf,
    transfer: Option<Transfer>,
}

struct Transfer {
    staging: Staging,
    database: Connection,
    manifest: Manifest,
    earlier: EarlierColumns,
    /// The names of the tables in lower case.
    names: BTreeSet<String>,
    open: Option<OpenTable>,
    report: Report,
}

struct OpenTable {
    table: Table,
    name: String,
    insert: String,
}

impl Sqlite {
    /// Creates a sink that writes this file.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), transfer: None }
    }

    /// Reads the columns of the target, which must be the result of an earlier transfer.
    fn earlier(&self, target: Option<EntryKind>) -> Result<EarlierColumns, SinkError> {
        let unsuitable =
            |reason: &str| Err(SinkError::Unsuitable(format!("{} {reason}; choose another name", self.path.display())));
        match target {
            None => return Ok(EarlierColumns::new()),
            Some(EntryKind::File) => {}
            Some(_) => return unsuitable("is not a regular file"),
        }
        for suffix in ["-wal", "-journal"] {
            let mut log = OsString::from(&self.path);
            log.push(suffix);
            // The log of the earlier database would be applied to the new one.
            if Path::new(&log).exists() {
                return unsuitable("has a write-ahead log, so another program uses it");
            }
        }
        let read = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let database = Connection::open_with_flags(&self.path, flags)?;
            let sql = "SELECT kind, type, property, value_type FROM _columns WHERE property IS NOT NULL";
            let mut statement = database.prepare(sql)?;
            let mut rows = statement.query([])?;
            let mut columns = EarlierColumns::new();
            while let Some(row) = rows.next()? {
                if let Ok(value_type) = row.get_ref(3)?.as_str()?.parse() {
                    let of_type = columns.entry((row.get(0)?, row.get(1)?)).or_default();
                    of_type.insert(row.get(2)?, value_type);
                }
            }
            Ok::<_, rusqlite::Error>(columns)
        };
        match read() {
            Ok(columns) => Ok(columns),
            Err(_) => unsuitable("is not a database that an export wrote"),
        }
    }
}

impl Transfer {
    fn begin_table(&mut self, kind: Kind, object_type: &ObjectType) -> rusqlite::Result<()> {
        let Some(of_type) = self.manifest.of_type(kind, object_type) else {
            return Err(rusqlite::Error::InvalidQuery);
        };
        let earlier = self.earlier.get(&(kind_name(kind).to_owned(), object_type.to_string()));
        let earlier = earlier.cloned().unwrap_or_default();
        let table = Table::new(of_type, self.manifest.transfer, self.manifest.with_raw, &earlier);
        // Names that begin with `sqlite_` are reserved.
        let base = match object_type.as_str() {
            reserved if reserved.starts_with("sqlite_") => format!("_{reserved}"),
            name => name.to_owned(),
        };
        let mut names = std::iter::once(base.clone()).chain((2..).map(|number| format!("{base}_{number}")));
        let name = names.find(|name| self.names.insert(name.to_lowercase())).unwrap_or(base);
        let columns = table.columns.iter().map(|column| {
            let declared = match column.value_type {
                ValueType { is_list: true, .. } | ValueType { element: Element::Text, .. } => "TEXT",
                ValueType { element: Element::Double, .. } => "REAL",
                _ => "INTEGER",
            };
            format!("{} {declared}", quoted(&column.name))
        });
        let columns: Vec<String> = columns.collect();
        self.database.execute_batch(&format!("CREATE TABLE {} ({})", quoted(&name), columns.join(", ")))?;
        let places: Vec<String> = (1..=columns.len()).map(|at| format!("?{at}")).collect();
        let insert = format!("INSERT INTO {} VALUES ({})", quoted(&name), places.join(", "));
        self.open = Some(OpenTable { table, name, insert });
        Ok(())
    }

    fn end_table(&mut self) -> rusqlite::Result<()> {
        let Some(OpenTable { table, name, .. }) = self.open.take() else { return Ok(()) };
        let mut list = self.database.prepare_cached("INSERT INTO _columns VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        for column in &table.columns {
            let (kind, object_type) = (kind_name(table.kind), table.object_type.as_str());
            let value_type = column.value_type.to_string();
            list.execute(params![name, kind, object_type, column.name, value_type, column.origin.property()])?;
        }
        let indexed: &[&str] = match table.kind {
            Kind::Relationship => &["_fromEntityKey", "_toEntityKey"],
            Kind::Entity | Kind::MappedRelationship => &["_key"],
        };
        for column in indexed {
            let index = quoted(&format!("{name} by {column}"));
            self.database.execute_batch(&format!("CREATE INDEX {index} ON {} ({})", quoted(&name), quoted(column)))?;
        }
        Ok(())
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A cell as a parameter of a statement.
struct Bound<'a>(&'a Cell<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Cell::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Cell::Boolean(value) => ToSqlOutput::Borrowed(ValueRef::Integer((*value).into())),
            Cell::Integer(value) | Cell::Timestamp(value) => ToSqlOutput::Borrowed(ValueRef::Integer(*value)),
            Cell::Double(value) => ToSqlOutput::Borrowed(ValueRef::Real(*value)),
            Cell::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            list @ Cell::List(_) => ToSqlOutput::Owned(Value::Text(json(list).to_string())),
        })
    }
}

impl BlockingSink for Sqlite {
    fn capabilities(&self) -> Capabilities {
        Capabilities { columns: true, changes: true, raw: true }
    }

    fn begin(&mut self, manifest: &Manifest) -> Result<(), SinkError> {
        let failed = || SinkError::target::<io::Error>("write to", self.path.display());
        let staging = Staging::open(&self.path).map_err(SinkError::target("write to", self.path.display()))?;
        let target = staging.target().map_err(failed())?;
        let earlier = self.earlier(target)?;
        staging.create_file().map_err(failed())?;
        let create = || {
            let database = Connection::open(staging.path())?;
            // A killed process leaves an incomplete file, which is discarded, so a journal would be useless.
            database.execute_batch(
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; BEGIN;",
            )?;
            database.execute_batch(COLUMNS)?;
            Ok::<_, rusqlite::Error>(database)
        };
        let database = create().map_err(SinkError::target("write to", self.path.display()))?;
        let names = ["_columns", "_manifest"].map(str::to_owned).into();
        let manifest = manifest.clone();
        self.transfer =
            Some(Transfer { staging, database, manifest, earlier, names, open: None, report: Report::default() });
        Ok(())
    }

    fn add(&mut self, batch: &Batch) -> Result<(), SinkError> {
        let Some(transfer) = &mut self.transfer else { return Err(SinkError::Stopped) };
        let failed = || SinkError::target::<rusqlite::Error>("write", &batch.object_type);
        let is_open = |open: &OpenTable| (open.table.kind, &open.table.object_type) == (batch.kind, &batch.object_type);
        if !transfer.open.as_ref().is_some_and(is_open) {
            transfer.end_table().map_err(failed())?;
            transfer.begin_table(batch.kind, &batch.object_type).map_err(failed())?;
        }
        let Transfer { open: Some(open), manifest, database, report, .. } = transfer else {
            return Err(SinkError::Stopped);
        };
        let snapshot = &manifest.snapshots[batch.snapshot].id;
        let mut insert = database.prepare_cached(&open.insert).map_err(failed())?;
        let mut row = Vec::new();
        for record in &batch.records {
            open.table.fill(record, snapshot, &mut row).map_err(SinkError::target("write", &batch.object_type))?;
            insert.execute(params_from_iter(row.iter().map(Bound))).map_err(failed())?;
        }
        report.of(batch.kind, &batch.object_type).written += batch.records.len() as u64;
        Ok(())
    }

    fn end(&mut self) -> Result<Report, SinkError> {
        let Some(mut transfer) = self.transfer.take() else { return Err(SinkError::Stopped) };
        let target = self.path.display().to_string();
        let document = serde_json::to_string(&transfer.manifest.document());
        let document = document.map_err(SinkError::target("write", &target))?;
        let complete = |transfer: &mut Transfer| {
            transfer.end_table()?;
            transfer.database.execute("INSERT INTO _manifest VALUES (?1)", [&document])?;
            transfer.database.execute_batch("COMMIT")
        };
        complete(&mut transfer).map_err(SinkError::target("write", &target))?;
        let Transfer { staging, database, mut report, .. } = transfer;
        database.close().map_err(|(_, error)| error).map_err(SinkError::target("write", &target))?;
        let publish = || {
            let file = File::open(staging.path())?;
            file.sync_all()?;
            report.bytes = Some(file.metadata()?.len());
            report.files = Some(1);
            staging.publish_file()?;
            Ok::<_, io::Error>(report)
        };
        let report = publish().map_err(SinkError::target("write", &target))?;
        Ok(report)
    }

    fn discard(&mut self) {
        self.transfer = None;
    }
}
