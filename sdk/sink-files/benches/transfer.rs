//! The cost of each sink for 400,000 objects, next to the bare write of the same bytes with the same library.
//!
//! `cargo bench -p integration-sink-files --bench transfer [-- OBJECTS]`. Each run is a process of its own. The objects are
//! generated while they are read, so that the figures contain no store. The bare program of a text format writes the same
//! bytes; that of Parquet and SQLite passes the same values to the library, without a graph.

use std::fs::{self, File};
use std::future::pending;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use futures::executor::block_on;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use integration_graph::history::SnapshotGap;
use integration_graph::{InstanceId, JobId, ObjectKey, ObjectType, StepId, Timestamp};
use integration_sink::{Events, Sink, SnapshotSource, SourceOptions, transfer};
use integration_sink_files::{GraphFile, Neo4jCsv, Sqlite, TableFolder};
use integration_store::{GraphReader, Kind, ReadError, Selection, SnapshotId, StoredObject, TypeCount};
use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use rusqlite::{Connection, params};

const OBJECTS: usize = 400_000;
const FORMS: [&str; 8] = ["ndjson", "csv", "neo4j-csv", "parquet", "sqlite", "graphml", "json-graph", "opengraph"];

/// Half of the objects are entities of 550 bytes, the others are relationships of 330 bytes.
#[derive(Clone, Copy)]
struct Generated(usize);

impl Generated {
    fn entity(number: usize) -> StoredObject {
        let key = format!("7e57ab1e-0000-4000-8000-{number:012}");
        let properties = format!(
            "{{\"_class\":[\"Application\"],\"_key\":\"{key}\",\"_type\":\"acme_application\",\"active\":{},\
             \"buildStack\":\"heroku-24\",\"createdOn\":{},\"displayName\":\"application-{number}\",\"id\":\"{key}\",\
             \"name\":\"application-{number}\",\"ownerEmail\":\"owner-{}@example.com\",\"region\":\"eu\",\
             \"repoSize\":{},\"tags\":[\"team-{}\",\"production\"],\"teamId\":\"7e57ab1e-1111-4000-8000-{:012}\",\
             \"updatedOn\":{},\"webLink\":\"https://dashboard.example.com/apps/{key}\"}}",
            number.is_multiple_of(3),
            1_600_000_000_000_i64 + number as i64,
            number % 5_000,
            number * 17,
            number % 100,
            number % 100,
            1_700_000_000_000_i64 + number as i64,
        );
        Self::object(Kind::Entity, "acme_application", &key, None, properties)
    }

    fn relationship(number: usize) -> StoredObject {
        let ends = [number / 7, number].map(|end| format!("7e57ab1e-0000-4000-8000-{end:012}"));
        let key = format!("{}|uses|{}", ends[0], ends[1]);
        let properties = format!(
            "{{\"_class\":\"USES\",\"_fromEntityKey\":\"{}\",\"_key\":\"{key}\",\"_toEntityKey\":\"{}\",\
             \"_type\":\"acme_application_uses_application\",\"displayName\":\"USES\"}}",
            ends[0], ends[1]
        );
        let [from, to] = ends.map(|end| ObjectKey::stored(&end).expect("a key"));
        Self::object(Kind::Relationship, "acme_application_uses_application", &key, Some((from, to)), properties)
    }

    fn object(
        kind: Kind,
        object_type: &'static str,
        key: &str,
        ends: Option<(ObjectKey, ObjectKey)>,
        properties: String,
    ) -> StoredObject {
        let (created, began) = (Timestamp::from_millis(0), Timestamp::from_millis(0));
        StoredObject {
            kind,
            object_type: ObjectType::literal(object_type),
            key: ObjectKey::stored(key).expect("a key"),
            step: StepId::literal("fetch"),
            ends,
            parent: None,
            properties,
            raw: None,
            is_stale: false,
            created,
            began,
        }
    }
}

impl GraphReader for Generated {
    fn id(&self) -> SnapshotId {
        SnapshotId {
            integration: "acme".to_owned(),
            instance: InstanceId::default(),
            job: JobId::new("0197a1b2-0000-7000-8000-000000000001").expect("a job id"),
            number: 1,
            published: Timestamp::from_millis(0),
            with_stale: true,
        }
    }

    fn types(&self) -> BoxFuture<'static, Result<Vec<TypeCount>, ReadError>> {
        let count = |object: StoredObject, objects: usize| TypeCount {
            kind: object.kind,
            object_type: object.object_type,
            objects: objects as u64,
            stale: 0,
        };
        let counts = vec![count(Self::entity(0), self.0 / 2), count(Self::relationship(0), self.0 / 2)];
        async { Ok(counts) }.boxed()
    }

    fn scan(&self, selection: Selection) -> BoxStream<'static, Result<Vec<StoredObject>, ReadError>> {
        let make = if selection.kind == Some(Kind::Entity) { Self::entity } else { Self::relationship };
        let numbers: Vec<usize> = (0..self.0 / 2).step_by(1_000).collect();
        stream::iter(numbers).map(move |first| Ok((first..first + 1_000).map(make).collect())).boxed()
    }

    fn objects(
        &self,
        wanted: Vec<(ObjectType, ObjectKey)>,
    ) -> BoxFuture<'static, Result<Vec<Option<StoredObject>>, ReadError>> {
        async move { Ok(vec![None; wanted.len()]) }.boxed()
    }

    fn gaps(&self) -> BoxFuture<'static, Result<Vec<SnapshotGap>, ReadError>> {
        async { Ok(Vec::new()) }.boxed()
    }
}

fn sink(form: &str, target: &Path) -> Box<dyn Sink> {
    match form {
        "ndjson" => Box::new(TableFolder::ndjson(target)),
        "csv" => Box::new(TableFolder::csv(target)),
        "parquet" => Box::new(TableFolder::parquet(target)),
        "neo4j-csv" => Box::new(Neo4jCsv::new(target)),
        "sqlite" => Box::new(Sqlite::new(target)),
        "graphml" => Box::new(GraphFile::graph_ml(target)),
        "json-graph" => Box::new(GraphFile::json_graph(target)),
        _ => Box::new(GraphFile::open_graph(target)),
    }
}

/// Writes without a graph. `bytes` is the size of the result of the sink.
fn bare(form: &str, target: &Path, objects: usize, bytes: u64) {
    match form {
        "parquet" => bare_parquet(target, objects),
        "sqlite" => bare_sqlite(target, objects).expect("a database"),
        _ => {
            let mut out = BufWriter::with_capacity(1 << 18, File::create(target).expect("a file"));
            let line = [b'x'; 500];
            for _ in 0..bytes / 500 {
                out.write_all(&line).expect("a written line");
            }
            out.into_inner().expect("a written file").sync_data().expect("a synced file");
        }
    }
}

/// The texts, the times, and the flag of an entity.
fn values(number: usize) -> (Vec<String>, i64, bool) {
    let key = format!("7e57ab1e-0000-4000-8000-{number:012}");
    let texts = vec![
        key.clone(),
        "acme".to_owned(),
        "default".to_owned(),
        "acme_application".to_owned(),
        format!("application-{number}"),
        format!("owner-{}@example.com", number % 5_000),
        format!("7e57ab1e-1111-4000-8000-{:012}", number % 100),
        format!("https://dashboard.example.com/apps/{key}"),
        "heroku-24".to_owned(),
        "eu".to_owned(),
        key,
        format!("application-{number}"),
    ];
    (texts, number as i64, number.is_multiple_of(3))
}

fn bare_parquet(target: &Path, objects: usize) {
    let texts: String = (0..12).map(|at| format!("optional binary t{at} (UTF8);")).collect();
    let times: String = (0..5).map(|at| format!("optional int64 i{at};")).collect();
    let schema = format!("message schema {{ {texts} {times} optional boolean b; }}");
    let schema = Arc::new(parse_message_type(&schema).expect("a schema"));
    let properties = Arc::new(WriterProperties::builder().set_compression(Compression::SNAPPY).build());
    let mut writer =
        SerializedFileWriter::new(File::create(target).expect("a file"), schema, properties).expect("a writer");
    for first in (0..objects).step_by(20_000) {
        let rows: Vec<_> = (first..first + 20_000).map(values).collect();
        let mut group = writer.next_row_group().expect("a row group");
        let present = vec![1_i16; rows.len()];
        for at in 0..18 {
            let mut column = group.next_column().expect("a column").expect("a column");
            match at {
                0..12 => {
                    let texts: Vec<ByteArray> =
                        rows.iter().map(|row| ByteArray::from(row.0[at].as_bytes().to_vec())).collect();
                    column.typed::<ByteArrayType>().write_batch(&texts, Some(&present), None).expect("values");
                }
                12..17 => {
                    let numbers: Vec<i64> = rows.iter().map(|row| row.1).collect();
                    column.typed::<Int64Type>().write_batch(&numbers, Some(&present), None).expect("values");
                }
                _ => {
                    let flags: Vec<bool> = rows.iter().map(|row| row.2).collect();
                    column.typed::<BoolType>().write_batch(&flags, Some(&present), None).expect("values");
                }
            }
            column.close().expect("a column");
        }
        group.close().expect("a row group");
    }
    writer.close().expect("a file");
}

fn bare_sqlite(target: &Path, objects: usize) -> rusqlite::Result<()> {
    let database = Connection::open(target)?;
    database.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;")?;
    let columns: Vec<String> = (0..18).map(|at| format!("c{at}")).collect();
    database.execute_batch(&format!("CREATE TABLE object ({})", columns.join(", ")))?;
    let places = vec!["?"; 18].join(", ");
    let mut insert = database.prepare(&format!("INSERT INTO object VALUES ({places})"))?;
    for number in 0..objects {
        let (t, time, flag) = values(number);
        insert.execute(params![
            t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8], t[9], t[10], t[11], time, time, time, time, time,
            flag
        ])?;
    }
    drop(insert);
    database.execute_batch("CREATE INDEX by_key ON object (c0); COMMIT")
}

/// Returns the processor time in seconds, and the peak memory in MiB, of this process.
///
/// System time counts: a bare write consists of little else.
fn usage() -> (f64, u64) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    // Clock ticks are hundredths of a second on Linux.
    let ticks: f64 = after.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    (ticks / 100.0, peak.unwrap_or(0_u64) / 1024)
}

fn run(form: &str, is_bare: bool, objects: usize, bytes: u64) {
    let place = tempfile::tempdir().expect("a folder");
    let target = place.path().join("target");
    let mut size = bytes;
    if is_bare {
        bare(form, &target, objects, bytes);
    } else {
        block_on(async {
            let readers: Vec<Arc<dyn GraphReader>> = vec![Arc::new(Generated(objects))];
            let source = SnapshotSource::open(readers, &SourceOptions::default()).await.expect("a source");
            let mut sink = sink(form, &target);
            let report = transfer(sink.as_mut(), &source, &Events::ignored(), pending()).await.expect("a transfer");
            assert_eq!(report.written(), objects as u64);
            size = report.bytes.unwrap_or_default();
        });
    }
    let (seconds, peak) = usage();
    println!("{seconds} {peak} {size}");
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if let [form, bare, objects, bytes] = args.as_slice() {
        let number = |text: &String| text.parse::<u64>().expect("a number");
        return run(form, bare == "bare", number(objects) as usize, number(bytes));
    }
    let objects = args.first().map_or(OBJECTS, |text| text.parse().expect("a number of objects"));
    let program = std::env::current_exe().expect("a path");
    println!("{:<12} {:>9} {:>9} {:>7} {:>9} {:>9}", "sink", "sink s", "bare s", "ratio", "peak MiB", "MB");
    for form in FORMS {
        let once = |what: &str, bytes: &str| -> Vec<f64> {
            let objects = objects.to_string();
            let out = Command::new(&program).args([form, what, &objects, bytes]).output().expect("a process");
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
            let text = String::from_utf8_lossy(&out.stdout).into_owned();
            text.split_whitespace().map(|number| number.parse().expect("a number")).collect()
        };
        let sink = once("sink", "0");
        let bare = once("bare", &sink[2].to_string());
        let ratio = sink[0] / bare[0].max(0.01);
        println!("{form:<12} {:>9.2} {:>9.2} {ratio:>7.1} {:>9} {:>9.0}", sink[0], bare[0], sink[1], sink[2] / 1e6);
    }
}
