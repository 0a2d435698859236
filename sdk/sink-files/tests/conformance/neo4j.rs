//! CSV files for the import into Neo4j, read by a parser of the test.

use std::collections::BTreeMap;

use integration_sink::conformance::{Contents, Expected, Target, check};
use integration_sink::{Cell, Manifest, ManifestType, Record, Sink, Table, TransferKind};
use integration_sink_files::Neo4jCsv;
use integration_store::Kind;
use serde_json::{Map, Value, json};

use futures::executor::block_on;

struct Folder(tempfile::TempDir);

impl Folder {
    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("neo4j")
    }
}

/// The records of a file. A field is `None` if it is empty and not quoted.
fn records(text: &str) -> Vec<Vec<Option<String>>> {
    let (mut records, mut letters) = (Vec::new(), text.chars().peekable());
    while letters.peek().is_some() {
        let mut record = Vec::new();
        loop {
            let mut field = String::new();
            let is_quoted = letters.next_if_eq(&'"').is_some();
            let end = loop {
                match letters.next().expect("a line ends") {
                    '"' if is_quoted && letters.next_if_eq(&'"').is_some() => field.push('"'),
                    '"' if is_quoted => break letters.next().expect("a line ends"),
                    end @ (',' | '\n') if !is_quoted => break end,
                    letter => field.push(letter),
                }
            };
            record.push((is_quoted || !field.is_empty()).then_some(field));
            if end == '\n' {
                break;
            }
        }
        records.push(record);
    }
    records
}

/// The texts of a row by the names of their columns, in the order of the names.
fn row(header: &[Option<String>], record: Vec<Option<String>>) -> Value {
    let name = |name: &Option<String>| name.clone().expect("a name");
    let named = header.iter().zip(record).filter_map(|(column, field)| Some((name(column), json!(field?))));
    Value::Object(named.collect::<Map<String, Value>>())
}

fn text(cell: &Cell<'_>) -> Option<String> {
    Some(match cell {
        Cell::Null => return None,
        Cell::Boolean(value) => value.to_string(),
        Cell::Integer(value) | Cell::Timestamp(value) => value.to_string(),
        Cell::Double(value) => json!(value).to_string(),
        Cell::Text(text) => text.to_string(),
        Cell::List(elements) => elements.iter().filter_map(text).collect::<Vec<_>>().join("\u{1f}"),
    })
}

impl Target for Folder {
    fn sink(&self) -> Box<dyn Sink> {
        Box::new(Neo4jCsv::new(&self.path()))
    }

    async fn read(&self) -> Vec<Value> {
        let mut rows = Vec::new();
        for kind in ["entities", "relationships"] {
            for entry in std::fs::read_dir(self.path().join(kind)).into_iter().flatten() {
                let file = std::fs::read_to_string(entry.expect("an entry").path()).expect("a file");
                let mut records = records(&file).into_iter();
                let header = records.next().expect("a header");
                rows.extend(records.map(|record| row(&header, record)));
            }
        }
        rows
    }

    fn expected(&self, record: &Record, manifest: &Manifest, snapshot: usize) -> Expected {
        let (object, id) = (&record.object, &manifest.snapshots[snapshot].id);
        let is_type = |of: &&ManifestType| of.kind == object.kind && of.object_type == object.object_type;
        let of_type = manifest.types.iter().find(is_type).expect("the manifest lists every type");
        let table = Table::new(of_type, TransferKind::Whole, manifest.with_raw, &BTreeMap::new());
        let mut cells = Vec::new();
        table.fill(record, id, &mut cells).expect("the surveyed types");
        let json: Value = serde_json::from_str(&object.properties).expect("JSON");
        let node = |key: &str| format!("{}/{}/{key}", id.integration, id.instance);
        let mut row = Map::new();
        match (object.kind, &object.ends) {
            (Kind::Entity, _) => {
                let classes = json["_class"].as_array().cloned().unwrap_or_else(|| vec![json["_class"].clone()]);
                let labels = [vec![json!("_Entity"), json["_type"].clone()], classes].concat();
                let labels: Vec<&str> = labels.iter().map(|label| label.as_str().expect("a label")).collect();
                row.insert(":ID".to_owned(), json!(node(object.key.as_str())));
                row.insert(":LABEL".to_owned(), json!(labels.join("\u{1f}")));
            }
            (Kind::Relationship, Some((from, to))) if to.as_str() != "user:gone" => {
                row.insert(":START_ID".to_owned(), json!(node(from.as_str())));
                row.insert(":END_ID".to_owned(), json!(node(to.as_str())));
                row.insert(":TYPE".to_owned(), json["_class"].clone());
            }
            _ => return Expected::Refused,
        }
        row.insert("_transfer:string".to_owned(), json!(format!("{}/{}", id.job, id.number)));
        let mut taken = BTreeMap::new();
        for (column, cell) in table.columns.iter().zip(&cells) {
            let name = match column.name.as_str() {
                "_integration" => "_integrationType",
                "_instance" => "_integrationInstanceID",
                name => name,
            };
            let plain = name.replace([':', '{', '}', '(', ')', ',', '"'], "_");
            let count = taken.entry(plain.clone()).and_modify(|count| *count += 1).or_insert(1);
            let name = if *count > 1 { format!("{plain}_{count}") } else { plain };
            let element = match column.value_type.to_string().trim_end_matches("[]") {
                "timestamp" | "integer" => "long",
                "text" => "string",
                "boolean" => "boolean",
                _ => "double",
            };
            let list = if column.value_type.is_list { "[]" } else { "" };
            row.extend(text(cell).map(|text| (format!("{name}:{element}{list}"), json!(text))));
        }
        Expected::of(Value::Object(row))
    }
}

#[test]
fn the_files_of_an_import_into_neo4j_contain_typed_properties_and_labels() {
    block_on(check(async || Folder(tempfile::tempdir().expect("a folder")), Contents::Replaced));
}
