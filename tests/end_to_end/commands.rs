//! The output of every command, for people and for programs.

use insta::{assert_json_snapshot, assert_snapshot};
use integration_heroku::fake::{FakeOptions, Fault, Organisation, Reply};
use serde_json::Value;

use crate::expected::{graph_of, sizes};
use crate::harness::{Heroku, Place, Said, steady_json};

/// A place with a collected and exported sample.
fn collected() -> (Place, Said) {
    let place = Place::alone();
    let said = place.run("collect --sample --output out");
    assert_eq!(said.code, 0, "{}", said.all());
    (place, said)
}

#[test]
fn collect_tells_a_person_what_there_is_and_what_comes_next() {
    let (_, said) = collected();
    assert_snapshot!("collect", said.steady());
}

#[test]
fn collect_tells_a_program_the_same_as_one_document() {
    let said = Place::alone().run("collect --sample --format json --quiet");
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert_json_snapshot!("collect_json", steady_json(said.json()));
}

#[test]
fn collect_tells_what_is_missing_and_why() {
    let heroku = Heroku::with(FakeOptions { scopes: vec!["read".into()], ..FakeOptions::default() });
    let team = heroku.team("kestrel-data");
    let gone =
        Fault::Status(Reply::json(422, &serde_json::json!({"id": "invalid_params", "message": "No apps here."})));
    heroku.fault(gone.on(&format!("/teams/{team}/apps")));
    let said = Place::before(&heroku).run("collect --quiet");
    assert_snapshot!("collect_with_gaps", without_request_ids(&said.steady()));
}

/// The text with request ids replaced. Steps run concurrently, so the order in which requests arrive varies.
fn without_request_ids(text: &str) -> String {
    let mut parts = text.split("request f00d0000-0000-4000-8000-");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| format!("{text}request ID{}", &part[12..]))
}

#[test]
fn collect_of_one_step_takes_what_it_needs_and_says_what_it_leaves() {
    let place = Place::alone();
    let said = place.run("collect --sample --step fetch-teams");
    assert_snapshot!("collect_step", said.steady());
    assert_eq!((said.code, place.states()), (0, vec!["partial".to_owned()]));
    let resumed = place.run("collect --resume");
    assert_eq!(resumed.code, 2, "{}", resumed.all());
}

#[test]
fn events_are_lines_of_json_for_who_asks_for_them() {
    let said = Place::alone().run("collect --sample --log-format json");
    let events: Vec<Value> = said.err.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().expect("an event")).collect();
    assert_eq!((names.first(), names.last()), (Some(&"jobStarted"), Some(&"jobFinished")));
    for name in ["stepStarted", "stepFinished"] {
        assert_eq!(
            names.iter().filter(|event| **event == name).count(),
            integration_heroku::steps::all().len(),
            "{name}"
        );
    }
    assert!(events.iter().all(|event| event["timestamp"].is_i64()));
}

#[test]
fn validate_checks_all_that_can_be_checked() {
    assert_snapshot!("validate_without_anything", Place::alone().run("validate").steady());
    let (place, _) = collected();
    assert_snapshot!("validate", place.run("validate --sample").steady());
    assert_json_snapshot!(
        "validate_json",
        steady_json_without_port(place.run("validate --sample --format json").json())
    );
}

fn steady_json_without_port(mut results: Value) -> Value {
    for field in results["config"]["fields"].as_array_mut().expect("fields") {
        if field["name"] == "api_url" {
            field["value"] = "[address]".into();
        }
    }
    steady_json(results)
}

#[test]
fn validate_data_says_where_it_found_what() {
    let (place, _) = collected();
    assert_snapshot!("validate_data_of_files", place.run("validate data --input out").steady());
    let file = "out/graph/fetch-apps/entities/heroku_application-00001.json";
    let broken = place.read(file).replace(r#""productionURL":"https://"#, r#""productionURL":"no address "#);
    place.write(file, &broken);
    std::fs::remove_file(place.path("out/graph/fetch-teams/entities/heroku_team-00001.json")).expect("the file exists");
    assert_snapshot!("validate_data_with_findings", place.run("validate data --input out").steady());
    assert_snapshot!("validate_data_of_nothing", place.run("validate data --input elsewhere").steady());
}

#[test]
fn validate_schemas_counts_them_and_names_one_that_is_broken() {
    let place = Place::alone();
    assert_snapshot!("validate_schemas", place.run("validate schemas").steady());
    place.write("classes/Team.json", r##"{"$id": "#Team", "type": "sorcery"}"##);
    let said = place.run("validate schemas --schemas classes");
    assert_eq!(said.code, 4, "{}", said.all());
    assert!(said.out.contains("Team"), "{}", said.out);
}

#[test]
fn steps_are_drawn_in_every_format() {
    let place = Place::alone();
    for format in ["text", "mermaid", "dot"] {
        assert_snapshot!(format!("steps_{format}"), raw(&place.run(&format!("visualize steps --format {format}"))));
    }
}

#[test]
fn types_are_drawn_in_every_format() {
    let place = Place::alone();
    for format in ["text", "mermaid", "dot"] {
        assert_snapshot!(format!("types_{format}"), raw(&place.run(&format!("visualize types --format {format}"))));
    }
}

/// A drawing, in which all spaces are significant.
fn raw(said: &Said) -> &str {
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    &said.out
}

#[test]
fn a_job_is_laid_over_the_steps_and_the_types() {
    let (place, _) = collected();
    let drawn = place.run("visualize steps --job").steady();
    assert!(drawn.contains("critical path TIME: fetch-account → "), "{drawn}");
    // Several steps run concurrently, so the last step of the critical path differs from run to run.
    let steady = drawn.lines().filter(|line| !line.starts_with("critical path"));
    let steady = steady.map(|line| line.trim_end_matches("  critical path")).collect::<Vec<_>>().join("\n");
    assert_snapshot!("steps_of_a_job", steady);
    assert_snapshot!("types_of_a_job", place.run("visualize types --job").steady());
}

#[test]
fn a_drawing_is_well_formed_and_names_every_step_and_type() {
    let (place, _) = collected();
    for (what, line) in
        [("steps", "visualize steps --job --output p/steps.svg"), ("types", "visualize types --output p/types.svg")]
    {
        let said = place.run(line);
        assert_eq!((said.code, said.out), (0, format!("Wrote p/{what}.svg.\n")));
        let drawing = place.read(&format!("p/{what}.svg"));
        let document = roxmltree::Document::parse(&drawing).expect("well-formed XML");
        assert!(document.root_element().has_tag_name(("http://www.w3.org/2000/svg", "svg")));
        let texts: String = document.descendants().filter_map(|node| node.text()).collect();
        let names: &[&str] = match what {
            "steps" => {
                &["fetch-account", "fetch-teams", "fetch-members", "fetch-apps", "fetch-addons", "build-relationships"]
            }
            _ => &["heroku_account", "heroku_team", "heroku_account_member", "heroku_application", "heroku_addon"],
        };
        assert!(names.iter().all(|name| texts.contains(name)), "{what}: {texts}");
    }
}

#[test]
fn a_graph_becomes_a_page_to_explore_it_alone_and_against_an_earlier_one() {
    let place = Place::alone();
    assert_eq!(place.run("visualize graph").code, 2, "there is no job yet");
    place.run("collect --sample --step fetch-teams");
    place.run("collect --sample");
    let said = place.run("visualize graph --output p/graph.html");
    assert_snapshot!("graph_page", said.steady());
    let earlier = place.run("jobs list --format json").json()[1]["id"].as_str().expect("an id").to_owned();
    let said = place.run(&format!("visualize graph --output p/against.html --against {earlier}"));
    assert_eq!(said.code, 0, "{}", said.all());
    for page in ["graph", "against"] {
        let page = place.read(&format!("p/{page}.html"));
        assert!(page.to_lowercase().starts_with("<!doctype html>"), "{}", &page[..80]);
        assert!(["src=\"http", "@import", "url(http"].iter().all(|outside| !page.contains(outside)));
    }
}

#[test]
fn a_page_stands_on_its_own() {
    let (place, _) = collected();
    for what in ["steps", "types"] {
        assert_eq!(place.run(&format!("visualize {what} --job --output {what}.html")).code, 0);
        let page = place.read(&format!("{what}.html"));
        assert!(page.starts_with("<!DOCTYPE html>") || page.starts_with("<!doctype html>"), "{}", &page[..80]);
        for outside in ["src=\"http", "href=\"http", "@import", "url(http"] {
            assert!(!page.contains(outside), "{what}: {outside}");
        }
    }
}

#[test]
fn the_data_model_is_written_kept_and_checked() {
    let place = Place::alone();
    assert_snapshot!("document", raw(&place.run("document")));
    place
        .write("README.md", "# Ours\n\nBefore.\n\n<!-- data-model:begin -->\nold\n<!-- data-model:end -->\n\nAfter.\n");
    let said = place.run("document --file README.md --check");
    assert_eq!((said.code, place.read("README.md").contains("\nold\n")), (4, true), "{}", said.all());
    assert!(said.out.starts_with("README.md is out of date:\n@@ line 6 @@\n-old\n+"), "{}", said.out);
    assert_eq!(place.run("document --file README.md").code, 0);
    let written = place.read("README.md");
    assert!(written.starts_with("# Ours\n\nBefore.\n") && written.ends_with("\n\nAfter.\n"), "{written}");
    let said = place.run("document --file README.md --check");
    assert_eq!((said.code, said.out.as_str()), (0, "README.md is up to date.\n"));
    place.write("README.md", &written.replace("Fetch teams", "Fetch gangs"));
    assert_snapshot!("document_check", place.run("document --file README.md --check").steady());
    let said = place.run("document --file ABSENT.md --check");
    assert_eq!((said.code, place.path("ABSENT.md").exists()), (4, false));
}

#[test]
fn jobs_are_listed_shown_and_forgotten() {
    let (place, said) = collected();
    place.run("collect --sample --step fetch-account");
    assert_snapshot!("jobs_list", place.run("jobs list").steady());
    let listed = place.run("jobs list --format json").json();
    assert_json_snapshot!("jobs_list_json", steady_json(listed.clone()));
    let first = listed[1]["id"].as_str().expect("an id");
    let shown = place.run(&format!("jobs show {}", &first[..13]));
    assert_snapshot!("jobs_show", shown.steady());
    let table = |said: &Said| said.out.split("\n\n").next().map(str::to_owned);
    assert_eq!(table(&shown), table(&said), "`jobs show` must print the same table as `collect`");
    let shown = place.run(&format!("jobs show {first} --format json")).json();
    let (entities, _) = sizes(&graph_of(&Organisation::sample()));
    assert_eq!((&shown["job"], &shown["entities"]), (&first.into(), &entities.into()));
    assert_snapshot!("jobs_prune", place.run("jobs prune --keep 1").steady());
    assert_eq!(place.states(), ["partial"]);
    assert_snapshot!("jobs_show_of_none", place.run(&format!("jobs show {first}")).steady());
}

#[test]
fn a_script_for_each_shell_names_the_program_and_its_commands() {
    let place = Place::alone();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let said = place.run(&format!("completions {shell}"));
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{shell}");
        for word in ["integration-heroku", "collect", "validate", "visualize", "document", "prune", "resume"] {
            assert!(said.out.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn help_teaches() {
    let place = Place::alone();
    assert_snapshot!("help", raw(&place.run("--help")));
    for command in ["collect", "diff", "validate", "visualize", "document", "jobs", "new", "completions"] {
        assert_snapshot!(format!("help_{command}"), raw(&place.run(&format!("{command} --help"))));
    }
    assert_eq!(place.run("--version").out, format!("integration-heroku {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_usage_is_told_apart_from_failure() {
    let place = Place::alone();
    for line in [
        "",
        "colect",
        "collect --samples",
        "collect --sample --step fetch-team",
        "collect --sample --step Fetch",
        "collect --sample --resume",
        "collect --concurrency 0",
        "collect --max-age 1h",
        "collect --sample --enable-source planets",
        "jobs show 0198",
        "jobs prune",
        "visualize",
        "visualize steps --output picture.bmp",
        "validate everything",
        "document --check",
        "completions tcsh",
    ] {
        let said = place.run(line);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{line}: {}", said.all());
        assert!(!said.err.trim().is_empty(), "{line}");
    }
    assert_snapshot!("unknown_step", place.run("collect --sample --step fetch-team").steady());
    assert_snapshot!("no_configuration", place.run("collect").steady());
}

#[test]
fn colours_are_for_those_who_want_them() {
    let (place, said) = collected();
    assert!(!said.all().contains('\u{1b}'), "a pipe must not get colours");
    for line in ["jobs show", "visualize steps", "visualize types", "validate schemas"] {
        assert!(!place.run(line).all().contains('\u{1b}'), "{line}");
    }
    assert!(place.run("jobs show --color always").out.contains('\u{1b}'));
    let place = place.with("CLICOLOR_FORCE", "1");
    assert!(place.run("jobs show").out.contains('\u{1b}'));
    let place = place.with("NO_COLOR", "1");
    assert!(!place.run("jobs show").out.contains('\u{1b}'));
}
