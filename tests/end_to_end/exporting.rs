//! `export --to`: the targets, the selection of objects, changes, gaps, and kills.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::{Heroku, Place, Said, undisturbed};

/// Runs an export that must succeed.
fn export(place: &Place, options: &str) -> Said {
    let said = place.run(&format!("export {options}"));
    assert_eq!(said.code, 0, "{options}: {}", said.all());
    said
}

/// A place with the graph of the sample.
fn collected(heroku: &Heroku) -> Place {
    let place = Place::before(heroku);
    assert_eq!(place.run("collect --quiet").code, 0);
    place
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The numbers of the sample's objects by type.
fn counts() -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for object in undisturbed().objects().values() {
        *counts.entry(object["_type"].as_str().expect("a type").to_owned()).or_default() += 1;
    }
    counts
}

fn tables(folder: &Path) -> BTreeMap<String, usize> {
    let manifest: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("_manifest.json")).expect("a manifest")).expect("JSON");
    let tables = manifest["tables"].as_array().expect("tables").iter();
    tables
        .map(|table| {
            assert!(folder.join(table["file"].as_str().expect("a file")).is_file(), "{table}");
            (table["type"].as_str().expect("a type").to_owned(), table["rows"].as_u64().expect("rows") as usize)
        })
        .collect()
}

/// All files below a folder, with their contents.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = crate::harness::files_below(folder).into_iter();
    paths.map(|path| (path.strip_prefix(folder).expect("below").to_owned(), fs::read(&path).expect("a file"))).collect()
}

#[test]
fn every_target_gets_the_whole_graph() {
    let heroku = Heroku::sample();
    let place = collected(&heroku);
    let total: usize = counts().values().sum();
    for form in ["parquet", "csv", "ndjson"] {
        let said = export(&place, &format!("--to {form}:{form}"));
        assert!(said.out.contains(&format!("Wrote {total} objects to {form}:{form}")), "{}", said.out);
        assert_eq!(tables(&place.path(form)), counts(), "{form}");
    }
    let teams = lines(&place.path("ndjson/entities/heroku_team.ndjson"));
    for team in &teams {
        let expected = &undisturbed().objects()[team["_key"].as_str().expect("a key")];
        for (name, value) in expected.as_object().expect("an object").iter().filter(|(name, _)| *name != "_rawData") {
            assert_eq!(&team[name], value, "{name} of {team}");
        }
        assert_eq!((&team["_integration"], &team["_stale"]), (&json!("heroku"), &json!(false)));
    }
    export(&place, "--to sqlite:graph.db --raw");
    let database = Connection::open(place.path("graph.db")).expect("a database");
    for (object_type, number) in counts() {
        let sql = format!("SELECT count(*), count(_rawData) FROM {object_type}");
        let column = |row: &rusqlite::Row<'_>, at| row.get::<_, i64>(at).map(|count| count.unsigned_abs() as usize);
        let (rows, raw) = database.query_row(&sql, [], |row| Ok((column(row, 0)?, column(row, 1)?))).expect("a table");
        assert_eq!(rows, number, "{object_type}");
        let has_raw = |object: &Value| object.get("_rawData").is_some();
        assert_eq!(raw, undisturbed().of_type(&object_type).values().filter(|object| has_raw(object)).count());
    }
    for (target, nodes, edges) in
        [("json-graph:graph.json", "nodes", "links"), ("opengraph:open.json", "graph/nodes", "graph/edges")]
    {
        export(&place, &format!("--to {target}"));
        let path = target.split_once(':').expect("a path").1;
        let document: Value = serde_json::from_str(&place.read(path)).expect("JSON");
        let number =
            |name: &str| document.pointer(&format!("/{name}")).and_then(Value::as_array).expect("a list").len();
        let entities = undisturbed().objects().values().filter(|object| object.get("_fromEntityKey").is_none()).count();
        assert_eq!(number(nodes), entities, "{target}");
        assert!(number(edges) >= total - entities, "{target}");
    }
    assert!(place.read("open.extension.json").contains("\"is_traversable\": true"));
    export(&place, "--to graphml:graph.graphml");
    let text = place.read("graph.graphml");
    let document = roxmltree::Document::parse(&text).expect("XML");
    let number = |name: &str| document.descendants().filter(|node| node.tag_name().name() == name).count();
    assert_eq!(number("node") + number("edge"), total);
}

/// The pairs of people and applications with real access, by the permissions of Heroku.
fn access_of_the_sample() -> BTreeSet<(String, String)> {
    let graph = undisturbed();
    let text = |object: &Value, name: &str| object[name].as_str().unwrap_or_default().to_owned();
    let has = |object: &Value, wanted: &[&str]| {
        let permissions = object["permissions"].as_array().into_iter().flatten();
        permissions.filter_map(Value::as_str).any(|permission| wanted.contains(&permission))
    };
    let edges = |object_type: &str| graph.of_type(object_type).into_values().collect::<Vec<Value>>();
    let ends = |edge: &Value| (text(edge, "_fromEntityKey"), text(edge, "_toEntityKey"));
    let mut pairs = BTreeSet::new();
    for object_type in ["heroku_account_member_assigned_application", "heroku_user_assigned_application"] {
        let real = |edge: &&Value| edge["owner"] == true || has(edge, &["deploy", "operate", "manage"]);
        pairs.extend(edges(object_type).iter().filter(real).map(ends));
    }
    // People who administer a team: with that role, or by the permission to manage their only enterprise account.
    let mut administrators = BTreeSet::new();
    for object_type in ["heroku_team_has_account_member", "heroku_team_has_user"] {
        let is_admin = |edge: &&Value| matches!(edge["role"].as_str(), Some("admin" | "owner"));
        administrators
            .extend(edges(object_type).iter().filter(is_admin).map(ends).map(|(team, person)| (person, team)));
    }
    let members = edges("heroku_account_has_member");
    for (account, person) in members.iter().map(ends) {
        let is_only = members.iter().filter(|edge| ends(edge).1 == person).count() == 1;
        if is_only && has(&graph.objects()[&person], &["manage"]) {
            let teams = edges("heroku_account_has_team");
            let teams = teams.iter().map(ends).filter(|(of, _)| *of == account);
            administrators.extend(teams.map(|(_, team)| (person.clone(), team)));
        }
    }
    for (team, application) in edges("heroku_team_owns_application").iter().map(ends) {
        let people = administrators.iter().filter(|(_, of)| *of == team);
        pairs.extend(people.map(|(person, _)| (person.clone(), application.clone())));
    }
    pairs
}

#[test]
fn paths_in_bloodhound_lead_to_real_access_only() {
    let heroku = Heroku::sample();
    let place = collected(&heroku);
    export(&place, "--to opengraph:open.json");
    let json = |name: &str| serde_json::from_str::<Value>(&place.read(name)).expect("JSON");
    let (graph, extension) = (json("open.json"), json("open.extension.json"));
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let traversable: BTreeSet<String> = list(&extension["relationship_kinds"])
        .iter()
        .filter(|kind| kind["is_traversable"] == true)
        .map(|kind| text(&kind["name"]))
        .collect();
    let mut next: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for edge in list(&graph["graph"]["edges"]).iter().filter(|edge| traversable.contains(&text(&edge["kind"]))) {
        next.entry(text(&edge["start"]["value"])).or_default().push(text(&edge["end"]["value"]));
    }
    let of_kind = |kind: &str| -> BTreeMap<String, String> {
        let nodes = list(&graph["graph"]["nodes"]).into_iter();
        let nodes = nodes.filter(|node| list(&node["kinds"]).contains(&json!(kind)));
        nodes.map(|node| (text(&node["id"]), text(&node["properties"]["_key"]))).collect()
    };
    let applications = of_kind("Heroku_Application");
    let mut reached = BTreeSet::new();
    for (start, person) in of_kind("Heroku_Class_User") {
        let (mut seen, mut left) = (BTreeSet::new(), vec![start]);
        while let Some(node) = left.pop() {
            if seen.insert(node.clone()) {
                left.extend(next.get(&node).into_iter().flatten().cloned());
            }
        }
        let found = seen.iter().filter_map(|node| applications.get(node));
        reached.extend(found.map(|application| (person.clone(), application.clone())));
    }
    let expected = access_of_the_sample();
    assert!(!expected.is_empty());
    let [extra, missing] = [reached.difference(&expected), expected.difference(&reached)].map(Vec::from_iter);
    assert!(extra.is_empty() && missing.is_empty(), "without access: {extra:?}; without a path: {missing:?}");
    // The add-ons of an application are reached through it.
    assert!(traversable.contains("Heroku_HAS_Access") && traversable.contains("Heroku_AdminOf"), "{traversable:?}");
}

#[test]
fn the_exchange_layout_is_that_of_output() {
    let heroku = Heroku::sample();
    let place = collected(&heroku);
    assert_eq!(place.run("export --output out").code, 0);
    export(&place, "--to exchange:other --raw");
    assert_eq!(contents(&place.path("other/graph")), contents(&place.path("out/graph")));
    assert_eq!(place.read("other/summary.json").trim_end(), place.read("out/summary.json").trim_end());
    let said = place.run("export --to exchange:other --type heroku_team");
    assert_eq!(said.code, 2, "{}", said.all());
    assert!(said.err.contains("the whole graph of one instance"), "{}", said.err);
}

#[test]
fn changes_since_the_last_export_never_remove_what_a_gap_covers() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let (_, graph) = place.collect("");
    let early = place.run("export --to ndjson:changes --changes-since last");
    assert_eq!(early.code, 2, "{}", early.all());
    assert!(early.err.contains("nothing was exported to ndjson:changes yet"), "{}", early.err);
    export(&place, "--to ndjson:changes");
    let team = heroku.team("kestrel-data");
    let other = heroku.team("kestrel-platform");
    let refused = heroku.refuse_apps(&team);
    let removed = heroku.delete_an_app(&graph, &other);
    assert_eq!(place.run("collect --quiet").code, 3);
    let said = place.run("export --to ndjson:changes --changes-since last");
    assert_eq!(said.code, 3, "{}", said.all());
    assert!(said.err.contains("Missing in the instance default: heroku_application"), "{}", said.err);
    let changes = lines(&place.path("changes/entities/heroku_application.ndjson"));
    let of = |action: &str| -> Vec<&str> {
        let found = changes.iter().filter(|change| change["_change"] == action);
        found.map(|change| change["_key"].as_str().expect("a key")).collect()
    };
    assert_eq!(of("removed"), [removed.as_str()]);
    let covered = graph.of_type("heroku_application").values().filter(|app| app["teamId"] == team).count();
    assert_eq!(of("unknown").len(), covered, "the applications of the refused team are unknown");
    let again = place.run("export --to ndjson:changes --changes-since last --dry-run");
    for line in again.out.lines().filter(|line| line.starts_with("heroku_")) {
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(cells[2..5], ["0", "0", "0"], "only unknown objects are left: {line}");
    }
    // A complete job confirms the applications, which a target must learn although no property has changed.
    heroku.server().lift(refused);
    assert_eq!(place.run("collect --quiet").code, 0);
    export(&place, "--to ndjson:changes --changes-since last");
    let changes = lines(&place.path("changes/entities/heroku_application.ndjson"));
    let mut confirmed: Vec<&str> = changes.iter().map(|change| change["_key"].as_str().expect("a key")).collect();
    assert!(changes.iter().all(|of| of["_change"] == "confirmed" && of["_stale"] == false), "{changes:?}");
    confirmed.sort_unstable();
    confirmed.dedup();
    assert_eq!(confirmed.len(), covered);
    let dry = export(&place, "--to ndjson:changes --changes-since last --dry-run");
    assert!(dry.out.starts_with("0 objects differ"), "{}", dry.out);
    let unknown = place.run("export --to ndjson:changes --changes-since ffff");
    assert_eq!(unknown.code, 2, "{}", unknown.all());
}

#[test]
fn a_transfer_is_limited_to_types_or_to_the_result_of_a_query() {
    let heroku = Heroku::sample();
    let place = collected(&heroku);
    let dry = export(&place, "--to csv:teams --type heroku_team --dry-run --format json").json();
    let teams = counts()["heroku_team"];
    assert_eq!(dry["manifest"]["types"].as_array().map(Vec::len), Some(1));
    assert_eq!((&dry["dryRun"], &dry["manifest"]["types"][0]["objects"]), (&json!(true), &json!(teams)));
    assert!(!place.path("teams").exists(), "a dry run writes nothing");
    let report = export(&place, "--to csv:teams --type heroku_team --format json").json();
    assert_eq!(report["report"]["written"], json!(teams));
    let script = "exec \"$0\" export --to parquet:owned --format json --query \
                  'FIND Team THAT OWNS Application RETURN TREE'";
    let said = place.shell(script, "");
    assert_eq!(said.code, 0, "{}", said.all());
    let written = tables(&place.path("owned"));
    assert_eq!(written["heroku_team_owns_application"], counts()["heroku_team_owns_application"]);
    assert_eq!(
        written.keys().map(String::as_str).collect::<Vec<_>>(),
        ["heroku_application", "heroku_team", "heroku_team_owns_application"]
    );
    let rows = place.shell("exec \"$0\" export --to csv:x --query 'FIND Team AS t RETURN t.name'", "");
    assert_eq!(rows.code, 2, "{}", rows.all());
    assert!(rows.err.contains("RETURN TREE"), "{}", rows.err);
    for (line, expected) in [
        ("export --to csv:x --type heroku_teams", "the types are: heroku_account"),
        ("export --to xls:x", "the targets are parquet:DIR"),
        ("export", "name a target with --to"),
        ("export --to graphml:x --raw", "graphml:x has no place for raw data"),
        ("export --to opengraph:x --raw --dry-run", "opengraph:x has no place for raw data"),
        ("export --output x --raw", "--raw needs --to"),
    ] {
        let said = place.run(line);
        assert_eq!(said.code, 2, "{line}: {}", said.all());
        assert!(said.err.contains(expected), "{line}: {}", said.err);
    }
}

#[test]
fn nothing_of_somebody_else_is_replaced() {
    let heroku = Heroku::sample();
    let place = collected(&heroku);
    place.write("mine/thesis.txt", "x");
    place.write("mine.db", "not a database of an export");
    export(&place, "--to csv:tables");
    place.write("tables/entities/mine.csv", "x");
    // One file of each format belongs to an export; the other names to somebody else.
    let formats = ["json-graph", "graphml", "cypher", "opengraph"];
    for format in formats {
        place.write(&format!("mine.{format}"), "my own notes\n");
        export(&place, &format!("--to {format}:own.{format}"));
        export(&place, &format!("--to {format}:own.{format}"));
        let said = place.run(&format!("export --to {format}:mine.{format}"));
        assert_eq!(said.code, 2, "{format}: {}", said.all());
        assert!(said.err.contains("is not a file that an export wrote"), "{format}: {}", said.err);
        assert_eq!(place.read(&format!("mine.{format}")), "my own notes\n");
    }
    // The file of another format is not replaced either.
    let said = place.run("export --to graphml:own.json-graph");
    assert_eq!(said.code, 2, "{}", said.all());
    place.write("new.extension.json", "my own notes\n");
    let said = place.run("export --to opengraph:new.json");
    assert_eq!(said.code, 2, "{}", said.all());
    assert!(said.err.contains("new.extension.json is not a file that an export wrote"), "{}", said.err);
    assert!(place.read("new.extension.json") == "my own notes\n" && !place.path("new.json").exists());
    for (target, found) in [
        ("csv:mine", "mine contains thesis.txt"),
        ("sqlite:mine.db", "is not a database that an export wrote"),
        ("parquet:tables", "tables contains entities/mine.csv"),
        ("csv:.integration/x", ".integration"),
        ("parquet:/proc/nope", "cannot create"),
    ] {
        let said = place.run(&format!("export --to {target}"));
        assert!(said.code == 1 || said.code == 2, "{target}: {}", said.all());
        assert!(said.err.contains(found), "{target}: {}", said.err);
    }
    assert_eq!((place.read("mine/thesis.txt"), place.read("tables/entities/mine.csv")), ("x".into(), "x".into()));
    let names: Vec<_> =
        fs::read_dir(place.root()).expect("a folder").map(|of| of.expect("an entry").file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().ends_with(".staging")), "{names:?}");
}

#[test]
fn a_killed_export_leaves_the_earlier_result_and_the_next_one_is_complete() {
    let heroku = Heroku::sample();
    let place = collected(&heroku);
    for (target, name) in [
        ("parquet:out", "out"),
        ("csv:out", "out"),
        ("neo4j-csv:import", "import"),
        ("sqlite:out.db", "out.db"),
        ("graphml:out.xml", "out.xml"),
        ("cypher:out.cypher", "out.cypher"),
    ] {
        let read = || match place.path(name).is_dir() {
            true => contents(&place.path(name)),
            false => fs::read(place.path(name)).map(|bytes| BTreeMap::from([(name.into(), bytes)])).unwrap_or_default(),
        };
        export(&place, &format!("--to {target} --type heroku_team"));
        let old = read();
        export(&place, &format!("--to {target}"));
        let new = read();
        assert!(old != new);
        export(&place, &format!("--to {target} --type heroku_team"));
        for _ in 0..5 {
            let running = place.start(&format!("export --to {target}"));
            let staging = place.path(&format!(".{name}.staging/new"));
            // The staged result appears, or the process has replaced the target already.
            while !staging.exists() && read() == old {
                std::thread::yield_now();
            }
            running.kill_if_running();
            let left = read();
            assert!(left == old || left == new, "{target}: neither the earlier nor the new result");
        }
        export(&place, &format!("--to {target}"));
        assert!(read() == new, "{target}: not the result of an undisturbed export");
        assert!(!place.path(&format!(".{name}.staging")).exists());
    }
}
