//! The choice among recorded responses, and forms of exchanges that only other tools write.

use super::*;
use crate::headers;

/// Returns an exchange with headers in the request.
fn with(url: &str, headers: Value, response: Value) -> Value {
    let mut entry = entry(url, response);
    entry["request"]["headers"] = headers;
    entry
}

fn replayed(entries: Value, path: &str, range: Option<&'static str>) -> String {
    let folder = folder();
    har(folder.path(), "a.har", &entries);
    told(player(folder.path()).answer(&asked(path, range)))
}

#[test]
fn a_usable_response_is_preferred_to_a_revalidation_and_to_a_redirect() {
    let (url, list) = ("https://h.example/apps", Some("id ..; max=1000"));
    let revalidated = with(url, json!([{"name": "If-None-Match", "value": "\"a\""}]), json!({"status": 304}));
    let full = entry(url, ok("[1]"));
    assert_eq!(replayed(json!([revalidated, full]), "/apps", list), "200 [1]");
    assert_eq!(replayed(json!([full, revalidated]), "/apps", list), "200 [1]");
    // The revalidation has exactly the range of the request, and the response with the body has none.
    let ranged = with(url, json!([{"name": "Range", "value": "id ..; max=1000"}]), json!({"status": 304}));
    assert_eq!(replayed(json!([ranged, full]), "/apps", list), "200 [1]");
    let redirect = entry("http://h.example/apps", json!({"status": 307}));
    assert_eq!(replayed(json!([redirect, full]), "/apps", list), "200 [1]");
    let other_host = entry("https://www.h.example/apps", json!({"status": 301}));
    assert_eq!(replayed(json!([other_host, full]), "/apps", list), "200 [1]");
    let failed = entry(url, json!({"status": 503}));
    assert_eq!(replayed(json!([revalidated, failed, full]), "/apps", list), "503 ", "failures stay in their order");
}

#[test]
fn a_revalidation_alone_is_read_if_it_has_a_text_and_explained_if_it_has_none() {
    let url = "https://h.example/apps";
    let cached = json!({"status": 304, "content": {"text": "[1]"}});
    assert_eq!(replayed(json!([entry(url, cached)]), "/apps", None), "200 [1]");
    let told = replayed(json!([entry(url, json!({"status": 304, "content": {"text": ""}}))]), "/apps", None);
    assert!(told.contains("it is a 304 (not modified)") && told.contains("record again without a cache"), "{told}");
    assert_eq!(replayed(json!([entry(url, json!({"status": 302}))]), "/apps", None), "302 ");
}

#[test]
fn a_range_of_all_bytes_is_no_range() {
    let exchange = |content_range: &str| {
        let headers = json!([{"name": "Content-Range", "value": content_range}]);
        let response = json!({"status": 206, "headers": headers, "content": {"text": "[1]"}});
        json!([with("https://h.example/apps", json!([{"name": "range", "value": "bytes=0-"}]), response)])
    };
    assert_eq!(replayed(exchange("bytes 0-2/3"), "/apps", None), "200 [1]");
    assert_eq!(replayed(exchange("bytes 0-2/3"), "/apps", Some("id ..; max=1000")), "200 [1]");
    assert_eq!(replayed(exchange("bytes 0-2/9"), "/apps", None), "206 [1]", "the response is a part");
}

#[test]
fn headers_are_read_from_lines() {
    let headers = json!(["Range: id ..; max=2", "x: a:b", ":authority: h", "no header"]);
    let response = json!({"status": 200, "headers": ["Next-Range: id ]a..; max=2"]});
    let entry = har::Entry::read(&with("https://h.example/x", headers, response).to_string()).unwrap();
    let header = |name| headers::header(&entry.request.headers, name);
    assert_eq!((header("range"), header("x"), header(":authority")), (Some("id ..; max=2"), Some("a:b"), Some("h")));
    assert_eq!(headers::header(&entry.response.headers, "next-range"), Some("id ]a..; max=2"));
    assert_eq!(entry.request.headers.len(), 3);
}

#[test]
fn an_encoding_with_wide_characters_is_named() {
    let json = json!({"log": {"entries": [entry("https://h.example/x", ok("1"))]}}).to_string();
    let bytes = |mark: bool, form: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let mark = mark.then_some(0xfeff);
        mark.into_iter().chain(json.encode_utf16()).flat_map(form).collect()
    };
    for (content, name) in [
        (bytes(true, u16::to_le_bytes), "UTF-16LE"),
        (bytes(false, u16::to_le_bytes), "UTF-16LE"),
        (bytes(true, u16::to_be_bytes), "UTF-16BE"),
        (bytes(false, u16::to_be_bytes), "UTF-16BE"),
        (json.chars().flat_map(|letter| u32::from(letter).to_le_bytes()).collect(), "UTF-32"),
    ] {
        let folder = folder();
        fs::write(folder.path().join("a.har"), content).unwrap();
        for error in [Replay::open(folder.path()).unwrap_err(), find_secrets(folder.path()).unwrap_err()] {
            let told = error.to_string();
            assert!(told.contains(&format!("a.har is encoded in {name}")) && told.contains("iconv"), "{told}");
        }
    }
}
