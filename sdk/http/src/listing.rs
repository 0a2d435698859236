//! Lists of a provider as streams of typed elements.

use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use integration_graph::RawJson;

use super::answer::{DecodeError, ReceivedResponse, read_json};
use super::error::{ErrorDetails, Problem, ProviderErrorKind, Subject};
use super::lenient::{self, Misfit};
use super::memory::held_by;
use super::pages::{OnePage, Pages, Pagination};
use super::ranges::{RangeListing, RangePagination};
use super::seen::SeenSet;
use super::text::one_line;
use super::{Http, ProviderError, Request};

/// An element of a list: the typed value and its JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Item<T> {
    /// Whether only the id of the element fits the type.
    is_stand_in: bool,
    /// The value in the type of the integration.
    pub value: T,
    /// The complete JSON of the provider.
    pub raw: RawJson,
}

impl<T> Item<T> {
    /// Returns whether the value has nothing but the id: see [`Listing::with_stand_ins`].
    pub fn is_stand_in(&self) -> bool {
        self.is_stand_in
    }

    /// Returns the typed value and the JSON.
    pub fn into_parts(self) -> (T, RawJson) {
        (self.value, self.raw)
    }
}

impl<T> Deref for Item<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// Decodes JSON as `T` and keeps the JSON.
fn item<T: DeserializeOwned>(raw: RawJson) -> Result<Item<T>, Misfit> {
    Ok(Item { value: lenient::read(raw.as_str())?, raw, is_stand_in: false })
}

impl Request {
    /// Sends the request and decodes the body as `T`, with its JSON.
    ///
    /// # Errors
    /// The same as for [`json`](Request::json).
    pub async fn item<T: DeserializeOwned + Send>(self) -> Result<Item<T>, ProviderError> {
        let read = |answer: &ReceivedResponse| {
            let mut raw: RawJson = read_json(answer)?;
            held_by(&mut raw, answer, usize::MAX);
            item(raw).map_err(|misfit| DecodeError::Mismatch(format!("the body does not fit: {}", misfit.reason)))
        };
        self.fetch(read).await
    }

    /// Returns a list that arrives in one response, as a JSON array.
    pub fn list<T: DeserializeOwned>(self) -> Listing<T> {
        self.pages(OnePage)
    }

    /// Returns a list that is paginated by ranges.
    pub fn ranges<T: DeserializeOwned>(self, ranges: RangePagination) -> Listing<T> {
        self.pages(RangeListing::new(ranges))
    }

    /// Returns a list with any other pagination.
    pub fn pages<T: DeserializeOwned>(self, pagination: impl Pagination) -> Listing<T> {
        let (http, subject) = (self.http.clone(), self.call.subject.clone());
        Listing::new(http, subject, Pages::new(self, pagination).stream())
    }
}

/// The maximum length of an element's identity in errors.
const LONGEST_IDENTITY: usize = 80;
/// The maximum number of elements in one item of [`Listing::by_page`].
const LARGEST_PAGE: usize = 1000;

type Identity<T> = Box<dyn Fn(&T) -> String + Send>;

/// The elements of a list over all its pages, in the provider's order.
///
/// This is a stream: use [`TryStreamExt::try_next`](futures::TryStreamExt::try_next) or any other adapter. Pages are
/// fetched lazily: the next one is requested when the elements of the last one are used up. If a page cannot be
/// fetched, the list ends with its error.
///
/// ```
/// # use futures::TryStreamExt;
/// # use integration_http::{Endpoint, Http, StatusCode, WireResponse, respond_with};
/// # #[derive(serde::Deserialize)]
/// # struct Team { id: String }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let api = respond_with(|_| Ok(WireResponse::new(StatusCode::OK, r#"[{"id": "t1", "seats": 5}]"#)));
/// # let http = Http::connect_with(Endpoint::new("https://api.acme.example".parse()?), &api, &Default::default())?;
/// let mut teams = http.get("/teams", &[]).list::<Team>();
/// while let Some(team) = teams.try_next().await? {
///     let (team, raw) = team.into_parts();
///     assert_eq!((team.id.as_str(), raw.as_str()), ("t1", r#"{"id": "t1", "seats": 5}"#));
/// }
/// # Ok(()) }
/// ```
///
/// An element that does not fit `T` does not affect the others. In a step it is reported as a gap of one object under
/// the current parent, and the list continues. Outside a step it yields an error in its position, and the list can
/// continue after it.
#[must_use = "a listing sends no request until it is polled"]
pub struct Listing<T> {
    http: Http,
    subject: Subject,
    pages: BoxStream<'static, Result<Vec<RawJson>, ProviderError>>,
    page: vec::IntoIter<RawJson>,
    taken: u64,
    unique: Option<(Identity<T>, SeenSet)>,
    stand_ins: bool,
}

impl<T: DeserializeOwned> Listing<T> {
    pub(super) fn new(
        http: Http,
        subject: Subject,
        pages: BoxStream<'static, Result<Vec<RawJson>, ProviderError>>,
    ) -> Self {
        Self { http, subject, pages, page: Vec::new().into_iter(), taken: 0, unique: None, stand_ins: false }
    }

    /// Drops elements that occurred before, for example because the list changed between two pages.
    ///
    /// A changed element with a known identity is kept, because the graph keeps the newer description. The list
    /// remembers a digest of each identity instead of the identity, about 30 bytes per element.
    pub fn unique_by(mut self, identity: impl Fn(&T) -> String + Send + 'static) -> Self {
        self.unique = Some((Box::new(identity), SeenSet::default()));
        self
    }

    /// Yields a value with nothing but the id for each element that does not fit.
    ///
    /// The children of the element can then be collected. The element is still reported as a gap. Every other field of
    /// `T` must be optional.
    pub fn with_stand_ins(mut self) -> Self {
        self.stand_ins = true;
        self
    }

    /// Groups the elements by page, for work that is cheaper in bulk.
    pub fn by_page(self) -> BoxStream<'static, Result<Vec<Item<T>>, ProviderError>>
    where
        T: Send + 'static,
    {
        self.ready_chunks(LARGEST_PAGE).flat_map(|page| stream::iter(together(page))).boxed()
    }

    /// Decodes an element.
    ///
    /// Returns `None` if an identical element occurred before, or if the element is unreadable and was reported.
    fn element(&mut self, raw: RawJson) -> Option<Result<Item<T>, ProviderError>> {
        let index = self.taken;
        self.taken += 1;
        let bytes = raw.as_str().len();
        if bytes > self.http.largest_element() {
            return self.reported(&raw, |listing| listing.too_large(index, bytes));
        }
        match lenient::read(raw.as_str()) {
            Ok(value) => {
                let is_new =
                    self.unique.as_mut().is_none_or(|(identity, met)| met.insert_form(&identity(&value), raw.as_str()));
                is_new.then_some(Ok(Item { value, raw, is_stand_in: false }))
            }
            Err(misfit) => {
                let error = self.reported(&raw, |listing| listing.unread(index, &misfit));
                error.or_else(|| self.stand_in(raw).map(Ok))
            }
        }
    }

    /// Returns the value that replaces an unreadable element, if stand-ins are enabled.
    fn stand_in(&mut self, raw: RawJson) -> Option<Item<T>> {
        let value = if self.stand_ins { id_alone(raw.as_str())? } else { return None };
        let is_new =
            self.unique.as_mut().is_none_or(|(identity, met)| met.insert_form(&identity(&value), raw.as_str()));
        is_new.then_some(Item { value, raw, is_stand_in: true })
    }

    /// Reports the error of an element, once; returns it if nothing receives reports.
    fn reported(
        &mut self,
        raw: &RawJson,
        error: impl FnOnce(&Self) -> ProviderError,
    ) -> Option<Result<Item<T>, ProviderError>> {
        // The identity is unknown, so the text replaces it. The prefix distinguishes it from every identity.
        let is_new = self.unique.as_mut().is_none_or(|(_, met)| met.insert(&format!("\0{}", raw.as_str())));
        is_new.then(|| error(self)).and_then(|error| self.http.report_unread(error)).map(Err)
    }

    /// Creates the error of an element that does not fit.
    fn unread(&self, index: u64, misfit: &Misfit) -> ProviderError {
        let identity = match &misfit.identity {
            Some(identity) => format!("the element of {}", one_line(identity, LONGEST_IDENTITY)),
            None => format!("element {index} of the list"),
        };
        let reason = self.http.without_secrets(&format!("{identity} does not fit: {}", misfit.reason));
        ProviderError::about(
            &self.subject,
            ProviderErrorKind::Unexpected,
            Problem::Unfit(reason),
            ErrorDetails::default(),
        )
    }
}

impl<T> Listing<T> {
    /// Creates the error of an element that exceeds the size limit.
    fn too_large(&self, index: u64, bytes: usize) -> ProviderError {
        let limit = self.http.largest_element();
        let problem = Problem::Unfit(format!(
            "element {index} of the list has {bytes} bytes and is larger than the limit of {limit} bytes \
             (`Endpoint::largest_element`)"
        ));
        ProviderError::about(&self.subject, ProviderErrorKind::Unexpected, problem, ErrorDetails::default())
    }
}

/// Decodes a value from the member `id` of an element alone.
fn id_alone<T: DeserializeOwned>(element: &str) -> Option<T> {
    #[derive(Deserialize)]
    struct Identified<'a> {
        #[serde(borrow)]
        id: &'a RawValue,
    }
    let Identified { id } = serde_json::from_str(element).ok()?;
    lenient::read(&format!(r#"{{"id":{id}}}"#)).ok()
}

/// Groups the elements between errors, and keeps the errors in their positions.
fn together<T, E>(elements: Vec<Result<T, E>>) -> Vec<Result<Vec<T>, E>> {
    let mut pages = Vec::new();
    for element in elements {
        match (element, pages.last_mut()) {
            (Ok(element), Some(Ok(page))) => Vec::push(page, element),
            (Ok(element), _) => pages.push(Ok(vec![element])),
            (Err(error), _) => pages.push(Err(error)),
        }
    }
    pages
}

// No field of a listing is pinned in place: the pages are pinned on the heap.
impl<T> Unpin for Listing<T> {}

impl<T: DeserializeOwned> Stream for Listing<T> {
    type Item = Result<Item<T>, ProviderError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let listing = self.get_mut();
        loop {
            while let Some(raw) = listing.page.next() {
                if let Some(element) = listing.element(raw) {
                    return Poll::Ready(Some(element));
                }
            }
            match ready!(listing.pages.as_mut().poll_next(context)) {
                Some(Ok(page)) => listing.page = page.into_iter(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<T> fmt::Debug for Listing<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listing").field("of", &self.subject).field("taken", &self.taken).finish_non_exhaustive()
    }
}
