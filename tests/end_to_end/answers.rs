//! `collect --reuse-answers`: a second collection transfers only changes and gives the same graph.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use insta::assert_snapshot;
use integration_heroku::fake::{FakeOptions, Fault, LoggedRequest, PageLimits, Reply};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::{Graph, Heroku, Place, Said, assert_same, assert_same_objects, undisturbed};
use crate::recordings::as_recorded;

/// Parts of the paths whose answers contain certificates, pre-shared keys, or addresses with credentials.
const WITH_SECRETS: [&str; 3] = ["/identity-providers/", "/vpn-connections", "/addon-attachments"];

/// A fake with small pages, so that lists have several pages of different lengths.
fn heroku() -> Heroku {
    Heroku::with(FakeOptions { page_limits: PageLimits { default: 4, maximum: 4 }, ..FakeOptions::default() })
}

fn collected(place: &Place, options: &str) -> (Said, Graph) {
    let (said, graph) = place.collect(options);
    assert_eq!(said.code, 0, "{}", said.all());
    (said, graph)
}

/// The number of responses per status, without the first `requests` requests.
fn since(heroku: &Heroku, requests: usize) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for request in heroku.asked_since(requests) {
        *counts.entry(request.status.expect("a response")).or_default() += 1;
    }
    counts
}

fn conditional(heroku: &Heroku, requests: usize) -> Vec<LoggedRequest> {
    let mut asked = heroku.asked_since(requests);
    asked.retain(|request| request.header("if-none-match").is_some());
    asked
}

/// Changes the store between two jobs.
fn change_store(place: &Place, sql: &str) -> usize {
    let store = Connection::open(place.path(".integration/state.sqlite")).expect("a store");
    store.execute(sql, []).expect("the statement succeeds")
}

#[test]
fn a_second_collection_is_sent_nothing_anew_and_gives_the_same_graph() {
    let heroku = heroku();
    let place = Place::before(&heroku);
    let (first, graph) = collected(&place, "--reuse-answers");
    assert_same(&graph, undisturbed());
    let asked = heroku.requests();
    assert_eq!(conditional(&heroku, 0), [], "the first job has nothing to compare with");
    let (second, graph) = collected(&place, "--reuse-answers");
    assert_same(&graph, undisturbed());
    let statuses = since(&heroku, asked);
    let (same, anew) = (statuses[&304], statuses.values().sum::<usize>() - statuses[&304]);
    // Exceptions: `/account`, and full last pages, because their response does not show that they are the last.
    let anew_asked: Vec<_> = heroku.asked_since(asked).into_iter().filter(|asked| asked.status != Some(304)).collect();
    assert_eq!(anew_asked[0].path, "/account");
    assert!(same > 10 * anew && same + anew == asked, "{statuses:?}");
    let usage = |said: &Said, name: &str| said.summary().0["usage"][name].as_u64().expect("a number");
    assert_eq!((usage(&first, "notModified"), usage(&second, "notModified")), (0, same as u64));
    assert!(usage(&second, "answerBytes") * 10 < usage(&first, "answerBytes"));
}

#[test]
fn people_are_told_how_much_had_not_changed() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    place.run("collect --quiet --reuse-answers");
    assert_snapshot!("collect_reusing_answers", place.run("collect --quiet --reuse-answers").steady());
}

#[test]
fn what_has_changed_is_in_the_second_graph() {
    let heroku = heroku();
    let team = heroku.team("kestrel-data");
    let place = Place::before(&heroku);
    let (_, before) = collected(&place, "--reuse-answers");
    let app = json!({
        "id": "0b2dfa09-1111-428b-b78c-c3ed9eb894d1", "name": "kestrel-new", "owner": null, "team": {"id": team},
        "web_url": "https://kestrel-new.herokuapp.com/",
    });
    heroku.serve_apps(&before, &team, &[app]);
    let (_, graph) = collected(&place, "--reuse-answers");
    let apps = graph.of_type("heroku_application");
    let of_team: Vec<&Value> = apps.values().filter(|app| app["teamId"] == *team).collect();
    assert_eq!(of_team.iter().map(|app| &app["name"]).collect::<Vec<_>>(), ["kestrel-new"]);
    heroku.restore_apps();
    let (_, graph) = collected(&place, "--reuse-answers");
    assert_same(&graph, undisturbed());
}

#[test]
fn nothing_is_kept_or_compared_unless_that_is_asked_for() {
    let heroku = heroku();
    let place = Place::before(&heroku);
    collected(&place, "");
    collected(&place, "--reuse-answers");
    assert_eq!(conditional(&heroku, 0), []);
    let asked = heroku.requests();
    collected(&place, "");
    assert_eq!(conditional(&heroku, asked), []);
}

#[test]
fn another_key_and_another_instance_have_answers_of_their_own() {
    let options = FakeOptions { other_tokens: vec!["the-key-of-somebody-else".into()], ..FakeOptions::default() };
    let heroku = Heroku::with(options);
    let place = Place::before(&heroku);
    collected(&place, "--reuse-answers");
    let lists = heroku.requests() - 1;
    collected(&place, "--reuse-answers --instance east");
    let place = place.with("HEROKU_API_KEY", "the-key-of-somebody-else");
    collected(&place, "--reuse-answers");
    assert_eq!(conditional(&heroku, 0), []);
    let asked = heroku.requests();
    let place = place.with("HEROKU_API_KEY", heroku.token());
    for instance in ["default", "east"] {
        collected(&place, &format!("--reuse-answers --instance {instance}"));
    }
    let whole: BTreeSet<String> =
        heroku.asked_since(asked).into_iter().filter(|it| it.status != Some(304)).map(|it| it.path).collect();
    for path in &whole {
        let has_secrets = WITH_SECRETS.iter().any(|part| path.contains(part));
        assert!(path == "/account" || has_secrets, "{path} has no secrets, and so must be kept");
    }
    assert_eq!(since(&heroku, asked)[&304], 2 * (lists + 1 - whole.len()), "all other requests");
}

#[test]
fn a_job_that_goes_on_compares_as_it_began() {
    let heroku = heroku();
    let team = heroku.team("kestrel-data");
    let place = Place::before(&heroku);
    collected(&place, "--reuse-answers");
    let refusal = Reply::json(422, &json!({"id": "invalid_params", "message": "Not this time."}));
    heroku.fault(Fault::Status(refusal).on(&format!("/teams/{team}/apps")).first(1));
    let (said, _) = place.collect("--reuse-answers");
    assert_eq!(said.code, 3, "{}", said.all());
    let asked = heroku.requests();
    let (_, graph) = place.resume();
    assert_same(&graph, undisturbed());
    let conditional = conditional(&heroku, asked);
    assert!(conditional.iter().any(|asked| asked.path == format!("/teams/{team}/apps")), "{conditional:?}");
    let said = place.run("collect --resume --reuse-answers");
    assert_eq!(said.code, 2, "a resumed job must keep its mode: {}", said.all());
}

#[test]
fn a_recording_has_whole_answers_and_a_replay_needs_none() {
    let heroku = heroku();
    let place = Place::before(&heroku);
    collected(&place, "--reuse-answers");
    let asked = heroku.requests();
    let (_, graph) = collected(&place, "--reuse-answers --record recordings");
    assert_same(&graph, undisturbed());
    assert_eq!((conditional(&heroku, asked).len(), heroku.requests()), (0, 2 * asked));
    let (_, graph) = collected(&place, "--reuse-answers --replay recordings");
    assert_same_objects(&as_recorded(&graph), &as_recorded(undisturbed()));
    assert_eq!(heroku.requests(), 2 * asked, "a replay must not send requests");
}

#[test]
fn damaged_answers_and_those_that_cannot_be_kept_cost_requests_and_nothing_else() {
    let heroku = heroku();
    let place = Place::before(&heroku);
    collected(&place, "--reuse-answers");
    for (damage, remaining) in [
        ("UPDATE answer_content SET body = x'1f8b' WHERE answer % 2 = 0", true),
        ("UPDATE answer_content SET headers = 'nonsense', status = 'none'", false),
        ("DROP TABLE answer_content", false),
    ] {
        change_store(&place, damage);
        let asked = heroku.requests();
        let (said, graph) = collected(&place, "--reuse-answers");
        assert_same(&graph, undisturbed());
        assert_eq!(since(&heroku, asked).contains_key(&304), remaining, "{damage}");
        let told = said.err.matches("responses are requested in full").count();
        assert_eq!(told, 1, "the warning must appear once: {}", said.err);
    }
}

#[test]
fn answers_that_were_of_no_use_for_long_are_forgotten_by_whichever_job_ends_next() {
    let heroku = heroku();
    let place = Place::before(&heroku);
    collected(&place, "--reuse-answers");
    let all = change_store(&place, "UPDATE answer SET used = 1 WHERE number > 1");
    collected(&place, "");
    let kept = |table: &str| change_store(&place, &format!("UPDATE {table} SET rowid = rowid"));
    assert!(all > 10);
    assert_eq!((kept("answer"), kept("answer_content")), (1, 1));
    collected(&place, "--reuse-answers");
    assert_eq!(kept("answer"), all + 1);
}

#[test]
fn no_secret_is_kept_with_an_answer() {
    let heroku = Heroku::sample();
    let secrets = ["quokka-token", "quokka-password", "quokka-drain", heroku.token()];
    let app = json!([{
        "id": "0b2dfa09-1111-428b-b78c-c3ed9eb894d1", "name": "kestrel-leaky", "owner": null,
        "web_url": "https://kestrel-leaky.herokuapp.com/", "token": secrets[0], "nested": [{"password": secrets[1]}],
        "drain": format!("https://user:{}@logs.example.com/1", secrets[2]), "echo": heroku.token(),
    }]);
    let leaky = heroku.team("kestrel-research");
    let leaking = Reply::json(200, &app).with_header("etag", "\"leaking\"");
    heroku.fault(Fault::Status(leaking).on(&format!("/teams/{leaky}/apps")));
    let place = Place::before(&heroku);
    let (_, before) = collected(&place, "--reuse-answers");
    let bodies = bodies(&place.path(".integration/state.sqlite"));
    assert!(
        bodies.iter().any(|body| body.contains("kestrel-harbour")),
        "the test must be able to read the cached responses"
    );
    for secret in secrets {
        assert!(!bodies.iter().any(|body| body.contains(secret)), "{secret}");
    }
    let asked = heroku.requests();
    let (_, after) = collected(&place, "--reuse-answers");
    assert_same(&after, &before);
    let conditional = conditional(&heroku, asked);
    assert!(!conditional.is_empty() && conditional.iter().all(|asked| asked.path != format!("/teams/{leaky}/apps")));
}

/// The headers and bodies of all cached responses.
fn bodies(store: &Path) -> Vec<String> {
    let store = Connection::open(store).expect("a store");
    let mut statement = store.prepare("SELECT headers, body FROM answer_content").expect("the table");
    let rows = statement.query_map([], |row| {
        let (headers, body): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let body = std::io::read_to_string(flate2::read::GzDecoder::new(&body[..])).expect("text");
        Ok(format!("{headers} {body}"))
    });
    rows.expect("answers").map(|body| body.expect("an answer")).collect()
}
