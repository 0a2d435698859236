//! Rejected objects remain gaps until their data are collected, and no relationship refers to them.

use std::collections::BTreeSet;

use integration_heroku::fake::{Account, App, FakeOptions, Fault, Organisation, Reply, Team};
use serde_json::json;

use crate::harness::{Heroku, Place, assert_same, side_by_side};

/// An enterprise account with three teams of two applications each.
fn organisation(teams: [&str; 3], apps: [&str; 2]) -> Organisation {
    let mut organisation = Organisation::empty();
    let account = organisation.add_account(Account::new("wren"));
    for (at, team) in teams.into_iter().enumerate() {
        let team = organisation.add_team(Team::new(team, Some(account)));
        for app in apps {
            organisation.add_app(App::new(
                team,
                if at == 1 { app.to_owned() } else { format!("{app}-{at}").replace(' ', "-") },
            ));
        }
    }
    organisation
}

/// An organisation with a rejected team. The blank in its name makes its link an invalid URI.
fn with_a_blank_team() -> Organisation {
    organisation(["platform", "Design Ops", "data"], ["web", "worker"])
}

fn with_a_blank_app() -> Organisation {
    organisation(["platform", "design", "data"], ["my app", "worker"])
}

#[test]
fn an_object_that_was_kept_apart_stays_missing_however_often_the_job_is_resumed() {
    let heroku = Heroku::of(with_a_blank_team(), FakeOptions::default());
    let place = Place::before(&heroku);
    let (first, graph) = place.collect("--validation quarantine");
    assert_eq!((first.code, graph.of_type("heroku_team").len()), (3, 2), "{}", first.all());
    let (first, types) = (first.summary(), "heroku_team heroku_account_has_team heroku_application heroku_addon");
    assert!(types.split(' ').all(|of| first.partial().contains(of)), "{:?}", first.partial());
    assert_eq!(place.run("validate data --input out").code, 0, "no relationship may refer to the team");
    let team = heroku.team("Design Ops");
    assert_eq!(first.step("fetch-teams")["quarantinedDetails"]["heroku_team"], json!([team]));
    let text = place.run("jobs show").out;
    let next = text.split("Next:").nth(1).expect("what to do next");
    assert!(text.contains(&team) && !next.contains("--resume"), "{text}");
    for _ in 0..2 {
        let (again, resumed) = place.collect("--resume");
        assert_eq!(again.code, 3, "{}", again.all());
        assert_same(&resumed, &graph);
        assert_eq!(again.summary().partial(), first.partial());
        assert_eq!(place.states(), ["partial"]);
    }
}

#[test]
fn an_object_that_fails_its_step_fails_no_other_one() {
    side_by_side([1, 2, 8, 64], |concurrency| {
        let heroku = Heroku::of(with_a_blank_app(), FakeOptions::default());
        for _ in 0..5 {
            let place = Place::before(&heroku);
            let (said, graph) = place.collect(&format!("--validation fail --concurrency {concurrency}"));
            assert_eq!(said.code, 3, "{}", said.all());
            let summary = said.summary();
            assert_eq!(summary.status("fetch-apps"), "failure");
            assert!(summary.step("fetch-apps")["error"]["message"].as_str().expect("a message").contains("/webLink"));
            for step in ["fetch-account", "fetch-teams", "fetch-members", "fetch-addons", "fetch-team-members"] {
                assert_eq!(summary.status(step), "success", "{}", said.all());
            }
            assert!(summary.partial().contains("heroku_application"), "{:?}", summary.partial());
            let text = place.run("jobs show").out;
            assert!(!text.contains("--resume"), "the object stays as it is: {text}");
            assert!(graph.of_type("heroku_application").values().all(|app| app["name"] != "my app"));
            assert_eq!(place.run("validate data --input out").code, 0);
        }
    });
}

#[test]
fn an_application_that_two_teams_list_is_there_once_as_the_newer_answer_has_it() {
    let mut organisation = Organisation::empty();
    let account = organisation.add_account(Account::new("wren"));
    let teams = ["platform", "design"].map(|team| organisation.add_team(Team::new(team, Some(account))));
    let moving = App::new(teams[0], "moving");
    let id = moving.id.to_string();
    organisation.add_app(moving);
    organisation.add_app(App::new(teams[0], "staying"));
    let heroku = Heroku::of(organisation, FakeOptions::default());
    let moved = json!([{"id": id, "name": "moving", "updated_at": "2031-01-01T00:00:00Z"}]);
    heroku.fault(Fault::Status(Reply::json(200, &moved)).on(&format!("/teams/{}/apps", teams[1])));
    let graphs = [1, 8, 64, 1].map(|concurrency| {
        let place = Place::before(&heroku);
        let (said, graph) = place.collect(&format!("--concurrency {concurrency}"));
        assert_eq!(said.code, 0, "{}", said.all());
        let reason = "an object with several descriptions, of which one is kept";
        assert_eq!(said.summary().skipped("fetch-apps", "heroku_application", reason), 1);
        let partial: BTreeSet<&str> = BTreeSet::new();
        assert_eq!((said.summary().state(), said.summary().partial()), ("complete", partial));
        let text = place.run("jobs show").out;
        assert!(text.contains(reason), "{text}");
        graph
    });
    let apps = graphs[0].of_type("heroku_application");
    assert_eq!((apps.len(), &apps[&id]["teamId"]), (2, &json!(teams[1].to_string())));
    let owners = graphs[0].of_type("heroku_team_owns_application").into_keys();
    let owners: Vec<String> = owners.filter(|key| key.ends_with(&id)).collect();
    assert_eq!(owners, [format!("{}|owns|{id}", teams[1])], "the older answer is not the stored one");
    graphs.iter().for_each(|graph| assert_same(graph, &graphs[0]));
}

#[test]
fn a_resumed_job_keeps_its_class_schemas_and_takes_no_others() {
    let heroku = Heroku::of(with_a_blank_team(), FakeOptions::default());
    let place = Place::before(&heroku);
    let account = |required: &str| json!({"$id": "#Account", "type": "object", "allOf": [{"$ref": "#Entity"}], "properties": {}, "required": [required]});
    place.write("classes/Account.json", &account("colour").to_string());
    let (first, _) = place.collect("--schemas classes --validation quarantine");
    assert_eq!((first.code, first.summary().status("fetch-account")), (3, "partial_success_due_to_dependency_failure"));
    place.write("classes/Account.json", &account("name").to_string());
    let said = place.run("collect --resume --schemas classes");
    assert_eq!(said.code, 2, "{}", said.all());
    assert!(said.err.contains("it began with others"), "{}", said.err);
    std::fs::remove_dir_all(place.path("classes")).expect("the folder exists");
    let (again, _) = place.collect("--resume");
    assert_eq!(again.code, 3, "{}", again.all());
    assert_eq!(
        again.summary().step("fetch-account")["incomplete"],
        first.summary().step("fetch-account")["incomplete"]
    );
}
