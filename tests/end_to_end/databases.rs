//! `export --to postgres://…`: a real server, credentials, changes, gaps, and kills.

#[path = "../../sdk/sink-postgres/tests/postgres/server.rs"]
mod server;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use serde_json::json;
use server::Server;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

use crate::harness::{Heroku, Place, Said, undisturbed};

/// A limit that only a program that hangs reaches.
const PATIENCE: Duration = Duration::from_secs(120);

/// The server of this module with a connection of the test.
struct Postgres {
    server: Server,
    runtime: Runtime,
    client: Client,
    /// A second connection, for statements in a transaction of their own.
    holder: Client,
}

impl Postgres {
    /// Starts a server; `None` if PostgreSQL is not installed.
    fn start() -> Option<Self> {
        let server = Server::start()?;
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let [client, holder] = [(), ()].map(|()| runtime.block_on(connect(&server.address())));
        Some(Self { server, runtime, client, holder })
    }

    fn run(&self, statements: &str) {
        self.runtime.block_on(self.client.batch_execute(statements)).expect("statements");
    }

    fn texts(&self, query: &str) -> Vec<String> {
        let rows =
            self.runtime.block_on(self.client.query(query, &[])).unwrap_or_else(|error| panic!("{query}: {error}"));
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Holds a table, so that an export waits for it, until [`Postgres::release`].
    fn hold(&self, table: &str) {
        let statements = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
        self.runtime.block_on(self.holder.batch_execute(&statements)).expect("a lock");
    }

    fn release(&self) {
        self.runtime.block_on(self.holder.batch_execute("COMMIT")).expect("the end of the transaction");
    }

    /// All rows of a schema by table.
    fn contents(&self, schema: &str) -> BTreeMap<String, Vec<String>> {
        let tables = self.texts(&format!("SELECT name FROM {schema}._tables"));
        let rows = |table: String| {
            let query = format!("SELECT to_jsonb(t)::text FROM {schema}.\"{table}\" t ORDER BY 1");
            let rows = self.texts(&query);
            (table, rows)
        };
        tables.into_iter().map(rows).filter(|(_, rows)| !rows.is_empty()).collect()
    }

    fn counts(&self, schema: &str) -> BTreeMap<String, usize> {
        self.contents(schema).into_iter().map(|(table, rows)| (table, rows.len())).collect()
    }

    /// Waits until an export waits for a lock of the test.
    fn until_blocked(&self) {
        let query = "SELECT pid::text FROM pg_stat_activity WHERE application_name = 'integration-sink-postgres' \
                     AND wait_event_type = 'Lock' AND wait_event = 'relation'";
        let begun = Instant::now();
        while self.texts(query).is_empty() {
            assert!(begun.elapsed() < PATIENCE, "no export waits for the lock");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

async fn connect(address: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(address, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

/// Runs an export that must succeed.
fn export(place: &Place, options: &str) -> Said {
    let said = place.run(&format!("export {options}"));
    assert_eq!(said.code, 0, "{options}: {}", said.all());
    said
}

fn counts() -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for object in undisturbed().objects().values() {
        *counts.entry(object["_type"].as_str().expect("a type").to_owned()).or_default() += 1;
    }
    counts
}

/// One test, because all parts share one server.
#[test]
fn graphs_arrive_in_a_real_postgresql() {
    let Some(postgres) = Postgres::start() else { return };
    whole_graphs_and_parts(&postgres);
    changes_and_gaps(&postgres);
    killed_exports(&postgres);
    credentials(&postgres);
}

fn whole_graphs_and_parts(postgres: &Postgres) {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    assert_eq!(place.run("collect --quiet").code, 0);
    let to = format!("--to {}", postgres.server.address());
    let total: usize = counts().values().sum();
    let dry = export(&place, &format!("{to} --schema whole --dry-run"));
    assert!(dry.out.contains(&format!("{total} objects would be written; nothing was written")), "{}", dry.out);
    assert!(postgres.texts("SELECT nspname::text FROM pg_namespace WHERE nspname = 'whole'").is_empty());
    let said = export(&place, &format!("{to}?schema=whole --raw"));
    assert!(said.out.contains(&format!("Wrote {total} objects to PostgreSQL at 127.0.0.1")), "{}", said.out);
    assert_eq!(postgres.counts("whole"), counts());
    let query = "SELECT t.\"displayName\" FROM whole.heroku_team t JOIN whole.heroku_team_owns_application o \
                 ON o.\"_fromEntityKey\" = t._key GROUP BY 1 ORDER BY 1";
    assert!(!postgres.texts(query).is_empty(), "tables are joined along a relationship");
    let before = postgres.contents("whole");
    let said = export(&place, &format!("{to} --schema whole --raw --format json")).json();
    let numbers = ["written", "unchanged", "deleted"].map(|name| said["report"][name].as_u64().unwrap_or_default());
    assert_eq!(numbers, [0, total as u64, 0], "an export of the same graph writes nothing");
    // Changed objects would be the only ones without raw data.
    let said = place.run(&format!("export {to} --schema whole --changes-since last"));
    assert_eq!(said.code, 2, "{}", said.all());
    assert!(said.err.contains("have raw data, and changed objects would have none"), "{}", said.err);
    assert_eq!(postgres.contents("whole"), before);
    // A part of the graph changes nothing else, and is no basis of changes.
    export(&place, &format!("{to} --schema part --type heroku_team"));
    assert_eq!(postgres.counts("part"), BTreeMap::from([("heroku_team".to_owned(), counts()["heroku_team"])]));
    let said = place.run(&format!("export {to} --schema part --changes-since last"));
    assert_eq!(said.code, 2, "{}", said.all());
    assert!(said.err.contains("contains only a part of the graph"), "{}", said.err);
    let said = place.run(&format!("export {to} --schema empty --changes-since last"));
    assert_eq!(said.code, 2, "{}", said.all());
    assert!(said.err.contains("nothing was exported to PostgreSQL"), "{}", said.err);
    let script = format!("exec \"$0\" export {to} --schema part --query 'FIND Team THAT OWNS Application RETURN TREE'");
    assert_eq!(place.shell(&script, "").code, 0);
    assert_eq!(postgres.counts("part")["heroku_team_owns_application"], counts()["heroku_team_owns_application"]);
}

fn changes_and_gaps(postgres: &Postgres) {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let (_, graph) = place.collect("");
    let to = format!("--to {} --schema changes", postgres.server.address());
    export(&place, &to);
    let (team, other) = (heroku.team("kestrel-data"), heroku.team("kestrel-platform"));
    let refused = heroku.refuse_apps(&team);
    let removed = heroku.delete_an_app(&graph, &other);
    assert_eq!(place.run("collect --quiet").code, 3);
    let covered = graph.of_type("heroku_application").values().filter(|app| app["teamId"] == team).count();
    let dry = place.run(&format!("export {to} --changes-since last --dry-run"));
    assert_eq!(dry.code, 3, "{}", dry.all());
    assert!(dry.out.contains("objects differ from the older graph, and the state of"), "{}", dry.out);
    let said = place.run(&format!("export {to} --changes-since last --format json"));
    assert_eq!(said.code, 3, "{}", said.all());
    let applications = postgres.texts("SELECT _key FROM changes.heroku_application");
    assert_eq!(applications.len(), graph.of_type("heroku_application").len() - 1, "only one removal was observed");
    assert!(!applications.contains(&removed));
    let stale = postgres.texts("SELECT _key FROM changes.heroku_application WHERE _stale");
    assert_eq!(stale.len(), covered, "the applications of the refused team stay, and are stale");
    let written = said.json()["report"]["written"].as_u64().expect("a number");
    assert!(written >= covered as u64, "rows that have become stale are written: {}", said.out);
    // The changes lead to the same contents as a whole transfer.
    let whole = format!("--to {} --schema changes_whole", postgres.server.address());
    assert_eq!(place.run(&format!("export {whole}")).code, 3);
    assert_eq!(postgres.contents("changes"), postgres.contents("changes_whole"));
    // The database itself knows its contents, so the record of the data directory is not needed.
    assert!(!place.path(".integration/exports.json").exists());
    let again = place.run(&format!("export {to} --changes-since last --format json")).json();
    assert_eq!(again["report"]["deleted"], json!(0));
    let first = place.run("jobs list --format json").json()[1]["id"].as_str().expect("a job").to_owned();
    let said = place.run(&format!("export {to} --changes-since {first}"));
    assert_eq!(said.code, 3, "the same changes again have no effect: {}", said.all());
    assert_eq!(postgres.contents("changes"), postgres.contents("changes_whole"));
    // A complete job confirms the applications, and nothing in the database is stale any more.
    heroku.server().lift(refused);
    assert_eq!(place.run("collect --quiet").code, 0);
    let said = export(&place, &format!("{to} --changes-since last --format json")).json();
    assert!(said["report"]["written"].as_u64().expect("a number") >= covered as u64, "{said}");
    assert!(postgres.texts("SELECT _key FROM changes.heroku_application WHERE _stale").is_empty());
    export(&place, &whole);
    assert_eq!(postgres.contents("changes"), postgres.contents("changes_whole"));
    // A part of the changes is no obstacle to all of them, and a part of an older graph is one.
    assert_eq!(place.run("collect --quiet").code, 0);
    export(&place, &format!("{to} --changes-since last --type heroku_application"));
    export(&place, &format!("{to} --changes-since last"));
    assert_eq!(place.run(&format!("export {first} {to} --type heroku_application")).code, 0);
    let said = place.run(&format!("export {to} --changes-since last"));
    assert_eq!(said.code, 2, "{}", said.all());
    let said = place.run(&format!("export {to} --changes-since {first}"));
    assert_eq!(said.code, 2, "{}", said.all());
    assert!(said.err.contains("the target contains only a part of the snapshot"), "{}", said.err);
}

fn killed_exports(postgres: &Postgres) {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let (_, graph) = place.collect("");
    let to = format!("--to {} --schema killed", postgres.server.address());
    export(&place, &to);
    let old = postgres.contents("killed");
    heroku.delete_an_app(&graph, &heroku.team("kestrel-platform"));
    assert_eq!(place.run("collect --quiet").code, 0);
    for changes in ["", "--changes-since last"] {
        // The test holds a table that comes late in the order of a transfer.
        postgres.hold("killed.heroku_team_owns_application");
        let running = place.start(&format!("export {to} {changes}"));
        postgres.until_blocked();
        running.kill();
        postgres.release();
        assert_eq!(postgres.contents("killed"), old, "nothing of a killed export is visible");
    }
    export(&place, &format!("{to} --changes-since last"));
    let undisturbed = format!("--to {} --schema undisturbed", postgres.server.address());
    export(&place, &undisturbed);
    assert_eq!(postgres.contents("killed"), postgres.contents("undisturbed"));
    assert_ne!(postgres.contents("killed"), old);
}

fn credentials(postgres: &Postgres) {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    assert_eq!(place.run("collect --quiet").code, 0);
    postgres.run("CREATE ROLE writer LOGIN PASSWORD 's3cret:pass'; GRANT CREATE ON DATABASE postgres TO writer");
    postgres.server.require_passwords("writer");
    let address = postgres.server.address().replace("//postgres@", "//writer@");
    let to = format!("--to {address} --schema writer --type heroku_team");
    let refused = place.run(&format!("export {to}"));
    assert_eq!(refused.code, 1, "{}", refused.all());
    assert!(refused.err.contains("cannot connect to PostgreSQL at 127.0.0.1"), "{}", refused.err);
    place.write("password", "s3cret:pass\n");
    fs::set_permissions(place.path("password"), Permissions::from_mode(0o600)).expect("a file");
    export(&place, &format!("{to} --password file:password"));
    place.write("pgpass", "*:*:*:writer:s3cret\\:pass\n");
    let place = place.with("PGPASSFILE", "pgpass");
    fs::set_permissions(place.path("pgpass"), Permissions::from_mode(0o644)).expect("a file");
    let exposed = place.run(&format!("export {to}"));
    assert_eq!(exposed.code, 1, "{}", exposed.all());
    assert!(exposed.err.contains("pgpass is ignored, because other users can read it"), "{}", exposed.err);
    fs::set_permissions(place.path("pgpass"), Permissions::from_mode(0o600)).expect("a file");
    export(&place, &to);
    let place = place.with("PGPASSFILE", "none").with("PGPASSWORD", "s3cret:pass").with("WRONG", "wr0ng");
    export(&place, &to);
    let wrong = place.run(&format!("export {to} --password env:WRONG"));
    assert_eq!(wrong.code, 1, "{}", wrong.all());
    for (options, expected) in [
        (to.replace("writer@", "writer:s3cret@"), "contains a password"),
        (format!("{to} --password s3cret"), "`--password` needs the place of the password"),
        ("--to csv:x --schema y".to_owned(), "--schema is for databases"),
        ("--output x --schema y".to_owned(), "--schema needs --to"),
    ] {
        let said = place.run(&format!("export {options}"));
        assert_eq!(said.code, 2, "{options}: {}", said.all());
        assert!(said.err.contains(expected), "{options}: {}", said.err);
        assert!(!said.all().contains("s3cret") && !wrong.all().contains("wr0ng"), "{}", said.all());
    }
}
