//! The matching of requests with recorded requests.

use serde_json::Value;
use url::Url;

use super::field_names::clean_url;
use super::har::{self, PostData, Request};
use super::headers::header;
use integration_graph::redact::{REDACTED, Redaction};

/// A host, with its port if there is one: `api.heroku.com` or `127.0.0.1:8080`.
pub(super) type Host = String;

/// The key of a request in the index.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct RequestKey {
    pub(super) host: Host,
    pub(super) method: String,
    pub(super) path: String,
    /// The parameters, sorted by name so that their order in a request is irrelevant.
    pub(super) query: Vec<(String, String)>,
}

/// The parts of a request that distinguish responses with the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RequestVariant {
    pub(super) range: Option<String>,
    pub(super) body: Option<String>,
}

/// Returns the key and the variant of a request.
///
/// Returns `None` for requests that no client of a provider sends, such as those of a `data:` URL.
pub(super) fn question(request: &Request) -> Option<(RequestKey, RequestVariant)> {
    let url: Url = request.url.parse().ok()?;
    let place = RequestKey {
        host: host(&url)?,
        method: request.method.to_ascii_uppercase(),
        path: url.path().to_owned(),
        query: query(&url),
    };
    // Some tools store form fields for requests without a body.
    let has_body = !matches!(place.method.as_str(), "GET" | "HEAD");
    let body = request.post_data.as_ref().filter(|_| has_body).and_then(sent).filter(|text| !text.is_empty());
    let range = header(&request.headers, "range").filter(|range| !har::is_all_bytes(range));
    let range = range.map(|range| range.trim().to_owned());
    Some((place, RequestVariant { range, body }))
}

/// Returns the text of a body, or the encoded form that replaces it.
fn sent(data: &PostData) -> Option<String> {
    let form = || {
        let pairs = data.params.iter().map(|field| (&field.name, &field.value));
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    };
    data.text.clone().filter(|text| !text.is_empty()).or_else(|| (!data.params.is_empty()).then(form))
}

pub(super) fn host(url: &Url) -> Option<Host> {
    let name = url.host_str()?;
    Some(url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}")))
}

fn query(url: &Url) -> Vec<(String, String)> {
    let clean = clean_url(url, &Redaction::default());
    let mut pairs: Vec<_> = clean.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    pairs.sort();
    pairs
}

impl RequestKey {
    /// Returns whether a value of the query is redacted.
    pub(super) fn hides_values(&self) -> bool {
        self.query.iter().any(|(_, value)| value == REDACTED)
    }

    /// Returns whether a recorded key equals this one, except for redacted values.
    pub(super) fn is_answered_by(&self, recorded: &RequestKey) -> bool {
        let same = |(asked, there): (&(String, String), &(String, String))| {
            asked.0 == there.0 && (asked.1 == there.1 || asked.1 == REDACTED)
        };
        (&self.host, &self.method, &self.path) == (&recorded.host, &recorded.method, &recorded.path)
            && self.query.len() == recorded.query.len()
            && self.query.iter().zip(&recorded.query).all(same)
    }

    /// Returns the name of the request in messages.
    ///
    /// The host is omitted, because the reader knows it.
    pub(super) fn name(&self) -> String {
        let pairs: Vec<_> = self.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let query = if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) };
        format!("{} {}{query}", self.method, self.path)
    }
}

impl RequestVariant {
    /// Returns the distance to a recorded variant, or `None` if it does not match.
    ///
    /// The smallest distance is the best match. `is_whole` returns whether the recorded responses form a complete list,
    /// because the order of a complete list is irrelevant.
    pub(super) fn distance(&self, recorded: &RequestVariant, is_whole: impl FnOnce() -> bool) -> Option<u32> {
        let body = match (&self.body, &recorded.body) {
            (asked, recorded) if asked == recorded => 0,
            (Some(asked), Some(recorded)) if same_json(asked, recorded) => 0,
            // Some tools do not record the body of a request.
            (Some(_), None) => 1,
            _ => return None,
        };
        let range = match (&self.range, &recorded.range) {
            (asked, recorded) if asked == recorded => 0,
            // Another client may have used other page sizes. Each response contains the position of its next page.
            (Some(asked), Some(recorded)) if without_max(asked) == without_max(recorded) => 2,
            (Some(asked), None) if is_from_the_start(asked) => 4,
            // Some clients send a range with every request, even if the response is not a list.
            (None, Some(recorded)) if is_unbounded(recorded) => 6,
            (Some(asked), Some(recorded)) if is_unbounded(asked) && is_unbounded(recorded) && is_whole() => 8,
            _ => return None,
        };
        Some(body + range)
    }
}

fn same_json(one: &str, other: &str) -> bool {
    let parse = |text| serde_json::from_str::<Value>(text).ok();
    parse(one).is_some_and(|value| parse(other) == Some(value))
}

/// Returns the range and its parameters without the page size.
///
/// The recorded response determines the page size.
fn without_max(range: &str) -> Vec<&str> {
    let parts = range.split([';', ',']).map(str::trim);
    let mut parts: Vec<_> = parts.filter(|part| !part.is_empty() && !part.starts_with("max=")).collect();
    if let Some((_, parameters)) = parts.split_first_mut() {
        parameters.sort_unstable();
    }
    parts
}

/// Returns whether a range covers the whole list, in any order.
fn is_unbounded(range: &str) -> bool {
    without_max(range).first().is_some_and(|part| is_from_the_start(part))
}

/// Returns whether a range starts at the beginning, such as `id ..`.
///
/// A request without a range has the same meaning.
fn is_from_the_start(range: &str) -> bool {
    match without_max(range)[..] {
        [part] => part.strip_suffix("..").is_some_and(|property| !property.trim().contains(' ')),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(range: &str) -> RequestVariant {
        RequestVariant { range: (!range.is_empty()).then(|| range.to_owned()), body: None }
    }

    fn body(body: &str) -> RequestVariant {
        RequestVariant { range: None, body: (!body.is_empty()).then(|| body.to_owned()) }
    }

    #[test]
    fn a_range_is_answered_by_itself_then_by_other_page_sizes_then_by_none_from_the_start() {
        let asked = range("id ..; max=1000");
        let distances = ["id ..; max=1000", "id ..; max=200", "", "id ]a..; max=1000"]
            .map(|other| asked.distance(&range(other), || true));
        assert_eq!(distances, [Some(0), Some(2), Some(4), None]);
        assert_eq!(range("id ]a..; max=2").distance(&range(""), || true), None);
        assert_eq!(range("id ..; order=desc").distance(&range(""), || true), None);
        assert_eq!(range("id ..; order=asc,max=2").distance(&range("id ..; max=3; order=asc"), || false), Some(2));
    }

    #[test]
    fn a_whole_list_answers_in_any_order_and_a_range_of_another_client_does_no_harm() {
        assert_eq!(range("email ..; max=1000").distance(&range("id ..; max=200; order=desc"), || true), Some(8));
        assert_eq!(range("email ..; max=1000").distance(&range("id ..; max=200"), || false), None);
        assert_eq!(range("email ]a..").distance(&range("id ..; max=200"), || true), None);
        assert_eq!(range("").distance(&range("id ..; max=1000"), || false), Some(6));
        assert_eq!(range("").distance(&range("id ]a..; max=1000"), || true), None);
    }

    #[test]
    fn bodies_are_compared_as_json_and_may_be_missing_in_a_recording() {
        let distances = ["{\"b\":1,\"a\":2}", "", "{\"a\":3}"]
            .map(|other| body("{ \"a\": 2, \"b\": 1 }").distance(&body(other), || true));
        assert_eq!(distances, [Some(0), Some(1), None]);
        assert_eq!(body("").distance(&body("{}"), || true), None);
    }

    #[test]
    fn the_order_of_a_query_and_its_secrets_do_not_matter() {
        let of = |url: &str| question(&Request { method: "get".into(), url: url.into(), ..Request::default() });
        let (one, other) = (of("https://h.example/x?b=2&a=1&token=p"), of("http://h.example/x?token=q&a=1&b=2"));
        assert_eq!(one, other);
        assert_eq!(one.unwrap().0.name(), "GET /x?a=1&b=2&token=[redacted]");
        assert_eq!(of("data:text/plain,x"), None);
    }
}
