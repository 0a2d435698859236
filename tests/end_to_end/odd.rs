//! Unusual elements of Heroku's lists: each unreadable element costs one object, never the whole list.

use std::collections::BTreeSet;

use integration_heroku::fake::{Fault, Reply};
use serde_json::{Value, json};

use crate::harness::{Heroku, Place, Said};

const TEAM: &str = "kestrel-data";

/// A fault that replaces a list.
fn list(elements: &str) -> Fault {
    let elements: Value = serde_json::from_str(elements).expect("JSON");
    Fault::Status(Reply::json(200, &elements))
}

fn keys(place: &Place, object_type: &str, of: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    let objects = crate::harness::Graph::read(&place.path("out/graph")).of_type(object_type);
    objects.into_iter().filter(|(_, object)| of(object)).map(|(key, _)| key).collect()
}

fn next(said: &Said) -> String {
    let lines: Vec<&str> = said.out.lines().skip_while(|line| !line.starts_with("Next:")).map(str::trim).collect();
    lines.join(" ")
}

#[test]
fn values_that_mean_the_same_are_read() {
    let heroku = Heroku::sample();
    let team = heroku.team(TEAM);
    let apps = r#"[
        {"id": "a-0000000001", "name": "one", "slug_size": 1234.0, "repo_size": "77", "released_at": "", "space": null},
        {"id": "a-0000000002", "name": "two", "created_at": "2020-04-24T17:53:13", "updated_at": "2020-04-24T19:53:13+02:00"},
        {"id": "a-0000000003", "name": "three", "owner": {"email": null}, "maintenance": "true", "locked": ""}
    ]"#;
    heroku.fault(list(apps).on(&format!("/teams/{team}/apps")));
    let place = Place::before(&heroku);
    let (said, graph) = place.collect("");
    let summary = said.summary();
    assert_eq!((summary.status("fetch-apps"), summary.gaps("fetch-apps").len()), ("success", 0));
    let apps = graph.of_type("heroku_application");
    let [one, two, three] = ["a-0000000001", "a-0000000002", "a-0000000003"].map(|key| &apps[key]);
    assert_eq!((&one["slugSize"], &one["repoSize"], one.get("releasedOn")), (&1234.into(), &77.into(), None));
    assert_eq!((&two["createdOn"], &two["updatedOn"]), (&1_587_750_793_000_i64.into(), &1_587_750_793_000_i64.into()));
    assert_eq!((&three["maintenance"], three.get("locked"), three.get("owner")), (&true.into(), None, None));
}

#[test]
fn an_element_that_does_not_fit_is_a_gap_of_one_and_stays_one_when_the_job_is_resumed() {
    let heroku = Heroku::sample();
    let team = heroku.team(TEAM);
    let apps = r#"[
        {"id": "a-0000000001", "name": "one"},
        {"id": "a-0000000002", "name": null},
        {"name": "without-an-id"},
        {"id": "a-0000000004", "name": "four", "slug_size": 98765432109876543210},
        {"id": "a-0000000005", "name": "five"}
    ]"#;
    heroku.fault(list(apps).on(&format!("/teams/{team}/apps")));
    let place = Place::before(&heroku);
    let gaps_of = |said: &Said| {
        let summary = said.summary();
        let types = ["heroku_application", "heroku_team_owns_application"];
        assert_eq!((said.code, summary.state()), (3, "partial"), "{}", said.all());
        assert!(summary.partial().is_superset(&types.into()), "{:?}", summary.partial());
        let gaps = summary.gaps("fetch-apps");
        for gap in &gaps {
            assert_eq!((gap.types(), gap.under(), gap.code()), (types.into(), Some(&*team), "PROVIDER_API_ERROR"));
            assert_eq!(gap.resumable(), Some(false));
        }
        gaps.iter().map(|gap| gap.cause().to_owned()).collect::<Vec<_>>()
    };
    let (said, _) = place.collect("");
    let causes = gaps_of(&said);
    assert_eq!(causes.len(), 3, "{causes:#?}");
    let names = [
        "the element of id a-0000000002 does not fit: `name`: ",
        "the element of id a-0000000004 does not fit: `slug_size`: ",
        "the element of name without-an-id does not fit: missing field `id`",
    ];
    for name in names {
        assert!(causes.iter().any(|cause| cause.contains(name)), "{name}: {causes:#?}");
    }
    let of_the_team = |object: &Value| object["teamId"] == team.as_str();
    let collected = keys(&place, "heroku_application", of_the_team);
    assert_eq!(collected, ["a-0000000001", "a-0000000005"].map(str::to_owned).into());

    let (resumed, _) = place.collect("--resume");
    assert_eq!(gaps_of(&resumed), causes);
    assert_eq!(keys(&place, "heroku_application", of_the_team), collected);

    let text = place.run("collect -v");
    assert_eq!(text.code, 3, "{}", text.all());
    assert!(text.out.contains("of id a-0000000002 does not fit: `name`"), "{}", text.out);
    assert!(text.err.contains("of id a-0000000004 does not fit: `slug_size`"), "{}", text.err);
    assert!(!next(&text).contains("--resume") && next(&text).contains("collect"), "{}", text.out);
}

#[test]
fn another_gap_that_resuming_can_close_is_still_proposed() {
    let heroku = Heroku::sample();
    let [odd, failing] = [heroku.team(TEAM), heroku.team("kestrel-platform")];
    heroku.fault(list(r#"[{"id": "a-0000000002", "name": null}]"#).on(&format!("/teams/{odd}/apps")));
    let refusal = Fault::Status(Reply::json(422, &json!({"id": "invalid_params", "message": "Not this time."})));
    let refusal = heroku.fault(refusal.on(&format!("/teams/{failing}/apps")));
    let place = Place::before(&heroku);
    let said = place.run("collect");
    assert!(next(&said).contains("collect --resume"), "{}", said.out);
    heroku.server().lift(refusal);
    let said = place.run("collect --resume");
    assert_eq!(said.code, 3, "{}", said.all());
    assert!(!next(&said).contains("--resume"), "{}", said.out);
}

#[test]
fn a_person_who_could_not_be_read_is_missing_and_not_left_out_on_purpose() {
    let heroku = Heroku::sample();
    let organisation = heroku.organisation();
    let account = organisation.accounts().find(|account| account.name == "kestrel").or(organisation.accounts().next());
    let account = account.expect("an account").id.to_string();
    let members = r#"[{"id": "m-0000000001", "user": {"id": "u-0000000001", "email": "ada@example.com"}},
        {"id": "m-0000000002", "user": {"id": "u-0000000002", "email": null}}]"#;
    heroku.fault(list(members).on(&format!("/enterprise-accounts/{account}/members")));
    let team = heroku.team(TEAM);
    let in_team = r#"[{"id": "t-0000000001", "role": "admin", "user": {"id": "u-0000000001", "email": null, "name": "Ada"}},
        {"id": "t-0000000002", "role": "member", "email": "bob@example.com", "user": {"id": "u-0000000002", "email": null}}]"#;
    heroku.fault(list(in_team).on(&format!("/teams/{team}/members")));
    let place = Place::before(&heroku);
    let (said, graph) = place.collect("");
    let summary = said.summary();
    assert_eq!(said.code, 3, "{}", said.all());
    let [gap] = &summary.gaps("fetch-members")[..] else { panic!("one gap: {:#}", summary.0) };
    assert!(gap.cause().contains("`user.email`") && gap.cause().contains("m-0000000002"), "{gap:?}");
    let members = graph.of_type("heroku_account_member");
    assert!(members.contains_key("u-0000000001") && !members.contains_key("u-0000000002"));
    let step = summary.step("fetch-team-members");
    let missed = &step["missed"]["heroku_team_has_account_member"];
    let missed = &missed["these people may be among those that were not collected"];
    assert!(
        missed["names"]
            .as_array()
            .is_some_and(|names| names.contains(&format!("bob@example.com in team {TEAM}").into())),
        "{step:#}"
    );
    assert_eq!(
        summary.skipped(
            "fetch-team-members",
            "heroku_team_has_account_member",
            "a person who is in no enterprise account"
        ),
        0
    );
    assert!(graph.of_type("heroku_team_has_account_member").contains_key(&format!("{team}|has|u-0000000001")));
}

#[test]
fn people_left_out_on_purpose_are_named_in_the_summary_the_report_and_the_log() {
    let place = Place::alone();
    let (said, _) = place.collect("--sample");
    let summary = said.summary();
    let named = &summary.step("fetch-team-members")["skippedDetails"]["heroku_team_has_account_member"];
    let named = named["a person who is in no enterprise account"].as_array().expect("names").clone();
    let [person] = &named[..] else { panic!("one person: {:#}", summary.0) };
    let person = person.as_str().expect("a name");
    assert!(person.contains('@') && person.contains(" in team kestrel-"), "{person}");
    let text = place.run("collect --sample -v");
    let flat = text.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains(&format!("a person who is in no enterprise account: {person}")), "{}", text.out);
    assert!(text.err.contains(person) && text.err.contains("skipped on purpose"), "{}", text.err);
}
