//! `plan`, which describes a run before it starts.

use insta::assert_snapshot;
use integration_heroku::fake::{FakeOptions, RateBucket};

use crate::harness::{Heroku, Place};

#[test]
fn a_plan_knows_nothing_of_requests_before_the_first_job_and_what_that_took_after_it() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    assert_snapshot!("plan_before", without_the_budget(&place.run("plan").steady()));
    assert_eq!(heroku.requests(), 2, "a plan may only check the credentials and their scopes");
    place.run("collect --quiet");
    assert_snapshot!("plan_after", without_the_budget(&place.run("plan").steady()));
}

/// The text without the rate budget, which changes as the bucket refills.
fn without_the_budget(text: &str) -> String {
    assert!(text.contains("The rate limit has"), "{text}");
    text.lines().filter(|line| !line.contains("The rate limit has")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_plan_tells_which_scope_is_missing_and_how_long_the_budget_will_make_it_wait() {
    let rate = Some(RateBucket::new(20, 60.0));
    let heroku = Heroku::with(FakeOptions { scopes: vec!["read".into()], rate, ..FakeOptions::default() });
    let place = Place::before(&heroku);
    place.run("collect --quiet");
    let said = place.run("plan --format json");
    let plan = said.json();
    let members =
        plan["steps"].as_array().and_then(|steps| steps.iter().find(|step| step["id"] == "fetch-team-members"));
    assert_eq!(members.map(|step| &step["missingScopes"]), Some(&serde_json::json!(["global"])), "{}", said.all());
    assert_eq!((&plan["scopes"], &plan["subject"]), (&serde_json::json!(["read"]), &plan["subject"]));
    // The integration declares Heroku's rule: one request every 0.8 s once the bucket is empty.
    assert!(plan["budgetTime"].as_u64().is_some_and(|time| time > 0), "{}", said.all());
}
