//! `plan`, which describes a run before it starts.

use insta::assert_snapshot;
use integration_heroku::fake::{FakeOptions, Fault, RateBucket, Reply};
use serde_json::json;

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

#[test]
fn the_kinds_of_accounts_are_named_and_a_refused_one_is_not_taken_for_none() {
    let heroku = Heroku::sample();
    let refusal = Reply::json(403, &json!({"id": "forbidden", "message": "Not this time."}));
    heroku.fault(Fault::Status(refusal).on("/teams"));
    let place = Place::before(&heroku);
    let of = |accounts: &serde_json::Value| {
        let accounts = accounts.as_array().expect("the kinds").iter();
        let kinds = accounts.map(|kind| (kind["kinds"].clone(), kind["coverage"].clone(), kind["count"].clone()));
        kinds.collect::<Vec<_>>()
    };
    let kinds = |one: (&str, Option<u64>), two: (&str, Option<u64>), three: (&str, Option<u64>)| {
        let personal = "applications outside of all teams that the owner of the key can see";
        let named = [("enterprise accounts", one), ("teams outside of these", two), (personal, three)];
        named.map(|(kinds, (coverage, count))| (json!(kinds), json!(coverage), json!(count))).to_vec()
    };
    let expected = place.run("plan --format json").json();
    assert_eq!(of(&expected["accounts"]), kinds(("expected", None), ("expected", None), ("expected", None)));
    let (said, _) = place.collect("");
    assert_eq!(said.code, 3, "{}", said.all());
    // The only team outside of the accounts is unknown, and so is the team of its application.
    let covered = kinds(("complete", Some(2)), ("none", Some(0)), ("incomplete", Some(1)));
    assert_eq!(of(&said.summary().0["accounts"]), covered);
    let plan = place.run("plan --format json").json();
    assert_eq!(of(&plan["accounts"]), covered);
    for line in ["jobs show", "plan"] {
        let flat = place.run(line).out.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in [
            "2 enterprise accounts, at least 1 application outside of all teams",
            "Not covered: teams outside of these (",
            "403 forbidden",
        ] {
            assert!(flat.contains(words), "{line} lacks {words:?}: {flat}");
        }
    }
    heroku.server().lift_all();
    let (said, _) = place.collect("");
    assert_eq!(
        of(&said.summary().0["accounts"]),
        kinds(("complete", Some(2)), ("complete", Some(1)), ("complete", Some(1)))
    );
    // A selection covers less, and says so.
    let plan = place.run("plan --step fetch-members --format json").json();
    assert_eq!(of(&plan["accounts"]), kinds(("complete", Some(2)), ("none", None), ("none", None)));
}
