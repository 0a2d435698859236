//! Recordings replay without the provider: same graph, same gaps, no secrets.
#![allow(clippy::unwrap_used, reason = "a panic fails the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use integration_heroku::fake::{FakeHeroku, FakeOptions, Fault, Organisation, PageLimits, Reply};
use integration_heroku::integration;
use integration_recording::{RecordOptions, Recorder, Replay, find_secrets};
use integration_sdk::dataset::export;
use integration_sdk::store::JobState;
use integration_sdk::{Job, Summary};
use integration_testing_kit::Collected;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A fake with small pages, so that lists have several.
async fn heroku() -> FakeHeroku {
    let page_limits = PageLimits { default: 4, maximum: 4 };
    FakeHeroku::start(Organisation::sample(), FakeOptions { page_limits, ..FakeOptions::default() }).await.unwrap()
}

fn values(heroku: &FakeHeroku) -> [(&'static str, String); 2] {
    [("HEROKU_API_KEY", heroku.token().to_owned()), ("HEROKU_API_URL", heroku.url())]
}

/// The exported results of a job.
struct Exported {
    summary: Summary,
    /// The files of the graph by name, without what follows from values that recordings lack.
    graph: BTreeMap<PathBuf, String>,
}

impl Exported {
    /// One line per step: status, causes of its gaps, number of requests and retries.
    fn books(&self) -> Vec<String> {
        let steps = self.summary.integration_step_results.iter();
        let line = |id: &str, status: &str, gaps: Vec<String>| format!("{id} {status} {}", gaps.join("; "));
        steps
            .map(|step| {
                let gaps = step.gaps.iter().map(|gap| gap.cause.clone()).collect();
                let usage = &step.usage;
                line(step.id.as_str(), step.status.label(), gaps)
                    + &format!(" {}/{}", usage.total.requests, usage.total.retries)
            })
            .collect()
    }

    fn text(&self) -> String {
        self.graph.values().map(String::as_str).collect()
    }
}

async fn run(values: &[(&'static str, String)], prepare: impl Fn(Job) -> Job + Send + Sync) -> Exported {
    let collected = Collected::run(&integration(), values.to_vec()).with_job(prepare).await;
    let folder = tempfile::tempdir().unwrap();
    export(collected.stored(), folder.path(), &collected.summary).await.unwrap();
    let root = folder.path().join("graph");
    let graph = files(&root).into_iter().map(|path| {
        let mut objects: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        forget(&mut objects);
        (path.strip_prefix(&root).unwrap().to_owned(), objects.to_string())
    });
    Exported { graph: graph.collect(), summary: collected.summary }
}

/// Removes the properties that derive from certificates and from addresses, which recordings never contain.
fn forget(value: &mut Value) {
    const LOST: [&str; 5] = ["fingerprint", "certificateFingerprints", "ssoUrl", "ssoHost", "logInputUrls"];
    match value {
        Value::Object(object) => {
            object.retain(|name, _| !LOST.contains(&name.as_str()));
            object.values_mut().for_each(forget);
        }
        Value::Array(values) => values.iter_mut().for_each(forget),
        _ => {}
    }
}

async fn record(heroku: &FakeHeroku, folder: &Path, options: RecordOptions) -> Exported {
    let recorder = Recorder::open(folder, options).unwrap();
    let collected = run(&values(heroku), |job| job.transport(recorder.clone())).await;
    let recorded = recorder.finish().unwrap();
    assert_eq!(
        recorded.exchanges, collected.summary.usage.total.requests,
        "every request is recorded, including failed ones"
    );
    collected
}

/// Replays a folder without a key and without a provider.
async fn replay(folder: &Path) -> Exported {
    let replay = Replay::open(folder).unwrap();
    run(&[], |job| job.transport(replay.clone())).await
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// The text of all recordings in a folder.
fn recorded_text(folder: &Path) -> String {
    files(folder).into_iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn a_replay_gives_the_same_graph_byte_for_byte() {
    let (heroku, folder) = (heroku().await, folder());
    let live = record(&heroku, folder.path(), RecordOptions::default()).await;
    assert_eq!(live.summary.state, JobState::Complete);
    heroku.shutdown().await;
    let again = replay(folder.path()).await;
    assert_eq!(again.graph, live.graph);
    assert_eq!(again.books(), live.books());
}

#[tokio::test]
async fn failures_are_met_again_those_that_passed_and_those_that_stayed() {
    let (heroku, folder) = (heroku().await, folder());
    let [refused, other] = [0, 1].map(|at| heroku.organisation().teams().nth(at).unwrap().id);
    let refusal = json!({"id": "forbidden", "message": "No."});
    heroku.fault(Fault::Status(Reply::json(403, &refusal)).on(&format!("/teams/{refused}/members")));
    heroku.fault(Fault::Status(Reply::html(503, "<h1>Application error</h1>")).on("/teams/{id}/apps").first(1));
    heroku.fault(Fault::ConnectionReset.on(&format!("/teams/{other}/addons")).first(1));
    heroku.fault(Fault::TruncatedBody { after: 10 }.on("/enterprise-accounts/{id}/teams").first(1));
    let live = record(&heroku, folder.path(), RecordOptions::default()).await;
    assert_eq!((live.summary.state, live.summary.usage.total.retries), (JobState::Partial, 3));
    heroku.shutdown().await;
    let again = replay(folder.path()).await;
    assert_eq!(again.graph, live.graph);
    assert_eq!(again.books(), live.books());
}

#[tokio::test]
async fn a_recording_holds_no_credentials() {
    let (heroku, folder) = (heroku().await, folder());
    let token = heroku.token().to_owned();
    record(&heroku, folder.path(), RecordOptions::default()).await;
    let text = recorded_text(folder.path());
    assert!(text.contains("/enterprise-accounts") && !text.contains(&token));
    assert!(!text.to_lowercase().contains("bearer") && !text.to_lowercase().contains("authorization\""));
    assert_eq!(find_secrets(folder.path()).unwrap(), []);
}

#[tokio::test]
async fn people_have_the_same_pseudonym_wherever_they_occur() {
    let (heroku, folder) = (heroku().await, folder());
    let plain = run(&values(&heroku), |job| job).await;
    let options = RecordOptions { pseudonymise_emails: true, ..RecordOptions::default() };
    let live = record(&heroku, folder.path(), options).await;
    assert_eq!(live.graph, plain.graph, "pseudonyms must appear only in the recording, not in the collected graph");
    let again = replay(folder.path()).await;
    assert_eq!(again.summary.state, JobState::Complete);
    assert_eq!(
        again.books(),
        live.books(),
        "the replay must find pages by their ranges, which contain e-mail addresses"
    );
    assert!(live.text().contains(&heroku.organisation().people().next().unwrap().email));
    let (recorded, replayed) = (recorded_text(folder.path()), again.text());
    for person in heroku.organisation().people() {
        assert!(!recorded.contains(&person.email) && !replayed.contains(&person.email), "{}", person.email);
    }
    assert!(replayed.contains(".invalid\""));
    // Appending another run to the same folder must reuse the pseudonyms.
    record(&heroku, folder.path(), RecordOptions { append: true, ..options }).await;
    assert_eq!(replay(folder.path()).await.graph, again.graph);
    let second = folder.path().join("recording-00002.har");
    let second = run(&[], |job| job.transport(Replay::open(&second).unwrap())).await;
    assert_eq!(second.graph, again.graph);
}

#[tokio::test]
async fn a_recording_of_a_job_that_was_killed_replays_what_it_has_and_names_what_it_has_not() {
    let (heroku, folder) = (heroku().await, folder());
    let live = record(&heroku, folder.path(), RecordOptions::default()).await;
    let path = folder.path().join("recording-00001.har");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() * 2 / 3]).unwrap();
    let again = replay(folder.path()).await;
    assert_eq!(again.summary.state, JobState::Partial);
    let objects = |collected: &Exported| collected.summary.entities + collected.summary.relationships;
    assert!(objects(&again) > 0 && objects(&again) < objects(&live));
    let books = again.books().join("\n");
    assert!(books.contains("no recording answers it"), "{books}");
    assert!(books.contains("(recording-00001.har is damaged)"), "{books}");
}

#[tokio::test]
async fn what_is_recorded_of_many_requests_at_once_answers_one_after_the_other() {
    let (heroku, folder) = (heroku().await, folder());
    let live = record(&heroku, folder.path(), RecordOptions::default()).await;
    let replay = Arc::new(Replay::open(folder.path()).unwrap());
    let single = run(&[], |job| job.concurrency(1).transport(Replay::clone(&replay))).await;
    assert_eq!(single.graph, live.graph);
}
