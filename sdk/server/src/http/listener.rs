//! The listener and its answers.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::AllowedHosts;
use crate::error::ServerError;
use crate::health::Health;
use crate::metrics::Metrics;

/// The maximum number of connections at once. Others wait in the queue of the operating system.
const CONNECTIONS: usize = 32;
/// The maximum time for the header of a request.
const HEADER_TIME: Duration = Duration::from_secs(5);
/// The maximum time of a connection, which has one request.
const CONNECTION_TIME: Duration = Duration::from_secs(10);
/// The maximum size of the header of a request, in bytes.
const HEADER_SIZE: usize = 16 * 1024;
/// The pause after a connection that could not be accepted, for example because there are too many open files.
const PAUSE: Duration = Duration::from_millis(200);

const PLAIN: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// An endpoint that listens on an address.
#[derive(Debug)]
pub struct Endpoint {
    listener: TcpListener,
    address: SocketAddr,
    contents: Arc<Contents>,
}

#[derive(Debug)]
struct Contents {
    hosts: AllowedHosts,
    health: Health,
    metrics: Metrics,
}

impl Endpoint {
    /// Listens on an address. Port 0 selects a free port.
    ///
    /// # Errors
    /// [`ServerError::Listen`] if the address is not available.
    pub async fn bind(
        address: SocketAddr,
        hosts: AllowedHosts,
        health: Health,
        metrics: Metrics,
    ) -> Result<Self, ServerError> {
        let failed = |source| ServerError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, contents: Arc::new(Contents { hosts, health, metrics }) })
    }

    /// Returns the address, with the selected port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until `stop` is cancelled.
    pub async fn serve(self, stop: CancellationToken) {
        let permits = Arc::new(Semaphore::new(CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            // The semaphore is never closed.
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = stop.cancelled() => return,
            };
            match accepted {
                Ok((stream, _)) => {
                    let contents = Arc::clone(&self.contents);
                    connections.spawn(async move {
                        connection(stream, contents).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
            while connections.try_join_next().is_some() {}
        }
    }
}

async fn connection(stream: TcpStream, contents: Arc<Contents>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = contents.answer(&request);
        async move { Ok::<_, Infallible>(answer) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(HEADER_SIZE)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // An error concerns only the client, which has closed the connection or sent no HTTP.
    let _ = tokio::time::timeout(CONNECTION_TIME, connection).await;
}

impl Contents {
    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let mut hosts = request.headers().get_all(HOST).iter();
        let host = hosts.next().and_then(|host| host.to_str().ok());
        if hosts.next().is_some() || !host.is_some_and(|host| self.hosts.allows(host)) {
            return plain(StatusCode::MISDIRECTED_REQUEST, "this name is not allowed; use the address\n");
        }
        if !["/healthz", "/readyz", "/metrics"].contains(&request.uri().path()) {
            return plain(StatusCode::NOT_FOUND, "there are /healthz, /readyz and /metrics\n");
        }
        if request.method() != Method::GET {
            let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "use GET\n");
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
            return answer;
        }
        match request.uri().path() {
            "/healthz" if self.health.is_alive() => plain(StatusCode::OK, "ok\n"),
            "/healthz" => plain(StatusCode::SERVICE_UNAVAILABLE, "the scheduler is stuck\n"),
            "/readyz" => match self.health.unready() {
                None => plain(StatusCode::OK, "ready\n"),
                Some(reason) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
            },
            _ => answer(StatusCode::OK, OPEN_METRICS, self.metrics.encode()),
        }
    }
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    answer(status, PLAIN, text)
}

fn answer(status: StatusCode, content_type: &'static str, text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::health::Phase;

    async fn start() -> (SocketAddr, Health, CancellationToken) {
        let (health, stop) = (Health::new(), CancellationToken::new());
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let bound = Endpoint::bind(address, AllowedHosts::default(), health.clone(), Metrics::new()).await;
        let endpoint = bound.expect("a free port");
        let address = endpoint.address();
        tokio::spawn(endpoint.serve(stop.clone()));
        (address, health, stop)
    }

    /// Sends bytes and returns everything that the endpoint sends until it closes the connection.
    async fn exchange(address: SocketAddr, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(address).await.expect("a listener");
        let _ = stream.write_all(request).await;
        let mut answer = Vec::new();
        // A reset ends the answer as well.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).expect("text")
    }

    async fn get(address: SocketAddr, path: &str) -> String {
        exchange(address, format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).await
    }

    #[tokio::test]
    async fn health_follows_the_phase() {
        let (address, health, _stop) = start().await;
        assert!(get(address, "/readyz").await.starts_with("HTTP/1.1 503"));
        health.enter(Phase::Ready);
        assert!(get(address, "/readyz?verbose").await.starts_with("HTTP/1.1 200"));
        assert!(get(address, "/healthz").await.ends_with("\r\n\r\nok\n"));
        let metrics = get(address, "/metrics").await;
        assert!(metrics.contains("openmetrics") && metrics.ends_with("# EOF\n"), "{metrics}");
    }

    #[tokio::test]
    async fn other_methods_paths_and_hosts_are_refused() {
        let (address, _health, _stop) = start().await;
        for (request, status) in [
            ("POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx", "405"),
            ("HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", "405"),
            ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"),
            ("GET /metrics/../healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"),
            ("GET /metrics HTTP/1.1\r\nHost: attacker.example\r\n\r\n", "421"),
            ("GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: attacker.example\r\n\r\n", "421"),
            ("GET /metrics HTTP/1.0\r\n\r\n", "421"),
            ("nonsense\r\n\r\n", "400"),
        ] {
            let answer = exchange(address, request.as_bytes()).await;
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status}")) || answer.starts_with(&format!("HTTP/1.0 {status}")),
                "{request}: {answer}"
            );
        }
        let long = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(2 * HEADER_SIZE));
        let answer = exchange(address, long.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    }

    #[tokio::test]
    async fn an_unfinished_request_ends_and_does_not_keep_others_out() {
        let (address, _health, _stop) = start().await;
        let mut slow = Vec::new();
        for _ in 0..CONNECTIONS {
            let mut stream = TcpStream::connect(address).await.expect("a listener");
            stream.write_all(b"GET /healthz HTTP/1.1\r\n").await.expect("open");
            slow.push(stream);
        }
        // The endpoint is full. This request is answered after the others have reached their limit.
        tokio::time::pause();
        assert!(get(address, "/healthz").await.starts_with("HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn an_address_in_use_is_an_error_with_the_address() {
        let (address, health, _stop) = start().await;
        let again = Endpoint::bind(address, AllowedHosts::default(), health, Metrics::new()).await;
        let error = again.expect_err("in use").to_string();
        assert!(error.contains(&address.to_string()), "{error}");
    }
}
