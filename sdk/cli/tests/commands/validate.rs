use crate::space::{Space, provider};

#[test]
fn without_a_name_all_that_can_be_checked_is_and_the_rest_is_said() {
    let space = Space::new().with("SPACE_HAS_PROVIDER", "1").with("SPACE_API_KEY", "right-key");
    let said = space.with("SPACE_API_URL", provider()).run("validate");
    assert_eq!(said.code, 0, "{}", said.all());
    let steady = said.out.lines().map(|line| line.split("127.0.0.1:").next().unwrap_or(line));
    insta::assert_snapshot!(steady.collect::<Vec<_>>().join("\n"), @"
    ✓ Schemas. 42 classes and 6 types compile.
    ✓ Configuration. The credentials work; they belong to laika@space.example.
      api_key: set (SPACE_API_KEY from the environment)
      api_url: http://
      trouble: nothing (the default), set by SPACE_TROUBLE or TROUBLE
      scopes: read
      map-craters will not run: it needs telescope
    – Data: passed over, there are no jobs in .integration
    ");
    assert!(!said.all().contains("right-key"));
}

#[test]
fn a_refused_key_is_a_finding_and_silence_a_failure() {
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
    ✓ Configuration. It is complete; there is no provider to ask.
      api_key: set (SPACE_API_KEY from .env)
      api_url: http://space.example/ (SPACE_API_URL from .env)
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
    error: .env, line 2: not of the form NAME=value
      help: put values with spaces or `#` into quotes, and `#` before comments
    ");
}

#[test]
fn a_collected_graph_is_checked_and_findings_are_grouped() {
    let space = Space::new();
    space.run("collect --output out");
    let said = space.run("validate data --input out");
    assert_eq!(said.code, 4, "{}", said.all());
    insta::assert_snapshot!(said.out, @r#"
    ✗ Data: 1 finding. 5 entities and 1 relationship of out are checked.
      1 space_planet /webLink: value is not a "uri" (schema Site)
          first: planet:mars in graph/fetch-planets/entities/space_planet-00001.json
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
fn a_class_schema_of_ones_own_is_used_and_a_broken_one_is_a_finding() {
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
    assert!(said.out.contains("✗ Schemas") && said.out.contains("Data: passed over"), "{}", said.out);
}
