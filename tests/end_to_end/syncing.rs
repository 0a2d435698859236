//! Uploads to JupiterOne: the program against a strict fake of the service.

use std::ops::Deref;
use std::time::{Duration, Instant};

use integration_fake_jupiterone::{FakeJob, FakeJupiterOne, FakeOptions, Status};
use integration_heroku::fake::Fault;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::harness::{Heroku, Place, assert_same_objects, steady_json, undisturbed};

const SYNC: &str = "sync --integration-instance-id instance-1";
const RELATIONSHIPS: &str = "/persister/synchronization/jobs/{id}/relationships";

/// A limit that only a program that hangs reaches.
const PATIENCE: Duration = Duration::from_secs(120);

/// A fake JupiterOne with its own threads.
struct JupiterOne {
    fake: FakeJupiterOne,
    _runtime: Runtime,
}

impl JupiterOne {
    fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let fake = runtime.block_on(FakeJupiterOne::start(FakeOptions::default())).expect("a free port");
        Self { fake, _runtime: runtime }
    }

    /// Waits until a condition holds.
    fn until(&self, wanted: impl Fn(&FakeJupiterOne) -> bool) {
        let begun = Instant::now();
        while !wanted(&self.fake) {
            assert!(begun.elapsed() < PATIENCE, "the condition does not hold");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn statuses(&self) -> Vec<Status> {
        self.jobs().iter().map(|job: &FakeJob| job.status).collect()
    }
}

impl Deref for JupiterOne {
    type Target = FakeJupiterOne;
    fn deref(&self) -> &FakeJupiterOne {
        &self.fake
    }
}

/// A place with the credentials of both services.
fn place(heroku: &Heroku, service: &JupiterOne) -> Place {
    let FakeOptions { account, api_key, .. } = service.options();
    Place::before(heroku)
        .with("JUPITERONE_API_BASE_URL", service.url())
        .with("JUPITERONE_ACCOUNT", account)
        .with("JUPITERONE_API_KEY", api_key)
}

#[test]
fn a_job_and_its_exported_folder_arrive_as_the_same_objects() {
    let (heroku, service) = (Heroku::sample(), JupiterOne::start());
    let place = place(&heroku, &service);
    let (said, graph) = place.collect("");
    assert_eq!(said.code, 0, "{}", said.all());
    let said = place.run(SYNC);
    assert_eq!(said.code, 0, "{}", said.all());
    assert_same_objects(&service.graph("instance-1"), &graph.objects());
    let job = service.last_job();
    // The types of sources that are off by default are partial, although nothing is missing.
    assert!(job.partial_types.iter().all(|of| graph.of_type(of).is_empty()), "{:?}", job.partial_types);
    assert!(job.uploads.values().all(|upload| upload.compressed));
    assert!(!said.out.contains("Data is missing"), "a source that is switched off is not missing: {}", said.out);
    let created = format!("{} entities created", said_count(&said.out));
    assert!(said.out.contains(&created) && said.out.contains("FINISHED"), "{}", said.out);
    let said = place.run("sync --source api --scope folder --input out --format json");
    assert_eq!(said.code, 0, "{}", said.all());
    assert_same_objects(&service.graph("folder"), &graph.objects());
    assert_eq!(said.json()["upload"]["job"]["status"], "FINISHED");
    let said = place.run(SYNC);
    assert!(said.out.contains("FINISHED, no changes"), "{}", said.out);
}

/// The number of entities that a report names.
fn said_count(text: &str) -> &str {
    let before = text.split(" entities").next().expect("entities");
    before.rsplit(' ').next().expect("a number")
}

#[test]
fn a_collection_uploads_when_it_has_ended_and_prints_its_summary() {
    let (heroku, service) = (Heroku::sample(), JupiterOne::start());
    let place = place(&heroku, &service);
    let said = place.run("collect --sync --source integration-external -i instance-1 --format json");
    assert_eq!((said.code, said.summary().state()), (0, "complete"), "{}", said.all());
    assert!(said.err.contains("Uploaded job"), "{}", said.err);
    assert_same_objects(&service.graph("instance-1"), &undisturbed().objects());
    assert_eq!(service.last_job().source, "integration-external");
    let names: Vec<_> = service.last_job().events.iter().map(|event| event["name"].clone()).collect();
    assert_eq!(names, ["sync_upload_start", "sync_partial_data", "sync_upload_end"]);
    let said = place.run("collect -i instance-1");
    assert!(said.code == 2 && said.err.contains("need --sync"), "{}", said.all());
    let before = heroku.requests();
    let said = place.with("JUPITERONE_API_KEY", "").run("collect --sync -i instance-1");
    assert!(said.code == 2 && said.err.contains("JUPITERONE_API_KEY"), "{}", said.all());
    assert_eq!(heroku.requests(), before, "a missing key is found before the collection");
}

#[test]
fn objects_of_a_refused_team_stay_in_jupiterone() {
    let (heroku, service) = (Heroku::sample(), JupiterOne::start());
    let place = place(&heroku, &service);
    assert_eq!(place.run("collect --sync -i instance-1").code, 0);
    let team = heroku.team("kestrel-data");
    heroku.refuse_apps(&team);
    let said = place.run("collect --sync -i instance-1");
    assert_eq!(said.code, 3, "{}", said.all());
    let partial = service.last_job().partial_types;
    assert!(partial.contains("heroku_application") && !partial.contains("heroku_team"), "{partial:?}");
    assert_same_objects(&service.graph("instance-1"), &undisturbed().objects());
    // The store of another machine knows nothing of the team, and deletes nothing either.
    let other = self::place(&heroku, &service);
    assert_eq!(other.run("collect --sync -i instance-1").code, 3);
    assert_same_objects(&service.graph("instance-1"), &undisturbed().objects());
    let said = other.run(&format!("{SYNC} --dry-run"));
    assert_eq!(said.code, 3, "{}", said.all());
    assert!(said.out.contains("deletes no object of these types: heroku_"), "{}", said.out);
}

#[test]
fn an_upload_that_is_killed_leaves_nothing_and_the_next_one_is_complete() {
    let (heroku, service) = (Heroku::sample(), JupiterOne::start());
    let place = place(&heroku, &service);
    assert_eq!(place.run("collect").code, 0);
    assert_eq!(place.run("export --output out").code, 0);
    for line in [SYNC.to_owned(), format!("{SYNC} --input out")] {
        let silence = service.fault(Fault::NoAnswer.on(RELATIONSHIPS));
        let asked = service.provider().log().iter().filter(|request| request.path.ends_with("/relationships")).count();
        let running = place.start(&line);
        service.until(|service| {
            let log = service.provider().log();
            log.iter().filter(|request| request.path.ends_with("/relationships")).count() > asked
        });
        running.kill();
        service.provider().lift(silence);
        let killed = service.last_job();
        assert_eq!(killed.status, Status::AwaitingUploads);
        let said = place.run(&line);
        assert_eq!(said.code, 0, "{}", said.all());
        assert_same_objects(&service.graph("instance-1"), &undisturbed().objects());
        let aborted = service.jobs().into_iter().find(|job| job.id == killed.id).expect("the job");
        assert_eq!(aborted.status, Status::Aborted);
    }
}

#[test]
fn an_upload_that_is_killed_while_jupiterone_processes_it_is_waited_for() {
    let (heroku, service) = (Heroku::sample(), JupiterOne::start());
    let place = place(&heroku, &service);
    assert_eq!(place.run("collect").code, 0);
    let status = "/persister/synchronization/jobs/{id}";
    let silence = service.fault(Fault::NoAnswer.on(status));
    let running = place.start(SYNC);
    service.until(|service| service.provider().log().iter().any(|request| request.method == "GET"));
    running.kill();
    service.provider().lift(silence);
    assert_eq!(service.statuses(), [Status::FinalizePending]);
    let said = place.run(SYNC);
    assert_eq!(said.code, 0, "{}", said.all());
    assert!(said.err.contains("waiting for an earlier synchronization job"), "{}", said.err);
    assert_eq!(service.statuses(), [Status::Finished, Status::Finished]);
    assert_same_objects(&service.graph("instance-1"), &undisturbed().objects());
}

#[test]
fn a_stopped_upload_aborts_its_job() {
    let (heroku, service) = (Heroku::sample(), JupiterOne::start());
    let place = place(&heroku, &service);
    assert_eq!(place.run("collect --output out").code, 0);
    for line in [SYNC.to_owned(), format!("{SYNC} --input out")] {
        let before = service.provider().requests();
        let silence = service.fault(Fault::NoAnswer.on(RELATIONSHIPS));
        let running = place.start(&line);
        service.until(|service| {
            service.provider().log()[before..].iter().any(|request| request.path.ends_with("/relationships"))
        });
        running.interrupt("INT");
        let said = running.end();
        assert_eq!(said.code, 1, "{}", said.all());
        assert!(said.err.contains("The graph in JupiterOne stays as it is"), "{}", said.err);
        service.provider().lift(silence);
        let job = service.last_job();
        assert_eq!((job.status, job.abort_reason.as_deref()), (Status::Aborted, Some("the transfer was stopped")));
    }
    assert!(service.graph("instance-1").is_empty());
}

#[test]
fn a_key_on_the_command_line_is_refused_and_not_repeated() {
    let (heroku, service) = (Heroku::sample(), JupiterOne::start());
    let place =
        place(&heroku, &service).with("MY_KEY", service.options().api_key.clone()).with("JUPITERONE_API_KEY", "");
    assert_eq!(place.run("collect").code, 0);
    let said = place.run(&format!("{SYNC} --api-key s3cret-key"));
    assert_eq!(said.code, 2, "{}", said.all());
    assert!(said.err.contains("list of processes") && !said.err.contains("s3cret"), "{}", said.err);
    assert_eq!(place.run(&format!("{SYNC} --api-key env:MY_KEY")).code, 0);
    place.write("key", &service.options().api_key);
    assert_eq!(place.shell("chmod 600 key && exec \"$0\" \"$@\"", &format!("{SYNC} --api-key file:key")).code, 0);
    place.write(".env", &format!("J1_API_TOKEN={}\n", service.options().api_key));
    assert_eq!(place.run(SYNC).code, 0);
    let said = place.with("JUPITERONE_API_KEY", "wrong-s3cret").run(SYNC);
    assert_eq!(said.code, 1, "{}", said.all());
    assert!(said.err.contains("401") && said.err.contains("check the API key"), "{}", said.err);
    assert!(!said.all().contains("s3cret"), "{}", said.all());
}

#[test]
fn wrong_usage_sends_nothing() {
    let (heroku, service) = (Heroku::sample(), JupiterOne::start());
    let place = place(&heroku, &service);
    for (line, message) in [
        ("sync", "--integration-instance-id ID"),
        ("sync --source api", "needs --scope"),
        ("sync --source api --scope s -i x", "takes no --integration-instance-id"),
        ("sync -i x --scope s", "only for --source api"),
        ("sync -i x", "there are no jobs"),
        ("sync -i x --input none", "none does not exist"),
        ("sync -i x -ur 100", "for -ur, write --upload-relationship-batch-size N"),
        ("sync -i x --development --api-base-url https://h", "cannot be used with"),
        ("sync -i x --input out --job 1", "cannot be used with"),
    ] {
        let said = place.run(line);
        assert!(said.code == 2 && said.err.contains(message), "{line}: {}", said.all());
    }
    assert_eq!(place.run("collect --output out").code, 0);
    let said = place.run(&format!("{SYNC} --dry-run --format json"));
    assert_eq!(said.code, 0, "{}", said.all());
    insta::assert_json_snapshot!("dry_run", steady_json(said.json()));
    let said = place.run(&format!("{SYNC} --api-base-url http://api.example.com"));
    assert!(said.code == 1 && said.err.contains("http"), "{}", said.all());
    let said = place.run(&format!("{SYNC} --api-key s3cret"));
    assert!(said.code == 2 && said.err.contains("`--api-key` takes the place of the key"), "{}", said.all());
    assert_eq!(service.provider().requests(), 0);
}

#[test]
fn a_folder_of_another_program_is_uploaded_as_it_is() {
    let (heroku, service) = (Heroku::sample(), JupiterOne::start());
    let place = place(&heroku, &service);
    let user =
        json!({"_key": "User One:1", "_type": "Acme-User", "_class": "User", "big": 12_345_678_901_234_567_890_u64});
    let other = json!({"_key": "other", "_type": "Acme-User", "_class": ["User"]});
    let file = |objects: &[serde_json::Value]| json!({ "entities": objects }).to_string();
    place.write("project/.j1-integration/graph/fetch/entities/a.json", &file(&[user.clone(), other.clone()]));
    place.write("project/.j1-integration/graph/fetch/entities/b.json", &file(std::slice::from_ref(&other)));
    let line = "sync --integrationInstanceId instance-1 --project-path project";
    let said = place.run(line);
    assert!(said.code == 2 && said.err.contains("no summary.json"), "{}", said.all());
    let summary = json!({
        "integrationStepResults": [{"id": "fetch_x", "status": "failure", "declaredTypes": ["acme_x"], "partialTypes": []}],
        "metadata": {"partialDatasets": {"types": ["Acme-Y"]}},
    });
    place.write("project/.j1-integration/summary.json", &summary.to_string());
    let dry = place.run(&format!("{line} --dry-run"));
    assert!(dry.out.contains("1 object would not be uploaded"), "{}", dry.out);
    let said = place.run(line);
    assert_eq!(said.code, 3, "{}", said.all());
    assert!(said.out.contains("1 object was not uploaded, because another object has the same key"), "{}", said.out);
    assert_eq!(service.graph("instance-1").into_values().collect::<Vec<_>>(), [user, other]);
    assert_eq!(service.last_job().partial_types, ["Acme-Y".to_owned(), "acme_x".to_owned()].into());
    let before = service.provider().requests();
    place.write("project/.j1-integration/graph/fetch/entities/c.json", "{\"entities\": [");
    let said = place.run(line);
    assert!(said.code == 1 && said.err.contains("c.json"), "{}", said.all());
    assert_eq!(service.provider().requests(), before, "a damaged file is found before the upload");
}
