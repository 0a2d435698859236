//! The graph of directories: people, managers, and the relationships to logins of other integrations.

use std::path::Path;

use integration_testing_kit::{Collected, assert_complete, assert_entity, assert_graph, assert_relationship, json};

const PEOPLE: &str = "\
Employee ID;Work Email;Full Name;Manager;Department;Job Title;Status;Start Date;End Date;Aliases
1;Ada@Example.com;Ada Lovelace;;Board;Chief;Active;2019-02-01;;
2;bob@example.com;Bob;1;Ops;Engineer;Active;2020-01-01;;bob@old.example.com, ada@example.com
3;eve@example.com;Eve;ada@example.com;Ops;Engineer;Terminated;2020-01-01;2023-03-31;
";

async fn collect(files: &[(&str, &str)], variables: &[(&'static str, &str)]) -> Collected {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    let values = variables.iter().map(|(name, value)| (*name, (*value).to_owned()));
    Collected::run(&integration_directory::integration(), values.chain([location(folder.path())])).await
}

fn causes(collected: &Collected) -> Vec<String> {
    collected.step("fetch-people").gaps.iter().map(|gap| gap.cause.clone()).collect()
}

fn location(folder: &Path) -> (&'static str, String) {
    ("DIRECTORY_PEOPLE_FILE", folder.display().to_string())
}

#[tokio::test]
async fn people_have_managers_and_logins() {
    let collected = collect(&[("people.csv", PEOPLE)], &[]).await;
    assert_complete!(collected);
    assert_graph!(collected, {
        directory_person: 3,
        directory_person_manages_person: 2,
        directory_person_is_user: 4,
    });
    assert_entity!(collected, "directory_person:1", {
        displayName: "Ada Lovelace", email: "ada@example.com", active: true, title: "Chief"
    });
    assert_entity!(collected, "directory_person:3", {
        active: false, status: "Terminated", manager: "ada@example.com", endOn: 1_680_220_800_000_i64
    });
    assert_relationship!(collected, "directory_person:1" -[MANAGES]-> "directory_person:2");
    let is = collected.of_type("directory_person_is_user");
    let mapping = is.iter().find(|of| of["_mapping"]["targetEntity"]["email"] == "bob@old.example.com");
    let mapping = &mapping.expect("an alias")["_mapping"];
    assert_eq!(mapping["targetFilterKeys"], json!([["_class", "email"]]));
    assert_eq!(mapping["skipTargetCreation"], true);
}

#[tokio::test]
async fn aliases_and_tags_are_options() {
    let options = [("DIRECTORY_MATCH_ALIASES", "false"), ("DIRECTORY_MATCH_PLUS_ADDRESSES", "true")];
    let collected = collect(&[("people.csv", PEOPLE)], &options).await;
    assert_graph!(collected, { directory_person: 3, directory_person_manages_person: 2, directory_person_is_user: 3 });
    for is in collected.of_type("directory_person_is_user") {
        assert_eq!(is["_mapping"]["targetFilterKeys"], json!([["_class", "email"], ["_class", "untaggedEmail"]]));
    }
}

#[tokio::test]
async fn a_bad_line_is_a_gap_with_its_number_and_loses_nothing_else() {
    let files = [
        (
            "a.csv",
            "mail,name,end date\nada@example.com,Ada,05/06/2024\nnone,Bob,\n\"eve@example.com,Eve,\nfay@example.com,Fay,\n",
        ),
        ("b.ndjson", "{\"mail\": \"gus@example.com\"}\n{oops\n"),
        ("c.csv", "name\nHal\n"),
    ];
    let collected = collect(&files, &[]).await;
    assert_graph!(collected, { directory_person: 3, directory_person_is_user: 3 });
    let causes = causes(&collected);
    let expected = [
        "c.csv has no column of e-mail addresses; its columns are name; set DIRECTORY_EMAIL_COLUMN to one of them",
        "a.csv, line 2: the end date \"05/06/2024\" cannot be read; set DIRECTORY_DATE_FORMAT",
        "a.csv, line 3: \"none\" is not an e-mail address",
        "a.csv, line 4: a quotation mark is not closed",
        "b.ndjson, line 2: not JSON",
    ];
    for cause in expected {
        assert!(causes.iter().any(|of| of.contains(cause)), "{cause}: {causes:?}");
    }
}

#[tokio::test]
async fn a_missing_file_fails_the_step() {
    let integration = integration_directory::integration();
    let collected = Collected::run(&integration, [("DIRECTORY_PEOPLE_FILE", "none.csv".to_owned())]).await;
    assert_graph!(collected, {});
    assert!(causes(&collected).iter().any(|cause| cause.contains("cannot read none.csv")));
}
