//! The directory of people next to Heroku: one data directory, one graph.

use serde_json::{Value, json};

use crate::harness::{Heroku, Place};

const LEAVERS: &str = "FIND directory_person WITH active = false AS p THAT IS User AS u \
    THAT ASSIGNED heroku_application AS a RETURN p.name, u.email, count(a)";

/// A folder with the graphs of the sample's organisation and of its directory.
fn sample() -> Place {
    let place = Place::alone().with("NO_COLOR", "1");
    for line in ["collect --sample --quiet", "collect --sample --quiet --integration directory"] {
        let said = place.run(line);
        assert_eq!(said.code, 0, "{line}: {}", said.all());
    }
    place
}

fn query(place: &Place, text: &str) -> Value {
    place.write("query.j1ql", text);
    let said = place.run("query --file query.j1ql --format json");
    assert_eq!(said.code, 0, "{}", said.all());
    let mut rows = said.json()["data"].clone();
    for row in rows.as_array_mut().expect("rows") {
        row.as_object_mut().expect("a row").remove("_meta");
    }
    rows
}

#[test]
fn leavers_with_access_are_one_query() {
    let place = sample();
    let leavers = query(&place, LEAVERS);
    assert_eq!(
        leavers,
        json!([
            {"p.name": "Marek Novák", "u.email": "marek.novak@kestrel.example.com", "count(a)": 1},
            {"p.name": "Per Lindqvist", "u.email": "per.lindqvist@kestrel.example.com", "count(a)": 4},
            {"p.name": "Dmitri Sokolov", "u.email": "dmitri.sokolov@labs.kestrel.example.org", "count(a)": 5},
        ])
    );
    let unknown = query(
        &place,
        "FIND heroku_account_member AS u THAT !IS directory_person THAT ASSIGNED AS r heroku_application AS a \
         WHERE r.owner = true RETURN u.email, a.name",
    );
    let owners: Vec<&Value> = unknown.as_array().expect("rows").iter().map(|row| &row["u.email"]).collect();
    assert_eq!(owners, ["anders.holm@kestrel.example.com", "anders.holm@kestrel.example.com"]);
}

/// The first questions of a security team, with the rows of the sample.
#[test]
fn the_first_questions_of_a_security_team_are_one_query_each() {
    let place = sample();
    let cases: [(&str, &[&str]); 7] = [
        (
            "FIND heroku_user WITH external = true AS u THAT ASSIGNED heroku_application AS a RETURN u.email, a.name",
            &[
                "lena.fischer@agency.example.net,kestrel-checkout",
                "lena.fischer@agency.example.net,kestrel-shop-staging",
                "marek.novak@kestrel.example.com,kestrel-billing",
                "ruben.vos@studio.example.org,kestrel-shop",
                "ruben.vos@studio.example.org,kestrel-shop-staging",
            ],
        ),
        (
            "FIND User WITH mfaEnabled = false AS u THAT ASSIGNED AS r Application AS a THAT HAS AS s heroku_pipeline \
             WHERE s.stage = 'production' AND r.permissions = 'deploy' RETURN u.email, a.name",
            &["oskar.dvorak@kestrel.example.com,kestrel-shop", "ruben.vos@studio.example.org,kestrel-shop"],
        ),
        (
            "FIND User AS u THAT !IS directory_person THAT ASSIGNED AS r Application AS a WHERE r.owner = true \
             RETURN a.name, u.email",
            &["kestrel-blog,anders.holm@kestrel.example.com", "kestrel-tracking,anders.holm@kestrel.example.com"],
        ),
        ("FIND Application WITH ownerId = undefined AS a RETURN a.name", &["kestrel-landing"]),
        ("FIND Certificate WITH expiresOn < date.now + 30 days AS c RETURN c.name", &["kestrel-harbour 2022"]),
        (
            "FIND heroku_pipeline AS p THAT HAS AS s Application WITH space = undefined AS a THAT HAS heroku_addon \
             WITH function = 'database' THAT USES Application AS u THAT HAS AS o heroku_pipeline \
             WHERE s.stage = 'production' AND o.stage != 'production' RETURN a.name, u.name, o.stage",
            &["kestrel-api,kestrel-api-staging,staging"],
        ),
        ("FIND Application WITH stack = 'heroku-20' AS a RETURN a.name", &["kestrel-legacy"]),
    ];
    for (text, expected) in cases {
        place.write("query.j1ql", text);
        let said = place.run("query --file query.j1ql --format csv");
        assert_eq!(said.code, 0, "{}", said.all());
        let mut rows: Vec<&str> = said.out.lines().skip(1).collect();
        rows.sort_unstable();
        assert_eq!(rows, expected, "{text}");
    }
}

#[test]
fn logins_are_found_by_addresses_in_any_case_aliases_and_tags() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku).with("DIRECTORY_PEOPLE_FILE", "people.csv");
    assert_eq!(place.run("collect --quiet").code, 0);
    place.write(
        "people.csv",
        "email,name,aliases\nTILDA.Marchetti@kestrel.EXAMPLE.com,Tilda,\nines@x.example,Ines,Ines.Carvalho@kestrel.example.com\n",
    );
    assert_eq!(place.run("--integration directory collect --quiet").code, 0);
    let logins = "FIND directory_person AS p THAT IS heroku_account_member AS u RETURN p.name, u.email ORDER BY p.name";
    let both = json!([
        {"p.name": "Ines", "u.email": "ines.carvalho@kestrel.example.com"},
        {"p.name": "Tilda", "u.email": "tilda.marchetti@kestrel.example.com"},
    ]);
    assert_eq!(query(&place, logins), both);
    let place = place.with("DIRECTORY_MATCH_ALIASES", "false");
    assert_eq!(place.run("--integration directory collect --quiet").code, 0);
    assert_eq!(query(&place, logins), json!([both[1]]));
    let count = query(&place, "FIND * WITH _source = 'system-mapper' AS x RETURN count(x)");
    assert_eq!(count[0]["count(x)"], 0, "a person without a login creates none");
}

#[test]
fn a_bad_line_is_a_gap_and_a_person_that_is_gone_is_removed() {
    let place = Place::alone().with("DIRECTORY_PEOPLE_FILE", "people.csv");
    let collect = || place.run("--integration directory collect --format json");
    place.write("people.csv", "email;name\nada@x.example;Ada\nbob@x.example;Bob\neve@x.example;Eve\n");
    assert_eq!(collect().code, 0);
    place.write("people.csv", "email;name\nada@x.example;Ada\nbob;Bob\neve@x.example;Eve\n");
    let said = collect();
    assert_eq!(said.code, 3, "{}", said.all());
    assert!(said.out.contains("people.csv, line 3: \\\"bob\\\" is not an e-mail address"), "{}", said.out);
    let diff = place.run("--integration directory diff --format json");
    assert_eq!(diff.json()["counts"]["removed"], 0, "Bob may be in line 3: {}", diff.all());
    place.write("people.csv", "email;name\nada@x.example;Ada\neve@x.example;Eve\n");
    assert_eq!(collect().code, 0);
    let people = query(&place, "FIND directory_person AS p RETURN p.name ORDER BY p.name");
    assert_eq!(people, json!([{"p.name": "Ada"}, {"p.name": "Eve"}]));
}

#[test]
fn every_question_about_people_has_results_on_the_sample() {
    let place = sample();
    let said = place.run("--integration directory questions run --format json");
    assert_eq!(said.code, 4, "{}", said.all());
    let document = said.json();
    let questions = document["questions"].as_array().expect("a list");
    for question in questions {
        for query in question["queries"].as_array().expect("a list") {
            assert_eq!((&query["error"], &query["warnings"]), (&Value::Null, &json!([])), "{query}");
            assert_ne!(query["total"], 0, "{query}");
        }
    }
    assert!(questions.len() >= 8, "{} questions", questions.len());
    let said = Place::alone().run("--integration directory questions check");
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.all());
}

#[test]
fn each_command_works_on_the_selected_integration() {
    let place = sample();
    let jobs = place.run("jobs list --format json").json();
    let id = |integration: &str| {
        let job = jobs.as_array().expect("a list").iter().find(|job| job["integration"] == integration);
        job.and_then(|job| job["id"].as_str()).expect("a job").to_owned()
    };
    let foreign = place.run(&format!("jobs show {}", id("directory")));
    assert_eq!(foreign.code, 2, "{}", foreign.all());
    assert!(foreign.err.contains("--integration directory"), "{}", foreign.err);
    for line in ["jobs show", "history directory_person:1001", "validate schemas", "validate data", "visualize steps"] {
        let said = place.run(&format!("--integration directory {line}"));
        assert_eq!(said.code, 0, "{line}: {}", said.all());
        assert!(!said.out.contains("heroku_team"), "{line}: {}", said.out);
    }
    let said = place.run("--integration okta collect");
    assert_eq!(said.code, 2, "{}", said.all());
    assert!(said.err.contains("heroku, directory"), "{}", said.err);
    let nothing = Place::alone();
    assert_eq!(nothing.run("collect --sample --quiet").code, 0);
    let said = nothing.run("--integration directory questions run");
    assert_eq!(said.code, 2, "answers without a directory would be wrong: {}", said.all());
    assert!(said.err.contains("no job of the integration \"directory\""), "{}", said.err);
}
