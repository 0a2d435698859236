//! The environment of the program: concurrent processes, unusual files, wrong clocks, other users.

use std::path::Path;
use std::process::Command;

use integration_heroku::fake::{Fault, Reply};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::{Heroku, Place, files_below};

#[test]
fn processes_that_begin_at_once_in_a_new_data_directory_all_succeed() {
    for _ in 0..4 {
        let place = Place::alone();
        let running: Vec<_> =
            (0..6).map(|at| place.start(&format!("collect --sample --quiet --instance {at}"))).collect();
        for process in running {
            let said = process.end();
            assert_eq!(said.code, 0, "{}", said.all());
        }
        assert_eq!(place.states(), ["complete"; 6]);
    }
}

/// The permissions of a file or folder.
#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).expect("the file exists").permissions().mode() & 0o777
}

#[cfg(unix)]
#[test]
fn the_data_directory_is_for_its_owner_only_whether_it_was_there_or_not() {
    let place = Place::alone();
    std::fs::create_dir(place.path("there")).expect("a folder");
    std::fs::set_permissions(place.path("there"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("ours");
    for folder in ["there", "made"] {
        assert_eq!(place.run(&format!("collect --sample --quiet --data-dir {folder}")).code, 0);
        assert_eq!(mode(&place.path(folder)), 0o700, "{folder}");
        let files = files_below(&place.path(folder));
        assert!(files.len() >= 2, "the folder must contain the store and a lock");
        for file in files {
            assert_eq!(mode(&file), 0o600, "{file:?}");
        }
    }
}

#[test]
fn a_data_directory_may_have_any_name() {
    let place = Place::alone();
    for folder in ["file:x", "file:y?mode=memory", ":memory:", "100%25"] {
        let said = place.run(&format!("collect --sample --quiet --data-dir {folder}"));
        assert_eq!(said.code, 0, "{}", said.all());
        assert!(place.path(folder).join("state.sqlite").is_file(), "{folder}");
        let jobs = place.run(&format!("jobs list --format json --data-dir {folder}")).json();
        assert_eq!(jobs.as_array().map(Vec::len), Some(1), "{folder}");
    }
}

#[test]
fn nothing_of_a_forgotten_job_is_left_on_the_disk() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    assert_eq!(place.run("collect --quiet").code, 0);
    let holds = |text: &str| {
        let files =
            files_below(&place.path(".integration")).into_iter().map(|file| std::fs::read(file).expect("a file"));
        files.filter(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes())).count()
    };
    let size = || std::fs::metadata(place.path(".integration/state.sqlite")).expect("a store").len();
    let before = size();
    assert_eq!(holds("@kestrel"), 1, "the file must contain e-mail addresses");
    assert_eq!(place.run("jobs prune --keep 0").out, "Deleted 0 jobs, kept 1 in .integration.\n");
    assert_eq!(holds("@kestrel"), 1, "the newest graph of an instance must stay");
    for list in ["/enterprise-accounts", "/teams", "/apps"] {
        heroku.fault(Fault::Status(Reply::json(200, &json!([]))).on(list));
    }
    assert_eq!(place.run("collect --quiet").code, 0);
    assert_eq!(place.run("jobs prune --keep 1").out, "Deleted 1 job, kept 1 in .integration.\n");
    assert_eq!(holds("@kestrel"), 0);
    assert!(size() < before, "{} must be less than {before}", size());
    assert_eq!(files_below(&place.path(".integration")).len(), 2, "the lock must be removed with its job");
}

#[test]
fn jobs_of_samples_and_of_accounts_are_kept_and_counted_apart() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    for line in ["", "--sample", "--sample --instance east", "--sample --instance east", "--instance east", "--sample"]
    {
        let said = place.run(&format!("collect --quiet {line}"));
        assert_eq!(said.code, 0, "{}", said.all());
    }
    let instances = || -> Vec<String> {
        let jobs = place.run("jobs list --format json").json();
        let jobs = jobs.as_array().expect("a list").iter();
        jobs.map(|job| job["instance"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(instances(), ["sample", "east", "sample:east", "sample:east", "sample", "default"]);
    place.run("jobs prune --keep 1");
    assert_eq!(instances(), ["sample", "east", "sample:east", "default"]);
    // Data of a real account and of the sample must not be mixed.
    let said = place.run("collect --step fetch-teams --sample --instance west --format json");
    assert_eq!(said.summary().status("fetch-account"), "success");
    let said = place.run("collect --quiet --instance sample");
    assert_eq!(said.code, 2, "{}", said.all());
}

#[test]
fn recordings_have_an_instance_of_their_own_and_are_not_resumed_with_the_provider() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    assert_eq!(place.run("collect --quiet --record tapes").code, 0);
    let asked = heroku.requests();
    let said = place.run("collect --replay tapes --instance east --format json");
    assert_eq!((said.code, &said.json()["instance"]), (0, &"replay:east".into()), "{}", said.all());
    let said = place.run("collect --resume");
    assert_eq!(said.code, 2, "{}", said.all());
    assert!(said.err.contains("from a recording"), "{}", said.err);
    assert_eq!(heroku.requests(), asked, "a replay must not send requests");
}

#[test]
fn a_result_from_the_future_is_not_fresh() {
    let place = Place::alone();
    assert_eq!(place.run("collect --sample --quiet").code, 0);
    let step = || place.run("collect --sample --step fetch-teams --max-age 1h --format json");
    assert_eq!(step().summary().status("fetch-account"), "cached");
    // Reproduces a job that ended under a clock set to 2090.
    let store = Connection::open(place.path(".integration/state.sqlite")).expect("a store");
    let ended = "UPDATE job SET summary = json_replace(summary, '$.integrationStepResults[0].endTime', 3786912000000)";
    assert_eq!(store.execute(ended, []).expect("an update"), 2);
    drop(store);
    assert_eq!(step().summary().status("fetch-account"), "success");
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_any_file_is_an_error_at_once() {
    let place = Place::alone();
    let pipe = |name: &str| {
        let path = place.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
    };
    for name in ["s/Application.json", "g/graph/x.json", "r/a.har", "d/state.sqlite", ".env.east", "README.md"] {
        pipe(name);
    }
    for line in [
        "collect --sample --schemas s",
        "validate data --input g",
        "collect --replay r",
        "collect --sample --data-dir d",
        "jobs list --data-dir d",
        "collect --instance east",
        "document --file README.md",
    ] {
        let said = place.run(line);
        assert!(said.code == 1 && said.err.contains("a named pipe"), "{line}: {}", said.all());
    }
    pipe(".env");
    let said = place.run("collect");
    assert!(said.code == 1 && said.err.contains("a named pipe"), "{}", said.all());
}

#[test]
fn a_schema_whose_references_double_is_refused_and_named() {
    let place = Place::alone();
    let definitions = (0..28).map(|at| {
        let next = format!(r##"{{"$ref": "#/definitions/a{}"}}"##, at + 1);
        format!(r#""a{at}": {{"allOf": [{next}, {next}]}}"#)
    });
    let definitions = definitions.collect::<Vec<_>>().join(",");
    let schema = format!(
        r##"{{"$id": "#Application", "definitions": {{{definitions}, "a28": {{"type": "object"}}}},
            "allOf": [{{"$ref": "#/definitions/a0"}}]}}"##
    );
    place.write("s/Application.json", &schema);
    for line in ["collect --sample --schemas s", "validate schemas --schemas s"] {
        let said = place.run(line);
        assert_ne!(said.code, 0, "{}", said.all());
        assert!(said.all().contains("Application.json") && said.all().contains("10000 schemas"), "{}", said.all());
    }
}

fn refused() -> Fault {
    Fault::Status(Reply::json(403, &json!({"id": "forbidden", "message": "You do not have access."})))
}

#[test]
fn a_job_of_selected_steps_has_figures_for_these_alone_and_nothing_to_resume() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    assert_eq!(place.run("collect --quiet --step fetch-teams").code, 0);
    let plan = place.run("plan");
    let text = plan.out.split_whitespace().collect::<Vec<_>>().join(" ");
    let steps = integration_heroku::steps::all().len();
    assert!(text.contains(&format!("requests for 2 of these {steps} steps and took")), "{text}");
    let said = place.run("collect --resume");
    assert_eq!((said.code, place.states()), (2, vec!["partial".to_owned()]), "{}", said.all());
    assert!(said.err.contains("all selected steps of the job"), "{}", said.err);
}

#[test]
fn a_plan_rests_on_the_newest_job_that_collected_everything() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let collect_without_teams = || {
        let fault = heroku.fault(refused().on("/enterprise-accounts/{id}/teams"));
        assert_eq!(place.run("collect --quiet").code, 3);
        heroku.server().lift(fault);
    };
    let plan = || place.run("plan --format json").json();
    collect_without_teams();
    let partial = plan();
    assert_eq!((&partial["basedOnState"], &partial["lowerBound"]), (&"partial".into(), &true.into()));
    assert!(place.run("plan").out.contains("Expect more"));
    assert_eq!(place.run("collect --quiet").code, 0);
    let whole = plan();
    assert_eq!((&whole["basedOnState"], &whole["lowerBound"]), (&"complete".into(), &false.into()));
    assert!(whole["requests"].as_u64() > partial["requests"].as_u64(), "{} {}", whole["requests"], partial["requests"]);
    collect_without_teams();
    let again = plan();
    assert_eq!((&again["requests"], &again["basedOn"]), (&whole["requests"], &whole["basedOn"]));
}

#[test]
fn hidden_characters_of_the_provider_are_escaped_in_json_on_stderr() {
    let heroku = Heroku::sample();
    let message = "a\u{202e}b\u{2066}c\u{200f}d\u{e0041}";
    let fault = Fault::Status(Reply::json(400, &json!({"id": "bad_request", "message": message})));
    heroku.fault(fault.on(&format!("/teams/{}/apps", heroku.team("kestrel-data"))));
    let said = Place::before(&heroku).run("--log-format json collect");
    let is_hidden = |letter: char| matches!(letter, '\u{202e}' | '\u{2066}' | '\u{200f}' | '\u{e0041}');
    assert!(!said.err.contains(is_hidden), "{}", said.err);
    let lines: Vec<Value> = said.err.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert!(lines.iter().any(|line| line.to_string().contains(message)), "{}", said.err);
}

#[test]
fn a_job_of_another_version_is_listed_as_unreadable_and_hides_no_other_job() {
    let place = Place::alone();
    for _ in 0..2 {
        assert_eq!(place.run("collect --sample --step fetch-teams --quiet").code, 0);
    }
    let store = Connection::open(place.path(".integration/state.sqlite")).expect("a store");
    let sql = "UPDATE job SET state = 'paused', summary = '{\"state\": \"paused\"}' \
               WHERE number = (SELECT max(number) FROM job)";
    assert_eq!(store.execute(sql, []).expect("a job"), 1);
    drop(store);
    let list = place.run("jobs list");
    assert!(
        list.code == 0 && list.out.contains("unknown (unreadable)") && list.out.contains("partial"),
        "{}",
        list.all()
    );
    let jobs = place.run("jobs list --format json").json();
    let reason = |at: usize| jobs[at]["unreadable"].as_str().map(str::to_owned);
    assert!(reason(0).is_some_and(|reason| reason.contains("unknown job state")), "{jobs}");
    assert_eq!((reason(1), jobs[1]["state"].as_str()), (None, Some("partial")));
    let shown = place.run("jobs show");
    assert!(shown.code == 1 && shown.err.contains("the summary of the job"), "{}", shown.all());
    let resumed = place.run("collect --resume");
    assert!(resumed.code == 1 && resumed.err.contains("another version recorded it"), "{}", resumed.all());
}
