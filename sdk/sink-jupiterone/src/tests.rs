//! Transfers into the fake service.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use integration_fake_jupiterone::{FakeJupiterOne, FakeOptions, Status};
use integration_graph::history::SnapshotGap;
use integration_graph::run::ErrorCode;
use integration_graph::{ObjectType, StepId};
use integration_http::RetryPolicy;
use integration_sink::conformance::{self, Contents, Expected};
use integration_sink::{
    Event, Events, Manifest, Record, Report, Sink, SinkError, SnapshotSource, SourceOptions, transfer,
};
use integration_store::MemoryGraph;
use integration_testing::{Fault, Method, Reply};
use serde_json::{Value, json};

use crate::batch::Batch;
use crate::shrink::shrunk;
use crate::{BatchLimits, JobSource, JupiterOneSink, SyncOptions, Target, Waiting};

const UPLOADS: &str = "/persister/synchronization/jobs/{id}/entities";

fn target(service: &FakeJupiterOne) -> Target {
    let FakeOptions { account, api_key, .. } = service.options();
    let pause = Duration::from_millis(1);
    let retry = RetryPolicy { attempts: 5, first_pause: pause, longest_pause: pause, ..RetryPolicy::default() };
    Target::new(account.clone(), api_key.clone().into()).base(service.url().parse().expect("an address")).retry(retry)
}

fn options() -> SyncOptions {
    let source =
        JobSource::IntegrationManaged { integration_instance_id: "instance-1".to_owned(), integration_job_id: None };
    let pause = Duration::from_millis(1);
    let waiting = Waiting { first_pause: pause, longest_pause: pause, ..Waiting::default() };
    SyncOptions { waiting, ..SyncOptions::new(source) }
}

fn user(number: usize, raw: usize) -> Value {
    json!({
        "_key": format!("acme:user:{number:06}"), "_type": "acme_user", "_class": ["User"], "name": format!("u{number}"),
        "_rawData": [{"name": "default", "rawData": {"id": number, "text": "x".repeat(raw)}}],
    })
}

fn knows(one: usize, other: usize) -> Value {
    let (from, to) = (format!("acme:user:{one:06}"), format!("acme:user:{other:06}"));
    json!({"_key": format!("{from}|knows|{to}"), "_type": "acme_user_knows_user", "_class": "KNOWS",
           "_fromEntityKey": from, "_toEntityKey": to})
}

async fn source(objects: impl IntoIterator<Item = Value>) -> SnapshotSource {
    source_with_gaps(objects, Vec::new()).await
}

async fn source_with_gaps(objects: impl IntoIterator<Item = Value>, gaps: Vec<SnapshotGap>) -> SnapshotSource {
    let graph = MemoryGraph::of(objects).expect("a graph").with_gaps(gaps);
    let options = SourceOptions { with_raw: true, ..SourceOptions::default() };
    SnapshotSource::open(vec![Arc::new(graph)], &options).await.expect("a graph in memory")
}

async fn run(sink: &mut JupiterOneSink, source: &SnapshotSource) -> Result<Report, SinkError> {
    transfer(sink, source, &Events::ignored(), pending()).await
}

async fn upload(service: &FakeJupiterOne, objects: impl IntoIterator<Item = Value>) -> Result<Report, SinkError> {
    let mut sink = JupiterOneSink::new(&target(service), options()).expect("a sink");
    run(&mut sink, &source(objects).await).await
}

async fn service() -> FakeJupiterOne {
    FakeJupiterOne::start(FakeOptions::default()).await.expect("a free port")
}

struct Scope(FakeJupiterOne);

impl conformance::Target for Scope {
    fn sink(&self) -> Box<dyn Sink> {
        let source = JobSource::Api { scope: "acme".to_owned() };
        Box::new(JupiterOneSink::new(&target(&self.0), SyncOptions { source, ..options() }).expect("a sink"))
    }

    async fn read(&self) -> Vec<Value> {
        self.0.graph("acme").into_values().collect()
    }

    fn expected(&self, record: &Record, manifest: &Manifest, snapshot: usize) -> Expected {
        // One scope has one object of each key.
        if snapshot > 0 && manifest.snapshots.len() > 1 {
            return Expected::Refused;
        }
        let json = record.object.json().joined().into_owned();
        let limit = BatchLimits::default().bytes;
        let fits = Batch::bytes_with(json.len()) <= limit;
        let json = if fits { json } else { shrunk(&json, limit - Batch::bytes_with(0)).expect("an object").json };
        Expected::of(integration_fake_jupiterone::parse(&json).expect("JSON"))
    }
}

#[tokio::test]
async fn the_sink_conforms() {
    let create = async || {
        let options = FakeOptions { checks_ends: false, ..FakeOptions::default() };
        Scope(FakeJupiterOne::start(options).await.expect("a free port"))
    };
    conformance::check(create, Contents::Changed).await;
}

#[tokio::test]
async fn a_transfer_is_one_job_with_compressed_batches_and_events() {
    let service = service().await;
    let mut sink = JupiterOneSink::new(&target(&service), options()).expect("a sink");
    let objects = [user(1, 10), knows(1, 2), user(2, 10)];
    let report = run(&mut sink, &source(objects.clone()).await).await.expect("a transfer");
    assert_eq!((report.written(), report.refused()), (3, 0));
    let [job] = &service.jobs()[..] else { panic!("one job") };
    assert_eq!((job.source.as_str(), job.status), ("integration-managed", Status::Finished));
    assert!(job.uploads.len() == 2 && job.uploads.values().all(|upload| upload.compressed));
    let names: Vec<&str> = job.events.iter().filter_map(|event| event["name"].as_str()).collect();
    assert_eq!(names, ["sync_upload_start", "sync_upload_end"]);
    assert_eq!(service.graph("instance-1").into_values().collect::<Vec<_>>(), objects);
    let outcome = sink.outcome().expect("an outcome");
    assert_eq!((outcome.uploaded.entities, outcome.uploaded.relationships), (2, 1));
    assert_eq!(outcome.job.count("numEntitiesCreated"), 2);
}

fn limits(bytes: usize, objects: usize) -> BatchLimits {
    BatchLimits { bytes, objects, ..BatchLimits::default() }
}

#[tokio::test]
async fn batches_are_bounded_by_bytes_and_by_objects_and_six_are_in_flight_at_most() {
    let latency = integration_testing::Latency::Shuffled { seed: 3, max: Duration::from_millis(20) };
    let service = FakeJupiterOne::start(FakeOptions { latency, ..FakeOptions::default() }).await.expect("a free port");
    for (limits, batches) in [(limits(10_000, 1_000), 50), (limits(1 << 20, 7), 43)] {
        let mut sink = JupiterOneSink::new(&target(&service), SyncOptions { limits, ..options() }).expect("a sink");
        let objects: Vec<Value> = (0..300).map(|number| user(number, 1_400)).collect();
        run(&mut sink, &source(objects).await).await.expect("a transfer");
        let job = service.last_job();
        assert_eq!(job.uploads.len(), batches);
        assert!(job.uploads.values().all(|upload| upload.bytes <= limits.bytes && upload.objects <= limits.objects));
        assert_eq!(job.objects.len(), 300);
    }
    assert!((2..=6).contains(&service.provider().peak_in_flight()), "{}", service.provider().peak_in_flight());
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_divided_and_loses_nothing() {
    let service =
        FakeJupiterOne::start(FakeOptions { largest_body: 20_000, ..FakeOptions::default() }).await.expect("a port");
    let objects: Vec<Value> = (0..200).map(|number| user(number, 500)).collect();
    upload(&service, objects.clone()).await.expect("a transfer");
    assert_eq!(service.graph("instance-1").into_values().collect::<Vec<_>>(), objects);
    let refused = service.provider().log().iter().filter(|request| request.status == Some(413)).count();
    assert!((1..=8).contains(&refused), "the first refusals show the size that is accepted: {refused}");
}

#[tokio::test]
async fn an_object_that_is_too_large_loses_its_largest_raw_data_and_is_named() {
    let service =
        FakeJupiterOne::start(FakeOptions { largest_body: 20_000, ..FakeOptions::default() }).await.expect("a port");
    let report = upload(&service, [user(1, 10), user(2, 60_000), user(3, 15_000)]).await.expect("a transfer");
    let graph = service.graph("instance-1");
    assert_eq!([&graph["acme:user:000001"], &graph["acme:user:000003"]], [&user(1, 10), &user(3, 15_000)]);
    let mut expected = user(2, 0);
    expected["_rawData"][0]["rawData"]["text"] = "[60002 bytes removed before the upload]".into();
    assert_eq!(graph["acme:user:000002"], expected);
    assert!(
        report.remarks.iter().any(|remark| remark.contains("lost raw data, because they were too large: 1")
            && remark.contains("acme:user:000002")),
        "{:?}",
        report.remarks
    );
    let mut large = user(4, 0);
    large["name"] = "n".repeat(30_000).into();
    let error = upload(&service, [large]).await.expect_err("no raw data is left to remove").to_string();
    assert!(error.contains("acme:user:000004") && error.contains("without its raw data"), "{error}");
    assert_eq!(service.last_job().status, Status::Aborted);
}

#[tokio::test]
async fn types_with_gaps_are_partial_datasets_and_keep_their_objects() {
    let service = service().await;
    upload(&service, [user(1, 0), user(2, 0)]).await.expect("a transfer");
    let gap = SnapshotGap {
        step: StepId::literal("fetch-users"),
        types: [ObjectType::literal("acme_user")].into(),
        parent: None,
        code: ErrorCode::NotCollected,
        cause: "the answer was 403".to_owned(),
    };
    let mut sink = JupiterOneSink::new(&target(&service), options()).expect("a sink");
    run(&mut sink, &source_with_gaps([user(2, 1)], vec![gap]).await).await.expect("a transfer");
    let job = service.last_job();
    assert_eq!(job.partial_types, ["acme_user".to_owned()].into());
    let event = job.events.iter().find(|event| event["name"] == "sync_partial_data").expect("an event");
    assert!(event["level"] == "warn" && event["description"].as_str().expect("text").contains("the answer was 403"));
    assert_eq!(service.graph("instance-1").into_values().collect::<Vec<_>>(), [user(1, 0), user(2, 1)]);
    upload(&service, [user(2, 1)]).await.expect("a transfer");
    assert_eq!(service.graph("instance-1").len(), 1);
}

#[tokio::test]
async fn temporary_failures_are_repeated_and_nothing_arrives_twice() {
    let service = service().await;
    let refusal = |status| Fault::Status(Reply::json(status, &json!({"error": {"code": "BUSY", "message": "later"}})));
    for fault in [refusal(500), refusal(502), refusal(503), refusal(429), Fault::ConnectionReset] {
        service.fault(fault.on(UPLOADS).first(1));
    }
    // The upload is accepted, and its response is lost.
    service.fault(Fault::TruncatedBody { after: 3 }.on("/persister/synchronization/jobs/{id}/relationships").first(2));
    for path in ["/persister/synchronization/jobs", "/persister/synchronization/jobs/{id}/finalize"] {
        service.fault(Fault::TruncatedBody { after: 3 }.on(path).first(1).method(Method::POST));
    }
    let objects = [user(1, 0), knows(1, 2), user(2, 0)];
    upload(&service, objects.clone()).await.expect("a transfer");
    assert_eq!(service.graph("instance-1").into_values().collect::<Vec<_>>(), objects);
    assert_eq!(service.last_job().objects.len(), 3);
}

#[tokio::test]
async fn a_service_that_keeps_failing_ends_the_upload_and_its_job() {
    let service = service().await;
    service.fault(Fault::Status(Reply::html(503, "<h1>Back soon</h1>")).on(UPLOADS));
    let error = upload(&service, [user(1, 0)]).await.expect_err("a failure").to_string();
    let job = service.last_job();
    assert!(error.contains("5 attempts") && error.contains("correlation id") && error.contains(&job.id), "{error}");
    assert_eq!(job.status, Status::Aborted);
    assert!(job.abort_reason.expect("a reason").contains("503"));
    assert!(service.graph("instance-1").is_empty());
}

#[tokio::test]
async fn a_job_that_the_service_has_ended_is_not_written_to_again() {
    let service = service().await;
    let mut sink = JupiterOneSink::new(&target(&service), options()).expect("a sink");
    let (began, ids) = (Arc::new(Mutex::new(None)), service.provider());
    let source = source([user(1, 0)]).await;
    let manifest = integration_sink::manifest(&sink, &source, &Events::ignored()).await.expect("a manifest");
    let seen = Arc::clone(&began);
    let events = Events::new(move |event| {
        if let Event::Remark(text) = event {
            seen.lock().expect("a lock").get_or_insert(text);
        }
    });
    sink.open(&manifest, events).await.expect("an open sink");
    let job = service.last_job().id;
    assert!(began.lock().expect("a lock").as_ref().expect("a remark").contains(&job));
    service.end_job(&job, Status::Aborted);
    let before = ids.requests();
    let batch =
        futures::StreamExt::next(&mut integration_sink::Source::read(&source, true, None)).await.expect("a batch");
    sink.write(batch.expect("a batch")).await.expect("the batch is still open");
    let error = sink.close().await.expect_err("the job has ended").to_string();
    assert!(error.contains("accepts no more uploads") && error.contains(&job), "{error}");
    assert_eq!(ids.requests(), before + 1, "an ended job is final");
    sink.abort("it ended").await.expect("nothing to abort");
    assert_eq!(service.last_job().abort_reason, None);
}

#[tokio::test]
async fn bad_data_fails_and_leaves_the_graph_unchanged() {
    let service = service().await;
    upload(&service, [user(1, 0)]).await.expect("a transfer");
    let error = upload(&service, [user(2, 0), knows(2, 9)]).await.expect_err("an unknown end").to_string();
    assert!(error.contains("ERROR_BAD_DATA") && error.contains("is unchanged"), "{error}");
    assert_eq!(service.graph("instance-1").len(), 1);
    let error = upload(&service, [json!({"_key": "k", "_type": "acme_x", "_class": []})]).await.expect_err("no class");
    assert!(error.to_string().contains("400 BAD_REQUEST"), "{error}");
}

#[tokio::test]
async fn a_killed_process_leaves_a_job_that_the_next_one_ends() {
    let service = service().await;
    let folder = tempfile::tempdir().expect("a folder");
    let journal = Some(folder.path().join("open.json"));
    let with_journal = || SyncOptions { journal: journal.clone(), ..options() };
    let source = source([user(1, 0)]).await;
    let mut killed = JupiterOneSink::new(&target(&service), with_journal()).expect("a sink");
    let manifest = integration_sink::manifest(&killed, &source, &Events::ignored()).await.expect("a manifest");
    killed.open(&manifest, Events::ignored()).await.expect("an open sink");
    let mut second = JupiterOneSink::new(&target(&service), with_journal()).expect("a sink");
    let error = run(&mut second, &source).await.expect_err("the record is in use").to_string();
    assert!(error.contains("another process"), "{error}");
    drop(killed);
    run(&mut second, &source).await.expect("a transfer");
    let jobs = service.jobs();
    assert_eq!(jobs.iter().map(|job| job.status).collect::<Vec<_>>(), [Status::Aborted, Status::Finished]);
    assert!(jobs[0].abort_reason.as_ref().expect("a reason").contains("killed"));
    run(&mut JupiterOneSink::new(&target(&service), with_journal()).expect("a sink"), &source)
        .await
        .expect("a transfer");
    assert_eq!(service.jobs().len(), 3);
}

#[tokio::test]
async fn a_job_without_finalization_stays_open_and_a_slow_one_is_reported() {
    let service =
        FakeJupiterOne::start(FakeOptions { polls_per_state: 1_000, ..FakeOptions::default() }).await.expect("a port");
    let source = source([user(1, 0)]).await;
    let mut sink =
        JupiterOneSink::new(&target(&service), SyncOptions { finalizes: false, ..options() }).expect("a sink");
    run(&mut sink, &source).await.expect("a transfer");
    assert_eq!(service.last_job().status, Status::AwaitingUploads);
    let waiting = Waiting { limit: Duration::from_millis(20), ..options().waiting };
    let mut sink = JupiterOneSink::new(&target(&service), SyncOptions { waiting, ..options() }).expect("a sink");
    let error = run(&mut sink, &source).await.expect_err("it takes too long").to_string();
    assert!(error.contains("continues to process"), "{error}");
    assert_eq!(service.last_job().status, Status::FinalizePending, "a job in progress is not aborted");
}

#[tokio::test]
async fn wrong_credentials_are_reported_without_the_key() {
    let service = service().await;
    let wrong =
        Target::new("j1dev", "s3cret-and-wrong".to_owned().into()).base(service.url().parse().expect("an address"));
    let mut sink = JupiterOneSink::new(&wrong, options()).expect("a sink");
    let error = run(&mut sink, &source([]).await).await.expect_err("refused");
    let text = format!("{error} {error:?} {wrong:?}");
    assert!(text.contains("401") && !text.contains("s3cret"), "{text}");
    let open = Target::new("a", "k".to_owned().into()).base("http://api.example.com".parse().expect("an address"));
    assert!(JupiterOneSink::new(&open, options()).is_err(), "the key is not sent over plain HTTP");
}
