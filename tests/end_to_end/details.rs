//! Ingestion sources that are off by default: their requests, filter, interruptions, and the option `--only-changed`.

use std::collections::BTreeSet;
use std::time::Duration;

use integration_heroku::fake::{App, FakeOptions, Fault, FaultRule, Latency, Organisation, PLANTED, Reply, Team};
use serde_json::{Value, json};

use crate::harness::{Graph, Heroku, Place, assert_same, assert_same_objects, files_below};

const DETAILS: &str =
    "application-domains,application-formation,application-drains,application-webhooks,application-buildpacks";
const TYPES: [&str; 7] = [
    "heroku_domain",
    "heroku_sni_endpoint",
    "heroku_formation",
    "heroku_log_drain",
    "heroku_telemetry_drain",
    "heroku_webhook",
    "heroku_buildpack",
];

fn on() -> String {
    format!("--enable-source {DETAILS}")
}

/// The requests below `/apps` since a number of requests.
fn asked_since(heroku: &Heroku, requests: usize) -> Vec<String> {
    let paths = heroku.asked_since(requests).into_iter().map(|request| request.path);
    paths.filter(|path| path.starts_with("/apps/")).collect()
}

/// The number of applications of the sample.
fn apps(heroku: &Heroku) -> usize {
    heroku.organisation().apps().count()
}

fn app_id(heroku: &Heroku, name: &str) -> String {
    let app: Option<&App> = heroku.organisation().apps().find(|app| app.name == name);
    app.expect("the sample has an application of this name").id.to_string()
}

/// The sample with a later update of one application.
fn with_update_of(name: &str) -> Heroku {
    let mut organisation = Organisation::sample();
    let app = organisation.apps().find(|app| app.name == name).expect("the sample has it").clone();
    let released = app.released_at.map(|at| at + Duration::from_secs(3_600));
    assert!(released.is_some(), "{name} has a release");
    organisation.update_app(App { released_at: released, ..app });
    Heroku::of(organisation, FakeOptions::default())
}

/// The place, before another Heroku.
fn moved(place: Place, heroku: &Heroku) -> Place {
    place.with("HEROKU_API_URL", heroku.url())
}

/// The keys of the details of some applications.
fn details_of(graph: &Graph, apps: &BTreeSet<String>) -> BTreeSet<String> {
    let is_of = |of: &Value| of["applicationId"].as_str().is_some_and(|app| apps.contains(app));
    details(graph).iter().filter(|of| is_of(of)).map(|of| of["_key"].to_string()).collect()
}

fn details(graph: &Graph) -> Vec<Value> {
    TYPES.into_iter().flat_map(|object_type| graph.of_type(object_type).into_values()).collect()
}

#[test]
fn details_cost_no_request_unless_their_sources_are_on() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let (said, graph) = place.collect("");
    assert_eq!((said.code, asked_since(&heroku, 0)), (0, Vec::<String>::new()));
    assert_eq!(details(&graph), Vec::<Value>::new());
    let before = heroku.requests();
    let (said, graph) = place.collect(&on());
    assert_eq!(said.code, 0, "{}", said.all());
    assert_eq!(asked_since(&heroku, before).len(), 7 * apps(&heroku));
    assert_eq!(said.summary().step("fetch-domains")["encounteredTypeCounts"]["heroku_domain"], 6);
    assert_eq!(
        details(&graph).len(),
        details(&graph).iter().map(|of| of["_key"].as_str()).collect::<BTreeSet<_>>().len()
    );
}

#[test]
fn a_plan_computes_the_requests_of_the_selected_applications() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku).with("HEROKU_DETAILS_APPLICATIONS", "kestrel-shop*");
    place.run("collect --quiet");
    let said = place.run(&format!("plan --format json {}", on()));
    let plan = said.json();
    let steps = plan["steps"].as_array().expect("steps");
    let requests = |id: &str| steps.iter().find(|step| step["id"] == id).map(|step| step["requests"].clone());
    // kestrel-shop, kestrel-shop-staging, and kestrel-shop-jp; the sizes of dynos are one further list.
    assert_eq!((requests("fetch-domains"), requests("fetch-formation")), (Some(json!(6)), Some(json!(4))));
    assert_eq!(plan["lowerBound"], false, "{}", said.all());
    let text = place.run(&format!("plan {}", on())).out;
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("5 steps compute their requests from the configuration and the newest graph: 22"), "{text}");
    let expected = plan["requests"].as_u64().expect("a number");
    let before = heroku.requests();
    place.run(&format!("collect --quiet {}", on()));
    assert_eq!(u64::try_from(heroku.requests() - before), Ok(expected + 1), "all requests, and that for the account");
}

#[test]
fn no_credential_of_a_target_reaches_the_store_an_export_or_the_log() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let (said, graph) = place.collect(&format!("-vv {} --enable-source usage --record recordings", on()));
    assert_eq!(said.code, 0, "{}", said.all());
    assert!(details(&graph).len() > 30 && place.path("recordings").is_dir());
    let planted = PLANTED.as_bytes();
    let contains = |bytes: &[u8]| bytes.windows(planted.len()).any(|window| window == planted);
    assert!(!contains(said.all().as_bytes()), "{}", said.all());
    for file in files_below(place.root()) {
        assert!(!contains(&std::fs::read(&file).expect("a file")), "{}", file.display());
    }
}

#[test]
fn applications_outside_of_the_filter_stay_as_they_were_and_no_removal_is_claimed() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let (_, all) = place.collect(&on());
    let place = place.with("HEROKU_DETAILS_TEAMS", "kestrel-storefront");
    let before = heroku.requests();
    let (said, _) = place.collect(&on());
    let summary = said.summary();
    assert_eq!((said.code, summary.state()), (0, "complete"), "{}", said.all());
    let team = heroku.team("kestrel-storefront");
    let all_apps = apps(&heroku);
    let apps = all.of_type("heroku_application").into_values().filter(|app| app["teamId"] == *team).count();
    assert_eq!(asked_since(&heroku, before).len(), 7 * apps);
    assert_eq!(summary.step("fetch-drains")["excludedParents"], all_apps - apps);
    let partial = &summary.0["metadata"]["partialDatasets"]["types"];
    assert!(partial.as_array().is_some_and(|types| types.contains(&json!("heroku_log_drain"))), "{partial}");
    let changes = summary.0["published"]["changes"].as_object().expect("changes by type");
    assert!(changes.values().all(|of_type| of_type["removed"] == 0 && of_type["changed"] == 0), "{changes:?}");
    let found = place.shell(r#""$0" query 'FIND heroku_log_drain AS drain RETURN drain.host' --format json"#, "");
    let drains = all.of_type("heroku_log_drain").len();
    assert_eq!(found.json()["totalCount"], drains, "the drains of other teams stay: {}", found.all());
    // A removal under a selected application is observed nevertheless.
    let shop = app_id(&heroku, "kestrel-shop");
    let none = Reply::json(200, &json!([]));
    heroku.fault(Fault::Status(none).on(&format!("/apps/{shop}/webhooks")));
    let (said, _) = place.collect(&on());
    assert_eq!(said.summary().0["published"]["changes"]["heroku_webhook"]["removed"], 1, "{}", said.all());
}

#[test]
fn a_filter_with_an_unknown_team_is_an_error_and_not_an_empty_result() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku).with("HEROKU_DETAILS_TEAMS", "kestrel-storefront, storefront");
    let (said, graph) = place.collect(&on());
    assert_eq!(said.code, 3, "{}", said.all());
    assert_eq!(details(&graph), Vec::<Value>::new());
    let summary = said.summary();
    let gaps = summary.gaps("fetch-domains");
    assert!(gaps[0].cause().contains("there is no team \"storefront\""), "{}", gaps[0].cause());
}

#[test]
fn details_killed_at_any_request_resume_to_the_graph_of_an_undisturbed_run() {
    let slow = FakeOptions {
        latency: Latency::Shuffled { seed: 7, max: Duration::from_millis(10) },
        ..FakeOptions::default()
    };
    let heroku = Heroku::with(slow);
    let (said, expected) = Place::before(&heroku).collect(&on());
    assert_eq!(said.code, 0, "{}", said.all());
    for requests in [40, 90, 150, 200] {
        let place = Place::before(&heroku);
        let wanted = heroku.requests() + requests;
        let silence = heroku.fault(FaultRule::from(Fault::NoAnswer).after(requests as u64));
        let running = place.start(&format!("collect {}", on()));
        heroku.until(|heroku| heroku.requests() >= wanted);
        running.kill();
        heroku.server().lift(silence);
        let (_, graph) = place.resume();
        assert_same(&graph, &expected);
    }
}

#[test]
fn a_resumed_job_requests_no_application_again_whose_details_are_complete() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let shop = app_id(&heroku, "kestrel-shop");
    heroku.fault(Fault::NoAnswer.on(&format!("/apps/{shop}/domains")));
    let running = place.start(&format!("collect {}", on()));
    heroku.until(|heroku| {
        heroku.log().iter().filter(|request| request.path.starts_with("/apps/")).count()
            >= 7 * heroku.organisation().apps().count()
    });
    running.interrupt("INT");
    assert_eq!(running.end().code, 3);
    heroku.server().lift_all();
    let before = heroku.requests();
    place.resume();
    let again = asked_since(&heroku, before);
    assert!(again.contains(&format!("/apps/{shop}/domains")) && again.len() < 60, "{again:?}");
}

#[test]
fn only_changed_applications_are_requested_and_the_others_are_confirmed() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let (_, first) = place.collect(&on());
    let before = heroku.requests();
    let (said, same) = place.collect(&format!("{} --only-changed", on()));
    assert_eq!((said.code, asked_since(&heroku, before)), (0, Vec::new()), "{}", said.all());
    assert_same(&same, &first);
    let summary = said.summary();
    assert_eq!(summary.step("fetch-domains")["keptParents"], apps(&heroku));
    assert_eq!(summary.0["published"]["changes"], json!({}), "kept objects are neither stale nor removed");
    assert_eq!(summary.0["published"].get("stale"), None);

    let later = with_update_of("kestrel-shop");
    let place = moved(place, &later);
    let (said, graph) = place.collect(&format!("{} --only-changed", on()));
    assert_eq!(said.code, 0, "{}", said.all());
    let shop = app_id(&later, "kestrel-shop");
    let asked = asked_since(&later, 0);
    assert_eq!(asked.len(), 7);
    assert!(asked.iter().all(|path| path.starts_with(&format!("/apps/{shop}/"))), "{asked:?}");
    let (_, undisturbed) = Place::before(&later).collect(&on());
    assert_same(&graph, &undisturbed);
    let report = place.run("jobs show").out;
    let kept = format!("{} unchanged since the last job, kept", apps(&later) - 1);
    assert!(report.contains(&kept), "{report}");
}

#[test]
fn an_application_with_a_gap_is_requested_again_although_it_is_unchanged() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let refused = app_id(&heroku, "kestrel-api");
    let refusal = Reply::json(403, &json!({"id": "forbidden", "message": "No."}));
    heroku.fault(Fault::Status(refusal).on(&format!("/apps/{refused}/formation")));
    let (said, _) = place.collect(&on());
    assert_eq!(said.code, 3, "{}", said.all());
    heroku.server().lift_all();
    let before = heroku.requests();
    let (said, graph) = place.collect(&format!("{} --only-changed", on()));
    assert_eq!((said.code, asked_since(&heroku, before)), (0, vec![format!("/apps/{refused}/formation")]));
    let (_, undisturbed) = Place::before(&heroku).collect(&on());
    assert_same(&graph, &undisturbed);
}

#[test]
fn another_filter_or_a_source_that_was_off_requests_everything_that_is_selected() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku).with("HEROKU_DETAILS_APPLICATIONS", "kestrel-shop*");
    place.collect("--enable-source application-domains");
    let before = heroku.requests();
    // The formation was never requested, so there is nothing to keep; the domains are unchanged.
    place.collect("--enable-source application-domains,application-formation --only-changed");
    assert_eq!(asked_since(&heroku, before).len(), 3);
    let place = place.with("HEROKU_DETAILS_APPLICATIONS", "kestrel-*");
    let before = heroku.requests();
    let (said, _) = place.collect("--enable-source application-domains --only-changed");
    assert!(said.err.contains("the configuration has changed since this job"), "{}", said.all());
    let selected = heroku.organisation().apps().filter(|app| app.name.starts_with("kestrel-")).count();
    assert_eq!(asked_since(&heroku, before).len(), 2 * selected);
}

#[test]
fn a_renamed_team_brings_unchanged_applications_into_the_filter() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku).with("HEROKU_DETAILS_TEAMS", "kestrel-storefront");
    place.collect(&on());
    // The names of two teams are exchanged; no application has changed.
    let mut organisation = Organisation::sample();
    let teams: Vec<Team> = organisation.teams().filter(|team| team.account.is_some()).take(2).cloned().collect();
    let [platform, storefront] = &teams[..] else { panic!("two teams") };
    assert_eq!((&*platform.name, &*storefront.name), ("kestrel-platform", "kestrel-storefront"));
    organisation.update_team(Team { name: storefront.name.clone(), ..platform.clone() });
    organisation.update_team(Team { name: platform.name.clone(), ..storefront.clone() });
    let renamed = Heroku::of(organisation, FakeOptions::default());
    let place = moved(place, &renamed);
    let (said, graph) = place.collect(&format!("{} --only-changed", on()));
    assert_eq!(said.code, 0, "{}", said.all());
    let selected: BTreeSet<String> =
        renamed.organisation().apps_of(platform.id).map(|app| app.id.to_string()).collect();
    let asked: BTreeSet<String> =
        asked_since(&renamed, 0).iter().filter_map(|path| path.split('/').nth(2)).map(str::to_owned).collect();
    assert_eq!(asked, selected, "everything under the applications that entered the filter, and nothing else");
    let fresh = Place::before(&renamed).with("HEROKU_DETAILS_TEAMS", "kestrel-storefront");
    let (_, undisturbed) = fresh.collect(&on());
    assert_eq!(details_of(&graph, &selected), details_of(&undisturbed, &selected));
    // Nothing under them is requested again, whether it has details or not.
    let before = renamed.requests();
    place.collect(&format!("{} --only-changed", on()));
    assert_eq!(asked_since(&renamed, before), Vec::<String>::new());
}

#[test]
fn a_killed_job_with_only_changed_keeps_its_option_and_resumes_to_the_same_graph() {
    let first = Heroku::sample();
    let place = Place::before(&first);
    place.collect(&on());
    let later = with_update_of("kestrel-shop");
    let place = moved(place, &later);
    let shop = app_id(&later, "kestrel-shop");
    let silence = later.fault(Fault::NoAnswer.on(&format!("/apps/{shop}/domains")));
    let running = place.start(&format!("collect --only-changed {}", on()));
    later.until(|heroku| heroku.log().iter().any(|request| request.path == format!("/apps/{shop}/domains")));
    running.kill();
    later.server().lift(silence);
    let before = later.requests();
    let (said, graph) = place.resume();
    assert!(asked_since(&later, before).iter().all(|path| path.starts_with(&format!("/apps/{shop}/"))));
    assert_eq!(said.summary().0["published"].get("stale"), None, "{}", said.all());
    let (_, undisturbed) = Place::before(&later).collect(&on());
    assert_same_objects(&graph.objects(), &undisturbed.objects());
}

#[test]
fn the_questions_about_details_find_the_cases_of_the_sample() {
    let place = Place::alone();
    let said = place.run(&format!("collect --sample --quiet --enable-source usage,{DETAILS}"));
    assert_eq!(said.code, 0, "{}", said.all());
    let said = place.run("questions run --tag details --format json");
    let found = said.json();
    let summary: serde_json::Map<String, Value> = found["questions"]
        .as_array()
        .expect("questions")
        .iter()
        .map(|question| {
            let queries = question["queries"].as_array().expect("queries").iter();
            let totals: Vec<String> = queries.map(|query| query["total"].to_string()).collect();
            let text = format!("{} {}", question["verdict"].as_str().expect("a verdict"), totals.join(" "));
            (question["id"].as_str().expect("an id").to_owned(), text.into())
        })
        .collect();
    insta::assert_json_snapshot!(summary);
}

#[test]
fn the_usage_of_a_team_and_its_applications_is_a_record_of_each_month() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let before = heroku.requests();
    let (said, graph) = place.collect("--enable-source usage");
    assert_eq!(said.code, 0, "{}", said.all());
    let asked = heroku.asked_since(before).into_iter().filter(|request| request.path.ends_with("/usage/monthly"));
    let of_accounts: Vec<_> = heroku.organisation().teams().filter(|team| team.account.is_some()).collect();
    assert_eq!(asked.count(), of_accounts.len());
    let (teams, apps) = (graph.of_type("heroku_team_usage"), graph.of_type("heroku_application_usage"));
    let used: usize = of_accounts.iter().map(|team| heroku.organisation().apps_of(team.id).count()).sum();
    assert_eq!((teams.len(), apps.len()), (2 * of_accounts.len(), 2 * used));
    for usage in teams.values() {
        let cents = |of: &Value| (of["addonCredits"].as_f64().expect("a number") * 100.0).round();
        let team = &usage["teamId"];
        let ids: BTreeSet<String> = graph
            .of_type("heroku_application")
            .into_iter()
            .filter_map(|(id, app)| (app["teamId"] == *team).then_some(id))
            .collect();
        let of_team = apps.values().filter(|of| ids.contains(of["applicationId"].as_str().expect("an id")));
        let sum: f64 = of_team.filter(|of| of["month"] == usage["month"]).map(cents).sum();
        assert!(sum < cents(usage), "the usage of a team contains that of a deleted application: {sum} {usage}");
        assert!(sum > 0.0 || ids.is_empty(), "{usage}");
    }
    let skipped = said.summary().step("fetch-usage")["skipped"]["heroku_application_usage"].clone();
    assert_eq!(skipped["the usage of an application that no longer exists"], teams.len(), "{}", said.all());
}
