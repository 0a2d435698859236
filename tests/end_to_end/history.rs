//! The history of a graph over several jobs: unchanged, changed, moved, stale, and removed objects.

use integration_heroku::fake::{Fault, FaultRule, Reply};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::{Graph, Heroku, Place, assert_same, refusal, undisturbed};

/// The kinds of changes between the two newest jobs, with the types and keys.
fn changes(place: &Place) -> Vec<(String, String, String)> {
    let document = place.run("diff --format json").json();
    let text = |change: &Value, name: &str| change[name].as_str().expect("text").to_owned();
    let changes = document["changes"].as_array().expect("changes").iter();
    changes.map(|change| (text(change, "kind"), text(change, "type"), text(change, "key"))).collect()
}

/// The kinds of events of an object.
fn events(place: &Place, key: &str) -> Vec<String> {
    let said = place.run(&format!("history {key} --format json"));
    assert_eq!(said.code, 0, "{}", said.all());
    let events = said.json()["events"].as_array().expect("events").clone();
    events.iter().map(|event| event["kind"].as_str().expect("a kind").to_owned()).collect()
}

fn rows(place: &Place, sql: &str) -> i64 {
    let store = Connection::open(place.path(".integration/state.sqlite")).expect("a store");
    store.query_row(sql, [], |row| row.get(0)).expect("a number")
}

#[test]
fn an_unchanged_graph_costs_no_objects_and_no_change_is_reported() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    assert_eq!(place.run("collect").code, 0);
    let objects = rows(&place, "SELECT count(*) FROM object");
    for _ in 0..3 {
        let (said, graph) = place.collect("");
        assert_eq!(said.code, 0, "{}", said.all());
        assert_same(&graph, undisturbed());
        assert_eq!(said.json()["published"]["changes"], json!({}));
    }
    assert_eq!(rows(&place, "SELECT count(*) FROM object"), objects);
    assert_eq!(rows(&place, "SELECT count(DISTINCT job) FROM step_run"), 1, "older jobs have only their summaries");
    assert_eq!(changes(&place), []);
    assert!(place.run("collect").out.contains("No changes since job "));
}

#[test]
fn an_application_that_moves_between_jobs_is_one_changed_object() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let (_, graph) = place.collect("");
    let (from, to) = (heroku.team("kestrel-data"), heroku.team("kestrel-platform"));
    let (mut apps, mut others) = (graph.apps_of(&from), graph.apps_of(&to));
    let mut moved = apps.pop().expect("an application");
    let key = moved["id"].as_str().expect("an id").to_owned();
    moved["team"] = others[0]["team"].clone();
    moved["owner"] = others[0]["owner"].clone();
    others.push(moved);
    heroku.serve_apps(&graph, &from, &apps);
    heroku.serve_apps(&graph, &to, &others);
    let said = place.run("collect");
    assert_eq!(said.code, 0, "{}", said.all());
    let mut found = changes(&place);
    found.retain(|(_, object_type, _)| !object_type.contains("_assigned_"));
    let of_type = |kind: &str, object_type: &str| -> Vec<&str> {
        let matching = found.iter().filter(|(a, b, _)| a == kind && b == object_type);
        matching.map(|(_, _, key)| key.as_str()).collect()
    };
    assert_eq!(of_type("changed", "heroku_application"), [key.as_str()]);
    assert_eq!(of_type("removed", "heroku_team_owns_application"), [format!("{from}|owns|{key}")]);
    assert_eq!(of_type("added", "heroku_team_owns_application"), [format!("{to}|owns|{key}")]);
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(events(&place, &key), ["firstSeen", "changed"]);
    assert_eq!(events(&place, &format!("{from}|owns|{key}")), ["firstSeen", "removed"]);
}

#[test]
fn an_object_of_a_refused_team_is_stale_until_the_team_answers() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let (_, graph) = place.collect("");
    let team = heroku.team("kestrel-data");
    let apps = graph.apps_of(&team);
    let (kept, deleted) = (apps[0]["id"].as_str().expect("an id"), apps[1]["id"].as_str().expect("an id"));
    let refusal = heroku.refuse_apps(&team);
    let (said, collected) = place.collect("");
    assert_eq!(said.code, 3, "{}", said.all());
    let stale = said.json()["published"]["stale"].clone();
    let apps_stale = stale.as_array().expect("a list").iter().find(|stale| stale["type"] == "heroku_application");
    let apps_stale = apps_stale.expect("stale applications");
    assert_eq!((&apps_stale["count"], &apps_stale["gap"]["under"]["key"]), (&json!(apps.len()), &json!(team)));
    assert!(!collected.objects().contains_key(kept), "a job's output has the objects that it collected");
    let said = place.run("export --output whole");
    assert_eq!(said.code, 3, "{}", said.all());
    let sentence =
        ["kept from earlier jobs because of gaps: ".to_owned(), format!(" {} heroku_application, ", apps.len())];
    assert!(sentence.iter().all(|part| said.out.contains(part)), "{}", said.out);
    let picture = place.run("visualize graph --format text").out;
    let picture = picture.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(sentence.iter().all(|part| picture.contains(part)), "{picture}");
    assert_same(&Graph::read(&place.path("whole/graph")), undisturbed());
    let shown = place.run("jobs show");
    assert!(shown.out.contains("Stale, kept from earlier jobs") && shown.out.contains("fetch-apps has a gap"));
    heroku.server().lift(refusal);
    let left: Vec<Value> = apps.iter().filter(|app| app["id"] != deleted).cloned().collect();
    heroku.serve_apps(&graph, &team, &left);
    place.run("collect");
    assert_eq!(events(&place, kept), ["firstSeen", "stale", "confirmedAgain"]);
    assert_eq!(events(&place, deleted), ["firstSeen", "stale", "removed"]);
    heroku.server().lift_all();
    assert_eq!(place.run("collect").code, 0);
    assert_eq!(events(&place, deleted), ["firstSeen", "stale", "removed", "seenAgain"]);
    let unknown = place.run("history no-such-key");
    assert_eq!(unknown.code, 2, "{}", unknown.all());
    assert!(unknown.err.contains("no job has collected an object with the key"), "{}", unknown.err);
}

#[test]
fn an_object_of_several_steps_stays_with_the_step_that_was_refused() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    assert_eq!(place.run("collect").code, 0);
    // Members and permissions describe the same external people.
    let team = heroku.team("kestrel-data");
    heroku.fault(refusal().on(&format!("/teams/{team}/permissions")));
    assert_eq!(place.run("collect").code, 3);
    let said = place.run("export --output whole");
    assert_eq!(said.code, 3, "{}", said.all());
    assert_same(&Graph::read(&place.path("whole/graph")), undisturbed());
}

#[test]
fn a_person_of_two_teams_stays_while_one_of_them_is_refused() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let (_, graph) = place.collect("");
    let (refused, other) = (heroku.team("kestrel-data"), heroku.team("kestrel-platform"));
    let app_of = |team: &str| graph.apps_of(team)[0]["id"].as_str().expect("an id").to_owned();
    let person = "5f0c1c9e-6a52-4f43-9c0e-7a1d2f6f0b11";
    let grant = |team: &str, users: Value| {
        let list = json!([{"id": app_of(team), "name": "app", "type": "app", "users": users}]);
        heroku.fault(Fault::Status(Reply::json(200, &list)).on(&format!("/teams/{team}/permissions")))
    };
    let users = json!([{"id": person, "email": "zoe@studio.example.org", "permissions": ["view"]}]);
    let [of_refused, of_other] = [&refused, &other].map(|team| grant(team, users.clone()));
    assert_eq!(place.run("collect").code, 0);
    heroku.server().lift(of_refused);
    heroku.fault(refusal().on(&format!("/teams/{refused}/permissions")));
    assert_eq!(place.run("collect").code, 3);
    // Only the team that answers has described the person last.
    heroku.server().lift(of_other);
    grant(&other, json!([]));
    assert_eq!(place.run("collect").code, 3);
    let [hidden, observed] = [&refused, &other].map(|team| format!("{person}|assigned|{}", app_of(team)));
    assert_eq!(events(&place, person), ["firstSeen", "stale"]);
    assert_eq!(events(&place, &hidden), ["firstSeen", "stale"]);
    assert_eq!(events(&place, &observed), ["firstSeen", "removed"]);
    heroku.server().lift_all();
    assert_eq!(place.run("collect").code, 0);
    assert_eq!(events(&place, person), ["firstSeen", "stale", "removed"]);
}

#[test]
fn an_application_that_moves_past_the_lists_of_both_teams_is_one_changed_object() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let (_, graph) = place.collect("");
    let (from, to) = (heroku.team("kestrel-data"), heroku.team("kestrel-platform"));
    let raw = |object: &Value| object["_rawData"][0]["rawData"].clone();
    let addons: Vec<Value> = graph.of_type("heroku_addon").values().map(raw).collect();
    let (mut apps, others) = (graph.apps_of(&from), graph.apps_of(&to));
    let has_addon = |app: &Value| addons.iter().any(|addon| addon["app"]["id"] == app["id"]);
    let mut moved = apps.remove(apps.iter().position(has_addon).expect("an application with an add-on"));
    let key = moved["id"].as_str().expect("an id").to_owned();
    moved["team"] = others[0]["team"].clone();
    // The list of the new team was read before the move, that of the old one after it, and then that of all applications.
    heroku.fault(Fault::Status(Reply::json(200, &json!(apps))).on(&format!("/teams/{from}/apps")));
    let all = graph.of_type("heroku_application");
    let all = all.values().map(raw).filter(|app| app["id"] != key.as_str());
    let all: Vec<Value> = all.chain([moved]).collect();
    heroku.fault(Fault::Status(Reply::json(200, &json!(all))).on("/apps"));
    let left: Vec<&Value> =
        addons.iter().filter(|addon| apps.iter().any(|app| app["id"] == addon["app"]["id"])).collect();
    heroku.fault(Fault::Status(Reply::json(200, &json!(left))).on(&format!("/teams/{from}/addons")));
    let said = place.run("collect");
    assert_eq!(said.code, 0, "{}", said.all());
    let mut found = changes(&place);
    found.retain(|(_, object_type, _)| !object_type.contains("_assigned_"));
    let expected = [
        ("changed", "heroku_application", key.clone()),
        ("added", "heroku_team_owns_application", format!("{to}|owns|{key}")),
        ("removed", "heroku_team_owns_application", format!("{from}|owns|{key}")),
    ];
    let mut expected = expected.map(|(kind, of, key)| (kind.to_owned(), of.to_owned(), key)).to_vec();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn applications_stay_while_their_team_is_listed_even_if_one_list_of_it_is_not_found() {
    for status in [404, 410] {
        let heroku = Heroku::sample();
        let place = Place::before(&heroku);
        let (_, graph) = place.collect("");
        let team = heroku.team("kestrel-data");
        let app = graph.apps_of(&team)[0]["id"].as_str().expect("an id").to_owned();
        let reply = Reply::json(status, &json!({"id": "gone", "message": "Not any more."}));
        heroku.fault(Fault::Status(reply).on(&format!("/teams/{team}/apps")));
        let said = place.run("collect --format json");
        assert_eq!(said.code, 3, "{status}: {}", said.all());
        let kinds: Vec<String> = changes(&place).into_iter().map(|(kind, ..)| kind).collect();
        assert!(!kinds.is_empty() && kinds.iter().all(|kind| kind == "unknown"), "{status}: {kinds:?}");
        assert_eq!(events(&place, &app), ["firstSeen", "stale"], "{status}");
        place.run("export --output whole");
        assert_same(&Graph::read(&place.path("whole/graph")), undisturbed());
    }
}

#[test]
fn a_refused_list_of_parents_makes_everything_below_it_stale() {
    for list in ["/enterprise-accounts/{id}/teams", "/enterprise-accounts/{id}/members", "/enterprise-accounts"] {
        let heroku = Heroku::sample();
        let place = Place::before(&heroku);
        assert_eq!(place.run("collect").code, 0);
        heroku.fault(refusal().on(list));
        let said = place.run("collect --format json");
        assert_eq!(said.code, 3, "{list}: {}", said.all());
        let published = said.json()["published"].clone();
        let removed = published["changes"].as_object().expect("types").values().filter(|of| of["removed"] != 0);
        assert_eq!(removed.count(), 0, "{list}: {published}");
        assert!(!published["stale"].as_array().expect("stale objects").is_empty(), "{list}");
        place.run("export --output whole");
        assert_same(&Graph::read(&place.path("whole/graph")), undisturbed());
    }
}

#[test]
fn the_history_of_an_object_outlasts_the_jobs_in_which_it_was_stale() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let (_, graph) = place.collect("");
    let team = heroku.team("kestrel-data");
    let app = graph.apps_of(&team)[0]["id"].as_str().expect("an id").to_owned();
    for _ in 0..2 {
        let refusal = heroku.refuse_apps(&team);
        place.run("collect");
        heroku.server().lift(refusal);
        place.run("collect");
    }
    assert_eq!(events(&place, &app).len(), 5);
    place.run("jobs prune --keep 1");
    assert_eq!(events(&place, &app), ["firstSeen"]);
    assert_eq!(rows(&place, "SELECT count(*) FROM stale"), 0);
    assert!(rows(&place, "SELECT count(*) FROM snapshot") <= 2);
}

#[test]
fn stale_objects_are_dropped_on_request_and_the_comparison_says_so() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let (_, graph) = place.collect("");
    let team = heroku.team("kestrel-data");
    let apps = graph.apps_of(&team);
    let app = apps[0]["id"].as_str().expect("an id").to_owned();
    let refusal = heroku.refuse_apps(&team);
    assert_eq!(place.run("collect").code, 3);
    let prune = |options: &str| {
        let said = place.run(&format!("jobs prune {options}"));
        assert_eq!(said.code, 0, "{}", said.all());
        said.out
    };
    let exported = || {
        assert_eq!(place.run("export --output whole").code, 3);
        Graph::read(&place.path("whole/graph"))
    };
    assert!(prune("--stale-older-than 30d").contains("Dropped 0 stale objects"));
    let listed = prune("--stale-older-than 0s --dry-run");
    assert!(listed.contains(&format!("{} heroku_application  stale since", apps.len())), "{listed}");
    assert!(listed.contains("PROVIDER_AUTHORIZATION_ERROR") && listed.contains("Would drop"), "{listed}");
    assert_same(&exported(), undisturbed());
    assert!(prune("--stale-older-than 0s").contains("Dropped "));
    let left = exported();
    assert_eq!(left.of_type("heroku_application").len(), graph.of_type("heroku_application").len() - apps.len());
    assert_eq!(place.run("validate data --input whole").code, 0, "no relationship lacks an end");
    assert!(!place.run("export --output whole").out.contains("stale"));
    let document = place.run("diff --format json").json();
    let changes = document["changes"].as_array().expect("changes");
    assert!(!changes.is_empty(), "{document}");
    for change in changes {
        assert_eq!((&change["kind"], &change["gap"]["code"]), (&json!("removed"), &json!("DROPPED_ON_REQUEST")));
    }
    let text = place.run("diff").out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("it was dropped on request, stale since 20"), "{text}");
    assert_eq!(events(&place, &app), ["firstSeen", "stale", "dropped"]);
    // The job can still be resumed, and adds the objects again.
    heroku.server().lift(refusal);
    let (_, whole) = place.resume();
    assert_same(&whole, undisturbed());
    assert_eq!(events(&place, &app), ["firstSeen", "stale", "dropped", "seenAgain"]);
}

#[test]
fn objects_that_were_dropped_leave_nothing_in_the_file_when_their_jobs_are_deleted() {
    let place = Place::alone();
    place.run("collect --sample");
    let versions = || rows(&place, "SELECT count(*) FROM object WHERE same_as IS NULL");
    let objects = i64::try_from(undisturbed().objects().len()).expect("a small number");
    assert_eq!(versions(), objects);
    assert_eq!(place.run("collect --sample --step fetch-teams --max-age 0s").code, 0);
    assert_eq!(versions(), objects);
    let dropped = objects - 10;
    let said = place.run("jobs prune --stale-older-than 0s --keep 1");
    assert!(
        said.out.contains(&format!("Dropped {dropped} stale objects")) && said.out.contains("Deleted 1 job"),
        "{}",
        said.all()
    );
    assert_eq!(versions(), 10);
    assert_eq!(rows(&place, "SELECT count(*) FROM stale"), 0);
    let (said, graph) = place.collect("--sample");
    assert_eq!(said.code, 0, "{}", said.all());
    assert_same(&graph, undisturbed());
    assert_eq!(changes(&place).iter().filter(|(kind, ..)| kind == "added").count(), undisturbed().objects().len() - 10);
}

#[test]
fn stale_objects_of_an_instance_at_work_are_kept() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let (_, graph) = place.collect("");
    let team = heroku.team("kestrel-data");
    let refusal = heroku.refuse_apps(&team);
    assert_eq!(place.run("collect").code, 3);
    heroku.server().lift(refusal);
    let silence = heroku.fault(Fault::NoAnswer.on("/teams/{id}/addons"));
    let mut running = place.start("collect");
    running.tells(&["fetch-apps: "]);
    let said = place.run("jobs prune --stale-older-than 0s");
    assert!(said.out.contains("Dropped 0 stale objects") && said.err.contains("has not ended"), "{}", said.all());
    running.kill();
    heroku.server().lift(silence);
    assert_same(&place.resume().1, &graph);
}

#[test]
fn a_job_that_is_killed_in_a_known_graph_resumes_to_the_same_snapshot() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let (_, graph) = place.collect("");
    let team = heroku.team("kestrel-data");
    let mut apps = graph.apps_of(&team);
    apps[0]["stack"]["name"] = json!("heroku-99");
    let key = apps[0]["id"].as_str().expect("an id").to_owned();
    heroku.serve_apps(&graph, &team, &apps);
    for requests in [3, 8, 14] {
        let wanted = heroku.requests() + requests;
        let silence = heroku.fault(FaultRule::from(Fault::NoAnswer).after(requests as u64));
        let running = place.start("collect");
        heroku.until(|heroku| heroku.requests() >= wanted);
        running.kill();
        heroku.server().lift(silence);
        let (said, _) = place.resume();
        let changed = &said.json()["published"]["changes"];
        let expected = if requests == 3 { 1 } else { 0 };
        assert_eq!(changed["heroku_application"]["changed"].as_u64().unwrap_or(0), expected, "{changed}");
    }
    assert_eq!(events(&place, &key), ["firstSeen", "changed"]);
    let alive = "SELECT count(*) - count(DISTINCT key) FROM object WHERE same_as IS NULL \
                 AND number NOT IN (SELECT object FROM ended)";
    assert_eq!(rows(&place, alive), 0, "two versions of one key are in the graph");
    assert_eq!(rows(&place, "SELECT count(*) FROM object WHERE same_as IS NOT NULL"), 0);
}

#[test]
fn an_older_job_is_not_resumed_after_a_newer_one() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let silence = heroku.fault(Fault::NoAnswer.on("/teams/{id}/addons"));
    let mut running = place.start("collect");
    running.tells(&["fetch-apps: "]);
    let second = place.run("collect");
    assert!(second.code == 1 && second.err.contains("of the same instance is running"), "{}", second.all());
    running.kill();
    let older = place.run("jobs list --format json").json()[0]["id"].as_str().expect("an id").to_owned();
    heroku.server().lift(silence);
    assert!(rows(&place, "SELECT count(*) FROM object") > 0);
    assert_eq!(place.run("collect").code, 0);
    let unpublished = "SELECT count(*) FROM object WHERE job NOT IN (SELECT number FROM snapshot)";
    assert_eq!(rows(&place, unpublished), 0, "the objects of the older job are discarded");
    let said = place.run(&format!("collect --resume {older}"));
    assert_eq!(said.code, 2, "{}", said.all());
    assert!(said.err.contains("start a new collection"), "{}", said.err);
    let said = place.run(&format!("export {older} --output out"));
    assert!(said.code == 1 && said.err.contains("has no graph"), "{}", said.all());
}
