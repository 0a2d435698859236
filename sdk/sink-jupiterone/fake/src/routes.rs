//! The paths of the API: requests are checked, and refusals have the form of the service.

use std::io::Read;
use std::sync::{Arc, Mutex};

use flate2::read::GzDecoder;
use integration_testing::{Answer, Dialect, Method, Reply, Request, Route};
use serde_json::{Value, json};

use crate::service::{Received, Refusal, Service, bad};
use crate::{FakeOptions, lock};

const JOBS: &str = "/persister/synchronization/jobs";

/// The form of errors that do not depend on the path.
pub(crate) fn dialect() -> Dialect {
    let error_body = |refusal: &integration_testing::Refusal| error(refusal.code(), &refusal.to_string());
    Dialect { error_body, ..Dialect::default() }
}

fn error(code: &str, message: &str) -> Value {
    json!({"error": {"code": code, "message": message}})
}

type Handler = fn(&mut Service, &Call<'_>) -> Result<Value, Refusal>;

pub(crate) fn all(service: &Arc<Mutex<Service>>, options: &FakeOptions) -> Vec<Route> {
    let route = |method: Method, path: &str, handle: Handler| {
        let (service, options) = (Arc::clone(service), options.clone());
        Route::new(method, &format!("{JOBS}{path}"), move |request| {
            let done = Call::new(request, &options).and_then(|call| handle(&mut lock(&service), &call));
            match done {
                Ok(document) => Answer::Document(document),
                Err((status, code, message)) => Answer::Reply(Reply::json(status, &error(code, &message))),
            }
        })
    };
    vec![
        route(Method::POST, "", |service, call| service.create(&call.json()?)),
        route(Method::GET, "/{id}", |service, call| service.status(call.id())),
        route(Method::POST, "/{id}/entities", |service, call| service.upload(call.id(), &call.received("entities")?)),
        route(Method::POST, "/{id}/relationships", |service, call| {
            service.upload(call.id(), &call.received("relationships")?)
        }),
        route(Method::POST, "/{id}/finalize", |service, call| service.finalize(call.id(), &call.json()?)),
        route(Method::POST, "/{id}/abort", |service, call| service.abort(call.id(), &call.json()?)),
        route(Method::POST, "/{id}/events", |service, call| service.add_events(call.id(), &call.json()?)),
    ]
}

/// A request with its decompressed body.
struct Call<'a> {
    request: &'a Request,
    body: Vec<u8>,
    compressed: bool,
}

impl<'a> Call<'a> {
    fn new(request: &'a Request, options: &FakeOptions) -> Result<Self, Refusal> {
        let account = request.header("jupiterone-account");
        let earlier = request.header("lifeomic-account").filter(|_| options.accepts_earlier_header);
        if account.or(earlier) != Some(options.account.as_str()) {
            return Err((401, "UNAUTHORIZED", "the account is missing or unknown".to_owned()));
        }
        let compressed = match request.header("content-encoding") {
            None => false,
            Some("gzip") => true,
            Some(other) => return Err((415, "UNSUPPORTED_ENCODING", format!("the encoding {other} is unknown"))),
        };
        let media_type = request.header("content-type").and_then(|value| value.split(';').next()).map(str::trim);
        if request.method() == Method::POST && media_type != Some("application/json") {
            return Err((415, "UNSUPPORTED_MEDIA_TYPE", "a body is application/json".to_owned()));
        }
        let body = match compressed {
            false => request.body().to_vec(),
            true => decompressed(request.body(), options.largest_body)?,
        };
        if body.len() > options.largest_body {
            return Err(too_large());
        }
        Ok(Self { request, body, compressed })
    }

    fn id(&self) -> &str {
        self.request.parameter("id")
    }

    fn json(&self) -> Result<Value, Refusal> {
        serde_json::from_slice(&self.body).map_err(|error| bad(format!("no JSON: {error}")))
    }

    fn received(&self, kind: &'static str) -> Result<Received<'_>, Refusal> {
        let correlation = self.request.header("jupiterone-correlation-id").filter(|id| is_uuid(id));
        let correlation =
            correlation.ok_or_else(|| bad("an upload has a correlation id, which is a UUID".to_owned()))?;
        Ok(Received { kind, correlation, body: &self.body, compressed: self.compressed })
    }
}

fn decompressed(body: &[u8], largest: usize) -> Result<Vec<u8>, Refusal> {
    let mut plain = Vec::new();
    let read = GzDecoder::new(body).take(largest as u64 + 1).read_to_end(&mut plain);
    read.map_err(|error| bad(format!("the body is no gzip: {error}")))?;
    if plain.len() > largest { Err(too_large()) } else { Ok(plain) }
}

fn too_large() -> Refusal {
    (413, "RequestEntityTooLargeException", "the body is too large".to_owned())
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
