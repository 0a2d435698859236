//! The commands of `docs/querying.md` and their output, and the questions about the sample.
//!
//! `UPDATE_DOCS=1 cargo test -p integration-heroku --test end_to_end querying` writes the actual output into the guide.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{Place, Said};

/// A folder with the graph of the sample.
fn sample() -> Place {
    let place = Place::alone().with("NO_COLOR", "1");
    let said = place.run("collect --sample --quiet");
    assert_eq!(said.code, 0, "{}", said.all());
    place
}

fn guide() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/querying.md")
}

/// Runs a command as it is written in the guide.
fn run(place: &Place, command: &str) -> Said {
    place.shell(&command.replace("integration-heroku", "\"$0\""), "")
}

/// The guide with the output that its commands print now.
fn current(text: &str, place: &Place) -> (String, usize) {
    let (mut out, mut lines, mut queries) = (String::new(), text.lines().peekable(), 0);
    while let Some(line) = lines.next() {
        out += &format!("{line}\n");
        if line != "```sh" {
            continue;
        }
        let mut command = String::new();
        for line in lines.by_ref() {
            out += &format!("{line}\n");
            if line == "```" {
                break;
            }
            command += &format!("{line}\n");
        }
        if command.contains("collect") {
            continue;
        }
        queries += usize::from(command.contains(" query "));
        let said = run(place, &command);
        let printed = (said.out + &said.err).replace('\r', "");
        out += &format!("\n```text\n{printed}```\n");
        // The recorded output of the command is replaced.
        let mut rest = lines.clone();
        if (rest.next(), rest.next()) == (Some(""), Some("```text")) {
            lines.by_ref().skip(1).find(|line| *line == "```");
        }
    }
    (out, queries)
}

#[test]
fn the_guide_shows_the_output_of_its_commands() {
    let text = std::fs::read_to_string(guide()).expect("the guide");
    let (now, queries) = current(&text, &sample());
    assert!(queries >= 20, "the guide has only {queries} queries");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(guide(), &now).expect("the guide");
        return;
    }
    assert!(now == text, "docs/querying.md is out of date; run this test with UPDATE_DOCS=1:\n{now}");
}

/// The verdict and the number of results of each question about the sample.
#[test]
fn every_question_has_its_verdict_on_the_sample() {
    let said = sample().run("questions run --format json");
    assert_eq!(said.code, 4, "{}", said.all());
    let document = said.json();
    let questions = document["questions"].as_array().expect("a list");
    let summary: BTreeMap<&str, String> = questions
        .iter()
        .map(|question| {
            let queries = question["queries"].as_array().expect("a list").iter();
            let totals: Vec<String> = queries.map(total).collect();
            let verdict = question["verdict"].as_str().expect("a verdict");
            (question["id"].as_str().expect("an id"), format!("{verdict} {}", totals.join(" ")))
        })
        .collect();
    insta::assert_json_snapshot!(summary);
}

fn total(query: &Value) -> String {
    assert_eq!(query["error"], Value::Null, "{query}");
    assert_eq!(query["warnings"], serde_json::json!([]), "{query}");
    query["total"].to_string()
}

#[test]
fn the_own_questions_pass_their_check() {
    let said = Place::alone().run("questions check");
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.all());
    let pack = integration_questions::Pack::parse(integration_heroku::QUESTIONS).expect("a pack");
    assert!(pack.questions.len() >= 30, "{} questions", pack.questions.len());
}

#[test]
fn a_bad_question_is_a_finding_in_every_format() {
    let place = sample();
    let run =
        |format: &str| place.run(&format!("questions run --question heroku-member-without-mfa --format {format}"));
    for format in ["text", "json", "markdown", "sarif"] {
        let said = run(format);
        assert_eq!(said.code, 4, "{format}: {}", said.all());
        assert!(said.out.contains("Which members sign in without a second factor?"), "{format}: {}", said.all());
    }
    let sarif = run("sarif").json();
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "heroku-member-without-mfa");
    assert_eq!(sarif["runs"][0]["results"][0]["level"], "error");
}

#[test]
fn a_query_comes_from_an_argument_a_file_or_stdin() {
    let place = sample();
    let query = "FIND heroku_account AS a RETURN a.name ORDER BY a.name";
    place.write("query.j1ql", query);
    let expected = "a.name\r\nkestrel-harbour\r\nkestrel-labs\r\n";
    let from_file = place.run("query --file query.j1ql --format csv");
    assert_eq!((from_file.code, from_file.out.as_str()), (0, expected), "{}", from_file.all());
    let from_stdin = place.shell("\"$0\" query --format csv < query.j1ql", "");
    assert_eq!(from_stdin.out, expected, "{}", from_stdin.all());
    let argument = place.shell(&format!("\"$0\" query --format csv '{query}'"), "");
    assert_eq!(argument.out, expected, "{}", argument.all());
}

#[test]
fn a_query_names_the_gap_that_its_types_have() {
    let place = sample();
    let said = place.run("collect --sample --quiet --step fetch-teams,fetch-independent-teams --max-age 0s");
    assert_eq!(said.code, 0, "{}", said.all());
    let touched = place.shell("\"$0\" query 'FIND heroku_application AS a RETURN count(a)' --format json", "");
    let document = touched.json();
    assert_eq!(document["data"][0]["count(a)"], 27, "stale objects stay: {}", touched.all());
    assert!(document["incomplete"][0]["reason"].as_str().is_some_and(|text| text.contains("fetch-apps")), "{document}");
    let untouched = place.shell("\"$0\" query 'FIND heroku_team AS t RETURN count(t)' --format json", "");
    assert_eq!(untouched.json()["incomplete"], serde_json::json!([]), "{}", untouched.all());
}

#[test]
fn a_tree_becomes_a_page_that_only_its_owner_can_read() {
    let place = sample();
    let said = place.shell("\"$0\" query 'FIND Team THAT OWNS Application RETURN TREE' --output out/teams.html", "");
    assert_eq!(said.code, 0, "{}", said.all());
    assert!(place.read("out/teams.html").contains("kestrel-data"));
    let table = place.shell("\"$0\" query 'FIND Team' --output out/teams2.html", "");
    assert_eq!(table.code, 2, "{}", table.all());
    assert!(table.err.contains("RETURN TREE"), "{}", table.all());
}
