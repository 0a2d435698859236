//! Queries and questions whose data was never collected, or whose names are mistaken.

use integration_heroku::fake::{FakeHeroku, Fault};
use serde_json::{Value, json};

use crate::harness::{Heroku, Place};

/// A folder with the graph of one integration of the sample.
fn only(integration: &str) -> Place {
    let place = Place::alone().with("NO_COLOR", "1");
    let said = place.run(&format!("collect --sample --quiet --integration {integration}"));
    assert_eq!(said.code, 0, "{}", said.all());
    place
}

/// The reasons why the result of a query may be incomplete.
fn reasons(place: &Place, query: &str) -> Vec<String> {
    place.write("query.j1ql", query);
    let said = place.run("query --file query.j1ql --format json");
    assert_eq!(said.code, 0, "{}", said.all());
    let document = said.json();
    let reasons = document["incomplete"].as_array().expect("a list").iter();
    reasons.map(|reason| reason["reason"].as_str().expect("a text").to_owned()).collect()
}

/// A file with one question of one query.
fn pack(query: &str, results_are: &str) -> String {
    json!({"questions": [{
        "id": "own", "title": "An own question?", "description": "It is judged.", "tags": ["own"],
        "queries": [{"query": query, "resultsAre": results_are}],
    }]})
    .to_string()
}

#[test]
fn a_question_about_an_integration_that_was_never_collected_is_unknown() {
    let place = only("directory");
    let said = place.run("questions run --format json");
    assert_eq!(said.code, 3, "{}", said.all());
    let document = said.json();
    assert_eq!(document["counts"]["good"], 0, "{}", document["counts"]);
    let questions = document["questions"].as_array().expect("a list");
    assert_eq!(document["counts"]["bad"], 0, "no question about absent objects is bad");
    let reason = |question: &Value| question["queries"][0]["incomplete"][0].as_str().map(str::to_owned);
    let expected = "no selected graph is of heroku; `integration-heroku collect` collects it";
    let unlike: Vec<&Value> = questions.iter().filter(|of| reason(of).as_deref() != Some(expected)).collect();
    assert!(questions.len() > 60 && unlike.is_empty(), "{unlike:?}");
    let text = place.run("questions run --question heroku-member-without-mfa");
    assert!(text.out.contains("? unknown") && text.out.contains("collects it"), "{}", text.all());
}

#[test]
fn only_queries_that_name_an_uncollected_integration_are_incomplete() {
    let place = only("heroku");
    for query in ["FIND *", "FIND User", "FIND User THAT HAS Team", "FIND * THAT RELATES TO *"] {
        assert_eq!(reasons(&place, query), [""; 0], "{query}");
    }
    for query in ["FIND Person", "FIND directory_person", "FIND User THAT !IS directory_person", "FIND * THAT IS User"]
    {
        let expected =
            "no selected graph is of directory; `integration-heroku --integration directory collect` collects it";
        assert_eq!(reasons(&place, query), [expected], "{query}");
    }
    let text = place.shell("\"$0\" query 'FIND Person'", "");
    assert!(text.err.contains("The result may be incomplete: no selected graph is of directory"), "{}", text.all());
}

#[test]
fn results_that_missing_data_may_have_caused_are_not_bad() {
    let place = only("heroku");
    let verdict = |place: &Place, query: &str, code: i32| {
        place.write("own.yaml", &pack(query, "BAD"));
        let said = place.run("questions run own.yaml --format json");
        assert_eq!(said.code, code, "{query}: {}", said.all());
        let question = said.json()["questions"][0].clone();
        assert_ne!(question["queries"][0]["total"], 0, "{query}");
        question["verdict"].clone()
    };
    assert_eq!(verdict(&place, "FIND heroku_account_member THAT !IS directory_person", 3), "UNKNOWN");
    let text = place.run("questions run own.yaml");
    assert!(text.out.contains("Results can be wrong: the query looks for absent objects"), "{}", text.all());

    let heroku = Heroku::sample();
    let team = heroku.team("kestrel-data");
    heroku.refuse_apps(&team);
    let place = Place::before(&heroku);
    assert_eq!(place.run("collect --quiet").code, 3);
    assert_eq!(verdict(&place, "FIND heroku_team THAT !OWNS heroku_application", 3), "UNKNOWN");
    // The rows of these queries are certain, although others may be missing.
    assert_eq!(verdict(&place, "FIND heroku_team THAT OWNS heroku_application", 4), "BAD");
    assert_eq!(verdict(&place, "FIND heroku_team THAT !USES heroku_identity_provider", 4), "BAD");
}

#[test]
fn an_instance_without_a_graph_is_missing() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku).with("NO_COLOR", "1").with("WRONG_KEY", "HRKU-AA-no-such-key");
    let added = place.run(&format!(
        "instances add east --set api_key=env:WRONG_KEY --set api_url={} --no-test --quiet",
        heroku.url()
    ));
    assert_eq!(added.code, 0, "{}", added.all());
    assert_eq!(place.run("instances run east --quiet").code, 1);
    let said = place.run("questions run");
    assert_eq!(said.code, 2, "{}", said.all());
    let none = place.run("collect --instance west --quiet");
    assert_eq!(none.code, 0, "{}", none.all());
    for query in ["FIND User", "FIND *", "FIND heroku_team", "FIND Team THAT HAS User"] {
        let reasons = reasons(&place, query);
        let expected = "instance east of heroku has no graph: it is configured, but no job could begin; \
                        `integration-heroku collect --instance east` collects it";
        assert_eq!(reasons, [expected], "{query}");
    }
    assert_eq!(reasons(&place, "FIND directory_person").len(), 1, "east has no people");
    let west = place.shell("\"$0\" query 'FIND User' --instance west --format json", "");
    assert_eq!(west.json()["incomplete"], json!([]), "{}", west.all());
    let questions = place.run("questions run --question heroku-certificate-expiring --format json").json();
    assert_eq!(questions["questions"][0]["verdict"], "UNKNOWN", "{questions}");
}

#[test]
fn a_job_that_was_killed_before_it_published_is_a_gap() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku).with("NO_COLOR", "1");
    assert_eq!(place.run("collect --instance west --quiet").code, 0);
    let is_asked =
        |heroku: &FakeHeroku| heroku.log().iter().filter(|request| request.path.ends_with("/addons")).count();
    let asked = is_asked(&heroku);
    heroku.fault(Fault::NoAnswer.on("/teams/{id}/addons"));
    let job = place.start("collect --instance east --quiet");
    heroku.until(|heroku| is_asked(heroku) > asked);
    job.kill();
    let reasons = reasons(&place, "FIND User");
    let [reason] = reasons.as_slice() else { panic!("{reasons:?}") };
    assert!(reason.starts_with("instance east of heroku has no graph: its job was interrupted; "), "{reason}");
}

#[test]
fn a_misspelt_name_is_no_good_answer() {
    let place = only("heroku");
    let cases = [
        (
            "FIND User WITH mfaEnabledd = false",
            "no selected object has the property `mfaEnabledd`; did you mean `mfaEnabled`?",
        ),
        ("FIND Device WITH encrypted != true", "the graph has no entity of the class `Device`"),
    ];
    for (query, warning) in cases {
        place.write("own.yaml", &pack(query, "BAD"));
        for format in ["text", "markdown", "json"] {
            let said = place.run(&format!("questions run own.yaml --format {format}"));
            assert_eq!(said.code, 3, "{query} as {format}: {}", said.all());
            assert!(said.out.contains(warning) && said.out.to_lowercase().contains("unknown"), "{}", said.all());
        }
        let check = place.run("questions check own.yaml");
        assert_eq!(check.code, 0, "{}", check.all());
        let message = warning.split(';').next().expect("a message");
        assert!(check.out.contains(&format!("Warning: {message}")) && check.out.contains("^^^"), "{}", check.all());
        assert!(check.out.contains("1 question, no problem found, 1 warning."), "{}", check.all());
    }
}

#[test]
fn an_error_in_a_question_has_its_place_and_its_remedy() {
    let place = only("heroku");
    for (query, parts) in [
        ("FIND heroku_aplication", ["^^^^^^^^^^^^^^^^^", "did you mean `heroku_application`?"]),
        ("FIND User WITH role IN ('a')", ["^^ expected an operator", "Several values are written = ('a' OR 'b')."]),
        ("FIND User WITH name = {{x}}", ["^^^^^", "pass a value"]),
    ] {
        place.write("own.yaml", &pack(query, "BAD"));
        for format in ["text", "markdown"] {
            let said = place.run(&format!("questions run own.yaml --format {format}"));
            assert_eq!(said.code, 1, "{}", said.all());
            assert!(parts.iter().all(|part| said.out.contains(part)), "{query} as {format}: {}", said.all());
        }
        let json = place.run("questions run own.yaml --format json").json();
        let error = json["questions"][0]["queries"][0]["error"].as_str().expect("an error").to_owned();
        assert!(error.contains(parts[1]) && !error.contains('\n'), "{error}");
    }
    place.write("own.yaml", &pack("FIND heroku_aplication", "BAD"));
    let check = place.run("questions check own.yaml");
    assert_eq!(check.code, 4, "{}", check.all());
    assert!(check.out.contains("did you mean `heroku_application`?"), "{}", check.all());
}

#[test]
fn a_question_in_sarif_has_a_name_without_a_pointer() {
    let place = only("heroku");
    place.write("own.yaml", &pack("FIND heroku_application", "BAD"));
    let sarif = place.run("questions run own.yaml --format sarif").json();
    let location = &sarif["runs"][0]["results"][0]["locations"][0]["logicalLocations"][0];
    assert_eq!(location["fullyQualifiedName"], "own", "{sarif}");
}

#[test]
fn a_remark_in_a_log_has_its_level_as_a_field() {
    let place = only("heroku");
    let said = place.shell("\"$0\" --log-format json query 'FIND Device' --format csv", "");
    let events: Vec<Value> = said.err.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let warning = events.iter().find(|event| event["level"] == "WARN").expect("a warning");
    let message = warning["message"].as_str().expect("a text");
    assert!(message.starts_with("the graph has no entity of the class `Device`"), "{message}");
}

#[test]
fn the_questions_about_people_pass_their_check() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/questions/people.yaml");
    let said = Place::alone().shell(&format!("\"$0\" questions check '{file}'"), "");
    assert_eq!(said.code, 0, "{}", said.all());
    assert!(said.out.ends_with("no problem found.\n"), "{}", said.all());
}

/// As in a backup, or in a snapshot that is mounted read-only.
#[cfg(unix)]
#[test]
fn a_data_directory_that_no_process_can_write_can_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let place = only("heroku");
    let modes = |change: &str| {
        let said = place.shell(&format!("chmod -R {change} .integration"), "");
        assert_eq!(said.code, 0, "{}", said.all());
    };
    modes("a-w");
    let mode = || place.path(".integration/state.sqlite").metadata().expect("the store").permissions().mode() & 0o777;
    let count = place.shell("\"$0\" query 'FIND heroku_team AS t RETURN count(t) AS n' --format csv", "");
    assert_eq!((count.code, count.out.as_str()), (0, "n\r\n5\r\n"), "{}", count.all());
    for line in ["jobs list", "jobs show", "export --output out", "questions run --question heroku-team-admins"] {
        assert_eq!(place.run(line).code, 0, "{line}: {}", place.run(line).all());
    }
    for line in ["jobs prune --keep 1", "collect --sample --quiet"] {
        let said = place.run(line);
        assert_eq!(said.code, 1, "{line}: {}", said.all());
        assert!(said.err.contains("cannot write to the data directory .integration"), "{line}: {}", said.all());
    }
    assert_eq!(mode(), 0o400, "nothing restored the permission to write");
    modes("u+w");
    assert_eq!(place.run("jobs prune --keep 1").code, 0);
}
