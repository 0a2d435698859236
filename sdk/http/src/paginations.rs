//! The common paginations: by cursor, by link, and by page number.
//!
//! An integration can implement others.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;
use url::Url;

use integration_graph::RawJson;

use super::Request;
use super::answer::part;
use super::pages::{Answer, Next, Page, Pagination};

/// The pagination of lists whose body contains the cursor of the next page.
///
/// An example of such a body is `{"items": [...], "next": "..."}`.
///
/// ```
/// # use integration_http::{CursorPagination, Http, Listing};
/// # fn users<User: serde::de::DeserializeOwned>(http: &Http) -> Listing<User> {
/// http.get("/users", &[]).pages(CursorPagination { parameter: "after", elements: "/data", next: "/paging/after" })
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CursorPagination {
    /// The query parameter that contains the cursor of a page.
    pub parameter: &'static str,
    /// The position of the elements in the body, as a JSON pointer.
    pub elements: &'static str,
    /// The position of the next cursor, which is a text or a number.
    ///
    /// The last page has none, null, or an empty text.
    pub next: &'static str,
}

impl Pagination for CursorPagination {
    fn ask(&self, request: Request, position: Option<&str>) -> Request {
        match position {
            Some(cursor) => request.query(self.parameter, cursor),
            None => request,
        }
    }

    fn read(&self, answer: Answer<'_>, _: Option<&str>) -> Result<Page, String> {
        let elements = answer.elements_at(self.elements)?;
        let next = text_at(&answer, self.next)?.map_or(Next::End, Next::At);
        Ok(Page { elements, next })
    }

    fn ends_in_body(&self, _: &Page) -> bool {
        true
    }
}

/// The pagination of lists that contain the address of the next page.
///
/// Only the query of that address is used, so that the credentials cannot reach another host.
///
/// ```
/// # use integration_http::{Http, LinkPagination, Listing};
/// # fn repositories<Repository: serde::de::DeserializeOwned>(http: &Http) -> Listing<Repository> {
/// http.get("/repositories", &[]).query("per_page", 100).pages(LinkPagination::Header)
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkPagination {
    /// The header `Link`, as `<https://...>; rel="next"` ([RFC 8288](https://www.rfc-editor.org/rfc/rfc8288)).
    ///
    /// The body is the array of elements.
    Header,
    /// The body.
    Body {
        /// The position of the elements, as a JSON pointer.
        elements: &'static str,
        /// The position of the next page's address.
        ///
        /// The last page has none, null, or an empty text.
        next: &'static str,
    },
}

impl Pagination for LinkPagination {
    fn ask(&self, mut request: Request, position: Option<&str>) -> Request {
        if let Some(query) = position {
            request.call.url.set_query(Some(query));
        }
        request
    }

    fn read(&self, answer: Answer<'_>, _: Option<&str>) -> Result<Page, String> {
        let (elements, link) = match self {
            Self::Header => (answer.elements()?, answer.header("Link").and_then(next_link).map(str::to_owned)),
            Self::Body { elements, next } => (answer.elements_at(elements)?, text_at(&answer, next)?),
        };
        Ok(Page { elements, next: link.map_or(Next::End, |link| query_of(&link)) })
    }

    fn ends_in_body(&self, _: &Page) -> bool {
        matches!(self, Self::Body { .. })
    }
}

/// The pagination by page number, which ends with an empty or shorter page.
///
/// A provider may return fewer elements than requested. The length of the first page is therefore decisive, not `size`,
/// and a list of one page takes two requests. The provider may answer the second one with 404 or 416.
///
/// ```
/// # use integration_http::{Http, Listing, PageNumberPagination};
/// # fn groups<Group: serde::de::DeserializeOwned>(http: &Http) -> Listing<Group> {
/// http.get("/groups", &[]).pages(PageNumberPagination { page: "page", first: 1, per_page: "per_page", size: 100 })
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageNumberPagination {
    /// The query parameter that contains the page number.
    pub page: &'static str,
    /// The number of the first page: 0 or 1.
    pub first: u32,
    /// The query parameter that sets the number of elements per page.
    pub per_page: &'static str,
    /// The number of elements to request per page.
    pub size: usize,
}

/// The statuses of a provider for a page number that does not exist.
const NO_SUCH_PAGE: [u16; 2] = [404, 416];

/// The number of a page, with the state of the pages before it.
struct Turn {
    number: u32,
    /// The number of elements of the first page.
    full: usize,
    /// A digest of the previous page.
    before: u64,
}

impl Turn {
    fn of(position: &str) -> Option<Self> {
        let mut parts = position.split(' ');
        let turn = Self {
            number: parts.next()?.parse().ok()?,
            full: parts.next()?.parse().ok()?,
            before: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(turn)
    }

    fn position(&self) -> String {
        format!("{} {} {}", self.number, self.full, self.before)
    }
}

impl Pagination for PageNumberPagination {
    fn ask(&self, request: Request, position: Option<&str>) -> Request {
        let request = request.query(self.per_page, self.size);
        let number = position.and_then(Turn::of).map_or(self.first, |turn| turn.number);
        request.query(self.page, number)
    }

    fn read(&self, answer: Answer<'_>, position: Option<&str>) -> Result<Page, String> {
        let turn = position.and_then(Turn::of);
        if NO_SUCH_PAGE.contains(&answer.status()) {
            let next = match turn {
                Some(turn) if turn.full < self.size => Next::End,
                _ => Next::Unknown(format!(
                    "the page after a full one does not exist ({}), so elements may be missing",
                    answer.status()
                )),
            };
            return Ok(Page { elements: Vec::new(), next });
        }
        let elements = answer.elements()?;
        let full = turn.as_ref().map_or(elements.len(), |turn| turn.full);
        let digest = digest(&elements);
        if turn.as_ref().is_some_and(|turn| turn.before == digest && !elements.is_empty()) {
            let page = self.page;
            let reason = format!("the provider repeats a page: it ignores `{page}`, so elements may be missing");
            return Ok(Page { elements: Vec::new(), next: Next::Unknown(reason) });
        }
        let number = turn.map_or(self.first, |turn| turn.number).checked_add(1);
        let next = match number {
            _ if elements.is_empty() || elements.len() < full => Next::End,
            Some(number) => Next::At(Turn { number, full, before: digest }.position()),
            None => Next::Unknown("the page numbers are exhausted".into()),
        };
        Ok(Page { elements, next })
    }

    fn past_the_end(&self) -> &'static [u16] {
        &NO_SUCH_PAGE
    }

    fn ends_in_body(&self, _: &Page) -> bool {
        true
    }
}

fn digest(elements: &[RawJson]) -> u64 {
    let mut hasher = DefaultHasher::new();
    elements.iter().for_each(|element| element.as_str().hash(&mut hasher));
    hasher.finish()
}

/// Returns the text or the number at a JSON pointer, or `None` if there is neither.
fn text_at(answer: &Answer<'_>, pointer: &str) -> Result<Option<String>, String> {
    if answer.is_absent() {
        return Ok(None);
    }
    let Some(found) = part(answer.body(), pointer)? else { return Ok(None) };
    match serde_json::from_str(found) {
        Ok(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
        Ok(Value::Number(number)) => Ok(Some(number.to_string())),
        Ok(Value::Null | Value::Bool(false)) => Ok(None),
        _ => Err(format!("the body should have a text or a number at `{pointer}`")),
    }
}

/// Returns the target of the link to the next page.
fn next_link(header: &str) -> Option<&str> {
    pieces(header, ',').find_map(|link| {
        let mut pieces = pieces(link, ';').map(str::trim);
        let target = pieces.next()?.strip_prefix('<')?.strip_suffix('>')?;
        let is_next = |parameter: &str| {
            let (name, value) = parameter.split_once('=').unwrap_or_default();
            let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
            name.trim().eq_ignore_ascii_case("rel") && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
        };
        pieces.any(is_next).then_some(target)
    })
}

/// Splits a text at the separators outside quotes and angle brackets.
fn pieces(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped, mut bracketed) = (false, false, false);
    text.split(move |letter| {
        let plain = !quoted && !bracketed;
        match letter {
            '"' if !escaped && !bracketed => quoted = !quoted,
            '<' if plain => bracketed = true,
            '>' if !quoted => bracketed = false,
            _ => {}
        }
        escaped = quoted && letter == '\\' && !escaped;
        plain && letter == separator
    })
}

fn query_of(link: &str) -> Next {
    // A relative address needs a base. Any base is suitable, because only the query is used.
    let nowhere = Url::parse("http://nowhere.invalid/").ok();
    match Url::options().base_url(nowhere.as_ref()).parse(link).ok().and_then(|url| url.query().map(str::to_owned)) {
        Some(query) => Next::At(query),
        None => Next::Unknown("the address of the next page has no query, so its position is unknown".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_of_several_links_is_found() {
        let header = r#"<https://api.example.com/a?page=1>; rel="prev", <https://api.example.com/a?q=x,y;&page=3>; title="a; \" b, <c>; rel=prev"; rel="last next", <https://api.example.com/a?page=9>; rel=last"#;
        assert_eq!(next_link(header), Some("https://api.example.com/a?q=x,y;&page=3"));
        assert_eq!(next_link(r#"</a?page=2>;rel=next"#), Some("/a?page=2"));
        for none in ["", "<", "<a>", r#"<https://api.example.com/a?page=1>; rel="prev""#, "rel=next"] {
            assert_eq!(next_link(none), None, "{none}");
        }
    }

    #[test]
    fn only_the_query_of_a_link_is_taken() {
        assert_eq!(query_of("https://elsewhere.example/b?page=2&q=a%20b"), Next::At("page=2&q=a%20b".into()));
        assert_eq!(query_of("/a?page=2"), Next::At("page=2".into()));
        assert!(matches!(query_of("https://api.example.com/pages/2"), Next::Unknown(_)));
    }
}
