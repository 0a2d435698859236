use crate::space::{Space, provider};

#[test]
fn without_an_argument_all_possible_checks_run_and_the_others_are_reported() {
    let space = Space::new().with("SPACE_HAS_PROVIDER", "1").with("SPACE_API_KEY", "right-key");
    let said = space.with("SPACE_API_URL", provider()).run("validate");
    assert_eq!(said.code, 0, "{}", said.all());
    let steady = said.out.lines().map(|line| line.split("127.0.0.1:").next().unwrap_or(line));
    insta::assert_snapshot!(steady.collect::<Vec<_>>().join("\n"), @"
    ✓ Schemas. 43 classes and 6 types are valid.
    ✓ Configuration. The credentials work; they belong to laika@space.example.
      api_key: set (SPACE_API_KEY from the environment)
      api_url: http://
      trouble: nothing (default), set by SPACE_TROUBLE or TROUBLE
      scopes: read
      map-craters will not run: the credentials do not have telescope
    – Data: skipped, there are no jobs in .integration
    ");
    assert!(!said.all().contains("right-key"));
}

#[test]
fn a_rejected_key_is_a_finding_and_not_a_failure() {
    let refused = Space::new().with("SPACE_HAS_PROVIDER", "1").with("SPACE_API_KEY", "wrong-key");
    let refused = refused.with("SPACE_API_URL", provider()).run("validate config --format json");
    assert_eq!(refused.code, 4, "{}", refused.all());
    assert_eq!(refused.json()["config"]["problem"]["code"], "PROVIDER_AUTHENTICATION_ERROR");
    assert!(!refused.all().contains("wrong-key"));
    let malformed = Space::new().with("SPACE_API_URL", "s3cret").run("validate config");
    assert_eq!(malformed.code, 4);
    assert!(malformed.out.contains("SPACE_API_URL") && !malformed.out.contains("s3cret"), "{}", malformed.out);
}

#[test]
fn values_come_from_the_instance_over_the_shared_file_and_no_secret_is_shown() {
    let space = Space::new();
    space.write(".env", "SPACE_TROUBLE=moons\nSPACE_API_KEY=s3cret\nSPACE_API_URL=http://laika:s3cret@space.example\n");
    space.write(".env.east", "TROUBLE=planets\n");
    let said = space.run("validate config --instance east");
    insta::assert_snapshot!(said.out, @"
    ✓ Configuration. The configuration is complete. This integration has no provider to verify it with.
      api_key: set (SPACE_API_KEY from .env)
      api_url: http://space.example (SPACE_API_URL from .env)
      trouble: planets (TROUBLE from .env.east)
    ");
}

#[test]
fn a_malformed_file_is_named_with_its_line_and_without_its_text() {
    let space = Space::new();
    space.write(".env", "A=1\nSPACE_API_KEY s3cret\n");
    let said = space.run("validate config");
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(said.err, @"
    error: .env, line 2: not in the form NAME=value
      help: write NAME=value, and quote values that contain line breaks or ` #`
    ");
}

#[test]
fn a_collected_graph_is_checked_and_findings_are_grouped() {
    let space = Space::new();
    space.run("collect --output out");
    let said = space.run("validate data --input out");
    assert_eq!(said.code, 4, "{}", said.all());
    insta::assert_snapshot!(said.out, @r#"
    ✗ Data: 1 finding. Checked 5 entities and 1 relationship of out.
      schema: 1 finding
        1 space_planet /webLink: value is not a "uri" (schema Site)
            first: planet:mars in graph/fetch-planets/entities/space_planet-00001.json
        to do: set a value that the schema allows, or omit the property if its value is unknown
    "#);
    let stored = space.run("validate data --format json").json();
    assert_eq!((&stored["findings"], &stored["data"]["findings"][0]["pointer"]), (&1.into(), &"/webLink".into()));
}

#[test]
fn a_graph_of_another_program_is_checked_too() {
    let space = Space::new();
    space.write(
        "in/graph/any/name.json",
        r#"{"relationships": [{"_key": "a|has|b", "_type": "space_planet_has_moon", "_class": "HAS",
            "displayName": "HAS", "_fromEntityKey": "a", "_toEntityKey": "b"}]}"#,
    );
    let said = space.run("validate --input in --format json");
    assert_eq!(said.code, 4, "{}", said.all());
    let found = &said.json()["data"]["findings"];
    let pointers: Vec<&str> = [0, 1].iter().filter_map(|at| found[at]["pointer"].as_str()).collect();
    assert_eq!((pointers.contains(&"/_fromEntityKey"), pointers.contains(&"/_toEntityKey")), (true, true), "{found}");
    assert_eq!(found[0]["file"], "graph/any/name.json");
}

#[test]
fn a_custom_class_schema_is_used_and_an_invalid_one_is_a_finding() {
    let space = Space::new();
    space.run("collect");
    let strict = r##"{"$id": "#Site", "allOf": [{"$ref": "#Entity"}], "required": ["planetNumber"]}"##;
    space.write("classes/Site.json", strict);
    let said = space.run("validate data --schemas classes");
    assert_eq!(said.code, 4);
    assert!(said.out.contains("planetNumber"), "{}", said.out);
    space.write("classes/Site.json", r##"{"$id": "#Site", "type": "no such type"}"##);
    let said = space.run("validate --schemas classes");
    assert_eq!(said.code, 4, "{}", said.all());
    assert!(said.out.contains("✗ Schemas") && said.out.contains("Data: skipped"), "{}", said.out);
}

/// Checks a graph that violates every rule.
#[test]
fn each_kind_of_finding_has_a_place_a_reason_and_an_action() {
    let space = Space::new();
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    space.write("in/graph/a/entities.json", &EVERYTHING_WRONG.replace("DEEP", &deep));
    space.write(
        "in/graph/a/relationships.json",
        r#"{"relationships": [
        {"_key": "p|loves|q", "_type": "space_planet_loves_planet", "_class": "LOVES", "displayName": "LOVES",
         "_fromEntityKey": "planet:p", "_toEntityKey": "planet:q"},
        {"_key": "p|has|q", "_type": "space_planet_has_moon", "_class": "HAS", "displayName": "HAS",
         "_fromEntityKey": "planet:p", "_toEntityKey": "planet:q"},
        {"_key": "p|has|gone", "_type": "space_planet_has_moon", "_class": "HAS", "displayName": "HAS",
         "_fromEntityKey": "planet:p", "_toEntityKey": "moon:gone"},
        {"_key": "p|is|person", "_type": "space_planet_is_person", "_class": "IS", "displayName": "IS",
         "_mapping": {"relationshipDirection": "FORWARD", "sourceEntityKey": "planet:p",
          "targetFilterKeys": [["email"]], "targetEntity": {"_class": "Person"}}},
        {"_key": "planet:lost", "_type": "space_planet", "_class": ["Site"], "displayName": "lost", "name": "lost", "id": "lost",
         "webLink": "https://p.example"}
        ]}"#,
    );
    let said = space.run("validate data --input in");
    assert_eq!(said.code, 4, "{}", said.all());
    insta::assert_snapshot!(said.out);
}

#[test]
fn graphs_of_the_sdk_for_typescript_are_read_with_one_class_as_text_and_compressed() {
    let space = Space::new();
    let planet = |key: &str, class: &str| {
        format!(
            r#"{{"entities": [{{"_key": "{key}", "_type": "space_planet", "_class": {class}, "displayName": "p",
            "name": "p", "id": "p", "webLink": "https://p.example", "moons": 1}}]}}"#
        )
    };
    space.write("text/graph/a.json", &planet("planet:p", r#""Site""#));
    let found = |line: &str| {
        let said = space.run(line);
        (said.code, said.out)
    };
    let as_list = planet("planet:p", r#"["Site"]"#);
    space.write("list/graph/a.json", &as_list);
    let list = found("validate data --input list");
    assert_eq!(found("validate data --input text"), (list.0, list.1.replace("of list.", "of text.")));
    space.write("odd/graph/a.json", &planet("planet:p", r#""a site""#));
    let odd = found("validate data --input odd");
    assert!(odd.1.contains("/_class"), "{}", odd.1);

    // `{"entities":[{"_key":"k-000000001","_type":"acme_user","_class":"User","name":"ann","displayName":"Ann"}]}`,
    // compressed by the zlib module of Node.js.
    let brotli = "1b69006004a26da67e5941eb3743b12d8df1c8f820e2975986a893e383eaaf077a1ab5051288078e43ba3abe89d4\
                  7f63befaeaf621f74687fd0823264f26a0df1c84f64ed35e42ed68840b94b799597702bdae42c9790e";
    let pairs = brotli.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("digits"));
    let bytes: Vec<u8> = pairs.map(|pair| u8::from_str_radix(pair, 16).expect("a byte")).collect();
    for name in ["a.json", "a.json.br"] {
        let file = space.path(&format!("{name}-in/graph/{name}"));
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(file, &bytes).expect("a file");
        let (code, out) = found(&format!("validate data --input {name}-in"));
        assert!(code != 1 && out.contains("1 entity and 0 relationships"), "{name}: {code} {out}");
        assert!(!out.contains("/_class"), "{out}");
    }
}

const EVERYTHING_WRONG: &str = r#"{"entities": [
    {"_key": "planet:p", "_type": "space_planet", "_class": ["Site"], "displayName": "p", "name": "p", "id": "p",
     "webLink": "p"},
    {"_key": "planet:q", "_type": "space_planet", "_class": ["Site"], "displayName": "q", "name": "q", "id": "q",
     "webLink": "https://p.example", "_rawData": [{"name": "default", "rawData": {}}, {"name": "default", "rawData": {}}]},
    {"_key": "planet:q", "_type": "space_planet", "_class": ["Site"], "displayName": "q", "name": "q", "id": "q",
     "webLink": "https://p.example", "seen_at": 1},
    {"_key": "planet:r", "_type": "space_planet", "_class": ["Plannet"], "displayName": "r", "name": "r", "id": "r",
     "webLink": "https://p.example", "createdOn": 1704067200},
    {"_key": "comet:s", "_type": "space_ufo", "_class": ["Site"], "displayName": "s", "name": "s", "id": "s",
     "webLink": "https://p.example", "orbit": {"days": 1}},
    {"_key": "planet:t", "_type": "space_planet", "_class": ["Site"], "displayName": "t", "name": "t", "id": "t",
     "webLink": "https://p.example", "note": "postgres://u:s3cret@db.example/d"},
    {"_key": "planet:deep", "deep": DEEP}
]}"#;

/// A graph of another program with defects of two kinds.
fn faulty() -> Space {
    let space = Space::new();
    let comet = |name: &str| {
        format!(
            r#"{{"_key": "comet:{name}", "_type": "space_comet", "_class": ["Site"], "id": "{name}", "name": "{name}",
                "displayName": "<{name}>",
                "note": "postgres://u:{name}-s3cret@db.example/d", "seen_at": 1}}"#
        )
    };
    let entities = format!(r#"{{"entities": [{}, {}]}}"#, comet("halley"), comet("encke"));
    space.write("in/graph/any thing.json", &entities);
    space
}

#[test]
fn findings_are_grouped_by_rule_with_an_action_and_no_secret_is_shown() {
    let said = faulty().run("validate data --input in");
    assert_eq!(said.code, 4, "{}", said.all());
    insta::assert_snapshot!(said.out, @"
    ✗ Data: 4 findings. Checked 2 entities and 0 relationships of in.
      property-name: 2 findings
        2 space_comet /seen_at: the name of this property is not allowed
            first: comet:halley in graph/any thing.json
        to do: use camel case, such as `createdOn`, or `tag.Name` for tags
      secret: 2 findings
        2 space_comet /note: the text looks like a URL with a password
            first: comet:halley in graph/any thing.json
        to do: mark the field as secret, so that it never enters the graph, and rotate the secret, because it was exposed
    ");
    assert!(!said.all().contains("s3cret"));
}

#[test]
fn allowed_rules_are_ignored_and_kinds_are_limited() {
    let allowed = faulty().run("validate data --input in --allow property-name,secret");
    assert_eq!((allowed.code, allowed.err.as_str()), (0, ""), "{}", allowed.all());
    let of_another = faulty().run("validate data --input in --allow property-name:space_comet,secret:space_moon");
    assert!(of_another.out.contains("2 findings") && of_another.out.contains("secret: "), "{}", of_another.all());
    let limited = faulty().run("validate data --input in --max-findings 1");
    assert_eq!(limited.code, 4);
    assert!(limited.out.contains("4 findings") && limited.out.contains("and 1 other kind"), "{}", limited.out);
    let unknown = faulty().run("validate data --input in --allow property-names");
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("there is no rule \"property-names\"; the rules are: "), "{}", unknown.err);
}

#[test]
fn sarif_has_one_result_per_kind_with_place_rule_and_count() {
    let said = faulty().run("validate data --input in --format sarif");
    assert_eq!(said.code, 4, "{}", said.all());
    let log = said.json();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["name"], "integration-space");
    let results = run["results"].as_array().expect("results");
    assert_eq!(results.len(), 2);
    for result in results {
        let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().expect("an index") as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        assert_eq!((&result["level"], &result["occurrenceCount"]), (&"error".into(), &2.into()));
        let place = &result["locations"][0];
        assert_eq!(place["physicalLocation"]["artifactLocation"]["uri"], "in/graph/any%20thing.json");
    }
    let secret = results.iter().find(|result| result["ruleId"] == "secret").expect("a secret");
    assert_eq!(secret["locations"][0]["logicalLocations"][0]["fullyQualifiedName"], "comet:halley#/note");
    assert!(!said.all().contains("s3cret"));
}

#[test]
fn junit_has_one_suite_per_check_and_one_case_per_rule() {
    let said = faulty().run("validate data --input in --format junit");
    assert_eq!(said.code, 4, "{}", said.all());
    assert!(
        said.out.starts_with("<?xml") && said.out.contains(r#"<testsuite name="validate data" tests="15""#),
        "{}",
        said.out
    );
    let failures: Vec<&str> = said.out.lines().filter(|line| line.trim_start().starts_with("<failure")).collect();
    assert_eq!(failures.len(), 2, "{}", said.out);
    assert!(failures[1].contains(r#"type="secret""#) && failures[1].contains("2 found. To do: "), "{}", failures[1]);
    assert!(!said.all().contains("s3cret"));
    let skipped = Space::new().run("validate --format junit");
    assert!(skipped.out.contains("<skipped message=\"there are no jobs"), "{}", skipped.out);
}

#[test]
fn all_defects_of_class_schemas_are_reported_with_file_and_pointer() {
    let space = Space::new();
    space.write("classes/Site.json", r##"{"$id": "#Site", "allOf": [{"$ref": "#Entitty"}]}"##);
    space.write("classes/Team.json", r##"{"$id": "#Team", "properties": {"size": {"type": "many"}}}"##);
    let said = space.run("validate schemas --schemas classes");
    assert_eq!(said.code, 4, "{}", said.all());
    insta::assert_snapshot!(said.out, @r##"
    ✗ Schemas: 2 findings. The schemas are invalid.
      classes/Site.json, at /allOf/0/$ref: "#Entitty" cannot be resolved: there is no class Entitty; did you mean Entity?
      classes/Team.json, at /properties/size/type: value fits none of the alternatives: it is not one of "array", "boolean" or 5 other candidates; it is not of type "array"
      to do: correct the schema at this place; references must name loaded classes, such as #Entity
    "##);
    let missing = space.run("validate schemas --schemas nowhere");
    assert_eq!(missing.code, 1);
    assert!(missing.err.contains("cannot read nowhere"), "{}", missing.err);
}

#[test]
fn type_schemas_are_written_and_a_drift_is_a_finding_that_names_the_file() {
    let space = Space::new();
    let written = space.run("validate schemas --write");
    assert_eq!(written.out, "✓ Schemas. 43 classes and 6 types are valid; wrote 6 type schemas to schemas/types.\n");
    assert_eq!(space.run("validate schemas --check").code, 0);
    let moon = space.read("schemas/types/space_moon.json").replace("\"string\"", "\"integer\"");
    space.write("schemas/types/space_moon.json", &moon);
    space.write("schemas/types/space_star.json", "{}");
    let drifted = space.run("validate schemas --check schemas/types");
    assert_eq!(drifted.code, 4, "{}", drifted.all());
    insta::assert_snapshot!(drifted.out, @"
    ✗ Schemas: 2 findings. 43 classes and 6 types are valid.
      schemas/types/space_moon.json differs from the type of the program at /properties/id/type
      schemas/types/space_star.json is obsolete: no step declares this type
      to do: regenerate the schemas with `validate schemas --write`, and review the changes before you commit them
    ");
    let json = space.run("validate schemas --check --format json").json();
    assert_eq!(json["schemas"]["drifted"][0]["file"], "schemas/types/space_moon.json");
    assert_eq!(space.run("validate data --check").code, 2);
}

#[test]
fn a_graph_of_which_nothing_can_be_checked_is_a_failure_unless_it_is_said_to_be_empty() {
    let complete = r#"{"state": "complete", "entities": 0, "relationships": 0}"#;
    let check = |files: &[(&str, &str)]| {
        let space = Space::new();
        std::fs::create_dir_all(space.path("in/graph")).expect("a folder");
        files.iter().for_each(|(name, text)| space.write(name, text));
        let said = space.run("validate data --input in");
        (said.code, said.all())
    };
    for files in [
        &[][..],
        &[("in/graph/a/entities/x.json.zip", "x")],
        &[("in/graph/a/entities/x.json", r#"{"entities": []}"#)],
        &[("in/graph/x.txt", "x"), ("in/summary.json", complete)],
        &[("in/summary.json", &complete.replacen('0', "2", 1))],
    ] {
        let (code, text) = check(files);
        assert!(code == 1 && text.contains("in contains no object of a graph, so nothing was checked"), "{text}");
        let is_named = files.iter().all(|(name, _)| name.ends_with(".json") || text.contains(name));
        assert!(is_named, "{text}");
    }
    let (code, text) = check(&[("in/summary.json", complete)]);
    assert!(code == 0 && text.contains("Checked 0 entities"), "{text}");
}

#[cfg(unix)]
#[test]
fn files_that_are_not_read_are_named() {
    let space = Space::new();
    std::fs::create_dir_all(space.path("in/graph")).expect("a folder");
    std::os::unix::fs::symlink("nothing", space.path("in/graph/a")).expect("a link");
    let said = space.run("validate data --input in");
    assert!(said.code == 1 && said.err.contains("the file in/graph/a was not read"), "{}", said.all());
    space.write("in/graph/x.json", r#"{"entities": [{"_key": "key:0001"}]}"#);
    let said = space.run("validate data --input in");
    assert!(said.out.contains("The file in/graph/a was not read."), "{}", said.all());
    let json = space.run("validate data --input in --format json").json();
    assert_eq!(json["data"]["unread"], serde_json::json!(["in/graph/a"]));
}
