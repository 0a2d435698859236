//! Recorders and replays as transports of a client, without sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::{BoxFuture, join_all};
use futures::{FutureExt, TryStreamExt};

use integration_http::Work;
use integration_http::{Connector, EndpointError, Item, Reservation, RetryPolicy, Transport, respond_with};

use super::*;

const BODY: usize = 300_000;
const MEMORY: usize = 2_000_000;
/// The maximum: partitions may use three quarters of the memory, and one of them may exceed it.
const MOST: usize = MEMORY / 4 * 3 + 3 * 2 * BODY;

/// A connector whose responses arrive after those of all requests in flight were requested.
#[derive(Debug)]
struct Late<C>(C);

impl<C: Connector> Connector for Late<C> {
    fn open(&self, endpoint: &Endpoint, redaction: &Redaction) -> Result<Box<dyn Transport>, EndpointError> {
        Ok(Box::new(LateTransport(self.0.open(endpoint, redaction)?)))
    }
}

struct LateTransport(Box<dyn Transport>);

impl Transport for LateTransport {
    fn send<'a>(&'a self, request: WireRequest, reservation: &'a mut Reservation) -> BoxFuture<'a, Outcome> {
        async move {
            tokio::task::yield_now().await;
            self.0.send(request, reservation).await
        }
        .boxed()
    }
}

fn impatient() -> Endpoint {
    nowhere().retry(RetryPolicy { attempts: 1, ..RetryPolicy::default() })
}

/// Reads a list in twenty concurrent partitions, which keep their elements until they end.
async fn collect(http: &Http) {
    let part = async |number: usize| {
        let read = async {
            let list = http.get("/lists/{n}", &[&number]).list::<Value>();
            list.try_collect::<Vec<Item<Value>>>().await.unwrap()
        };
        let elements = Work::partition().scope(read).await;
        tokio::task::yield_now().await;
        assert_eq!(elements.len(), 10);
    };
    join_all((0..20).map(part)).await;
}

#[tokio::test]
async fn recorded_answers_wait_for_memory_and_those_that_are_dropped_are_not_recorded() {
    let list = serde_json::to_string(&vec![json!({"id": "x".repeat(BODY / 10)}); 10]).unwrap();
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    let provider = respond_with(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(WireResponse::new(StatusCode::OK, list.as_str()))
    });
    let folder = folder();
    let recorder = Recorder::open(folder.path(), RecordOptions::default()).unwrap().over(Late(provider));
    let endpoint = nowhere().answer_memory(MEMORY);
    let recorded = Http::connect_with(endpoint.clone(), &recorder, &Redaction::default()).unwrap();
    collect(&recorded).await;
    assert!(sent.load(Ordering::Relaxed) > 20, "no response was dropped");
    assert_eq!(recorder.finish().unwrap().exchanges, 20, "a dropped response is not recorded");
    let replayed = connect(&Replay::open(folder.path()).unwrap(), endpoint);
    collect(&replayed).await;
    for http in [recorded, replayed] {
        let most = http.most_answer_memory();
        assert!((3 * BODY..=MOST).contains(&most), "{most}");
    }
}

#[tokio::test]
async fn an_error_is_the_same_with_a_recorder_and_is_recorded_if_the_provider_caused_it() {
    let errors = [
        (TransportError::Connection("the connection broke (reset)".into()), 1),
        (TransportError::Unconnected("no connection (refused)".into()), 1),
        (TransportError::NotConnectedInTime, 1),
        (TransportError::TimedOut, 1),
        (TransportError::TooLarge, 1),
        (TransportError::Untrusted("no secure connection (expired)".into()), 0),
        (TransportError::UnrequestedCompression("br".into()), 0),
        (TransportError::NoResponse("no recording answers it".into()), 0),
    ];
    for (error, exchanges) in errors {
        let folder = folder();
        let returned = error.clone();
        let provider = respond_with(move |_| Err(returned.clone()));
        let recorder = Recorder::open(folder.path(), RecordOptions::default()).unwrap().over(provider.clone());
        let asked = async |connector: &dyn Connector| {
            let http = Http::connect_with(impatient(), connector, &Redaction::default()).unwrap();
            let error = get(&http, "/teams").await.unwrap_err();
            (error.kind, error.to_string())
        };
        assert_eq!(asked(&recorder).await, asked(&provider).await, "{error:?}");
        assert_eq!(recorder.finish().unwrap().exchanges, exchanges, "{error:?}");
    }
}

#[tokio::test]
async fn what_a_recorder_over_another_transport_wrote_is_replayed() {
    let provider = respond_with(|request| {
        assert_eq!(request.headers["authorization"], "Bearer s3cret-t0ken");
        Ok(WireResponse::new(StatusCode::OK, format!(r#"{{"path": "{}"}}"#, request.url.path())))
    });
    let folder = folder();
    let recorder = Recorder::open(folder.path(), RecordOptions::default()).unwrap().over(provider);
    let endpoint = nowhere().bearer(&"s3cret-t0ken".to_owned().into());
    let http = Http::connect_with(endpoint, &recorder, &Redaction::default()).unwrap();
    let collected = get(&http, "/teams/blue").await.unwrap();
    assert_eq!(collected, json!({"path": "/teams/blue"}));
    let replay = Replay::open(folder.path()).unwrap();
    assert_eq!(get(&connect(&replay, nowhere()), "/teams/blue").await.unwrap(), collected);
    assert_eq!(find_secrets(folder.path()).unwrap(), []);
    assert!(replay.is_offline() && !recorder.is_offline());
    assert!(!replay.allows_conditional_requests() && !recorder.allows_conditional_requests());
}
