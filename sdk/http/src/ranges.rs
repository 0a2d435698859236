//! Lists that are paginated by ranges: `Range` requests a part, `Next-Range` identifies the next one.
//!
//! A missing header never completes a list. After a partial response (206) without `Next-Range`, the client requests
//! the elements after the last one, or reports an error.

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use integration_graph::RawJson;

use super::Request;
use super::answer::part;
use super::pages::{Answer, Next, Page, Pagination};

/// The unit of the page sizes that a provider chooses itself.
///
/// A provider may limit its pages to fewer elements than requested, usually to a multiple of this number.
const ROUND: usize = 50;

/// The pagination of a list by ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RangePagination {
    /// The property that orders the list.
    pub order_by: &'static str,
    /// The maximum number of elements per page.
    pub max: u32,
}

/// The prefix of a position that is not UTF-8.
///
/// No header can contain it. Each character after it represents one byte.
const BYTES: char = '\0';

/// The pagination of one list.
///
/// It orders the list by its property. If the provider rejects that, it uses a property that the provider names, and
/// finally no range at all.
pub(super) struct RangeListing {
    order_by: Option<String>,
    max: u32,
    refused: Vec<String>,
    /// The length of the longest page that was followed by another one.
    ///
    /// A page of that length counts as full.
    longest: AtomicUsize,
}

impl RangeListing {
    pub(super) fn new(ranges: RangePagination) -> Self {
        let order_by = Some(ranges.order_by.to_owned());
        Self { order_by, max: ranges.max, refused: Vec::new(), longest: AtomicUsize::default() }
    }

    /// Returns the range of the first page, unless the list is requested without a range.
    fn first(&self) -> Option<String> {
        self.order_by.as_ref().map(|property| format!("{property} ..; max={}", self.max))
    }

    /// Returns the continuation of a partial list (206) without a `Next-Range`.
    ///
    /// More elements may follow, so the next request starts after the last element. The list ends only with a response
    /// that is complete or has no elements.
    fn behind(&self, answer: &Answer<'_>, elements: &[RawJson], position: Option<&str>) -> Next {
        const CUT_OFF: &str = "the list is cut off (206) without a Next-Range to continue from";
        let Some(last) = elements.last() else {
            return if position.is_some() { Next::End } else { Next::Unknown(CUT_OFF.into()) };
        };
        let asked = position.map(str::to_owned).or_else(|| self.first());
        let content = answer.header("Content-Range").and_then(Bounds::of);
        let property = asked.as_deref().and_then(property_of).or(content.as_ref().map(|content| content.property));
        let content_end =
            content.as_ref().filter(|content| Some(content.property) == property).map(|content| content.end);
        let value = property.and_then(|property| value_of(last, property).or(content_end.map(str::to_owned)));
        match (property, value.filter(|value| is_bound(value))) {
            (Some(property), Some(value)) => {
                Next::At(format!("{property} ]{value}..{}", asked.as_deref().map_or("", options_of)))
            }
            _ => Next::Unknown(format!("{CUT_OFF}, and its last element does not contain the position")),
        }
    }
}

impl Pagination for RangeListing {
    fn ask(&self, request: Request, position: Option<&str>) -> Request {
        match (position, self.first()) {
            (Some(position), _) => request.header_bytes("Range", &bytes_of(position)),
            (None, Some(range)) => request.header("Range", &range),
            (None, None) => request,
        }
    }

    /// Decodes a page.
    ///
    /// `Next-Range` is valid with every status, and is sent back unchanged.
    fn read(&self, answer: Answer<'_>, position: Option<&str>) -> Result<Page, String> {
        let elements = answer.elements()?;
        let next = match (answer.header_bytes("Next-Range").and_then(position_of), answer.status()) {
            (Some(range), _) => Next::At(range),
            (None, 206) => self.behind(&answer, &elements, position),
            (None, _) => Next::End,
        };
        if let Next::At(_) = next {
            self.longest.fetch_max(elements.len(), Ordering::Relaxed);
        }
        Ok(Page { elements, next })
    }

    /// Returns whether the page is shorter than a full one.
    ///
    /// Such a page would be longer if the list continued.
    fn ends_in_body(&self, page: &Page) -> bool {
        let elements = page.elements.len();
        let round = elements > 0 && elements.is_multiple_of(ROUND);
        let longest = self.longest.load(Ordering::Relaxed);
        elements < self.max as usize && !round && (longest == 0 || elements < longest)
    }

    /// Returns 400 and 416.
    ///
    /// Heroku rejects a range that it does not support with 400.
    fn refusals(&self) -> &'static [u16] {
        &[400, 416]
    }

    fn refused(&mut self, answer: &Answer<'_>) -> bool {
        let Some(refused) = self.order_by.take() else { return false };
        self.refused.push(refused);
        if self.refused.len() == 1 {
            let named = answer.header("Accept-Ranges").unwrap_or_default().split(',').map(str::trim);
            let usable =
                |name: &&str| !matches!(*name, "" | "none" | "bytes") && !self.refused.iter().any(|r| r == name);
            self.order_by = named.into_iter().find(usable).map(str::to_owned);
        }
        true
    }
}

/// The property and the upper end of a `Content-Range` such as `id a..b`.
struct Bounds<'a> {
    property: &'a str,
    end: &'a str,
}

impl<'a> Bounds<'a> {
    fn of(header: &'a str) -> Option<Self> {
        let bounds = header.split(';').next()?.trim();
        let property = property_of(bounds)?;
        let (_, end) = bounds.rsplit_once("..")?;
        Some(Self { property, end: end.trim() })
    }
}

/// Returns the property of a range, such as `id` of `id ]a..; max=2`.
fn property_of(range: &str) -> Option<&str> {
    let (property, _) = range.trim_start_matches(BYTES).split_once(' ')?;
    Some(property).filter(|property| !property.is_empty())
}

/// Returns the options of a range with their semicolon, such as `; max=2`.
fn options_of(range: &str) -> &str {
    let behind = range.rfind("..").map_or("", |bounds| &range[bounds..]);
    behind.find(';').map_or("", |options| &behind[options..])
}

/// Returns the value of the property that orders the list.
fn value_of(element: &RawJson, property: &str) -> Option<String> {
    let pointer = format!("/{}", property.replace('~', "~0").replace('/', "~1"));
    match serde_json::from_str(part(element.as_str(), &pointer).ok()??).ok()? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Returns whether a value can be the bound of a range without changing its syntax.
fn is_bound(value: &str) -> bool {
    let ends_range = |letter: char| letter == ';' || letter.is_control();
    !value.is_empty() && value.trim() == value && !value.contains("..") && !value.contains(ends_range)
}

/// Returns the position in a header, or `None` for an empty header.
fn position_of(header: &[u8]) -> Option<String> {
    let header = header.trim_ascii();
    let text = || match std::str::from_utf8(header) {
        Ok(text) => text.to_owned(),
        Err(_) => std::iter::once(BYTES).chain(header.iter().copied().map(char::from)).collect(),
    };
    (!header.is_empty()).then(text)
}

/// Returns the header of a position, byte for byte.
fn bytes_of(position: &str) -> Cow<'_, [u8]> {
    match position.strip_prefix(BYTES) {
        Some(bytes) => bytes.chars().filter_map(|byte| u8::try_from(byte).ok()).collect(),
        None => Cow::Borrowed(position.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_page_that_may_be_full_does_not_tell_that_it_is_the_last() {
        let pages = RangeListing::new(RangePagination { order_by: "id", max: 30 });
        let ends = |elements| {
            pages.ends_in_body(&Page { elements: vec![RawJson::from(Value::Null); elements], next: Next::End })
        };
        assert!([0, 1, 29].into_iter().all(ends));
        assert!(![30, 31].into_iter().any(ends));
        let pages = RangeListing::new(RangePagination { order_by: "id", max: 1_000 });
        let page = |elements| Page { elements: vec![RawJson::from(Value::Null); elements], next: Next::End };
        assert!(pages.ends_in_body(&page(201)) && !pages.ends_in_body(&page(200)));
    }

    #[test]
    fn a_page_as_long_as_one_before_it_may_be_full_whatever_was_asked_for() {
        let pages = RangeListing::new(RangePagination { order_by: "id", max: 1_000 });
        pages.longest.store(7, Ordering::Relaxed);
        let page = |elements| Page { elements: vec![RawJson::from(Value::Null); elements], next: Next::End };
        assert!(pages.ends_in_body(&page(6)) && !pages.ends_in_body(&page(7)));
    }

    #[test]
    fn a_position_keeps_every_byte_of_its_header() {
        for header in
            [&b"id ]a..; order=asc,max=2"[..], "email ]jürgen@exämple.com..".as_bytes(), b"email ]j\xfcrgen..; max=2"]
        {
            assert_eq!(*bytes_of(&position_of(header).unwrap()), *header);
        }
        assert_eq!(position_of(b"  "), None);
    }

    #[test]
    fn the_parts_of_ranges_are_found() {
        let content = Bounds::of("id a..b; max=2").unwrap();
        assert_eq!((content.property, content.end), ("id", "b"));
        assert!(Bounds::of("bytes=0-1").is_none() && Bounds::of("").is_none());
        assert_eq!(options_of("id ]a..b..; order=asc,max=2"), "; order=asc,max=2");
        assert_eq!((options_of("id ]a.."), options_of("id ..; max=9")), ("", "; max=9"));
        let latin = position_of(b"email ]j\xfcrgen..; max=2").unwrap();
        assert_eq!((property_of(&latin), options_of(&latin)), (Some("email"), "; max=2"));
    }

    #[test]
    fn a_value_that_would_end_its_range_is_no_bound() {
        assert!(["a", "01", "ada@example.com", "ü"].into_iter().all(is_bound));
        assert!(!["", " a", "a; max=1", "a..b", "a\r\nx: y"].into_iter().any(is_bound));
    }
}
