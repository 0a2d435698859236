//! Faults of the provider over real HTTP. A job collects all available data and reports the rest as gaps.

use std::collections::BTreeSet;
use std::time::Duration;

use integration_heroku::fake::{
    FakeOptions, Fault, FaultRule, Latency, Organisation, PageLimits, RateBucket, Reply, RetryAfter,
};
use serde_json::{Value, json};

use crate::harness::{Graph, Heroku, Objects, Place, assert_same, assert_same_objects, side_by_side, undisturbed};

const NOT_COLLECTED: &str = "an add-on of an application that was not collected";
const MAY_BE_MISSING: &str = "the applications of these add-ons may be among those that were not collected";
const VANISHED: &str = "parent vanished while it was collected";

/// The lists that are requested for each team.
const LISTS_OF_TEAM: [&str; 7] = ["apps", "addons", "members", "permissions", "invitations", "preferences", "features"];
/// Lists that refer to applications, or depend on them.
const REFER_TO_APPLICATIONS: [&str; 5] =
    ["/apps", "/addons", "/pipeline-couplings", "/addon-attachments", "/addon-services"];
/// Types that do not depend on applications. Add-ons do: those of personal applications are found by their application.
const PEOPLE_AND_PARENTS: [&str; 4] = ["heroku_account", "heroku_account_member", "heroku_team", "heroku_space"];

/// The number of types. The sample has objects of all of them.
fn all_types() -> usize {
    undisturbed().objects().values().map(|object| object["_type"].to_string()).collect::<BTreeSet<_>>().len()
}

fn error(status: u16, id: &str) -> Fault {
    Fault::Status(Reply::json(status, &json!({"id": id, "message": "Not this time."})))
}

fn small_pages(size: usize) -> FakeOptions {
    FakeOptions { page_limits: PageLimits { default: size, maximum: size }, ..FakeOptions::default() }
}

/// The undisturbed graph without some objects.
fn undisturbed_without(gone: impl Fn(&Value) -> bool) -> Objects {
    let mut objects = undisturbed().objects();
    objects.retain(|_, object| !gone(object));
    objects
}

fn is_of(object: &Value, types: &[&str]) -> bool {
    types.iter().any(|name| object["_type"] == *name)
}

/// Whether an object depends on the list of a team's applications.
fn rests_on_the_apps_of(team: &str) -> impl Fn(&Value) -> bool {
    let apps = undisturbed().of_type("heroku_application").into_iter().filter(|(_, app)| app["teamId"] == team);
    let apps: BTreeSet<String> = apps.map(|(key, _)| key).collect();
    move |object| is_about(&apps, object)
}

/// Whether an object is one of some entities, or a relationship of one.
fn is_about(keys: &BTreeSet<String>, object: &Value) -> bool {
    ["_key", "_fromEntityKey", "_toEntityKey"]
        .iter()
        .any(|name| object[name].as_str().is_some_and(|key| keys.contains(key)))
}

/// The keys of the applications of people, and of their add-ons.
fn personal(organisation: &Organisation) -> BTreeSet<String> {
    let apps = || organisation.apps().filter(|app| app.team.is_none());
    let addons = apps().flat_map(|app| organisation.addons_of_app(app.id)).map(|addon| addon.id.to_string());
    apps().map(|app| app.id.to_string()).chain(addons).collect()
}

/// Asserts that a graph with gaps is consistent: every relationship has both ends.
fn assert_sound(place: &Place) {
    let said = place.run("validate data --input out");
    assert_eq!(said.code, 0, "{}", said.all());
}

#[test]
fn one_team_s_refused_apps_are_missing_under_that_team_and_nothing_else_is() {
    let heroku = Heroku::sample();
    let team = heroku.team("kestrel-data");
    heroku.fault(error(403, "forbidden").on(&format!("/teams/{team}/apps")));
    let place = Place::before(&heroku);
    let (said, graph) = place.collect("");
    assert_eq!(said.code, 3, "{}", said.all());
    let summary = said.summary();
    let types = ["heroku_application", "heroku_team_owns_application"];
    let [gap] = &summary.gaps("fetch-apps")[..] else { panic!("one gap: {:#}", summary.0) };
    assert_eq!((gap.types(), gap.under(), gap.inherited_from()), (types.into(), Some(&*team), None));
    assert_eq!(gap.code(), "PROVIDER_AUTHORIZATION_ERROR");
    assert!(gap.cause().contains("403 forbidden: \"Not this time.\""), "{gap:?}");
    let [below] = &summary.gaps("build-relationships")[..] else { panic!("one gap: {:#}", summary.0) };
    assert_eq!((below.under(), below.inherited_from()), (Some(&*team), Some("fetch-apps")));
    let partial = summary.partial();
    assert!(types.iter().all(|name| partial.contains(name)) && partial.contains("heroku_application_has_addon"));
    assert!(!partial.iter().any(|name| PEOPLE_AND_PARENTS.contains(name)), "{partial:?}");
    for (step, status) in [
        ("fetch-apps", "partial_success_due_to_dependency_failure"),
        ("build-relationships", "partial_success_due_to_dependency_failure"),
        ("fetch-addons", "success"),
        ("fetch-team-members", "success"),
    ] {
        assert_eq!(summary.status(step), status, "{step}");
    }
    let organisation = heroku.organisation();
    let id = organisation.teams().find(|found| found.id.to_string() == team).expect("the team").id;
    let addons: BTreeSet<_> = organisation.addons_of_team(id).map(|addon| addon.name.to_string()).collect();
    let missed = &summary.step("build-relationships")["missed"]["heroku_application_has_addon"][MAY_BE_MISSING];
    assert_eq!(*missed, json!({"count": addons.len(), "names": addons}));
    assert_eq!(summary.skipped("build-relationships", "heroku_application_has_addon", NOT_COLLECTED), 0);
    assert_same_objects(&graph.objects(), &undisturbed_without(rests_on_the_apps_of(&team)));
    assert_sound(&place);
}

#[test]
fn one_account_s_refused_members_cost_the_members_of_its_teams_and_no_others() {
    let heroku = Heroku::sample();
    let account = heroku
        .organisation()
        .accounts()
        .find(|account| account.name == "kestrel-labs")
        .expect("the sample has this account");
    let account = account.id.to_string();
    heroku.fault(error(403, "forbidden").on(&format!("/enterprise-accounts/{account}/members")));
    let place = Place::before(&heroku);
    let (said, graph) = place.collect("");
    assert_eq!(said.code, 3, "{}", said.all());
    let summary = said.summary();
    let [gap] = &summary.gaps("fetch-members")[..] else { panic!("one gap: {:#}", summary.0) };
    assert_eq!((gap.under(), gap.parent_type()), (Some(&*account), Some("heroku_account")));
    let partial = summary.partial();
    let of_people = ["heroku_account_has_member", "heroku_account_member", "heroku_team_has_account_member"];
    assert!(of_people.iter().all(|name| partial.contains(name)), "{partial:?}");
    assert!(
        !["heroku_team", "heroku_application", "heroku_addon", "heroku_space"].iter().any(|it| partial.contains(it))
    );
    let types: Vec<&str> = partial.into_iter().collect();
    let others: Objects = undisturbed_without(|object| is_of(object, &types));
    let mut found = graph.objects();
    found.retain(|_, object| !is_of(object, &types));
    assert_same_objects(&found, &others);
    let in_the_other = undisturbed().of_type("heroku_account_has_member").into_values();
    let in_the_other = in_the_other.filter(|object| object["_fromEntityKey"] != account.as_str()).count();
    assert_eq!(graph.of_type("heroku_account_member").len(), in_the_other);
    assert_sound(&place);
}

#[test]
fn a_failure_of_the_moment_is_asked_again_and_leaves_no_trace_in_the_graph() {
    let html = Reply::html(503, "<!DOCTYPE html><h1>Application error</h1>");
    let faults = [
        error(500, "internal_server_error"),
        error(408, "timeout"),
        Fault::Status(Reply::empty(502)),
        Fault::Status(html),
        Fault::Status(Reply::json(429, &json!({"id": "rate_limit", "message": "Slow down."}))),
        Fault::Status(Reply::json(429, &json!({"id": "rate_limit"})).with_header("retry-after", "1")),
        Fault::TruncatedBody { after: 0 },
        Fault::TruncatedBody { after: 700 },
        Fault::MalformedJson,
        Fault::EmptyBody,
        Fault::Status(Reply::html(200, "<h1>Down for maintenance</h1>")),
        Fault::ConnectionReset,
    ];
    side_by_side(faults, |fault| {
        let heroku = Heroku::sample();
        heroku.fault(fault.clone().on("/teams/{id}/apps").first(1));
        let (said, graph) = Place::before(&heroku).collect("");
        assert_eq!(said.code, 0, "{fault:?}: {}", said.all());
        assert_eq!(said.summary().retries(), 1, "{fault:?}");
        assert_same(&graph, undisturbed());
    });
}

#[test]
fn the_first_answer_of_each_list_may_fail() {
    let heroku = Heroku::sample();
    heroku.fault(FaultRule::from(error(500, "internal_server_error")).first_of_each_path(1));
    let (said, graph) = Place::before(&heroku).collect("");
    assert_eq!(said.code, 0, "{}", said.all());
    let plain = Heroku::sample();
    Place::before(&plain).collect("");
    assert_eq!(said.summary().retries(), plain.requests() as u64, "one retry per request of the sample");
    assert_same(&graph, undisturbed());
}

#[test]
fn a_media_type_that_is_not_json_s_does_not_hide_the_json() {
    let heroku = Heroku::sample();
    heroku.fault(Fault::WrongContentType("text/plain".into()));
    let (said, graph) = Place::before(&heroku).collect("");
    assert_eq!((said.code, said.summary().retries()), (0, 0), "{}", said.all());
    assert_same(&graph, undisturbed());
}

#[test]
fn what_fails_for_ever_is_given_up_for_one_team_alone() {
    let faults = [
        error(500, "internal_server_error"),
        Fault::MalformedJson,
        Fault::TruncatedBody { after: 100 },
        Fault::ConnectionReset,
    ];
    side_by_side(faults, |fault| {
        let heroku = Heroku::sample();
        let team = heroku.team("kestrel-storefront");
        let path = format!("/teams/{team}/apps");
        heroku.fault(fault.clone().on(&path));
        let place = Place::before(&heroku);
        let (said, graph) = place.collect("");
        assert_eq!(said.code, 3, "{fault:?}: {}", said.all());
        let summary = said.summary();
        let [gap] = &summary.gaps("fetch-apps")[..] else { panic!("one gap: {:#}", summary.0) };
        assert_eq!((gap.under(), gap.code()), (Some(&*team), "PROVIDER_RETRIES_EXCEEDED_ERROR"), "{fault:?}");
        assert!(gap.cause().contains("5 attempts"), "{gap:?}");
        assert_eq!(heroku.asked(&path), 5, "{fault:?}");
        assert_same_objects(&graph.objects(), &undisturbed_without(rests_on_the_apps_of(&team)));
        assert_sound(&place);
    });
}

#[test]
fn an_answer_that_does_not_fit_is_not_asked_for_again() {
    let heroku = Heroku::sample();
    let team = heroku.team("kestrel-data");
    let path = format!("/teams/{team}/apps");
    let nameless = json!([{"id": "0b2dfa09-0000-428b-b78c-c3ed9eb894d1", "name": {}}]);
    heroku.fault(Fault::Status(Reply::json(200, &nameless)).on(&path));
    let (said, graph) = Place::before(&heroku).collect("");
    assert_eq!((said.code, heroku.asked(&path)), (3, 1), "{}", said.all());
    let summary = said.summary();
    let [gap] = &summary.gaps("fetch-apps")[..] else { panic!("one gap: {:#}", summary.0) };
    assert_eq!((gap.under(), gap.code()), (Some(&*team), "PROVIDER_API_ERROR"));
    assert!(
        gap.cause().contains("of id 0b2dfa09-0000-428b-b78c-c3ed9eb894d1") && gap.cause().contains("`name`"),
        "{gap:?}"
    );
    assert_same_objects(&graph.objects(), &undisturbed_without(rests_on_the_apps_of(&team)));
}

#[test]
fn a_bucket_that_runs_dry_is_foreseen_and_no_request_is_refused() {
    let rate = RateBucket { retry_after: RetryAfter::Seconds, ..RateBucket::new(6, 240.0) };
    let heroku = Heroku::with(FakeOptions { rate: Some(rate), ..FakeOptions::default() });
    let (said, graph) = Place::before(&heroku).collect("");
    assert_eq!(said.code, 0, "{}", said.all());
    let refused = heroku.log().iter().filter(|request| request.status == Some(429)).count();
    assert_eq!((refused, said.summary().retries()), (0, 0), "{}", said.all());
    assert_same(&graph, undisturbed());
}

#[test]
fn an_answer_that_stops_is_not_waited_for_for_ever() {
    let heroku = Heroku::sample();
    let apps = format!("/teams/{}/apps", heroku.team("kestrel-platform"));
    heroku.fault(Fault::Stall { after: 100, pause: None }.on(&apps).first(1));
    heroku.fault(Fault::NoAnswer.on("/teams/{id}/addons").first(1));
    let (said, graph) = Place::before(&heroku).collect("");
    assert_eq!((said.code, said.summary().retries()), (0, 2), "{}", said.all());
    assert_same(&graph, undisturbed());
}

#[test]
fn a_list_that_leads_in_circles_ends_and_is_told() {
    side_by_side([Fault::RepeatedNextRange, Fault::CircularNextRange], |fault| {
        let heroku = Heroku::with(small_pages(4));
        let team = heroku.team("kestrel-platform");
        let path = format!("/teams/{team}/addons");
        heroku.fault(fault.clone().on(&path));
        let place = Place::before(&heroku);
        let (said, _) = place.collect("");
        assert_eq!(said.code, 3, "{fault:?}: {}", said.all());
        let summary = said.summary();
        let [gap] = &summary.gaps("fetch-addons")[..] else { panic!("one gap: {:#}", summary.0) };
        assert_eq!((gap.under(), gap.code()), (Some(&*team), "PROVIDER_API_ERROR"), "{fault:?}");
        assert!(gap.cause().contains("the provider repeats page"), "{gap:?}");
        assert!(heroku.asked(&path) <= 10, "{fault:?}: {} requests", heroku.asked(&path));
        assert_sound(&place);
    });
}

#[test]
fn pages_of_two_and_things_that_come_twice_make_the_same_graph() {
    side_by_side([None, Some(Fault::DuplicatedItems)], |fault| {
        let heroku = Heroku::with(small_pages(2));
        if let Some(fault) = &fault {
            heroku.fault(fault.clone());
        }
        let (said, graph) = Place::before(&heroku).collect("");
        assert_eq!(said.code, 0, "{fault:?}: {}", said.all());
        assert!(heroku.requests() > 60, "{} requests: the pages must be small", heroku.requests());
        assert_same(&graph, undisturbed());
    });
}

#[test]
fn a_team_that_vanishes_is_counted_and_no_failure() {
    side_by_side([404, 410], |status| {
        let heroku = Heroku::sample();
        let team = heroku.team("kestrel-data");
        for list in LISTS_OF_TEAM {
            heroku.fault(error(status, "not_found").on(&format!("/teams/{team}/{list}")));
        }
        // The list of all add-ons contains none of the team any more, and nobody uses a shared one.
        let is_gone = rests_on_the_apps_of(&team);
        let gone: BTreeSet<String> =
            undisturbed().objects().into_iter().filter(|(_, it)| is_gone(it)).map(|(key, _)| key).collect();
        let addons = undisturbed().of_type("heroku_addon").into_values();
        let addons = addons.filter(|addon| addon["applicationId"].as_str().is_none_or(|app| !gone.contains(app)));
        let addons: Vec<Value> = addons.map(|addon| addon["_rawData"][0]["rawData"].clone()).collect();
        heroku.fault(Fault::Status(Reply::json(200, &json!(addons))).on("/addons"));
        heroku.fault(Fault::Status(Reply::json(200, &json!([]))).on("/addon-attachments"));
        let place = Place::before(&heroku);
        let (said, graph) = place.collect("");
        assert_eq!(said.code, 0, "{}", said.all());
        let summary = said.summary();
        assert_eq!((summary.state(), summary.partial().len()), ("complete", 0));
        for (step, object_type) in [
            ("fetch-apps", "heroku_application"),
            ("fetch-apps", "heroku_team_owns_application"),
            ("fetch-addons", "heroku_addon"),
            ("fetch-team-members", "heroku_team_has_account_member"),
            ("fetch-access", "heroku_account_member_assigned_application"),
            ("fetch-invitations", "heroku_team_invitation"),
        ] {
            assert_eq!(summary.skipped(step, object_type, VANISHED), 1, "{step} {object_type}");
        }
        let others = heroku.organisation().teams().filter(|other| other.id.to_string() != team);
        let personal = heroku.organisation().apps().filter(|app| app.team.is_none()).count();
        let apps = personal + others.map(|other| heroku.organisation().apps_of(other.id).count()).sum::<usize>();
        assert_eq!(graph.of_type("heroku_application").len(), apps);
        assert_eq!(graph.of_type("heroku_team").len(), 5, "the team was listed");
        assert_sound(&place);
    });
}

#[test]
fn a_list_that_is_found_under_no_team_is_a_gap_that_resuming_closes() {
    let heroku = Heroku::sample();
    heroku.fault(error(404, "not_found").on("/teams/{id}/addons"));
    let place = Place::before(&heroku);
    let (said, graph) = place.collect("");
    let summary = said.summary();
    assert_eq!(
        (said.code, summary.state(), summary.status("fetch-addons")),
        (3, "partial", "failure"),
        "{}",
        said.all()
    );
    let gaps = summary.gaps("fetch-addons");
    assert!(gaps.len() == 5 && gaps.iter().all(|gap| gap.under().is_some() && gap.cause().contains("404")), "{gaps:?}");
    assert_eq!(summary.skipped("fetch-addons", "heroku_addon", VANISHED), 0);
    assert_eq!(graph.of_type("heroku_application").len(), 27);
    assert!(summary.partial().is_superset(&["heroku_addon", "heroku_application_has_addon"].into()));
    heroku.server().lift_all();
    let before = heroku.requests();
    let (_, graph) = place.resume();
    assert_same(&graph, undisturbed());
    assert_eq!(heroku.asked_since(before).iter().filter(|request| request.path.ends_with("/addons")).count(), 6);
}

#[test]
fn a_team_that_one_list_finds_and_another_does_not_is_not_gone() {
    let heroku = Heroku::sample();
    let team = heroku.team("kestrel-data");
    heroku.fault(error(404, "not_found").on(&format!("/teams/{team}/apps")));
    let place = Place::before(&heroku);
    let (said, _) = place.collect("");
    let summary = said.summary();
    let [gap] = &summary.gaps("fetch-apps")[..] else { panic!("one gap: {}", said.all()) };
    assert_eq!((said.code, gap.under()), (3, Some(&*team)));
    assert_eq!(summary.skipped("build-relationships", "heroku_application_has_addon", NOT_COLLECTED), 0);
    heroku.server().lift_all();
    assert_same(&place.resume().1, undisturbed());
}

#[test]
fn the_lists_of_an_only_parent_that_are_not_found_are_gaps() {
    let sample = Organisation::sample();
    let mut organisation = Organisation::empty();
    let team = sample.teams().find(|team| team.account.is_some()).expect("a team of an account");
    let account = team.account.and_then(|account| sample.account(account)).expect("its account");
    organisation.add_account(account.clone());
    organisation.add_team(team.clone());
    for app in sample.apps_of(team.id) {
        organisation.add_app(app.clone());
    }
    let cases = [
        ("/enterprise-accounts/{id}/", ["members", "teams"].as_slice(), ["fetch-members", "fetch-teams"]),
        ("/teams/{id}/", LISTS_OF_TEAM.as_slice(), ["fetch-apps", "fetch-addons"]),
    ];
    side_by_side(cases, |(path, lists, steps)| {
        let heroku = Heroku::of(organisation.clone(), FakeOptions::default());
        for list in lists {
            heroku.fault(error(404, "not_found").on(&format!("{path}{list}")));
        }
        let (said, _) = Place::before(&heroku).collect("");
        let summary = said.summary();
        assert_eq!((said.code, summary.state()), (3, "partial"), "{}", said.all());
        for step in steps {
            let gaps = summary.gaps(step);
            assert!(gaps.iter().any(|gap| gap.under().is_some() && gap.cause().contains("404")), "{step}: {gaps:?}");
        }
    });
}

#[test]
fn a_team_that_only_the_selected_step_does_not_find_is_a_gap() {
    let heroku = Heroku::sample();
    let team = heroku.team("kestrel-data");
    let place = Place::before(&heroku);
    place.collect("");
    heroku.fault(error(404, "not_found").on(&format!("/teams/{team}/apps")));
    let (said, _) = place.collect("--step fetch-apps");
    let summary = said.summary();
    let [gap] = &summary.gaps("fetch-apps")[..] else { panic!("one gap: {}", said.all()) };
    assert_eq!((said.code, gap.under()), (3, Some(&*team)), "{}", said.all());
}

#[test]
fn a_refused_team_that_is_not_found_on_resume_stays_a_gap() {
    let heroku = Heroku::sample();
    let team = heroku.team("kestrel-data");
    let fail = |status, id| {
        for list in LISTS_OF_TEAM {
            heroku.fault(error(status, id).on(&format!("/teams/{team}/{list}")));
        }
    };
    fail(403, "forbidden");
    let place = Place::before(&heroku);
    let (refused, _) = place.collect("");
    assert_eq!(refused.code, 3, "{}", refused.all());
    heroku.server().lift_all();
    fail(404, "not_found");
    let (said, _) = place.collect("--resume");
    assert_eq!((said.code, said.summary().state()), (3, "partial"), "{}", said.all());
    assert_eq!(said.summary().partial(), refused.summary().partial());
    heroku.server().lift_all();
    assert_same(&place.resume().1, undisturbed());
}

#[test]
fn a_membership_without_a_person_is_counted_and_stops_nothing() {
    let (said, _) = Place::alone().collect("--sample");
    let summary = said.summary();
    let skipped = |reason| summary.skipped("fetch-team-members", "heroku_team_has_account_member", reason);
    assert_eq!((said.code, skipped("a membership without a person")), (0, 1));
}

#[test]
fn a_wrong_key_ends_before_there_is_a_job() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku).with("HEROKU_API_KEY", "not-the-right-key");
    let said = place.run("collect --output out");
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{}", said.all());
    assert!(said.err.contains("401 unauthorized") && said.err.contains("validate config"), "{}", said.err);
    assert_eq!((heroku.requests(), place.states()), (1, Vec::new()));
    assert!(!place.path("out").exists());
}

#[test]
fn a_key_that_is_revoked_half_way_fails_the_job_which_goes_on_with_another_key() {
    let heroku = Heroku::sample();
    heroku.fault(error(401, "unauthorized").on("/teams/{id}/apps"));
    let place = Place::before(&heroku);
    let (said, _) = place.collect("");
    assert_eq!(said.code, 1, "{}", said.all());
    let summary = said.summary();
    assert_eq!((summary.state(), &summary.0["error"]["code"]), ("failed", &"PROVIDER_AUTHENTICATION_ERROR".into()));
    assert_eq!(summary.step("fetch-apps")["error"]["code"], "PROVIDER_AUTHENTICATION_ERROR");
    let steps = summary.0["integrationStepResults"].as_array().expect("steps");
    let gaps = steps.iter().flat_map(|step| step["incomplete"].as_array().cloned().unwrap_or_default());
    let codes: BTreeSet<String> = gaps.map(|gap| gap["code"].as_str().expect("a code").to_owned()).collect();
    assert!(
        codes.contains("PROVIDER_AUTHENTICATION_ERROR") && !codes.contains("UNEXPECTED_ERROR"),
        "the gaps name the refused credentials: {codes:?}"
    );
    let missing = ["heroku_application", "heroku_team_owns_application", "heroku_application_has_addon"];
    assert!(summary.partial().is_superset(&missing.into()), "{:?}", summary.partial());
    assert!(!summary.partial().contains("heroku_account"), "accounts were collected before the key was refused");
    assert_eq!(place.states(), ["failed"]);
    heroku.server().lift_all();
    let before = heroku.requests();
    let (said, graph) = place.resume();
    assert_eq!((said.summary().state(), place.states()), ("complete", vec!["complete".to_owned()]));
    assert_same(&graph, undisturbed());
    let asked_again = heroku.asked_since(before);
    assert!(asked_again.iter().all(|request| request.path != "/enterprise-accounts"), "{asked_again:#?}");
}

#[test]
fn a_job_with_a_gap_is_completed_by_asking_for_the_gap_alone() {
    let heroku = Heroku::sample();
    let team = heroku.team("kestrel-platform");
    let path = format!("/teams/{team}/apps");
    heroku.fault(error(403, "forbidden").on(&path));
    let place = Place::before(&heroku);
    assert_eq!(place.collect("").0.code, 3);
    heroku.server().lift_all();
    let before = heroku.requests();
    let (said, graph) = place.resume();
    assert_same(&graph, undisturbed());
    let paths = heroku.asked_since(before).into_iter().map(|request| request.path);
    // Lists that refer to applications are read again, because the missing applications may be among them.
    let paths: Vec<String> =
        paths.filter(|it| !it.ends_with("/permissions") && !REFER_TO_APPLICATIONS.contains(&it.as_str())).collect();
    assert_eq!(paths, ["/account", &path]);
    let (whole, _) = Place::before(&heroku).collect("");
    assert_eq!(
        said.summary().results(),
        whole.summary().results(),
        "the results must equal those of a run without gaps"
    );
}

#[test]
fn where_nothing_can_be_had_the_exit_code_says_so() {
    side_by_side(["/enterprise-accounts", "/enterprise-accounts/{id}/{list}"], |pattern| {
        let heroku = Heroku::sample();
        heroku.fault(error(403, "forbidden").on(pattern));
        heroku.fault(error(403, "forbidden").on("/teams"));
        let (said, graph) = Place::before(&heroku).collect("");
        let summary = said.summary();
        assert_eq!((said.code, summary.state()), (3, "partial"), "{pattern}: {}", said.all());
        let accounts = graph.of_type("heroku_account").len();
        // One list each has the spaces and the pipelines of all teams, the applications of people, and the services.
        let bulk = ["heroku_space", "heroku_pipeline", "heroku_identity_provider", "heroku_addon_service"];
        let personal = personal(heroku.organisation());
        let is_known = |object: &Value| {
            let of_accounts = is_of(object, &["heroku_account", "heroku_account_uses_identity_provider"]);
            let of_bulk = object["_type"].as_str().is_some_and(|name| bulk.iter().any(|of| name.starts_with(of)));
            of_accounts || of_bulk || is_about(&personal, object)
        };
        let others: Vec<_> = graph.objects().into_values().filter(|object| !is_known(object)).collect();
        assert_eq!(others, Vec::<Value>::new(), "{pattern}");
        let types = summary.partial().len() + usize::from(accounts > 0);
        assert_eq!(types, all_types(), "{pattern}: {:?}", summary.partial());
    });
}

#[test]
fn accounts_that_cannot_be_listed_are_not_taken_for_none() {
    let heroku = Heroku::sample();
    heroku.fault(error(403, "forbidden").on("/enterprise-accounts"));
    let (said, graph) = Place::before(&heroku).collect("");
    assert_eq!((said.code, said.summary().partial().len()), (3, all_types()), "{}", said.all());
    // Adding a team without its account would appear as a change of every team in comparisons.
    let teams: Vec<Value> = graph.of_type("heroku_team").into_values().map(|mut team| team["name"].take()).collect();
    assert_eq!(teams, ["kestrel-open-source"], "an independent team has no account");
}

#[test]
fn a_provider_that_is_not_there_is_no_job() {
    let gone = Heroku::sample();
    let place = Place::before(&gone);
    drop(gone);
    let said = place.run("collect");
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{}", said.all());
    assert!(said.err.contains("GET /account failed: no connection"), "{}", said.err);
    assert!(said.err.contains("check the network"), "{}", said.err);
    assert_eq!(place.states(), Vec::<String>::new());
}

#[test]
fn the_graph_is_the_same_whatever_the_concurrency_and_the_order_of_answers() {
    let cases = [(1, 1), (8, 2), (8, 3), (64, 4), (64, 5)];
    side_by_side(cases, |(concurrency, seed)| {
        let latency = Latency::Shuffled { seed, max: Duration::from_millis(30) };
        let heroku = Heroku::with(FakeOptions { latency, ..small_pages(5) });
        let (said, graph): (_, Graph) = Place::before(&heroku).collect(&format!("--concurrency {concurrency}"));
        assert_eq!(said.code, 0, "{}", said.all());
        assert!(heroku.server().peak_in_flight() <= concurrency, "{}", heroku.server().peak_in_flight());
        assert_same(&graph, undisturbed());
    });
}
