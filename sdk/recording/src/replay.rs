//! Replays, which serve recorded responses in any order and without a network.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue};

use integration_graph::Redaction;
use integration_http::{
    Connector, Endpoint, EndpointError, Reservation, Transport, TransportError, WireRequest, WireResponse,
};

use super::RecordingError;
use super::archive::{Damage, Located, Unreadable};
use super::body::{self, BodyError};
use super::har::{self, Response};
use super::headers::header;
use super::index::{Index, Series};
use super::matching::{Host, RequestKey, RequestVariant, host, question};
use super::mismatch::Mismatch;
use super::scrub::{Outcome, Scrub};

/// The headers of the connection or of the transferred bytes, which are not replayed.
const OF_THE_WIRE: [&str; 3] = ["content-encoding", "content-length", "transfer-encoding"];

/// Recorded exchanges of this SDK or of other tools, which replace a provider.
///
/// Clones are cheap. A replay is a [`Connector`] without connections and pauses.
///
/// A request is matched by its method, path, query, `Range`, and body. Equal requests receive their responses in the
/// recorded order, and after that the last one again, so that a temporary failure occurs and ends as it did. The host
/// is relevant only if several were recorded. A prefix that all recorded paths share is never relevant, so the
/// recording of one address can serve another one. Every client, and so every job, starts at the first response.
///
/// If another tool recorded the same list with other page sizes or without ranges, its responses match as well.
#[derive(Debug, Clone)]
pub struct Replay {
    index: Arc<Index>,
}

impl Replay {
    /// Reads every `.har` file below a folder, or a single file.
    ///
    /// # Errors
    /// [`RecordingError`] if there is no such file, or if one of them is not a HAR file. A truncated file is replayed
    /// up to its damage, and [`damaged`](Self::damaged) lists it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        Ok(Self { index: Arc::new(Index::read(path.as_ref())?) })
    }

    /// Returns the number of exchanges that can be replayed.
    pub fn exchanges(&self) -> usize {
        self.index.exchanges
    }

    /// Returns the files of which only a part is replayed.
    pub fn damaged(&self) -> &[Damage] {
        self.index.damaged()
    }

    /// Returns the exchanges that are not replayed because they cannot be read.
    pub fn unreadable(&self) -> &[Unreadable] {
        self.index.unreadable()
    }

    pub(super) fn transport(&self, endpoint: &Endpoint, redaction: &Redaction) -> ReplayTransport {
        let (base, redaction) = (endpoint.base(), redaction.clone());
        let plain = Scrub { own: endpoint.own_secrets(), redaction, pseudonyms: None };
        let pseudonyms = self.index.pseudonyms.clone();
        let named = pseudonyms.map(|pseudonyms| Scrub { pseudonyms: Some(pseudonyms), ..plain.clone() });
        ReplayTransport {
            index: Arc::clone(&self.index),
            scrubs: named.into_iter().chain([plain]).collect(),
            host: host(base).unwrap_or_default(),
            base: base.path().trim_end_matches('/').to_owned(),
            endpoint: endpoint.clone(),
            given: Mutex::default(),
        }
    }
}

impl Connector for Replay {
    fn open(&self, endpoint: &Endpoint, redaction: &Redaction) -> Result<Box<dyn Transport>, EndpointError> {
        Ok(Box::new(self.transport(endpoint, redaction)))
    }

    fn is_offline(&self) -> bool {
        true
    }

    fn allows_conditional_requests(&self) -> bool {
        false
    }
}

/// The replay of one client.
#[derive(Debug)]
pub(super) struct ReplayTransport {
    index: Arc<Index>,
    /// The scrubs that are tried on a request, the one with pseudonyms first.
    ///
    /// A folder with a key can also contain recordings without pseudonyms.
    scrubs: Vec<Scrub>,
    host: Host,
    base: String,
    endpoint: Endpoint,
    /// The number of responses that were returned from each series.
    given: Mutex<HashMap<usize, usize>>,
}

impl ReplayTransport {
    /// Reads the recorded response to a request from disk.
    ///
    /// `fit` reserves the memory for the response. If it fails, the next call returns the same response again.
    pub(super) fn respond(
        &self,
        request: &WireRequest,
        fit: impl FnOnce(usize) -> Result<(), TransportError>,
    ) -> Outcome {
        let questions: Vec<_> = self.scrubs.iter().filter_map(|scrub| question(&scrub.request(request))).collect();
        let found = questions.iter().find_map(|(place, detail)| self.find(place, detail).ok());
        let Some(series) = found else {
            return Err(TransportError::NoResponse(self.miss(questions.into_iter().next())));
        };
        let at = self.next(series, fit)?;
        let unusable =
            |why: String| TransportError::NoResponse(format!("its recorded response cannot be replayed: {why}"));
        let entry = self.index.archive.entry(at).map_err(|error| unusable(error.to_string()))?;
        self.outcome(&entry.response).map_err(|error| unusable(error.to_string()))?
    }

    fn miss(&self, question: Option<(RequestKey, RequestVariant)>) -> String {
        let Some((place, detail)) = question else { return "no recording answers a request without a host".into() };
        let several = self.find(&place, &detail).err().unwrap_or_default();
        let below = place.path.strip_prefix(&self.base).unwrap_or(&place.path).to_owned();
        Mismatch { index: &self.index, asked: RequestKey { path: below, ..place }, detail, several }.to_string()
    }

    /// Returns the best matching series, or the hosts among which the request is ambiguous.
    fn find(&self, asked: &RequestKey, detail: &RequestVariant) -> Result<&Series, BTreeSet<Host>> {
        let known = self.index.hosts.contains_key(&self.host);
        let hosts = self.index.hosts.keys().filter(|host| !known || **host == self.host);
        let mut all: Vec<_> = hosts.filter_map(|host| Some((host, self.find_on(host, asked, detail)?))).collect();
        // A host that only redirects to another one does not make the request ambiguous.
        if all.iter().any(|(_, series)| !series.is_pointer) {
            all.retain(|(_, series)| !series.is_pointer);
        }
        let mut found = all.into_iter();
        match (found.next(), found.next()) {
            (Some((_, series)), None) => Ok(series),
            (Some((one, _)), Some((other, _))) => {
                Err([one, other].into_iter().chain(found.map(|(host, _)| host)).cloned().collect())
            }
            (None, _) => Err(BTreeSet::new()),
        }
    }

    fn find_on(&self, host: &Host, asked: &RequestKey, detail: &RequestVariant) -> Option<&Series> {
        let below = asked.path.strip_prefix(&self.base)?;
        let shared = self.index.hosts.get(host)?;
        // Try the path as it is, then below each prefix that all recorded paths share, the root first.
        let beginnings = (1..=shared.len()).map(|segments| shared[..segments].join("/"));
        let paths =
            std::iter::once(asked.path.clone()).chain(beginnings.map(|beginning| format!("{beginning}{below}")));
        let answers = |path| {
            let place = RequestKey { host: host.clone(), path, ..asked.clone() };
            let there = self.index.there(&place)?;
            let ranked = there.iter().filter_map(|series| {
                let distance = detail.distance(&series.detail, || Index::is_whole(there, series))?;
                Some(((series.is_pointer, distance), series))
            });
            ranked.min_by_key(|(rank, _)| *rank).map(|(_, series)| series)
        };
        paths.into_iter().find_map(answers)
    }

    fn next(
        &self,
        series: &Series,
        fit: impl FnOnce(usize) -> Result<(), TransportError>,
    ) -> Result<Located, TransportError> {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let count = given.entry(series.id).or_default();
        let last = series.answers.len() - 1;
        let (_, at) = series.answers[last.min(*count)];
        fit(at.bytes())?;
        *count += 1;
        Ok(at)
    }

    /// Returns the recorded outcome, or the reason why it cannot be replayed.
    fn outcome(&self, response: &Response) -> Result<Outcome, BodyError> {
        let status = u16::try_from(response.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
        let Some(status) = status.filter(|_| response.status >= 100) else {
            return Ok(Err(match &response.error {
                Some(error) if error == har::TOO_LARGE => TransportError::TooLarge,
                Some(error) => TransportError::Connection(error.clone()),
                None => TransportError::Connection("no response arrived during the recording".into()),
            }));
        };
        if status == StatusCode::NOT_MODIFIED {
            return Err(BodyError::NotModified);
        }
        let limit = self.endpoint.largest_body_of(status);
        let compression = header(&response.headers, CONTENT_ENCODING.as_str());
        let body = match body::decode(&response.content, compression, limit) {
            Ok(body) => body,
            Err(BodyError::TooLarge(_)) if status.is_success() => return Ok(Err(TransportError::TooLarge)),
            // The status is sufficient.
            Err(_) if !status.is_success() => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(Ok(WireResponse::new(status, body).with_headers(headers(response))))
    }
}

impl Transport for ReplayTransport {
    fn send<'a>(&'a self, request: WireRequest, reservation: &'a mut Reservation) -> BoxFuture<'a, Outcome> {
        ready(self.respond(&request, |bytes| reservation.fit(bytes))).boxed()
    }
}

/// Returns the headers that HTTP allows.
///
/// Browsers also list the `:status` of HTTP/2.
fn headers(response: &Response) -> HeaderMap {
    let kept =
        response.headers.iter().filter(|header| !OF_THE_WIRE.iter().any(|name| header.name.eq_ignore_ascii_case(name)));
    let mut headers = HeaderMap::new();
    for header in kept {
        let name = HeaderName::from_bytes(header.name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(header.value.as_bytes())) {
            headers.append(name, value);
        }
    }
    headers
}
