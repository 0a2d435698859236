//! `export --to neo4j`: a real server that speaks Bolt, its variables, changes, gaps, and kills.

#[path = "../../sdk/sink-neo4j/tests/neo4j/server.rs"]
mod server;

use std::time::{Duration, Instant};

use neo4rs::{ConfigBuilder, Graph, query};
use serde_json::{Value, json};
use server::{PASSWORD, Server};
use tokio::runtime::Runtime;

use crate::harness::{Heroku, Place, Said, undisturbed};

/// A limit that only a program that hangs reaches.
const PATIENCE: Duration = Duration::from_secs(120);

/// The server of this module with a connection of the test.
struct Database {
    server: Server,
    runtime: Runtime,
    graph: Graph,
}

impl Database {
    /// Starts a server; `None` if it is not installed.
    fn start() -> Option<Self> {
        let server = Server::start()?;
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let config = ConfigBuilder::default().uri(server.address()).user("root").password(PASSWORD);
        let config = config.build().expect("a configuration");
        let graph = runtime.block_on(async { Graph::connect(config) }).expect("an address");
        Some(Self { server, runtime, graph })
    }

    fn empty(&self) {
        self.runtime.block_on(self.graph.run(query("MATCH (n) DETACH DELETE n"))).expect("an empty database");
    }

    /// The rows of a statement as texts.
    fn rows(&self, statement: &str) -> Vec<String> {
        self.runtime.block_on(async {
            let mut stream = self.graph.execute(query(statement)).await.expect("a result");
            let mut rows = Vec::new();
            while let Some(row) = stream.next().await.expect("a row") {
                let mut row = row.to::<Value>().expect("a map");
                // Every transfer has its own name.
                let properties = row.as_object_mut().expect("columns").values_mut().filter_map(Value::as_object_mut);
                properties.for_each(|properties| drop(properties.remove("_transfer")));
                rows.push(row.to_string());
            }
            rows.sort();
            rows
        })
    }

    /// All objects with their labels or types, ends, and properties.
    fn contents(&self) -> Vec<String> {
        let mut all = self.rows("MATCH (n) UNWIND labels(n) AS label RETURN n._key AS key, label");
        all.extend(self.rows("MATCH (n) RETURN properties(n) AS node"));
        all.extend(
            self.rows("MATCH (a)-[r]->(b) RETURN a._key AS a, type(r) AS type, b._key AS b, properties(r) AS r"),
        );
        all
    }

    fn number(&self, pattern: &str) -> usize {
        let row = self.rows(&format!("MATCH {pattern} RETURN count(*) AS number")).remove(0);
        row.chars().filter(char::is_ascii_digit).collect::<String>().parse().expect("a number")
    }

    /// Waits until a condition holds.
    fn until(&self, wanted: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !wanted(self) {
            assert!(begun.elapsed() < PATIENCE, "the condition does not hold");
            std::thread::yield_now();
        }
    }

    fn place(&self, heroku: &Heroku) -> Place {
        Place::before(heroku)
            .with("NEO4J_URI", self.server.address())
            .with("NEO4J_USER", "root")
            .with("NEO4J_PASSWORD", PASSWORD)
    }
}

/// Runs an export that must succeed.
fn export(place: &Place, options: &str) -> Said {
    let said = place.run(&format!("export --to neo4j {options}"));
    assert_eq!(said.code, 0, "{options}: {}", said.all());
    said
}

fn sizes() -> (usize, usize) {
    let objects = undisturbed().objects();
    let edges = objects.values().filter(|object| object.get("_fromEntityKey").is_some()).count();
    (objects.len() - edges, edges)
}

/// One test, because all parts share one server.
#[test]
fn graphs_arrive_in_a_real_server_that_speaks_bolt() {
    let Some(database) = Database::start() else { return };
    whole_graphs(&database);
    database.empty();
    changes_and_gaps(&database);
    database.empty();
    killed_exports(&database);
    refused(&database);
}

fn whole_graphs(database: &Database) {
    let heroku = Heroku::sample();
    let place = database.place(&heroku);
    assert_eq!(place.run("collect --quiet").code, 0);
    let (nodes, edges) = sizes();
    let dry = export(&place, "--dry-run");
    assert!(dry.out.contains(&format!("{} objects would be written", nodes + edges)), "{}", dry.out);
    assert_eq!(database.number("(n)"), 0, "a dry run writes nothing");
    let said = export(&place, "--raw --stamps");
    assert!(said.out.contains("objects to Neo4j at 127.0.0.1"), "{}", said.out);
    assert_eq!((database.number("(n:_Entity)"), database.number("()-[r]->()")), (nodes, edges));
    let owns = undisturbed().of_type("heroku_team_owns_application").len();
    assert_eq!(database.number("(:heroku_team:Team)-[:OWNS]->(:Application)"), owns);
    assert_eq!(database.number("(n:_Entity) WHERE n.id IS NULL OR n.firstseen IS NULL"), 0);
    let before = database.contents();
    let again = export(&place, "--raw --stamps --format json").json();
    assert_eq!(again["report"]["deleted"], json!(0));
    assert_eq!(database.contents(), before, "a repeated export changes nothing");
    let said = place.run("export --to neo4j --changes-since last");
    assert_eq!(said.code, 2, "{}", said.all());
    assert!(said.err.contains("have raw data, and changed objects would have none"), "{}", said.err);
}

fn changes_and_gaps(database: &Database) {
    let heroku = Heroku::sample();
    let place = database.place(&heroku);
    let (_, graph) = place.collect("");
    let early = place.run("export --to neo4j --changes-since last");
    assert_eq!(early.code, 2, "{}", early.all());
    export(&place, "");
    let (team, other) = (heroku.team("kestrel-data"), heroku.team("kestrel-platform"));
    let refused = heroku.refuse_apps(&team);
    let removed = heroku.delete_an_app(&graph, &other);
    assert_eq!(place.run("collect --quiet").code, 3);
    let said = place.run("export --to neo4j --changes-since last");
    assert_eq!(said.code, 3, "{}", said.all());
    let applications = graph.of_type("heroku_application").len();
    assert_eq!(database.number("(n:heroku_application)"), applications - 1, "only one removal was observed");
    assert_eq!(database.number(&format!("(n {{_key: '{removed}'}})")), 0);
    let covered = graph.of_type("heroku_application").values().filter(|app| app["teamId"] == team).count();
    assert_eq!(database.number("(n:heroku_application {_stale: true})"), covered);
    // A whole export of the same graph deletes nothing that a gap covers.
    let whole = place.run("export --to neo4j --format json");
    assert_eq!((whole.code, &whole.json()["report"]["deleted"]), (3, &json!(0)));
    assert_eq!(database.number("(n:heroku_application)"), applications - 1);
    // A complete job confirms the applications, and nothing in the database is stale any more.
    heroku.server().lift(refused);
    assert_eq!(place.run("collect --quiet").code, 0);
    export(&place, "--changes-since last");
    assert_eq!(database.number("(n {_stale: true})"), 0);
    assert_eq!(database.number("()-[r {_stale: true}]->()"), 0);
    // A part of another graph is no basis of changes.
    let first = place.run("jobs list --format json").json()[2]["id"].as_str().expect("a job").to_owned();
    export(&place, &format!("{first} --type heroku_team"));
    let said = place.run("export --to neo4j --changes-since last");
    assert_eq!(said.code, 2, "{}", said.all());
    assert!(said.err.contains("the target contains only a part of the snapshot"), "{}", said.err);
}

fn killed_exports(database: &Database) {
    let heroku = Heroku::sample();
    let place = database.place(&heroku);
    let (_, graph) = place.collect("");
    export(&place, "");
    let expected = database.contents();
    let (nodes, _) = sizes();
    for wanted in [1, nodes / 2, nodes] {
        database.empty();
        let running = place.start("export --to neo4j");
        database.until(|database| database.number("(n:_Entity)") >= wanted);
        running.kill_if_running();
        export(&place, "");
        assert_eq!(database.contents(), expected, "after a kill at {wanted} nodes");
    }
    // An older graph in place of the newest one, and an export of changes that is killed.
    heroku.delete_an_app(&graph, &heroku.team("kestrel-platform"));
    assert_eq!(place.run("collect --quiet").code, 0);
    let running = place.start("export --to neo4j --changes-since last");
    // Without the removed application, the export has ended before it was observed.
    database.until(|database| {
        database.number("(n:_Snapshot) WHERE n._pending IS NOT NULL") > 0 || database.number("(n:_Entity)") < nodes
    });
    running.kill_if_running();
    export(&place, "");
    let changed = database.contents();
    database.empty();
    export(&place, "");
    assert_eq!(changed, database.contents());
    assert_ne!(changed, expected);
}

fn refused(database: &Database) {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    assert_eq!(place.run("collect --quiet").code, 0);
    for (uri, expected) in [("bogus", "NEO4J_URI is no address"), ("bolt://me:s3cret@h", "NEO4J_URI: ")] {
        let said = Place::before(&heroku).with("NEO4J_URI", uri).run("export --to neo4j --dry-run");
        assert!(said.code == 2 && said.err.contains(expected), "{}", said.all());
        assert!(!said.all().contains("s3cret"), "{}", said.all());
    }
    for (options, code, expected) in [
        ("--to neo4j".to_owned(), 2, "set NEO4J_URI"),
        ("--to neo4j://db.example.com".to_owned(), 2, "would not be encrypted"),
        ("--to bolt://me:s3cret@localhost".to_owned(), 2, "contains a password"),
        (format!("--to {} --schema x", database.server.address()), 2, "--schema is for PostgreSQL"),
        (format!("--to {}", database.server.address()), 1, "cannot connect to Neo4j at 127.0.0.1"),
    ] {
        let said = place.run(&format!("export {options}"));
        assert_eq!(said.code, code, "{options}: {}", said.all());
        assert!(said.err.contains(expected) && !said.all().contains("s3cret"), "{options}: {}", said.err);
    }
}
