//! One request and its reply: the order of checks, decisions, and faults.
//! This module knows no sockets; [`crate::connection`] feeds it.

use std::{
    future,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::{
    Method, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::{
    Answer, Fault, ProviderOptions, Refusal, Reply, Request, Route, Rows,
    body::{Delivery, FakeBody},
    bucket::Bucket,
    compression,
    fault::Faults,
    kept::KeptPages,
    list::{Page, Paging},
    log::Log,
};

/// The connection must be reset without a reply.
#[derive(Debug, thiserror::Error)]
#[error("the connection is reset on purpose")]
pub(crate) struct ResetConnection;

/// The provider's state, shared by all connections.
pub(crate) struct Exchange {
    routes: Vec<Route>,
    options: ProviderOptions,
    bucket: Option<Mutex<Bucket>>,
    faults: Mutex<Faults>,
    log: Mutex<Log>,
    kept: KeptPages,
}

impl Exchange {
    pub(crate) fn new(routes: Vec<Route>, options: ProviderOptions) -> Self {
        let bucket = options.rate.clone().map(|rule| Mutex::new(Bucket::full(rule, Instant::now())));
        Self { routes, options, bucket, faults: Mutex::default(), log: Mutex::default(), kept: KeptPages::default() }
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        lock(&self.log)
    }

    /// Requests left in the rate bucket.
    pub(crate) fn remaining(&self) -> Option<u32> {
        self.bucket.as_ref().map(|bucket| lock(bucket).remaining(Instant::now()))
    }

    pub(crate) async fn answer(
        &self,
        incoming: hyper::Request<Incoming>,
        connection: usize,
    ) -> Result<Response<FakeBody>, ResetConnection> {
        let (parts, body) = incoming.into_parts();
        let body = match Limited::new(body, self.options.body_limit).collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(Refusal::BodyTooLarge),
            Err(_) => return Err(ResetConnection),
        };
        let request = Request::new(parts, body.clone().unwrap_or_default());
        let number = self.log().arrive(&request, connection);
        let _in_flight = InFlight(&self.log);
        let delay = self.options.latency.of(&request);
        if !delay.is_zero() {
            sleep(delay).await;
        }

        let faults = self.faults().meet(request.method(), request.path());
        let reply = match replacement(&faults) {
            Some(Fault::ConnectionReset) => return Err(ResetConnection),
            Some(Fault::NoAnswer) => future::pending().await,
            Some(Fault::Status(reply)) => reply.clone(),
            _ => match body {
                Ok(_) => self.decide(request, &faults),
                Err(refusal) => self.refused(&refusal),
            },
        };
        self.log().answer(number, reply.status.as_u16());
        Ok(self.response(number, reply, &faults))
    }

    /// Returns the reply before faults, except for the faults of pages.
    fn decide(&self, request: Request, faults: &[Fault]) -> Reply {
        let mut scopes = Vec::new();
        let decided = self.checked(request, &mut scopes).and_then(|(request, route)| {
            let reply = match (route.handler)(&request) {
                Answer::Document(document) => self.json(StatusCode::OK, &document),
                Answer::List(rows) => {
                    // Compressed here, so that a cached page is cached compressed.
                    let page = || Ok(self.packed(self.list(&request, route, &*rows, faults)?, &request, faults));
                    if self.options.keeps_pages { self.kept.page(&request, faults, page)? } else { page()? }
                }
                Answer::Reply(reply) => reply,
                Answer::Refused(refusal) => return Err(refusal),
            };
            Ok(self.packed(unless_known(tagged(reply, request.method()), &request), &request, faults))
        });
        let mut reply = decided.unwrap_or_else(|refusal| self.refused(&refusal));
        reply.headers.extend(scopes);
        reply
    }

    /// Checks headers, token, route, rate, and scopes in this order. Scope headers are added as early as possible.
    fn checked(
        &self,
        request: Request,
        scope_headers: &mut Vec<(HeaderName, HeaderValue)>,
    ) -> Result<(Request, &Route), Refusal> {
        let dialect = &self.options.dialect;
        if let Some(required) =
            dialect.required_headers.iter().find(|needed| !needed.is_met_by(request.header(needed.name.as_str())))
        {
            return Err(Refusal::MissingHeader { name: required.name.clone(), value: required.value.clone() });
        }
        let granted = self.options.access.scopes_of(&request)?;
        let routed = self.route(&request);
        if !routed.as_ref().is_ok_and(|(route, _)| route.free_of_charge) {
            self.take_token()?;
        }
        let (route, parameters) = routed?;
        if let Some(granted) = granted {
            if !route.silent_about_scopes {
                note(scope_headers, &dialect.scopes_granted, granted);
                note(scope_headers, &dialect.scopes_accepted, &route.scopes);
            }
            if !route.scopes.is_empty() && !route.scopes.iter().any(|scope| granted.contains(scope)) {
                return Err(Refusal::MissingScope { accepted: route.scopes.clone() });
            }
        }
        Ok((request.routed(parameters, self.remaining()), route))
    }

    fn route(&self, request: &Request) -> Result<(&Route, crate::path::PathParameters), Refusal> {
        let mut fitting = self
            .routes
            .iter()
            .filter_map(|route| route.pattern.parameters_of(request.path()).map(|parameters| (route, parameters)))
            .peekable();
        if fitting.peek().is_none() {
            return Err(Refusal::NotFound { what: "path".to_owned() });
        }
        fitting.find(|(route, _)| route.method == request.method()).ok_or(Refusal::MethodNotAllowed)
    }

    fn take_token(&self) -> Result<(), Refusal> {
        let Some(bucket) = &self.bucket else { return Ok(()) };
        let mut bucket = lock(bucket);
        bucket
            .take(Instant::now())
            .map_err(|wait| Refusal::RateLimited { retry_after: bucket.retry_after().written(wait, SystemTime::now()) })
    }

    /// Returns the requested page of a list.
    fn list(&self, request: &Request, route: &Route, rows: &dyn Rows, faults: &[Fault]) -> Result<Reply, Refusal> {
        let limits = route.limits.unwrap_or(self.options.page_limits);
        let paging = Paging { sortable: &route.sortable, limits, dialect: &self.options.dialect, faults };
        let page = match route.sortable.is_empty() {
            true => Page::whole(rows),
            false => paging.page(rows, request.header("range"))?,
        };
        Ok(tagged(self.page(page, &route.sortable), request.method()))
    }

    fn page(&self, page: Page, sortable: &[String]) -> Reply {
        let status = if page.next_range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
        let mut reply = self.json(status, &Value::Array(page.rows));
        if !sortable.is_empty() {
            reply = reply.with_header("accept-ranges", &sortable.join(", "));
        }
        for (name, value) in [("content-range", page.content_range), ("next-range", page.next_range)] {
            if let Some(value) = value {
                reply = reply.with_header(name, &value);
            }
        }
        reply
    }

    /// Finishes the reply. A body with a fault is left as it is, so that the position of the fault is exact.
    fn packed(&self, reply: Reply, request: &Request, faults: &[Fault]) -> Reply {
        let is_wanted = self.options.compresses && faults.is_empty() && compression::accepts_gzip(request);
        if is_wanted { compression::gzipped(reply) } else { reply }
    }

    fn refused(&self, refusal: &Refusal) -> Reply {
        let reply = self.json(refusal.status(), &(self.options.dialect.error_body)(refusal));
        match refusal {
            Refusal::RateLimited { retry_after: Some(when) } => reply.with_header("retry-after", when),
            _ => reply,
        }
    }

    fn json(&self, status: StatusCode, body: &Value) -> Reply {
        let content_type = (CONTENT_TYPE, self.options.dialect.content_type.clone());
        Reply { status, headers: vec![content_type], body: Bytes::from(body.to_string()) }
    }

    fn response(&self, number: usize, reply: Reply, faults: &[Fault]) -> Response<FakeBody> {
        let delivery = Delivery::new(reply.body, faults);
        let mut response = Response::new(delivery.body);
        *response.status_mut() = reply.status;
        let headers = response.headers_mut();
        for (name, value) in reply.headers {
            headers.append(name, value);
        }
        for fault in faults {
            if let Fault::WrongContentType(media_type) = fault
                && let Ok(value) = HeaderValue::try_from(media_type)
            {
                headers.insert(CONTENT_TYPE, value);
            }
        }
        if let Some(length) = delivery.content_length {
            headers.insert(CONTENT_LENGTH, length.into());
        }
        if let Ok(id) = HeaderValue::try_from(request_id(number)) {
            headers.insert(self.options.dialect.request_id.clone(), id);
        }
        if let Some(remaining) = self.remaining() {
            headers.insert(self.options.dialect.rate_remaining.clone(), remaining.into());
        }
        response
    }
}

/// Returns the first fault that replaces the reply.
fn replacement(faults: &[Fault]) -> Option<&Fault> {
    faults.iter().find(|fault| matches!(fault, Fault::ConnectionReset | Fault::NoAnswer | Fault::Status(_)))
}

/// Adds an entity tag to a successful reply to GET.
fn tagged(reply: Reply, method: &Method) -> Reply {
    if method != Method::GET || !reply.status.is_success() || reply.header("etag").is_some() {
        return reply;
    }
    let mut hasher = DefaultHasher::new();
    reply.body.hash(&mut hasher);
    let tag = format!("\"{:016x}\"", hasher.finish());
    reply.with_header("etag", &tag)
}

/// Turns a reply into 304 if the client has that version.
/// A 304 has no range headers: a client that caches a page must cache its continuation as well.
fn unless_known(reply: Reply, request: &Request) -> Reply {
    let Some(tag) = reply.header("etag").filter(|_| reply.status.is_success()) else { return reply };
    let known = request.header("if-none-match").is_some_and(|tags| {
        tags.split(',').map(str::trim).any(|given| given == "*" || given.trim_start_matches("W/") == tag)
    });
    if known { Reply::empty(StatusCode::NOT_MODIFIED.as_u16()).with_header("etag", tag) } else { reply }
}

fn note<'s>(
    headers: &mut Vec<(HeaderName, HeaderValue)>,
    name: &HeaderName,
    scopes: impl IntoIterator<Item = &'s String>,
) {
    let scopes = scopes.into_iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    if let Ok(value) = HeaderValue::try_from(scopes) {
        headers.push((name.clone(), value));
    }
}

/// Derives the request identifier from the number of the request, so that failures are reproducible.
fn request_id(number: usize) -> String {
    format!("f00d0000-0000-4000-8000-{number:012x}")
}

/// Counts a request as in flight until its reply starts or the client disconnects.
struct InFlight<'a>(&'a Mutex<Log>);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        lock(self.0).leave();
    }
}

/// Locks a mutex even if it is poisoned. No change of its contents can panic halfway, so they are consistent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
