//! A receiver of webhooks.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use integration_rules::delivery::{SigningSecret, verify};
use jiff::{SignedDuration, Timestamp};

/// The maximum size of a body.
const LARGEST: usize = 1 << 20;

/// The beginning of paths that are incoming webhooks of Slack.
const SLACK: &str = "/slack/";

/// The answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Processes the request, and answers with status 204.
    Accept,
    /// Answers with a status, without processing the request.
    Status(u16),
    /// Answers with status 429 and `Retry-After`, without processing the request.
    Later(u32),
    /// Answers with a redirect to this address.
    Redirect(String),
    /// Closes the connection without an answer.
    Cut,
    /// Processes the request, and closes the connection without an answer.
    CutAfter,
    /// Processes the request after a pause.
    Slow(Duration),
}

/// A processed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The headers, with names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
}

#[derive(Default)]
struct State {
    script: VecDeque<Reply>,
    processed: Vec<Received>,
    requests: usize,
    repeated: usize,
    refused: Vec<String>,
}

/// A receiver of webhooks, which runs until the test ends.
pub struct Webhooks {
    address: String,
    secret: Option<SigningSecret>,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    state: Mutex<State>,
}

impl Webhooks {
    /// Starts a receiver. With a secret, it accepts signed requests only.
    ///
    /// # Errors
    /// The error of the operating system if no port is free.
    ///
    /// # Panics
    /// If the secret is none.
    pub fn start(secret: Option<&str>, script: impl IntoIterator<Item = Reply>) -> io::Result<Arc<Self>> {
        Self::start_with_clock(secret, script, Timestamp::now)
    }

    /// Starts a receiver that compares the times of requests with another clock.
    ///
    /// # Errors
    /// The error of the operating system if no port is free.
    ///
    /// # Panics
    /// If the secret is none.
    pub fn start_with_clock(
        secret: Option<&str>,
        script: impl IntoIterator<Item = Reply>,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> io::Result<Arc<Self>> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let secret = secret.map(|text| SigningSecret::parse(text).expect("a signing secret"));
        let address = listener.local_addr()?.to_string();
        let state = Mutex::new(State { script: script.into_iter().collect(), ..State::default() });
        let receiver = Arc::new(Self { address, secret, clock: Box::new(clock), state });
        let serving = Arc::clone(&receiver);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let receiver = Arc::clone(&serving);
                // A connection that breaks concerns its sender only.
                thread::spawn(move || drop(receiver.serve(&stream)));
            }
        });
        Ok(receiver)
    }

    /// The host and the port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The processed requests, each identifier once.
    pub fn processed(&self) -> Vec<Received> {
        self.state().processed.clone()
    }

    /// The number of all requests.
    pub fn requests(&self) -> usize {
        self.state().requests
    }

    /// The number of requests whose identifier was processed before.
    pub fn repeated(&self) -> usize {
        self.state().repeated
    }

    /// The reasons of refused requests, such as a wrong signature.
    pub fn refused(&self) -> Vec<String> {
        self.state().refused.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one request, and closes the connection.
    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        let received = read(&mut BufReader::new(stream))?;
        let reply = {
            let mut state = self.state();
            state.requests += 1;
            state.script.pop_front().unwrap_or(Reply::Accept)
        };
        match reply {
            Reply::Accept => {
                let status = self.process(received);
                answer(stream, status, "")
            }
            Reply::Slow(pause) => {
                thread::sleep(pause);
                let status = self.process(received);
                answer(stream, status, "")
            }
            Reply::Status(status) => answer(stream, status, ""),
            Reply::Later(seconds) => answer(stream, 429, &format!("Retry-After: {seconds}\r\n")),
            Reply::Redirect(to) => answer(stream, 307, &format!("Location: {to}\r\n")),
            Reply::Cut => Ok(()),
            Reply::CutAfter => {
                self.process(received);
                Ok(())
            }
        }
    }

    /// Processes a request once, and returns the status of the answer.
    fn process(&self, received: Received) -> u16 {
        let checked = self.check(&received);
        let mut state = self.state();
        match checked {
            Err(reason) => {
                state.refused.push(reason);
                401
            }
            Ok(id) => {
                let has_id = |known: &Received| known.headers.get("webhook-id") == id.as_ref();
                let is_known = id.is_some() && state.processed.iter().any(has_id);
                if is_known {
                    state.repeated += 1;
                } else {
                    state.processed.push(received);
                }
                204
            }
        }
    }

    /// Returns the identifier of a request. Messages to Slack have none.
    fn check(&self, received: &Received) -> Result<Option<String>, String> {
        if received.path.starts_with(SLACK) {
            let body: serde_json::Value = serde_json::from_str(&received.body).map_err(|_| "invalid_payload")?;
            let text = &body["attachments"][0]["text"];
            return text.as_str().map(|_| None).ok_or_else(|| "no_text".to_owned());
        }
        let header = |name: &str| received.headers.get(name).cloned().ok_or_else(|| format!("no header {name}"));
        let id = header("webhook-id")?;
        if let Some(secret) = &self.secret {
            let (timestamp, signature) = (header("webhook-timestamp")?, header("webhook-signature")?);
            let tolerance = SignedDuration::from_mins(5);
            let signed = (id.as_str(), timestamp.as_str(), signature.as_str());
            verify(secret, signed, received.body.as_bytes(), (self.clock)(), tolerance)
                .map_err(|error| error.to_string())?;
        }
        Ok(Some(id))
    }
}

fn read(stream: &mut impl BufRead) -> io::Result<Received> {
    let wrong = |reason: &str| io::Error::new(io::ErrorKind::InvalidData, reason.to_owned());
    let mut line = || -> io::Result<String> {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        line.strip_suffix("\r\n").map(str::to_owned).ok_or_else(|| wrong("a line without an end"))
    };
    let request = line()?;
    let mut words = request.split(' ');
    let (Some(method), Some(path), Some("HTTP/1.1"), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(wrong("no request line"));
    };
    let (method, path) = (method.to_owned(), path.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let header = line()?;
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':').ok_or_else(|| wrong("no header"))?;
        if headers.insert(name.to_ascii_lowercase(), value.trim().to_owned()).is_some() {
            return Err(wrong("a repeated header"));
        }
    }
    let length: usize =
        headers.get("content-length").map_or(Ok(0), |text| text.parse()).map_err(|_| wrong("a length"))?;
    if length > LARGEST || headers.contains_key("transfer-encoding") {
        return Err(wrong("the body is too large or has no length"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let body = String::from_utf8(body).map_err(|_| wrong("the body is no text"))?;
    Ok(Received { method, path, headers, body })
}

fn answer(mut stream: &TcpStream, status: u16, headers: &str) -> io::Result<()> {
    let length = if status == 204 { "" } else { "Content-Length: 0\r\n" };
    stream.write_all(format!("HTTP/1.1 {status} Answer\r\n{headers}{length}Connection: close\r\n\r\n").as_bytes())?;
    stream.flush()
}
