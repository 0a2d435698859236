//! Runs the program in a temporary folder and captures its output.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread;

use serde_json::Value;

/// A temporary folder and an environment without other variables.
pub struct Space {
    folder: tempfile::TempDir,
    variables: Vec<(&'static str, String)>,
}

/// The exit code and the output of a run.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Space {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder"), variables: Vec::new() }
    }

    pub fn with(mut self, variable: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((variable, value.into()));
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("a file")
    }

    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_integration-space"));
        command.args(line.split_whitespace()).current_dir(self.folder.path()).env_clear();
        command.envs(self.variables.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        command
    }

    pub fn run(&self, line: &str) -> Said {
        self.command(line).output().map(Said::from).expect("the program starts")
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Said {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    /// Both streams together.
    pub fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    /// Stdout without the parts that differ between runs.
    pub fn steady(&self) -> String {
        steady(&self.out)
    }
}

/// Replaces ids and times, and reduces wide gaps, whose width depends on times.
pub fn steady(text: &str) -> String {
    let line = |line: &str| {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let mut kept: Vec<String> = Vec::new();
        for word in words {
            let bare = word.trim_end_matches(['.', ',', '`', ':']);
            if bare.len() >= 13 && bare.starts_with("01") && bare.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
                kept.push(format!("ID{}", &word[bare.len()..]));
            } else if matches!(word.trim_end_matches(['.', ',']), "ms" | "s") {
                kept.pop();
                while kept.last().is_some_and(String::is_empty) {
                    kept.pop();
                }
                kept.push(format!("TIME{}", if word.ends_with('.') { "." } else { "" }));
            } else {
                kept.push(word);
            }
        }
        let mut line = kept.join(" ");
        while line.contains("   ") {
            line = line.replace("   ", "  ");
        }
        line
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Starts a provider that accepts one key. Its thread ends with the process.
pub fn provider() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut request = Vec::new();
            let mut part = [0; 1024];
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                match stream.read(&mut part) {
                    Ok(0) | Err(_) => break,
                    Ok(count) => request.extend_from_slice(&part[..count]),
                }
            }
            let knows = String::from_utf8_lossy(&request).to_lowercase().contains("authorization: bearer right-key");
            let (status, body) = match knows {
                true => ("200 OK", r#"{"email":"laika@space.example"}"#),
                false => ("401 Unauthorized", r#"{"id":"unauthorized","message":"Invalid credentials."}"#),
            };
            let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close");
            let _ = write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        }
    });
    format!("http://{address}")
}
