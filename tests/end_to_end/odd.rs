//! Unusual elements of Heroku's lists: each unreadable element costs one object, never the whole list.

use std::collections::BTreeSet;

use integration_heroku::fake::{Fault, Reply};
use serde_json::{Value, json};

use crate::harness::{Graph, Heroku, Place, Said, side_by_side, undisturbed};

const TEAM: &str = "kestrel-data";

/// A fault that replaces a list.
fn list(elements: &str) -> Fault {
    let elements: Value = serde_json::from_str(elements).expect("JSON");
    Fault::Status(Reply::json(200, &elements))
}

fn keys(place: &Place, object_type: &str, of: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    let objects = Graph::read(&place.path("out/graph")).of_type(object_type);
    objects.into_iter().filter(|(_, object)| of(object)).map(|(key, _)| key).collect()
}

fn next(said: &Said) -> String {
    let lines: Vec<&str> = said.out.lines().skip_while(|line| !line.starts_with("Next:")).map(str::trim).collect();
    lines.join(" ")
}

#[test]
fn values_that_mean_the_same_are_read() {
    let heroku = Heroku::sample();
    let team = heroku.team(TEAM);
    let apps = r#"[
        {"id": "a-0000000001", "name": "one", "slug_size": 1234.0, "repo_size": "77", "released_at": "", "space": null},
        {"id": "a-0000000002", "name": "two", "created_at": "2020-04-24T17:53:13", "updated_at": "2020-04-24T19:53:13+02:00"},
        {"id": "a-0000000003", "name": "three", "owner": {"email": null}, "maintenance": "true", "locked": ""}
    ]"#;
    heroku.fault(list(apps).on(&format!("/teams/{team}/apps")));
    let place = Place::before(&heroku);
    let (said, graph) = place.collect("");
    let summary = said.summary();
    assert_eq!((summary.status("fetch-apps"), summary.gaps("fetch-apps").len()), ("success", 0));
    let apps = graph.of_type("heroku_application");
    let [one, two, three] = ["a-0000000001", "a-0000000002", "a-0000000003"].map(|key| &apps[key]);
    assert_eq!((&one["slugSize"], &one["repoSize"], one.get("releasedOn")), (&1234.into(), &77.into(), None));
    assert_eq!((&two["createdOn"], &two["updatedOn"]), (&1_587_750_793_000_i64.into(), &1_587_750_793_000_i64.into()));
    assert_eq!((&three["maintenance"], three.get("locked"), three.get("owner")), (&true.into(), None, None));
}

#[test]
fn a_number_that_would_change_is_a_gap_of_its_element() {
    let heroku = Heroku::sample();
    let account = heroku.organisation().accounts().next().expect("an account").id;
    let teams = r#"[
        {"id": "t-0000000001", "name": "whole", "membership_limit": 25.0, "created_at": "9999-12-31T23:59:59Z"},
        {"id": "t-0000000002", "name": "exact", "membership_limit": 9007199254740993, "created_at": 1587750793000},
        {"id": "t-0000000003", "name": "half", "membership_limit": 25.5},
        {"id": "t-0000000004", "name": "huge", "membership_limit": 1e30},
        {"id": "t-0000000005", "name": "text", "membership_limit": "25.9"},
        {"id": "t-0000000006", "name": "seconds", "created_at": 1587750793}
    ]"#;
    heroku.fault(list(teams).on(&format!("/enterprise-accounts/{account}/teams")));
    let (said, graph) = Place::before(&heroku).collect("");
    let teams = graph.of_type("heroku_team");
    let [whole, exact] = ["t-0000000001", "t-0000000002"].map(|key| &teams[key]);
    assert_eq!((&whole["membershipLimit"], &whole["createdOn"]), (&25.into(), &253_402_300_799_000_i64.into()));
    assert_eq!(
        (&exact["membershipLimit"], &exact["createdOn"]),
        (&9_007_199_254_740_993_i64.into(), &1_587_750_793_000_i64.into())
    );
    let summary = said.summary();
    let gaps = summary.gaps("fetch-teams");
    let causes: Vec<&str> = gaps.iter().map(|gap| gap.cause()).collect();
    for (id, field) in [(3, "membership_limit"), (4, "membership_limit"), (5, "membership_limit"), (6, "created_at")] {
        let id = format!("t-000000000{id}");
        assert!(!teams.contains_key(&id), "{id}");
        let expected = format!("the element of id {id} does not fit: `{field}`");
        assert!(causes.iter().any(|cause| cause.contains(&expected)), "{expected}: {causes:#?}");
    }
}

#[test]
fn an_element_that_does_not_fit_is_a_gap_of_one_and_stays_one_when_the_job_is_resumed() {
    let heroku = Heroku::sample();
    let team = heroku.team(TEAM);
    let apps = r#"[
        {"id": "a-0000000001", "name": "one"},
        {"id": "a-0000000002", "name": null},
        {"name": "without-an-id"},
        {"id": "a-0000000004", "name": "four", "slug_size": 98765432109876543210},
        {"id": "a-0000000005", "name": "five"}
    ]"#;
    heroku.fault(list(apps).on(&format!("/teams/{team}/apps")));
    let place = Place::before(&heroku);
    let gaps_of = |said: &Said| {
        let summary = said.summary();
        let types = ["heroku_application", "heroku_team_owns_application"];
        assert_eq!((said.code, summary.state()), (3, "partial"), "{}", said.all());
        assert!(summary.partial().is_superset(&types.into()), "{:?}", summary.partial());
        let gaps = summary.gaps("fetch-apps");
        for gap in &gaps {
            assert_eq!((gap.types(), gap.under(), gap.code()), (types.into(), Some(&*team), "PROVIDER_API_ERROR"));
            assert_eq!(gap.resumable(), Some(false));
        }
        gaps.iter().map(|gap| gap.cause().to_owned()).collect::<Vec<_>>()
    };
    let (said, _) = place.collect("");
    let causes = gaps_of(&said);
    assert_eq!(causes.len(), 3, "{causes:#?}");
    let names = [
        "the element of id a-0000000002 does not fit: `name`: ",
        "the element of id a-0000000004 does not fit: `slug_size`: ",
        "the element of name without-an-id does not fit: missing field `id`",
    ];
    for name in names {
        assert!(causes.iter().any(|cause| cause.contains(name)), "{name}: {causes:#?}");
    }
    let of_the_team = |object: &Value| object["teamId"] == team.as_str();
    let collected = keys(&place, "heroku_application", of_the_team);
    assert_eq!(collected, ["a-0000000001", "a-0000000005"].map(str::to_owned).into());

    let (resumed, _) = place.collect("--resume");
    assert_eq!(gaps_of(&resumed), causes);
    assert_eq!(keys(&place, "heroku_application", of_the_team), collected);

    let text = place.run("collect -v");
    assert_eq!(text.code, 3, "{}", text.all());
    assert!(text.out.contains("of id a-0000000002 does not fit: `name`"), "{}", text.out);
    assert!(text.err.contains("of id a-0000000004 does not fit: `slug_size`"), "{}", text.err);
    assert!(!next(&text).contains("--resume") && next(&text).contains("collect"), "{}", text.out);
}

#[test]
fn another_gap_that_resuming_can_close_is_still_proposed() {
    let heroku = Heroku::sample();
    let [odd, failing] = [heroku.team(TEAM), heroku.team("kestrel-platform")];
    heroku.fault(list(r#"[{"id": "a-0000000002", "name": null}]"#).on(&format!("/teams/{odd}/apps")));
    let refusal = Fault::Status(Reply::json(422, &json!({"id": "invalid_params", "message": "Not this time."})));
    let refusal = heroku.fault(refusal.on(&format!("/teams/{failing}/apps")));
    let place = Place::before(&heroku);
    let said = place.run("collect");
    assert!(next(&said).contains("collect --resume"), "{}", said.out);
    heroku.server().lift(refusal);
    let said = place.run("collect --resume");
    assert_eq!(said.code, 3, "{}", said.all());
    assert!(!next(&said).contains("--resume"), "{}", said.out);
}

#[test]
fn a_person_who_could_not_be_read_is_missing_and_not_left_out_on_purpose() {
    let heroku = Heroku::sample();
    let organisation = heroku.organisation();
    let account = organisation.accounts().find(|account| account.name == "kestrel").or(organisation.accounts().next());
    let account = account.expect("an account").id.to_string();
    let members = r#"[{"id": "m-0000000001", "user": {"id": "u-0000000001", "email": "ada@example.com"}},
        {"id": "m-0000000002", "user": {"id": "u-0000000002", "email": null}}]"#;
    heroku.fault(list(members).on(&format!("/enterprise-accounts/{account}/members")));
    let team = heroku.team(TEAM);
    let in_team = r#"[{"id": "t-0000000001", "role": "admin", "user": {"id": "u-0000000001", "email": null, "name": "Ada"}},
        {"id": "t-0000000002", "role": "member", "email": "bob@example.com", "user": {"id": "u-0000000002", "email": null}}]"#;
    heroku.fault(list(in_team).on(&format!("/teams/{team}/members")));
    let place = Place::before(&heroku);
    let (said, graph) = place.collect("");
    let summary = said.summary();
    assert_eq!(said.code, 3, "{}", said.all());
    let [gap] = &summary.gaps("fetch-members")[..] else { panic!("one gap: {:#}", summary.0) };
    assert!(gap.cause().contains("`user.email`") && gap.cause().contains("m-0000000002"), "{gap:?}");
    let members = graph.of_type("heroku_account_member");
    assert!(members.contains_key("u-0000000001") && !members.contains_key("u-0000000002"));
    let step = summary.step("fetch-team-members");
    let missed = &step["missed"]["heroku_team_has_account_member"];
    let missed = &missed["these people may be among the account members that were not collected"];
    assert!(
        missed["names"]
            .as_array()
            .is_some_and(|names| names.contains(&format!("bob@example.com in team {TEAM}").into())),
        "{step:#}"
    );
    assert!(!graph.of_type("heroku_user").contains_key("u-0000000002"), "the person is a member of an account");
    assert!(graph.of_type("heroku_team_has_account_member").contains_key(&format!("{team}|has|u-0000000001")));
}

/// The nameless elements of a list, which have an id and nothing else.
fn nameless(ids: impl IntoIterator<Item = String>) -> Fault {
    let elements: Vec<Value> = ids.into_iter().map(|id| json!({"id": id, "name": null})).collect();
    list(&Value::Array(elements).to_string())
}

#[test]
fn an_account_and_a_team_without_a_name_are_collected_with_all_that_is_below_them() {
    let heroku = Heroku::sample();
    let account = heroku.organisation().accounts().next().expect("an account").id;
    let teams = heroku.organisation().teams().filter(|team| team.account == Some(account));
    let teams: Vec<String> = teams.map(|team| team.id.to_string()).collect();
    let accounts = heroku.organisation().accounts().map(|account| account.id.to_string());
    heroku.fault(nameless(accounts).on("/enterprise-accounts"));
    heroku.fault(nameless(teams.clone()).on(&format!("/enterprise-accounts/{account}/teams")));
    let (said, graph) = Place::before(&heroku).collect("");
    assert_eq!((said.code, said.summary().state()), (0, "complete"), "{}", said.all());
    for object_type in ["heroku_application", "heroku_addon", "heroku_account_member", "heroku_account_has_team"] {
        let keys = |graph: &Graph| graph.of_type(object_type).into_keys().collect::<Vec<_>>();
        assert_eq!(keys(&graph), keys(undisturbed()), "{object_type}");
    }
    let team = &graph.of_type("heroku_team")[&teams[0]];
    assert_eq!((&team["displayName"], team.get("name"), team.get("webLink")), (&json!(teams[0]), None, None));
    let findings = said.summary().step("fetch-teams")["findings"].to_string();
    assert!(findings.contains(&teams[0]) || findings.contains(&teams[1]), "{findings}");
}

#[test]
fn the_children_of_entities_that_are_kept_apart_are_collected() {
    let heroku = Heroku::sample();
    let accounts = heroku.organisation().accounts().map(|account| account.id.to_string());
    heroku.fault(nameless(accounts).on("/enterprise-accounts"));
    let account = heroku.organisation().accounts().next().expect("an account").id;
    let teams = heroku.organisation().teams().filter(|team| team.account == Some(account));
    let teams: Vec<String> = teams.map(|team| team.id.to_string()).collect();
    heroku.fault(nameless(teams.clone()).on(&format!("/enterprise-accounts/{account}/teams")));
    let place = Place::before(&heroku);
    let (said, graph) = place.collect("--validation quarantine");
    assert_eq!(said.code, 3, "{}", said.all());
    let summary = said.summary();
    for object_type in ["heroku_application", "heroku_addon", "heroku_account_member", "heroku_application_has_addon"] {
        let keys = |graph: &Graph| graph.of_type(object_type).into_keys().collect::<Vec<_>>();
        assert_eq!(keys(&graph), keys(undisturbed()), "{object_type}");
    }
    assert!(graph.of_type("heroku_account").is_empty());
    assert!(teams.iter().all(|team| !graph.of_type("heroku_team").contains_key(team)));
    assert!(graph.of_type("heroku_account_has_team").is_empty(), "their accounts are not in the graph");
    let missing = ["heroku_account", "heroku_team", "heroku_account_has_team", "heroku_team_owns_application"];
    assert!(summary.partial().is_superset(&missing.into()), "{:?}", summary.partial());
    assert_eq!(place.run("validate data --input out").code, 0);
}

#[test]
fn an_account_and_a_team_of_which_only_the_id_can_be_read_cost_nothing_below_them() {
    let heroku = Heroku::sample();
    let account = heroku.organisation().accounts().next().expect("an account").id;
    let odd = |id: String| json!({"id": id, "name": "odd", "created_at": "yesterday"});
    let accounts = heroku.organisation().accounts().map(|account| odd(account.id.to_string())).collect();
    heroku.fault(list(&Value::Array(accounts).to_string()).on("/enterprise-accounts"));
    let teams = heroku.organisation().teams().filter(|team| team.account == Some(account));
    let teams: Vec<Value> = teams.map(|team| odd(team.id.to_string())).collect();
    heroku.fault(list(&Value::Array(teams).to_string()).on(&format!("/enterprise-accounts/{account}/teams")));
    let (said, graph) = Place::before(&heroku).collect("");
    let summary = said.summary();
    assert_eq!(said.code, 3, "{}", said.all());
    for step in ["fetch-account", "fetch-teams"] {
        let gaps = summary.gaps(step);
        let own: Vec<_> = gaps.iter().filter(|gap| gap.inherited_from().is_none()).collect();
        assert!(own.iter().any(|gap| gap.cause().contains("`created_at`")), "{step}: {own:?}");
        assert_eq!(summary.step(step).get("quarantined"), None, "{step}: the gap is reported once");
    }
    for object_type in ["heroku_application", "heroku_addon", "heroku_account_member"] {
        let keys = |graph: &Graph| graph.of_type(object_type).into_keys().collect::<Vec<_>>();
        assert_eq!(keys(&graph), keys(undisturbed()), "{object_type}");
    }
    assert!(graph.of_type("heroku_account").is_empty());
}

#[test]
fn a_mention_that_names_nothing_is_a_gap_of_its_element() {
    let heroku = Heroku::sample();
    let account = heroku.organisation().accounts().next().expect("an account").id.to_string();
    let members = r#"[{"id": "m-0000000001", "user": {"id": "u-0000000001", "email": "ada@example.com"}},
        {"id": "m-0000000002", "user": null}, {"id": "m-0000000003", "user": {}}, {"id": "m-0000000004"},
        {"id": "m-0000000005", "user": ["u-0000000005", "bob@example.com", null]}]"#;
    heroku.fault(list(members).on(&format!("/enterprise-accounts/{account}/members")));
    let team = heroku.team(TEAM);
    let addons = r#"[{"id": "d-0000000001", "name": "one", "app": {}}, {"id": "d-0000000002", "name": "two", "app": ["a"]},
        {"id": "d-0000000003", "name": "three", "app": null}]"#;
    heroku.fault(list(addons).on(&format!("/teams/{team}/addons")));
    let (said, graph) = Place::before(&heroku).collect("");
    let summary = said.summary();
    assert_eq!(said.code, 3, "{}", said.all());
    let causes = |step| summary.gaps(step).iter().map(|gap| gap.cause().to_owned()).collect::<Vec<_>>().join("\n");
    for (step, id) in [
        ("fetch-members", "m-0000000002"),
        ("fetch-members", "m-0000000003"),
        ("fetch-members", "m-0000000004"),
        ("fetch-members", "m-0000000005"),
        ("fetch-addons", "d-0000000001"),
        ("fetch-addons", "d-0000000002"),
    ] {
        assert!(causes(step).contains(&format!("the element of id {id} does not fit: ")), "{step}: {}", causes(step));
    }
    assert!(graph.of_type("heroku_account_member").contains_key("u-0000000001"));
    assert!(graph.of_type("heroku_addon").contains_key("d-0000000003"));
    assert!(graph.of_type("heroku_user").is_empty(), "a person without an entity may be among the unreadable members");
}

/// The application as a team lists it at a time.
fn app_at(updated: &str) -> Value {
    json!({"id": "a-0000000001", "name": "moving", "updated_at": updated})
}

#[test]
fn an_application_has_one_owner_however_often_and_wherever_it_is_listed() {
    let (old, new) = (app_at("2024-01-01T00:00:00Z"), app_at("2024-01-02T00:00:00Z"));
    let cases = [
        ([vec![old.clone()], vec![new.clone()]], 1),
        ([vec![new.clone()], vec![old.clone()]], 0),
        ([vec![old.clone(), new.clone()], vec![]], 0),
        ([vec![new.clone(), old.clone()], vec![]], 0),
        ([vec![old.clone()], vec![old.clone(), new.clone()]], 1),
    ];
    side_by_side(cases, |(lists, owner)| {
        let heroku = Heroku::sample();
        let teams = [TEAM, "kestrel-platform"].map(|name| heroku.team(name));
        for (team, apps) in teams.iter().zip(&lists) {
            heroku.fault(list(&Value::Array(apps.clone()).to_string()).on(&format!("/teams/{team}/apps")));
        }
        let place = Place::before(&heroku);
        let (said, graph) = place.collect("");
        let case = format!("{lists:?}: {}", said.all());
        let app = &graph.of_type("heroku_application")["a-0000000001"];
        assert_eq!(
            (app["teamId"].as_str(), &app["updatedOn"]),
            (Some(&*teams[owner]), &1_704_153_600_000_i64.into()),
            "{case}"
        );
        let owners = graph.of_type("heroku_team_owns_application").into_keys();
        let owners: Vec<String> = owners.filter(|key| key.ends_with("|a-0000000001")).collect();
        assert_eq!(owners, [format!("{}|owns|a-0000000001", teams[owner])], "{case}");
        let warning = "objects have several descriptions; the one with the latest update is kept, and equal ones";
        assert!(said.err.contains(warning) && said.err.contains("a-0000000001"), "{case}");
        assert_eq!(said.summary().status("fetch-apps"), "success", "{case}");
    });
}

#[test]
fn people_left_out_on_purpose_are_named_in_the_summary_the_report_and_the_log() {
    let place = Place::alone();
    let (said, _) = place.collect("--sample");
    let summary = said.summary();
    let named = &summary.step("fetch-team-members")["skippedDetails"]["heroku_team_has_account_member"];
    let named = named["a membership without a person"].as_array().expect("names").clone();
    let [person] = &named[..] else { panic!("one person: {:#}", summary.0) };
    let person = person.as_str().expect("a name");
    assert!(person.contains('@') && person.contains(" in team kestrel-"), "{person}");
    let text = place.run("collect --sample -v");
    let flat = text.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains(&format!("a membership without a person: {person}")), "{}", text.out);
    assert!(text.err.contains(person) && text.err.contains("skipped on purpose"), "{}", text.err);
}

#[test]
fn a_finding_about_a_person_in_several_teams_is_counted_once() {
    let heroku = Heroku::sample();
    let account = heroku.organisation().accounts().next().expect("an account").id.to_string();
    let members = r#"[{"id": "m-0000000001", "user": {"id": "u-0000000001", "email": "no address"}}]"#;
    heroku.fault(list(members).on(&format!("/enterprise-accounts/{account}/members")));
    let in_team = r#"[{"id": "t-0000000001", "role": "admin",
        "user": {"id": "u-0000000001", "email": "no address", "name": "Ada Lovelace"}}]"#;
    heroku.fault(list(in_team).on("/teams/{id}/members"));
    let place = Place::before(&heroku);
    let (said, graph) = place.collect("");
    let person = &graph.of_type("heroku_account_member")["u-0000000001"];
    assert_eq!((&person["email"], &person["firstName"]), (&"no address".into(), &"Ada".into()));
    let summary = said.summary();
    let steps = ["fetch-members", "fetch-team-members"].map(|step| summary.step(step)["findings"].clone());
    let found = steps.iter().filter_map(Value::as_array).flatten();
    let found: Vec<&Value> = found.filter(|found| found["example"]["pointer"] == "/email").collect();
    assert_eq!(found.iter().map(|found| found["count"].as_u64()).collect::<Vec<_>>(), [Some(1)], "{found:?}");
}

#[test]
fn a_failure_that_only_an_unreadable_account_causes_cannot_be_resumed() {
    let heroku = Heroku::sample();
    heroku.fault(list(r#"[{"id": null, "name": "kestrel"}]"#).on("/enterprise-accounts"));
    let place = Place::before(&heroku);
    let (said, _) = place.collect("");
    let summary = said.summary();
    for step in ["fetch-account", "fetch-teams", "fetch-apps"] {
        let gaps = summary.gaps(step);
        assert!(!gaps.is_empty() && gaps.iter().all(|gap| gap.resumable() == Some(false)), "{step}: {gaps:?}");
    }
    let text = place.run("collect");
    assert_eq!(text.code, 3, "{}", text.all());
    assert!(!next(&text).contains("--resume") && next(&text).contains("correct the cause"), "{}", text.out);
}
