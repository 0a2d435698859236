//! Tables: CSV, NDJSON, Parquet, SQLite.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;

use futures::executor::block_on;
use integration_sink::conformance::{Contents, Expected, Target, check};
use integration_sink::{Cell, Manifest, Record, Sink, Table, TransferKind};
use integration_sink_files::{Sqlite, TableFolder};
use integration_store::Kind;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::{Value, json};

use super::{files, parted, place};

/// A target with the form of its cells.
struct Tables {
    place: tempfile::TempDir,
    sink: fn(&std::path::Path) -> Box<dyn Sink>,
    read: fn(PathBuf) -> Vec<Value>,
    cell: fn(&Cell<'_>) -> Value,
}

impl Tables {
    fn check(
        sink: fn(&std::path::Path) -> Box<dyn Sink>,
        read: fn(PathBuf) -> Vec<Value>,
        cell: fn(&Cell<'_>) -> Value,
    ) {
        let create = async || Self { place: place(), sink, read, cell };
        block_on(check(create, Contents::Replaced));
    }
}

impl Target for Tables {
    fn sink(&self) -> Box<dyn Sink> {
        (self.sink)(&self.place.path().join("target"))
    }

    async fn read(&self) -> Vec<Value> {
        (self.read)(self.place.path().join("target"))
    }

    /// Returns the cells with a value by the names of their columns.
    fn expected(&self, record: &Record, manifest: &Manifest, snapshot: usize) -> Expected {
        let object = &record.object;
        let of_type = manifest.types.iter().find(|of| of.kind == object.kind && of.object_type == object.object_type);
        let table = Table::new(of_type.expect("a type"), manifest.transfer, manifest.with_raw, &BTreeMap::new());
        let mut row = Vec::new();
        table.fill(record, &manifest.snapshots[snapshot].id, &mut row).expect("a row");
        let cells = table.columns.iter().zip(&row).filter(|(_, cell)| **cell != Cell::Null);
        Expected::Written(cells.map(|(column, cell)| (column.name.clone(), (self.cell)(cell))).collect())
    }
}

/// Returns a cell with all types that JSON has.
fn typed(cell: &Cell<'_>) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Boolean(value) => json!(value),
        Cell::Integer(value) | Cell::Timestamp(value) => json!(value),
        Cell::Double(value) => json!(value),
        Cell::Text(text) => json!(text),
        Cell::List(elements) => elements.iter().map(typed).collect(),
    }
}

#[test]
fn parquet_conforms() {
    fn value(field: &Field) -> Value {
        match field {
            Field::Null => Value::Null,
            Field::Bool(value) => json!(value),
            Field::Long(value) | Field::TimestampMillis(value) => json!(value),
            Field::Double(value) => json!(value),
            Field::Str(text) => json!(text),
            Field::ListInternal(list) => list.elements().iter().map(value).collect(),
            other => panic!("the field {other:?} is of an undocumented type"),
        }
    }
    let read = |target: PathBuf| {
        let mut objects = Vec::new();
        for path in files(&target).iter().filter(|path| path.extension().is_some_and(|end| end == "parquet")) {
            let reader = SerializedFileReader::new(File::open(path).expect("a file")).expect("a Parquet file");
            for row in reader.get_row_iter(None).expect("rows") {
                let row = row.expect("a row");
                let cells = row.get_column_iter().map(|(name, field)| (name.clone(), value(field)));
                objects.push(cells.filter(|(_, value)| !value.is_null()).collect());
            }
        }
        objects
    };
    Tables::check(|path| Box::new(TableFolder::parquet(path)), read, typed);
}

#[test]
fn sqlite_conforms() {
    let read = |target: PathBuf| {
        let database = Connection::open(target).expect("a database");
        let mut names = database.prepare("SELECT DISTINCT \"table\" FROM _columns").expect("the tables");
        let names: Vec<String> =
            names.query_map([], |row| row.get(0)).expect("names").collect::<Result<_, _>>().expect("names");
        let mut objects = Vec::new();
        for name in names {
            let mut rows = database.prepare(&format!("SELECT * FROM \"{name}\"")).expect("a table");
            let columns: Vec<String> = rows.column_names().map(str::to_owned).collect();
            let mut rows = rows.query([]).expect("rows");
            while let Some(row) = rows.next().expect("a row") {
                let cells = columns.iter().enumerate().map(|(at, name)| {
                    let value = match row.get_ref(at).expect("a value") {
                        ValueRef::Null => Value::Null,
                        ValueRef::Integer(value) => json!(value),
                        ValueRef::Real(value) => json!(value),
                        ValueRef::Text(text) => json!(std::str::from_utf8(text).expect("UTF-8")),
                        ValueRef::Blob(_) => panic!("a blob in {name}"),
                    };
                    (name.clone(), value)
                });
                objects.push(cells.filter(|(_, value)| !value.is_null()).collect());
            }
        }
        objects
    };
    let cell = |cell: &Cell<'_>| match cell {
        Cell::Boolean(value) => json!(i64::from(*value)),
        list @ Cell::List(_) => json!(typed(list).to_string()),
        other => typed(other),
    };
    Tables::check(|path| Box::new(Sqlite::new(path)), read, cell);
}

/// Parses CSV. A field that is empty and not quoted is absent.
fn csv(text: &str) -> Vec<Vec<Option<String>>> {
    let (mut rows, mut row, mut letters) = (Vec::new(), Vec::new(), text.chars().peekable());
    while letters.peek().is_some() {
        let mut field = None;
        if letters.next_if_eq(&'"').is_some() {
            let mut quoted = String::new();
            loop {
                match letters.next().expect("a closing quote") {
                    '"' if letters.next_if_eq(&'"').is_none() => break,
                    letter => quoted.push(letter),
                }
            }
            field = Some(quoted);
        } else {
            while let Some(letter) = letters.next_if(|letter| !matches!(letter, ',' | '\r' | '\n' | '"')) {
                field.get_or_insert_with(String::new).push(letter);
            }
        }
        row.push(field);
        match letters.next() {
            Some(',') => {}
            Some('\r') => {
                assert_eq!(letters.next(), Some('\n'));
                rows.push(std::mem::take(&mut row));
            }
            other => panic!("{other:?} after a field"),
        }
    }
    rows
}

#[test]
fn csv_conforms() {
    let read = |target: PathBuf| {
        let mut objects = Vec::new();
        for path in files(&target).iter().filter(|path| path.extension().is_some_and(|end| end == "csv")) {
            let mut rows = csv(&fs::read_to_string(path).expect("a file")).into_iter();
            let names: Vec<String> = rows.next().expect("a header").into_iter().flatten().collect();
            for row in rows {
                assert_eq!(row.len(), names.len(), "the fields of a row");
                let cells = names.iter().cloned().zip(row);
                // A reader removes one apostrophe from each text that begins with it.
                let text = |cell: String| cell.strip_prefix('\'').map(str::to_owned).unwrap_or(cell);
                objects.push(cells.filter_map(|(name, cell)| Some((name, json!(text(cell?))))).collect());
            }
        }
        objects
    };
    let cell = |cell: &Cell<'_>| match cell {
        Cell::Timestamp(0) => json!("1970-01-01T00:00:00.000Z"),
        Cell::Timestamp(1) => json!("1970-01-01T00:00:00.001Z"),
        Cell::Timestamp(1_700_000_000_123) => json!("2023-11-14T22:13:20.123Z"),
        Cell::Timestamp(other) => panic!("the form of the time {other} is not known"),
        Cell::Text(_) => typed(cell),
        other => json!(typed(other).to_string()),
    };
    Tables::check(|path| Box::new(TableFolder::csv(path)), read, cell);
}

struct Ndjson(tempfile::TempDir);

impl Target for Ndjson {
    fn sink(&self) -> Box<dyn Sink> {
        Box::new(TableFolder::ndjson(&self.0.path().join("target")))
    }

    async fn read(&self) -> Vec<Value> {
        let mut objects = Vec::new();
        for path in files(&self.0.path().join("target")) {
            if path.extension().is_some_and(|end| end == "ndjson") {
                objects.extend(fs::read_to_string(path).expect("a file").lines().map(parted));
            }
        }
        objects
    }

    fn expected(&self, record: &Record, manifest: &Manifest, snapshot: usize) -> Expected {
        let (object, id) = (&record.object, &manifest.snapshots[snapshot].id);
        let mut json = parted(&object.properties);
        for own in ["_stale", "_instance", "_change"] {
            if let Some(mine) = json.as_object_mut().expect("an object").remove(own) {
                json[format!("{own}_2")] = mine;
            }
        }
        json["_integration"] = json!(id.integration);
        json["_instance"] = json!(id.instance);
        json["_stale"] = json!(object.is_stale);
        (json["_firstSeenOn"], json["_changedOn"]) = (json!(0), json!(0));
        if manifest.transfer == TransferKind::Changes {
            json["_change"] = json!(record.action.as_str());
        }
        if let Some(raw) = &object.raw {
            json["_rawData"] = json!(raw);
        }
        assert!(matches!(object.kind, Kind::Entity | Kind::Relationship | Kind::MappedRelationship));
        Expected::Written(json)
    }
}

#[test]
fn ndjson_conforms() {
    block_on(check(async || Ndjson(place()), Contents::Replaced));
}
