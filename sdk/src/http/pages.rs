//! The loop over the pages of a list, written once for every kind of pagination.
//!
//! A page is asked for when the consumer wants its first element, so there is one page in memory at most. Whatever the
//! provider says, the loop ends: a position that comes back is an error, and so is a page beyond the endpoint's limit.

use futures::future;
use futures::stream::{self, BoxStream, StreamExt};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue};
use serde::de::{DeserializeOwned, IgnoredAny};
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use crate::RawJson;
use crate::room::Work;

use super::answer::{DecodeError, WireResponse, damaged, misfit, part, text_of};
use super::call::Tolerance;
use super::error::{ErrorDetails, Problem, ProviderErrorKind};
use super::memory::held_by;
use super::seen::SeenSet;
use super::text::{one_line, without_quoted};
use super::{ProviderError, Request};

/// How a provider cuts a list into pages.
///
/// A position is whatever tells a page apart in the provider's words: a range, a cursor, a number.
pub trait Pagination: Send + Sync + 'static {
    /// Makes `request` ask for the page at `position`, or for the first page.
    fn ask(&self, request: Request, position: Option<&str>) -> Request;

    /// Takes an answer of success to a request for `position` apart.
    ///
    /// # Errors
    /// Why the answer is not a page.
    fn read(&self, answer: Answer<'_>, position: Option<&str>) -> Result<Page, String>;

    /// Whether the body of this last page would be another one if the list went on after it. If not, as where headers
    /// tell what comes next, the page is not kept for conditional requests: their answers tell of the body alone.
    fn ends_in_body(&self, page: &Page) -> bool {
        let _ = page;
        false
    }

    /// The statuses that mean that there is no such page, for pages after the first: [`read`](Self::read) decides on
    /// them. None by default.
    fn past_the_end(&self) -> &'static [u16] {
        &[]
    }

    /// The statuses that refuse the form of the request for the first page, so that another form may do: 416 by
    /// default.
    fn refusals(&self) -> &'static [u16] {
        &[416]
    }

    /// Learns from an answer of one of the [`refusals`](Self::refusals). `true` asks again, in the way that
    /// [`ask`](Self::ask) has learned here.
    fn refused(&mut self, answer: &Answer<'_>) -> bool {
        let _ = answer;
        false
    }
}

/// An answer as a pagination sees it.
#[derive(Debug)]
pub struct Answer<'a> {
    status: StatusCode,
    headers: &'a HeaderMap,
    body: &'a str,
    absent_is_empty: bool,
}

impl Answer<'_> {
    /// The status.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// A header, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.header_bytes(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// A header as it came.
    pub(super) fn header_bytes(&self, name: &str) -> Option<&[u8]> {
        self.headers.get(name).map(HeaderValue::as_bytes)
    }

    /// Whether the answer has no content (204 or `null`) and the request allows that.
    pub(super) fn is_absent(&self) -> bool {
        self.absent_is_empty && self.body.trim() == "null"
    }

    /// The body.
    pub fn body(&self) -> &str {
        self.body
    }

    /// The body read as `T`; elements are best left as [`RawJson`], which no tree is built for.
    ///
    /// # Errors
    /// It does not fit.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        let mut json = serde_json::Deserializer::from_str(self.body);
        let value = serde_path_to_error::deserialize(&mut json).map_err(|error| misfit(error.path(), error.inner()))?;
        json.end().map_err(|error| error.to_string())?;
        Ok(value)
    }

    /// The body as the array that it is.
    ///
    /// # Errors
    /// It is none.
    pub fn elements(&self) -> Result<Vec<RawJson>, String> {
        self.array(self.body)
    }

    /// The array that a JSON pointer leads to in the body.
    ///
    /// # Errors
    /// There is none.
    pub fn elements_at(&self, pointer: &str) -> Result<Vec<RawJson>, String> {
        if self.is_absent() {
            return Ok(Vec::new());
        }
        match part(self.body, pointer)? {
            Some(found) => self.array(found),
            None => Err(format!("a list should come at `{pointer}` of the body, and nothing is there")),
        }
    }

    fn array(&self, json: &str) -> Result<Vec<RawJson>, String> {
        if self.absent_is_empty && json.trim() == "null" { Ok(Vec::new()) } else { array(json) }
    }
}

fn array(json: &str) -> Result<Vec<RawJson>, String> {
    serde_json::from_str(json).map_err(|error| match json.trim_start().chars().next() {
        Some('[') => without_quoted(&error.to_string()),
        Some('{') => "a list should come as a JSON array, and an object came".into(),
        _ => "a list should come as a JSON array, and a single value came".into(),
    })
}

/// One page of a list.
#[derive(Debug)]
pub struct Page {
    /// The elements in the order they came.
    pub elements: Vec<RawJson>,
    /// What comes after them.
    pub next: Next,
}

/// What comes after a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing.
    End,
    /// The page at this position.
    At(String),
    /// More, and the provider does not say where, for the reason given: an error after this page's elements.
    Unknown(String),
}

/// A list that comes in one answer.
pub(super) struct OnePage;

impl Pagination for OnePage {
    fn ask(&self, request: Request, _: Option<&str>) -> Request {
        request
    }

    fn read(&self, answer: Answer<'_>, _: Option<&str>) -> Result<Page, String> {
        let next = match answer.status() {
            206 => Next::Unknown("the list is cut off (206), and this client does not ask for its other parts".into()),
            _ => Next::End,
        };
        Ok(Page { elements: answer.elements()?, next })
    }

    fn ends_in_body(&self, _: &Page) -> bool {
        true
    }
}

/// The loop between two pages.
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
                // Whoever works on the list is done at once, and may say so before anything else happens.
                return Ok(None);
            }
            // Its memory is held for the work that reads the list.
            let work = Work::current().unwrap_or_else(Work::step);
            // On a task of its own: while its step works on one page, others are asked for and cut up.
            let turn = AbortOnDropHandle::new(tokio::spawn(work.scope(pages.turn()).in_current_span()));
            match turn.await.map_err(JoinError::try_into_panic) {
                Ok(page) => page,
                Err(Ok(panic)) => std::panic::resume_unwind(panic),
                // The runtime is being shut down, and nobody waits any more.
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
                "the list goes on after {most} pages, the limit of this client; a list that is so long needs a \
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
            let read = |answer: &WireResponse| match answer.status {
                status if refusals.contains(&status.as_u16()) => Ok(Err((status, answer.headers.clone()))),
                _ => self.read(answer, None).map(Ok),
            };
            let keep = |page: &Result<Page, _>| page.as_ref().is_ok_and(|page| self.keeps(page));
            match request.fetch_and_keep(read, keep).await? {
                Ok(page) => return Ok(page),
                Err((status, headers)) if self.pagination.refused(&refusal(status, &headers)) => {}
                // Nothing else to try: sent once more as it is, the refusal is an error like any other.
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

    /// Whether the page may be kept for conditional requests.
    fn keeps(&self, page: &Page) -> bool {
        match page.next {
            Next::At(_) => true,
            Next::End => self.pagination.ends_in_body(page),
            Next::Unknown(_) => false,
        }
    }

    fn read(&self, raw: &WireResponse, position: Option<&str>) -> Result<Page, DecodeError> {
        let body = text_of(raw)?;
        let absent_is_empty = self.request.absent_is_empty;
        let answer = Answer { status: raw.status, headers: &raw.headers, body, absent_is_empty };
        // What is no page may be damaged, and damage comes first.
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
