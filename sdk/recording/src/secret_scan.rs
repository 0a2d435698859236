//! The search for credentials in recordings of any origin, before they are shared.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use integration_files::input;
use integration_graph::RawJson;
use integration_graph::redact::mend_surrogates;
use integration_graph::secrets::{self, SecretKind, is_placeholder, is_secret_value, name_within};

use super::RecordingError;
use super::archive::{each_entry, har_files, wide_encoding};
use super::body;
use super::field_names::is_secret_header;
use super::har::Entry;
use super::headers::{Named, header};

/// The maximum size of a decompressed body.
const LARGEST_BODY: usize = 256 << 20;

/// A part of a recording that looks like a credential.
///
/// The finding does not repeat the value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretFinding {
    /// The file.
    pub file: PathBuf,
    /// The position of the exchange in the file, starting at 1.
    ///
    /// A finding outside of all exchanges has the position 0.
    pub exchange: usize,
    /// The place in the exchange, such as `response.content /0/access_token`.
    pub place: String,
    /// The kind of credential that it resembles.
    pub kind: SecretKind,
}

impl fmt::Display for SecretFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, exchange, place, kind } = self;
        write!(f, "{}, exchange {exchange}, {place}: looks like {kind}", file.display())
    }
}

/// Searches the `.har` files below a folder for credentials.
///
/// The search finds keys and tokens by their form, passwords in URLs, headers with credentials, and values with high
/// entropy in fields with the name of a secret. It includes compressed bodies.
///
/// The search cannot guarantee that nothing is overlooked: a password that is a word resembles any other word.
///
/// # Errors
/// [`RecordingError`] if a file cannot be read. A file that is truncated or not a HAR file is searched as text.
pub fn find_secrets(path: impl AsRef<Path>) -> Result<Vec<SecretFinding>, RecordingError> {
    let mut found = BTreeSet::new();
    for file in har_files(path.as_ref())? {
        let bytes = input::read(&file, input::RECORDING).map_err(RecordingError::io("read", &file))?;
        // In such a file, no credential would be found.
        if let Some(encoding) = wide_encoding(&bytes) {
            return Err(RecordingError::Encoding { path: file, encoding });
        }
        let (mut exchange, mut begin, mut end) = (0, bytes.len(), 0);
        let base = bytes.as_ptr().addr();
        each_entry(&bytes, &mut |raw| {
            exchange += 1;
            let start = raw.get().as_ptr().addr() - base;
            (begin, end) = (begin.min(start), start + raw.get().len());
            let mut search = Search { file: &file, exchange, found: &mut found };
            search.exchange(raw.get());
        });
        let mut around = Search { file: &file, exchange: 0, found: &mut found };
        let head = if exchange == 0 { 0 } else { begin };
        around.text("outside of the exchanges", None, &String::from_utf8_lossy(&bytes[..head]));
        around.text("outside of the exchanges", None, &String::from_utf8_lossy(&bytes[end..]));
    }
    Ok(found.into_iter().collect())
}

struct Search<'a> {
    file: &'a Path,
    exchange: usize,
    found: &'a mut BTreeSet<SecretFinding>,
}

impl Search<'_> {
    fn exchange(&mut self, text: &str) {
        let mended = mended(text);
        let Ok(mut whole) = RawJson::tree_of(&mended) else { return self.text("an exchange", None, text) };
        let entry = Entry::read(text);
        // Bodies and URLs are searched below in their own formats, not as strings.
        for body in ["/response/content/text", "/request/postData/text"] {
            if let Some(text) = whole.pointer_mut(body).filter(|_| entry.is_ok()) {
                text.take();
            }
        }
        if let Some(url) = whole.pointer_mut("/request/url").filter(|_| entry.is_ok()) {
            url.take();
        }
        self.value("", None, &whole);
        let Ok(entry) = entry else { return };
        self.headers("request.headers", &entry.request.headers);
        self.headers("response.headers", &entry.response.headers);
        self.pairs("request.queryString", &whole["request"]["queryString"]);
        self.pairs("request.cookies", &whole["request"]["cookies"]);
        self.pairs("response.cookies", &whole["response"]["cookies"]);
        self.pairs("request.postData.params", &whole["request"]["postData"]["params"]);
        self.url(&entry.request.url);
        if let Some(sent) = entry.request.post_data.and_then(|data| data.text) {
            self.body("request.postData", sent.as_bytes());
        }
        let content = &entry.response.content;
        let compression = header(&entry.response.headers, "content-encoding");
        match (body::decode(content, compression, LARGEST_BODY), &content.text) {
            (Ok(plain), _) => self.body("response.content", &plain),
            (Err(_), Some(text)) => self.text("response.content", None, text),
            (Err(_), None) => {}
        }
    }

    fn headers(&mut self, place: &str, headers: &[Named]) {
        for header in headers.iter().filter(|header| is_secret_header(&header.name) && !is_placeholder(&header.value)) {
            // A challenge names a scheme, which is not a credential.
            if !header.name.to_ascii_lowercase().ends_with("-authenticate") {
                self.add(format!("{place} {}", header.name), SecretKind::SecretHeader);
            }
        }
    }

    fn pairs(&mut self, place: &str, pairs: &Value) {
        for pair in pairs.as_array().into_iter().flatten() {
            if let (Some(name), Some(value)) = (pair["name"].as_str(), pair["value"].as_str()) {
                let is_cookie = place.ends_with("cookies");
                self.text(&format!("{place} {name}"), Some(if is_cookie { "credential" } else { name }), value);
            }
        }
    }

    fn url(&mut self, url: &str) {
        // The parameters are searched one by one.
        for kind in secrets::kinds_in(url).into_iter().filter(|kind| *kind != SecretKind::NamedSecret) {
            self.add("request.url".to_owned(), kind);
        }
        let Ok(url) = url.parse::<url::Url>() else { return };
        for (name, value) in url.query_pairs() {
            self.text(&format!("request.url {name}"), Some(&name), &value);
        }
    }

    fn body(&mut self, place: &str, body: &[u8]) {
        let text = mended(&String::from_utf8_lossy(body));
        match RawJson::tree_of(&text) {
            Ok(value) => self.value(place, None, &value),
            Err(_) => self.text(place, None, &text),
        }
    }

    fn value(&mut self, place: &str, field: Option<&str>, value: &Value) {
        match value {
            Value::String(text) => self.text(place, field, text),
            Value::Array(items) => {
                let places = items.iter().enumerate();
                places.for_each(|(at, item)| self.value(&below(place, &at.to_string()), field, item));
            }
            Value::Object(object) => {
                for (name, value) in object {
                    self.text(place, None, name);
                    self.value(&below(place, name), Some(name_within(field, name)), value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn text(&mut self, place: &str, field: Option<&str>, text: &str) {
        for kind in secrets::kinds_in(text) {
            self.add(place.to_owned(), kind);
        }
        if field.is_some_and(|field| is_secret_value(field, text)) {
            self.add(place.to_owned(), SecretKind::NamedSecret);
        }
    }

    fn add(&mut self, place: String, kind: SecretKind) {
        // The name of a field can be the secret itself.
        let place = secrets::take_out(&place).into_owned();
        self.found.insert(SecretFinding { file: self.file.to_owned(), exchange: self.exchange, place, kind });
    }
}

/// Repairs characters that a tool has cut in two, so that the JSON can be parsed.
fn mended(json: &str) -> String {
    let mut bytes = json.as_bytes().to_vec();
    mend_surrogates(&mut bytes);
    String::from_utf8(bytes).unwrap_or_default()
}

fn below(place: &str, name: &str) -> String {
    match place {
        // The parts of an exchange come first, then the places in a body.
        "" => name.to_owned(),
        "request.postData" | "response.content" => format!("{place} /{name}"),
        _ if place.contains(" /") => format!("{place}/{name}"),
        _ => format!("{place}.{name}"),
    }
}
