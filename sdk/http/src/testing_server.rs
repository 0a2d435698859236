//! A loopback server that sends the replies of a test, byte for byte.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures::future::BoxFuture;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A request as received.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// The path, including the query.
    pub(crate) path: String,
    pub(crate) method: String,
    pub(crate) body: String,
    /// The headers, with names in lower case.
    headers: BTreeMap<String, String>,
    pub(crate) at: Instant,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// The reply of the server to a request.
pub(crate) enum Reply {
    /// These bytes, one write per item. The connection stays open for the next request.
    Pieces(Vec<Vec<u8>>),
    /// These bytes, followed by the end of the connection.
    Cut(Vec<u8>),
    /// Nothing, forever.
    Silence,
    /// The first bytes, then the others repeated forever, some milliseconds apart.
    Drip(Vec<u8>, Vec<u8>),
    /// The reply that this future returns.
    Later(BoxFuture<'static, Reply>),
}

/// Builds a complete response.
pub(crate) fn answer(status: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    Reply::Pieces(vec![format!("{head}\r\n{body}").into_bytes()])
}

pub(crate) fn ok(body: &str) -> Reply {
    answer("200 OK", &[], body)
}

/// Compresses bytes with gzip.
pub(crate) fn zipped(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

type Script = Arc<dyn Fn(usize, &Received) -> Reply + Send + Sync>;

pub(crate) struct Server {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    connections: Arc<AtomicUsize>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Starts a server that replies by `script`.
    ///
    /// The script receives the number of the request, starting at zero, and the request.
    pub(crate) async fn answering(script: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (received, connections) = (Arc::default(), Arc::new(AtomicUsize::new(0)));
        let (log, count, script): (_, _, Script) = (Arc::clone(&received), Arc::clone(&connections), Arc::new(script));
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                // The client may disconnect at any time, so errors of the connection are ignored.
                tokio::spawn(serve(stream, Arc::clone(&log), Arc::clone(&script)));
            }
        });
        Self { address, received, connections, accepting }
    }

    pub(crate) fn url(&self, path: &str) -> url::Url {
        format!("http://{}{path}", self.address).parse().unwrap()
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.received().into_iter().map(|request| request.path).collect()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(stream: TcpStream, log: Arc<Mutex<Vec<Received>>>, script: Script) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufStream::new(stream);
    while let Some(request) = receive(&mut stream).await? {
        let mut reply = {
            let mut log = log.lock().unwrap();
            log.push(request.clone());
            script(log.len() - 1, &request)
        };
        while let Reply::Later(future) = reply {
            reply = future.await;
        }
        match reply {
            Reply::Pieces(pieces) => {
                for piece in pieces {
                    stream.write_all(&piece).await?;
                    stream.flush().await?;
                    tokio::task::yield_now().await;
                }
            }
            Reply::Cut(bytes) => {
                stream.write_all(&bytes).await?;
                stream.flush().await?;
                return stream.shutdown().await;
            }
            Reply::Drip(head, again) => {
                stream.write_all(&head).await?;
                loop {
                    stream.write_all(&again).await?;
                    stream.flush().await?;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
            Reply::Silence | Reply::Later(_) => std::future::pending().await,
        }
    }
    Ok(())
}

async fn receive(stream: &mut BufStream<TcpStream>) -> std::io::Result<Option<Received>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => drop(headers.insert(name.to_lowercase(), value.trim().to_owned())),
            None => break,
        }
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let body = String::from_utf8_lossy(&body).into_owned();
    Ok(Some(Received { path, method, body, headers, at: Instant::now() }))
}
