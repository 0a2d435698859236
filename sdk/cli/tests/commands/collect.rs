use std::io::Read;
use std::process::Stdio;

use serde_json::Value;

use crate::space::{Said, Space, provider};

#[test]
fn a_complete_job_ends_with_a_table_and_the_next_action() {
    let said = Space::new().run("collect");
    assert_eq!(said.code, 0, "{}", said.err);
    insta::assert_snapshot!(said.steady(), @r#"
    Step  Status  Time  Objects  Type
    fetch-planets  ✓ success TIME  3  space_planet
    fetch-moons  ✓ success TIME  1  space_moon
      1  space_planet_has_moon
    fetch-comets  – disabled: switched off
    map-craters  ✓ success TIME  1  space_crater

    Skipped
      1 space_planet: too far away

    Schema findings
      1 space_planet /webLink: value is not a "uri" (schema Site)
      first: planet:mars

    Complete: 5 entities, 1 relationship in TIME. Job ID, stored in .integration.
    Next: run `integration-space validate data` to check the graph, or `integration-space visualize steps --job ID` to see the run.
    "#);
}

#[test]
fn similar_gaps_are_one_entry_and_the_exit_code_reports_missing_data() {
    let said = Space::new().with("SPACE_TROUBLE", "moons").run("collect");
    assert_eq!(said.code, 3, "{}", said.err);
    insta::assert_snapshot!(said.steady(), @r#"
    Step  Status  Time  Objects  Type
    fetch-planets  ✓ success TIME  3  space_planet
    fetch-moons  ◐ partial TIME  1  space_moon
      1  space_planet_has_moon
    fetch-comets  – disabled: switched off
    map-craters  ◐ partial TIME  1  space_crater

    Missing
      fetch-moons: space_moon, space_planet_has_moon of 2 space_planet (first: planet:mars)
      PROVIDER_API_ERROR: GET /planet:mars: 500 (request 0f1e2d3c)
      Incomplete because of fetch-moons: map-craters (space_crater)

    Skipped
      1 space_planet: too far away

    Schema findings
      1 space_planet /webLink: value is not a "uri" (schema Site)
      first: planet:mars

    Partial: 5 entities, 1 relationship in TIME. Job ID, stored in .integration.
    Next: run `integration-space collect --resume ID` to retry the missing data, or `integration-space collect` to start over.
    "#);
}

#[test]
fn a_pipe_gets_a_line_as_each_step_ends_and_quiet_means_quiet() {
    let said = Space::new().run("collect");
    insta::assert_snapshot!(crate::space::steady(&said.err), @"
    job ID: 3 steps
    fetch-planets: success, 3 objects, TIME
    fetch-moons: success, 2 objects, TIME
    map-craters: success, 1 object, TIME
    ");
    let said = Space::new().with("SPACE_TROUBLE", "moons").run("collect --quiet");
    assert_eq!((said.err.as_str(), said.out.is_empty()), ("", false));
}

#[test]
fn json_is_one_document_on_stdout_and_events_are_lines_of_it_on_stderr() {
    let said = Space::new().with("SPACE_TROUBLE", "moons").run("collect --format json --log-format json");
    let summary = said.json();
    assert_eq!((&summary["state"], &summary["entities"]), (&"partial".into(), &5.into()));
    let lines: Vec<Value> = said.err.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let named: Vec<&str> = lines.iter().filter_map(|line| line["event"].as_str()).collect();
    assert_eq!((named.first(), named.last()), (Some(&"jobStarted"), Some(&"jobFinished")));
    assert!(lines.iter().any(|line| line["level"] == "WARN"), "{}", said.err);
    let said = Space::new().run("collect --step x --log-format json");
    let line: Value = serde_json::from_str(&said.err).expect("one line");
    assert_eq!((said.code, &line["level"]), (2, &"ERROR".into()));
}

#[test]
fn an_export_holds_the_graph_and_the_summary() {
    let space = Space::new();
    let said = space.run("collect --output out");
    assert!(said.out.contains("exported to out (4 files)"), "{}", said.out);
    let planets: Value =
        serde_json::from_str(&space.read("out/graph/fetch-planets/entities/space_planet-00001.json")).expect("JSON");
    assert_eq!(planets["entities"][0]["_key"], "planet:earth");
    let summary: Value = serde_json::from_str(&space.read("out/summary.json")).expect("JSON");
    assert_eq!(summary["integrationStepResults"][0]["id"], "fetch-planets");
}

#[test]
fn a_folder_with_other_files_is_rejected_before_the_collection() {
    let space = Space::new();
    space.write("out/graph/thesis.txt", "years of work");
    let said = space.run("collect --output out");
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    assert!(said.err.contains("thesis.txt"), "{}", said.all());
    assert_eq!(space.read("out/graph/thesis.txt"), "years of work");
}

#[test]
fn a_selected_step_reuses_results_of_the_last_job_of_the_same_instance() {
    let space = Space::new();
    let status = |said: &Said, at: usize| said.json()["integrationStepResults"][at]["status"].clone();
    space.run("collect --instance east");
    let other = space.run("collect --step fetch-moons --format json");
    assert_eq!((status(&other, 0), status(&other, 1)), ("success".into(), "success".into()));
    let same = space.run("collect --step fetch-moons --instance east --format json");
    assert_eq!((status(&same, 0), status(&same, 1)), ("cached".into(), "success".into()));
    let old = space.run("collect --step fetch-moons --max-age 0s --instance east --format json");
    assert_eq!(status(&old, 0), "success");
    assert!(space.run("collect --step fetch-moons").out.contains("Not selected: fetch-comets, map-craters"));
}

#[test]
fn a_source_can_be_switched_on() {
    let said = Space::new().run("collect --enable-source comets --format json");
    assert_eq!(said.json()["entities"], 6);
}

#[test]
fn a_sample_needs_no_account_and_gets_no_real_key() {
    let space = Space::new().with("SPACE_TROUBLE", "planets");
    let said = space.run("collect --sample --format json");
    assert_eq!((said.code, &said.json()["instance"]), (0, &"sample".into()));
}

#[test]
fn a_refused_key_fails_the_job_before_it_begins_and_is_not_shown() {
    let space = Space::new().with("SPACE_HAS_PROVIDER", "1").with("SPACE_API_KEY", "wrong-key");
    let said = space.with("SPACE_API_URL", provider()).run("collect -vv");
    assert_eq!(said.code, 1);
    assert!(said.err.contains("error: ") && said.err.contains("validate config"), "{}", said.err);
    assert!(!said.all().contains("wrong-key"), "{}", said.all());
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let space = Space::new();
    let mut program = space.command("collect --format json").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let program = program.as_mut().expect("the program starts");
    drop(program.stdout.take());
    let code = program.wait().expect("it ends").code();
    let mut err = String::new();
    program.stderr.take().expect("piped").read_to_string(&mut err).expect("text");
    assert_eq!(code, Some(0), "{err}");
    assert!(!err.contains("panicked"), "{err}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_cancels_the_job_and_keeps_the_collected_data() {
    use std::io::{BufRead, BufReader};
    use std::process::Command;

    let space = Space::new().with("SPACE_TROUBLE", "time");
    let mut program = space
        .command("collect --log-format json")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut events = BufReader::new(program.stderr.take().expect("piped")).lines().map_while(Result::ok);
    assert!(events.any(|line| line.contains("stepProgress")), "the first step starts and adds an object");
    let killed = Command::new("kill").args(["-INT", &program.id().to_string()]).status().expect("`kill` exists");
    assert!(killed.success());
    assert!(events.any(|line| line.contains("Stopping")), "the program reports the signal");
    let _rest = events.count();
    let said = Said::from(program.wait_with_output().expect("it ends"));
    assert_eq!(said.code, 3, "{}", said.all());
    assert!(said.out.contains("Cancelled: 3 entities"), "{}", said.out);
}

#[test]
fn suggested_commands_can_be_copied_into_a_shell() {
    let space = Space::new();
    let run = |line: &str| {
        let output = space.command(line).args(["--data-dir", "my data;x"]).output();
        output.map(Said::from).expect("the program starts")
    };
    let said = run("collect");
    assert!(said.out.contains("run `integration-space --data-dir 'my data;x' validate data`"), "{}", said.all());
    let said = run("jobs show none");
    assert!(said.err.contains("run `integration-space --data-dir 'my data;x' jobs list`"), "{}", said.all());
}

#[test]
fn a_recording_in_the_replaced_part_of_the_output_is_refused_before_the_job() {
    let space = Space::new().with("SPACE_HAS_PROVIDER", "1").with("SPACE_API_KEY", "k");
    for folder in ["r/graph", "r/graph/x", "r/.integration-export"] {
        let said = space.run(&format!("collect --output r --record {folder}"));
        assert!(said.code == 1 && said.err.contains("which the next export there replaces"), "{}", said.all());
        assert!(!space.path("r").exists() && !space.path(".integration").exists(), "{folder}");
    }
}

#[test]
fn a_key_that_may_go_to_a_foreign_host_is_reported_even_if_quiet() {
    let space = Space::new().with("SPACE_HAS_PROVIDER", "1").with("SPACE_API_KEY", "right-key");
    space.write(".env", &format!("SPACE_API_URL={}\n", provider()));
    for options in ["-q", "-q --log-format json", ""] {
        let said = space.run(&format!("{options} validate config"));
        let warnings: Vec<_> = said.err.lines().filter(|line| line.contains("set both in the same place")).collect();
        assert!(warnings.len() == 1 && warnings[0].contains("WARN"), "{}", said.all());
    }
}

#[cfg(unix)]
#[test]
fn a_picture_is_not_written_to_a_named_pipe() {
    let space = Space::new();
    let made = std::process::Command::new("mkfifo").arg(space.path("pipe.svg")).status().expect("mkfifo");
    assert!(made.success());
    let said = space.run("visualize steps --output pipe.svg");
    assert!(said.code == 1 && said.err.contains("it is a named pipe"), "{}", said.all());
}
