//! Processes that are killed at any instant. The job must resume from the store to the undisturbed graph.

use std::collections::BTreeSet;
use std::time::Duration;

use integration_heroku::fake::{
    FakeHeroku, FakeOptions, Fault, FaultRule, Latency, Organisation, OrganisationSize, PageLimits,
};

use crate::expected::{graph_of, sizes};
use crate::harness::{Graph, Heroku, Place, assert_same, assert_same_objects, side_by_side, undisturbed};

/// Small pages increase the number of instants to test. The latency keeps the program busy between them.
fn slow() -> FakeOptions {
    FakeOptions {
        page_limits: PageLimits { default: 2, maximum: 2 },
        latency: Latency::Shuffled { seed: 7, max: Duration::from_millis(20) },
        ..FakeOptions::default()
    }
}

/// Starts a command and kills it after a number of requests.
///
/// Later requests get no response, so the command cannot end earlier, even on a slow machine.
fn killed_after(heroku: &Heroku, place: &Place, line: &str, requests: usize) {
    let wanted = heroku.requests() + requests;
    let silence = heroku.fault(FaultRule::from(Fault::NoAnswer).after(requests as u64));
    let running = place.start(line);
    heroku.until(|heroku| heroku.requests() >= wanted);
    running.kill();
    heroku.server().lift(silence);
    assert_eq!(place.states(), ["interrupted"], "after {requests} requests");
}

#[test]
fn a_job_killed_at_any_request_resumes_to_the_graph_of_an_undisturbed_run() {
    // The first request checks the credentials; the job exists from the second request on.
    let instants: Vec<usize> = (2..=67).step_by(5).collect();
    side_by_side(instants.chunks(4), |instants| {
        for &requests in instants {
            let heroku = Heroku::with(slow());
            let place = Place::before(&heroku);
            killed_after(&heroku, &place, "collect --output out", requests);
            assert!(!place.path("out/graph").exists(), "a killed job must not leave a partial export");
            let (said, graph) = place.resume();
            assert_same(&graph, undisturbed());
            assert_eq!((said.summary().state(), place.states()), ("complete", vec!["complete".to_owned()]));
        }
    });
}

#[test]
fn a_job_killed_again_and_again_still_ends_well() {
    let heroku = Heroku::with(slow());
    let place = Place::before(&heroku);
    killed_after(&heroku, &place, "collect", 20);
    for requests in [10, 15, 9, 12] {
        killed_after(&heroku, &place, "collect --resume", requests);
    }
    let (said, graph) = place.resume();
    assert_same(&graph, undisturbed());
    let (whole, _) = Place::before(&Heroku::sample()).collect("");
    assert_eq!(
        said.summary().results(),
        whole.summary().results(),
        "the results must equal those of an undisturbed run"
    );
}

#[test]
fn a_job_killed_while_much_is_written_resumes_as_well() {
    let size = OrganisationSize { accounts: 2, teams: 10, people: 300, apps: 600, addons: 1_800, seed: 3 };
    let heroku = || {
        let page_limits = PageLimits { default: 100, maximum: 100 };
        Heroku::of(Organisation::of_size(size), FakeOptions { page_limits, ..FakeOptions::default() })
    };
    let (said, expected) = Place::before(&heroku()).collect("");
    assert_eq!(said.code, 0, "{}", said.all());
    for requests in [15, 40] {
        let heroku = heroku();
        let place = Place::before(&heroku);
        killed_after(&heroku, &place, "collect", requests);
        let (_, graph) = place.resume();
        assert_same(&graph, &expected);
    }
}

#[test]
fn steps_that_had_ended_are_not_repeated() {
    let heroku = Heroku::sample();
    heroku.fault(Fault::NoAnswer.on("/teams/{id}/addons"));
    let place = Place::before(&heroku);
    let mut running = place.start("collect");
    let others = integration_heroku::steps::all().into_iter().map(|step| format!("{}: ", step.id()));
    // These steps wait for the add-ons.
    let waiting = ["fetch-addons", "fetch-personal-addons", "fetch-attachments", "fetch-addon-services"];
    let others: Vec<String> = others.filter(|step| !waiting.iter().any(|name| step.starts_with(name))).collect();
    let with_requests = others.iter().filter(|step| step.starts_with("fetch-")).map(String::as_str);
    running.tells(&with_requests.collect::<Vec<_>>());
    running.kill();
    heroku.server().lift_all();
    let before = heroku.requests();
    let (said, graph) = place.resume();
    assert_same(&graph, undisturbed());
    let paths: BTreeSet<String> = heroku.asked_since(before).into_iter().map(|request| request.path).collect();
    let addons = heroku.organisation().teams().map(|team| format!("/teams/{}/addons", team.id));
    let bulk = ["/account", "/addons", "/addon-attachments", "/addon-services"].map(str::to_owned);
    assert_eq!(paths, addons.chain(bulk).collect());
    let summary = said.summary();
    assert_eq!(summary.step("fetch-apps")["encounteredTypeCounts"]["heroku_application"], 26);
    let (entities, relationships) = sizes(&graph_of(heroku.organisation()));
    assert_eq!((&summary.0["entities"], &summary.0["relationships"]), (&entities.into(), &relationships.into()));
}

#[test]
fn a_job_at_work_is_not_resumed_by_a_second_process() {
    let heroku = Heroku::sample();
    heroku.fault(Fault::NoAnswer.on("/teams/{id}/addons"));
    let place = Place::before(&heroku);
    let mut running = place.start("collect");
    running.tells(&["fetch-apps: "]);
    assert_eq!(place.states(), ["running"]);
    let said = place.run("collect --resume");
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{}", said.all());
    assert!(said.err.contains("another process is working on the job"), "{}", said.err);
    let said = place.run("jobs show");
    assert!(said.code == 1 && said.err.contains("has no summary yet"), "{}", said.all());
    // A second job in the same data directory may run at the same time.
    let other = Place::before(&Heroku::sample());
    assert_eq!(other.run(&format!("collect --sample --data-dir {}", place.path(".integration").display())).code, 0);
    assert_eq!(place.states(), ["complete", "running"]);
    running.kill();
    assert_eq!(place.states(), ["complete", "interrupted"]);
}

#[test]
fn a_complete_job_is_not_resumed() {
    let place = Place::alone();
    place.run("collect --sample");
    let said = place.run("collect --resume");
    assert_eq!(said.code, 2, "{}", said.all());
    assert!(said.err.contains("are complete: there is nothing to resume"), "{}", said.err);
    let said = Place::alone().run("collect --resume");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("there are no jobs in .integration"), "{}", said.err);
}

#[test]
fn a_job_that_is_asked_to_end_keeps_what_it_has_says_so_and_goes_on_from_there() {
    side_by_side(["INT", "TERM"], |name| {
        let heroku = Heroku::sample();
        // Requests are sequential, so three teams are complete shortly after the request for the fourth one arrives.
        heroku.fault(Fault::NoAnswer.on("/teams/{id}/apps").after(3));
        let apps_of_teams = |heroku: &FakeHeroku| -> Vec<String> {
            let paths = heroku.log().into_iter().map(|request| request.path);
            paths.filter(|path| path.ends_with("/apps")).collect()
        };
        let place = Place::before(&heroku);
        let running = place.start("collect --concurrency 1 --step fetch-apps --output out --format json");
        heroku.until(|heroku| apps_of_teams(heroku).len() == 4);
        std::thread::sleep(Duration::from_millis(500));
        running.interrupt(name);
        let said = running.end();
        assert_eq!(said.code, 3, "{name}: {}", said.all());
        assert!(said.err.contains("Stopping. The data collected so far are kept."), "{}", said.err);
        let summary = said.summary();
        assert_eq!((summary.state(), place.states()), ("cancelled", vec!["cancelled".to_owned()]));
        assert!(summary.partial().contains("heroku_application"), "{:?}", summary.partial());
        let first_four = apps_of_teams(&heroku);
        let done = &first_four[..3];
        // The step collects the applications of teams.
        let mut whole = undisturbed().of_type("heroku_application");
        whole.retain(|_, app| app["teamId"].is_string());
        let mut expected = whole.clone();
        expected.retain(|_, app| done.contains(&format!("/teams/{}/apps", app["teamId"].as_str().expect("an id"))));
        let kept = Graph::read(&place.path("out/graph"));
        assert_same_objects(&kept.of_type("heroku_application"), &expected);
        assert!(!place.read("out/summary.json").is_empty());
        assert_eq!(place.run("validate data --input out").code, 0);

        heroku.server().lift_all();
        let (_, graph) = place.resume();
        assert_same_objects(&graph.of_type("heroku_application"), &whole);
        let later = &apps_of_teams(&heroku)[4..];
        let teams = heroku.organisation().teams().len();
        assert_eq!((later.len(), later.contains(&first_four[3])), (teams - 3, true), "{later:?}");
        assert!(done.iter().all(|path| !later.contains(path)), "complete teams are not requested again: {later:?}");
    });
}

#[test]
fn a_second_interrupt_ends_it_at_once_and_the_job_goes_on_all_the_same() {
    let heroku = Heroku::with(slow());
    let place = Place::before(&heroku);
    let mut running = place.start("collect");
    heroku.until(|heroku| heroku.requests() >= 20);
    running.interrupt("INT");
    running.tells(&["Stopping"]);
    running.interrupt("INT");
    let said = running.end();
    assert!([1, 3].contains(&said.code), "{}", said.all());
    let (_, graph) = place.resume();
    assert_same(&graph, undisturbed());
}
