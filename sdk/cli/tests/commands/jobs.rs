use serde_json::Value;

use crate::space::Space;

#[test]
fn listing_jobs_without_a_store_creates_nothing() {
    let space = Space::new();
    assert_eq!(
        space.run("jobs list").out,
        "There are no jobs in .integration yet. Run `integration-space collect` to create one.\n"
    );
    assert_eq!(space.run("jobs list --format json").json(), Value::Array(Vec::new()));
    let said = space.run("jobs show");
    assert_eq!(said.code, 2);
    insta::assert_snapshot!(said.err, @"
    error: there are no jobs in .integration
      help: run `integration-space collect` to create a job, or use --data-dir to select another folder
    ");
    assert!(!space.path(".integration").exists());
}

#[test]
fn a_job_is_shown_as_at_its_end_and_found_by_the_beginning_of_its_id() {
    let space = Space::new().with("SPACE_TROUBLE", "moons");
    let collected = space.run("collect");
    assert_eq!(space.run("jobs show").out, collected.out);
    let jobs = space.run("jobs list --format json").json();
    let id = jobs[0]["id"].as_str().expect("an id");
    assert_eq!(space.run(&format!("jobs show {}", &id[..13])).out, collected.out);
    let said = space.run(&format!("jobs show {}x", &id[..12]));
    assert_eq!(said.code, 2);
    assert!(said.err.contains(&format!("did you mean {}?", &id[..13])), "{}", said.err);
}

#[test]
fn the_newest_jobs_are_kept() {
    let space = Space::new();
    let ids = [(); 3].map(|()| space.run("collect --format json").json()["job"].clone());
    assert_eq!(space.run("jobs prune --keep 2").out, "Deleted 1 job, kept 2 in .integration.\n");
    let jobs = space.run("jobs list --format json").json();
    assert_eq!((&jobs[0]["id"], &jobs[1]["id"], jobs[2].is_null()), (&ids[2], &ids[1], true));
}
