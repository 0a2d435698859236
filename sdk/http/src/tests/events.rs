//! The log events of requests, and the fields that they hide.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::super::testing_server::{Server, answer, ok};
use super::{TOKEN, client};

/// Formats an event as one line: the level, then every field.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push_str(&format!(" {field}={value:?}"));
    }
}

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn events_name_the_request_and_hide_headers_and_query() {
    let lines = Lines::default();
    // With a single dispatcher, an event is disabled for all tests if another test's thread reaches it first.
    let _other = tracing::Dispatch::new(Lines::default());
    let _recording = tracing::subscriber::set_default(lines.clone());
    let server = Server::answering(|number, _| match number {
        0 => answer("503 Service Unavailable", &[("X-Answer", "hidden")], ""),
        _ => ok("7"),
    })
    .await;
    let request = client(&server).get("/teams/{id}", &[&"t1"]).header("X-Mine", "hidden").query("key", "hidden");
    request.json::<u8>().await.unwrap();
    let lines = lines.0.lock().unwrap();
    let one = |level: &str, text: &str| lines.iter().any(|line| line.starts_with(level) && line.contains(text));
    assert!(one("DEBUG", "method=GET endpoint=/teams/t1 status=503"), "{lines:#?}");
    assert!(one("DEBUG", "method=GET endpoint=/teams/t1 status=200"), "{lines:#?}");
    assert!(one("WARN", "error=GET /teams/t1 answered 503 Service Unavailable"), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("hidden") || line.contains(TOKEN)), "{lines:#?}");
}
