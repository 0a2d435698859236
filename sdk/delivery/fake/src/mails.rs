//! A mail server.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

const CERTIFICATE: &[u8] = include_bytes!("../certificate/certificate.pem");
const KEY: &[u8] = include_bytes!("../certificate/key.pem");
/// The maximum size of a message.
const LARGEST: usize = 1 << 20;

/// A received message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mail {
    /// The sender of the envelope.
    pub from: String,
    /// The recipients of the envelope.
    pub to: Vec<String>,
    /// The headers and the body, with line feeds.
    pub text: String,
    /// Whether the connection was encrypted.
    pub is_encrypted: bool,
}

/// A mail server, which runs until the test ends.
pub struct Mails {
    port: u16,
    /// The user name and the password, which are accepted on encrypted connections only.
    user: Option<(String, String)>,
    /// The answers to the next messages in place of 250.
    script: Mutex<VecDeque<&'static str>>,
    received: Mutex<Vec<Mail>>,
    errors: Mutex<Vec<String>>,
    tls: Arc<ServerConfig>,
}

/// The connection before and after STARTTLS.
enum Line {
    Plain(TcpStream),
    Encrypted(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Encrypted(stream) => stream.read(buffer),
        }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Encrypted(stream) => stream.write(bytes),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Encrypted(stream) => stream.flush(),
        }
    }
}

impl Mails {
    /// Starts a server. With a user and a password, it accepts messages after STARTTLS and authentication only.
    ///
    /// `script` are the answers to the first messages, such as `451 try again`; afterwards all are accepted.
    ///
    /// # Errors
    /// The error of the operating system if no port is free.
    ///
    /// # Panics
    /// If the certificate of the crate is unusable.
    pub fn start(user: Option<(&str, &str)>, script: impl IntoIterator<Item = &'static str>) -> io::Result<Arc<Self>> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let certificate = CertificateDer::from_pem_slice(CERTIFICATE).expect("a certificate");
        let key = PrivateKeyDer::from_pem_slice(KEY).expect("a key");
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("a certificate with its key");
        let server = Arc::new(Self {
            port: listener.local_addr()?.port(),
            user: user.map(|(user, password)| (user.to_owned(), password.to_owned())),
            script: Mutex::new(script.into_iter().collect()),
            received: Mutex::default(),
            errors: Mutex::default(),
            tls: Arc::new(tls),
        });
        let serving = Arc::clone(&server);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = Arc::clone(&serving);
                thread::spawn(move || {
                    match server.serve(stream) {
                        // A client that was killed breaks no rule.
                        Err(error) if !is_broken(&error) => lock(&server.errors).push(error.to_string()),
                        _ => {}
                    }
                });
            }
        });
        Ok(server)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path of the certificate that clients must trust.
    pub fn certificate() -> PathBuf {
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/certificate/certificate.pem"))
    }

    /// The accepted messages.
    pub fn received(&self) -> Vec<Mail> {
        lock(&self.received).clone()
    }

    /// The errors of clients, such as commands in the wrong order. Broken connections are none.
    pub fn errors(&self) -> Vec<String> {
        lock(&self.errors).clone()
    }

    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let mut line = BufReader::new(Line::Plain(stream));
        say(&mut line, "220 localhost ESMTP")?;
        let (mut greeted, mut known, mut mail) = (false, self.user.is_none(), Mail::default());
        loop {
            let Some(command) = hear(&mut line)? else { return Ok(()) };
            let is_encrypted = matches!(line.get_ref(), Line::Encrypted(_));
            let upper = command.to_ascii_uppercase();
            match upper.split([' ', ':']).next().unwrap_or_default() {
                "EHLO" => {
                    greeted = true;
                    let extension = if is_encrypted { "AUTH PLAIN LOGIN" } else { "STARTTLS" };
                    say(&mut line, &format!("250-localhost\r\n250-8BITMIME\r\n250 {extension}"))?;
                }
                "STARTTLS" if greeted && !is_encrypted => {
                    say(&mut line, "220 ready")?;
                    if !line.buffer().is_empty() {
                        return Err(unexpected("commands after STARTTLS"));
                    }
                    let Line::Plain(stream) = line.into_inner() else { return Err(unexpected("TLS twice")) };
                    let connection = ServerConnection::new(Arc::clone(&self.tls)).map_err(io::Error::other)?;
                    line = BufReader::new(Line::Encrypted(Box::new(StreamOwned::new(connection, stream))));
                    greeted = false;
                }
                "AUTH" if greeted && is_encrypted => {
                    known = self.is_known(command.get("AUTH PLAIN ".len()..).unwrap_or_default());
                    say(&mut line, if known { "235 accepted" } else { "535 authentication failed" })?;
                }
                "MAIL" if greeted && !known => say(&mut line, "530 authentication required")?,
                "MAIL" if greeted && mail.from.is_empty() => {
                    mail = Mail { from: address(&command)?, is_encrypted, ..Mail::default() };
                    say(&mut line, "250 ok")?;
                }
                "RCPT" if !mail.from.is_empty() => {
                    mail.to.push(address(&command)?);
                    say(&mut line, "250 ok")?;
                }
                "DATA" if !mail.to.is_empty() => {
                    say(&mut line, "354 go on")?;
                    mail.text = data(&mut line)?;
                    let answer = lock(&self.script).pop_front();
                    let mail = std::mem::take(&mut mail);
                    match answer {
                        Some(answer) => say(&mut line, answer)?,
                        None => {
                            lock(&self.received).push(mail);
                            say(&mut line, "250 accepted")?;
                        }
                    }
                }
                "RSET" => {
                    mail = Mail::default();
                    say(&mut line, "250 ok")?;
                }
                "NOOP" => say(&mut line, "250 ok")?,
                "QUIT" => return say(&mut line, "221 bye"),
                _ => {
                    lock(&self.errors).push(command);
                    say(&mut line, "503 bad sequence of commands")?;
                }
            }
        }
    }

    fn is_known(&self, encoded: &str) -> bool {
        let Some((user, password)) = &self.user else { return false };
        STANDARD.decode(encoded).is_ok_and(|text| text == format!("\0{user}\0{password}").as_bytes())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unexpected(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// Returns whether the connection broke off.
fn is_broken(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

fn say(line: &mut BufReader<Line>, text: &str) -> io::Result<()> {
    line.get_mut().write_all(format!("{text}\r\n").as_bytes())?;
    line.get_mut().flush()
}

/// Reads a line; `None` at the end of the connection.
fn hear(line: &mut BufReader<Line>) -> io::Result<Option<String>> {
    let mut text = String::new();
    match line.read_line(&mut text) {
        Ok(0) => return Ok(None),
        Ok(_) => {}
        // Clients may close an encrypted connection without the alert of TLS.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    text.strip_suffix("\r\n").map(|text| Some(text.to_owned())).ok_or_else(|| unexpected("a line without CRLF"))
}

/// Reads a message up to the final dot.
fn data(line: &mut BufReader<Line>) -> io::Result<String> {
    let mut text = String::new();
    loop {
        let next = hear(line)?.ok_or_else(|| unexpected("a message without an end"))?;
        if next == "." {
            return Ok(text);
        }
        text += next.strip_prefix('.').unwrap_or(&next);
        text.push('\n');
        if text.len() > LARGEST {
            return Err(unexpected("the message is too large"));
        }
    }
}

fn address(command: &str) -> io::Result<String> {
    let inner = command.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map(|(address, _)| address.to_owned()).ok_or_else(|| unexpected("no address"))
}
