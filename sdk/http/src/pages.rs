//! The loop over the pages of a list, shared by all kinds of pagination.
//!
//! A page is fetched when the consumer polls its first element, so at most one page is in memory. The loop ends for
//! every provider: a repeated position is an error, and so is a page beyond the endpoint's limit.

use futures::future;
use futures::stream::{self, BoxStream, StreamExt};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue};
use serde::de::{DeserializeOwned, IgnoredAny};
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::room::Work;
use integration_graph::RawJson;

use super::answer::{DecodeError, ReceivedResponse, damaged, part, text_of};
use super::call::Tolerance;
use super::error::{ErrorDetails, Problem, ProviderErrorKind};
use super::lenient::misfit;
use super::memory::held_by;
use super::seen::SeenSet;
use super::text::one_line;
use super::{ProviderError, Request};
use integration_graph::redact::without_quoted;

/// The way in which a provider splits a list into pages.
///
/// A position identifies a page in the provider's terms: a range, a cursor, or a number.
///
/// ```
/// use futures::TryStreamExt;
/// use integration_graph::RawJson;
/// use integration_http::{Answer, Next, Page, Pagination, Request};
/// # use integration_http::{Endpoint, Http, StatusCode, WireResponse, respond_with};
///
/// /// A pagination whose bodies contain the page number and the number of pages.
/// struct Counted;
///
/// #[derive(serde::Deserialize)]
/// struct Body { records: Vec<RawJson>, page: u32, of: u32 }
///
/// impl Pagination for Counted {
///     fn ask(&self, request: Request, position: Option<&str>) -> Request {
///         request.query("page", position.unwrap_or("1"))
///     }
///     fn read(&self, answer: Answer<'_>, _: Option<&str>) -> Result<Page, String> {
///         let Body { records, page, of } = answer.json()?;
///         let next = if page < of { Next::At((page + 1).to_string()) } else { Next::End };
///         Ok(Page { elements: records, next })
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let api = respond_with(|request| {
/// #     let page = request.url.query().and_then(|query| query.strip_prefix("page=")).unwrap_or("0");
/// #     Ok(WireResponse::new(StatusCode::OK, format!(r#"{{"records": ["r{page}"], "page": {page}, "of": 2}}"#)))
/// # });
/// # let http = Http::connect_with(Endpoint::new("https://api.acme.example".parse()?), &api, &Default::default())?;
/// let records: Vec<String> = http.get("/records", &[]).pages(Counted).map_ok(|item| item.value).try_collect().await?;
/// assert_eq!(records, ["r1", "r2"]);
/// # Ok(()) }
/// ```
pub trait Pagination: Send + Sync + 'static {
    /// Changes `request` to fetch the page at `position`, or the first page.
    fn ask(&self, request: Request, position: Option<&str>) -> Request;

    /// Decodes a successful response to a request for `position`.
    ///
    /// # Errors
    /// The reason why the response is not a page.
    fn read(&self, answer: Answer<'_>, position: Option<&str>) -> Result<Page, String>;

    /// Returns whether the body of this last page would change if the list continued.
    ///
    /// It would not if, for example, a header identifies the next page. Such a page is not cached, because a 304 covers
    /// only the body.
    fn ends_in_body(&self, page: &Page) -> bool {
        let _ = page;
        false
    }

    /// Returns the statuses that mean "no such page" for pages after the first.
    ///
    /// [`read`](Self::read) decides on them. There are none by default.
    fn past_the_end(&self) -> &'static [u16] {
        &[]
    }

    /// Returns the statuses that reject the form of the first request.
    ///
    /// Another form may be accepted. The default is 416.
    fn refusals(&self) -> &'static [u16] {
        &[416]
    }

    /// Learns from a response with one of the [`refusals`](Self::refusals).
    ///
    /// `true` sends the request again, in the form that [`ask`](Self::ask) has learned here.
    fn refused(&mut self, answer: &Answer<'_>) -> bool {
        let _ = answer;
        false
    }
}

/// A response as a pagination receives it.
#[derive(Debug)]
pub struct Answer<'a> {
    status: StatusCode,
    headers: &'a HeaderMap,
    body: &'a str,
    absent_is_empty: bool,
}

impl Answer<'_> {
    /// Returns the status.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Returns a header, if it is present and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.header_bytes(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Returns the raw bytes of a header.
    pub(super) fn header_bytes(&self, name: &str) -> Option<&[u8]> {
        self.headers.get(name).map(HeaderValue::as_bytes)
    }

    /// Returns whether the response has no content (204 or `null`) and the request allows that.
    pub(super) fn is_absent(&self) -> bool {
        self.absent_is_empty && self.body.trim() == "null"
    }

    /// Returns the body.
    pub fn body(&self) -> &str {
        self.body
    }

    /// Decodes the body as `T`.
    ///
    /// Elements are best left as [`RawJson`], which is not parsed into a tree.
    ///
    /// # Errors
    /// The reason why the body does not fit.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        let mut json = serde_json::Deserializer::from_str(self.body);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| misfit(error.path(), error.inner()))?;
        json.end().map_err(|error| error.to_string())?;
        Ok(value)
    }

    /// Returns the elements of a body that is an array.
    ///
    /// # Errors
    /// The reason why the body is not an array.
    pub fn elements(&self) -> Result<Vec<RawJson>, String> {
        self.array(self.body)
    }

    /// Returns the elements of the array at a JSON pointer in the body.
    ///
    /// # Errors
    /// The reason why there is no such array.
    pub fn elements_at(&self, pointer: &str) -> Result<Vec<RawJson>, String> {
        if self.is_absent() {
            return Ok(Vec::new());
        }
        match part(self.body, pointer)? {
            Some(found) => self.array(found),
            None => Err(format!("expected a list at `{pointer}` of the body, found nothing")),
        }
    }

    fn array(&self, json: &str) -> Result<Vec<RawJson>, String> {
        if self.absent_is_empty && json.trim() == "null" { Ok(Vec::new()) } else { array(json) }
    }
}

fn array(json: &str) -> Result<Vec<RawJson>, String> {
    serde_json::from_str(json).map_err(|error| match json.trim_start().chars().next() {
        Some('[') => without_quoted(&error.to_string()),
        Some('{') => "expected a list as a JSON array, found an object".into(),
        _ => "expected a list as a JSON array, found a single value".into(),
    })
}

/// One page of a list.
#[derive(Debug)]
pub struct Page {
    /// The elements in the provider's order.
    pub elements: Vec<RawJson>,
    /// The continuation after these elements.
    pub next: Next,
}

/// The continuation of a list after a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The list ends.
    End,
    /// The next page has this position.
    At(String),
    /// The list continues at an unknown position, for the given reason.
    ///
    /// An error follows the elements of this page.
    Unknown(String),
}

/// The pagination of a list that arrives in one response.
pub(super) struct OnePage;

impl Pagination for OnePage {
    fn ask(&self, request: Request, _: Option<&str>) -> Request {
        request
    }

    fn read(&self, answer: Answer<'_>, _: Option<&str>) -> Result<Page, String> {
        let next = match answer.status() {
            206 => Next::Unknown(
                "the response contains only a part of the list (206), and this client does not request the other parts"
                    .into(),
            ),
            _ => Next::End,
        };
        Ok(Page { elements: answer.elements()?, next })
    }

    fn ends_in_body(&self, _: &Page) -> bool {
        true
    }
}

/// The state of the loop between two pages.
pub(super) struct Pages<P> {
    request: Request,
    pagination: P,
    next: Turn,
    seen: SeenSet,
    pages: u32,
}

enum Turn {
    First,
    At(String),
    Fail(ProviderError),
    End,
}

impl<P: Pagination> Pages<P> {
    pub(super) fn new(request: Request, pagination: P) -> Self {
        Self { request, pagination, next: Turn::First, seen: SeenSet::default(), pages: 0 }
    }

    pub(super) fn stream(self) -> BoxStream<'static, Result<Vec<RawJson>, ProviderError>> {
        stream::try_unfold(self, |pages| async {
            if matches!(pages.next, Turn::End) {
                // Return the end without a new task, so that the consumer can finish before any other work runs.
                return Ok(None);
            }
            // The consumer's work holds the memory of the page.
            let work = Work::current().unwrap_or_else(Work::step);
            // A separate task fetches and splits the page. Several lists can then make progress while a step processes
            // one page.
            let turn = AbortOnDropHandle::new(tokio::spawn(work.scope(pages.turn()).in_current_span()));
            match turn.await.map_err(JoinError::try_into_panic) {
                Ok(page) => page,
                Err(Ok(panic)) => std::panic::resume_unwind(panic),
                // The runtime is shutting down, so no consumer waits any more.
                Err(Err(_)) => future::pending().await,
            }
        })
        .boxed()
    }

    async fn turn(mut self) -> Result<Option<(Vec<RawJson>, Self)>, ProviderError> {
        let page = match std::mem::replace(&mut self.next, Turn::End) {
            Turn::First => self.first().await?,
            Turn::At(position) => self.page(Some(position)).await?,
            Turn::Fail(error) => return Err(error),
            Turn::End => return Ok(None),
        };
        self.pages += 1;
        self.next = self.after(page.next);
        Ok(Some((page.elements, self)))
    }

    fn after(&mut self, next: Next) -> Turn {
        let most = self.request.http.most_pages();
        match next {
            Next::End => Turn::End,
            Next::Unknown(reason) => Turn::Fail(self.unexpected(reason)),
            Next::At(position) if !self.seen.insert(&position) => Turn::Fail(self.unexpected(format!(
                "the provider repeats page `{}`, and the list would never end",
                one_line(&position, 80)
            ))),
            Next::At(_) if self.pages >= most => Turn::Fail(self.unexpected(format!(
                "the list continues after {most} pages, the limit of this client; a longer list needs a \
                 higher one (`Endpoint::most_pages`)"
            ))),
            Next::At(position) => Turn::At(position),
        }
    }

    async fn first(&mut self) -> Result<Page, ProviderError> {
        loop {
            let mut request = self.pagination.ask(self.request.clone(), None);
            let refusals = self.pagination.refusals();
            request.call.tolerates = Tolerance::Statuses(refusals);
            let read = |answer: &ReceivedResponse| match answer.status {
                status if refusals.contains(&status.as_u16()) => Ok(Err((status, answer.headers.clone()))),
                _ => self.read(answer, None).map(Ok),
            };
            let keep = |page: &Result<Page, _>| page.as_ref().is_ok_and(|page| self.keeps(page));
            match request.fetch_and_keep(read, keep).await? {
                Ok(page) => return Ok(page),
                Err((status, headers)) if self.pagination.refused(&refusal(status, &headers)) => {}
                // No other form is left. The request is sent again as it is, and the rejection becomes a regular error.
                Err(_) => return self.page(None).await,
            }
        }
    }

    async fn page(&self, position: Option<String>) -> Result<Page, ProviderError> {
        let mut request = self.pagination.ask(self.request.clone(), position.as_deref());
        if position.is_some() {
            request.call.tolerates = Tolerance::Statuses(self.pagination.past_the_end());
        }
        request.fetch_and_keep(|answer| self.read(answer, position.as_deref()), |page| self.keeps(page)).await
    }

    /// Returns whether the page may be cached for conditional requests.
    fn keeps(&self, page: &Page) -> bool {
        match page.next {
            Next::At(_) => true,
            Next::End => self.pagination.ends_in_body(page),
            Next::Unknown(_) => false,
        }
    }

    fn read(&self, raw: &ReceivedResponse, position: Option<&str>) -> Result<Page, DecodeError> {
        let body = text_of(raw)?;
        let absent_is_empty = self.request.absent_is_empty;
        let answer = Answer { status: raw.status, headers: &raw.headers, body, absent_is_empty };
        // A damaged body may look like a wrong page. Check for damage first, because only damage is retried.
        let mut page = self.pagination.read(answer, position).map_err(|reason| {
            match serde_json::from_str::<IgnoredAny>(body) {
                Ok(_) => DecodeError::Mismatch(reason),
                Err(error) => damaged(body, &error),
            }
        })?;
        let largest = self.request.http.largest_element();
        page.elements.iter_mut().for_each(|element| held_by(element, raw, largest));
        Ok(page)
    }

    fn unexpected(&self, reason: String) -> ProviderError {
        let kind = ProviderErrorKind::Unexpected;
        ProviderError::about(&self.request.call.subject, kind, Problem::Unfit(reason), ErrorDetails::default())
    }
}

fn refusal(status: StatusCode, headers: &HeaderMap) -> Answer<'_> {
    Answer { status, headers, body: "null", absent_is_empty: false }
}
