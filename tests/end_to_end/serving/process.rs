//! A running `serve`, whose logs are read while it runs.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Place, Said};

/// A limit that only a program that hangs reaches.
const PATIENCE: Duration = Duration::from_secs(240);

/// A running `serve` with an endpoint on a free port, and its logs as JSON.
pub struct Serving {
    child: Process,
    lines: Receiver<String>,
    reader: JoinHandle<()>,
    address: Option<String>,
    err: String,
}

/// A process that a failed test does not leave behind.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        // A process that has ended gives an error, which is irrelevant.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Serving {
    /// Starts `serve` with further options.
    pub fn start(place: &Place, options: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_integration-heroku"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json"]).args(options.split_whitespace());
        command.current_dir(place.root()).env_clear().envs(place.variables());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let errors = BufReader::new(child.stderr.take().expect("piped"));
        let (told, lines) = channel();
        let reader = thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                if told.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child: Process(child), lines, reader, address: None, err: String::new() }
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.child.0.id()
    }

    /// The address of the endpoint. It is in the log, and is known after the first event.
    pub fn address(&self) -> String {
        self.address.clone().expect("the log contains the address")
    }

    /// Reads events of the log until one fulfils a condition.
    pub fn until(&mut self, wanted: impl Fn(&Value) -> bool) {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|error| panic!("the event did not happen ({error}): {}", self.err));
            self.err += &line;
            self.err.push('\n');
            let event: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            if event["message"] == "health and metrics" {
                self.address = event["address"].as_str().map(str::to_owned);
            }
            if wanted(&event) {
                return;
            }
        }
    }

    /// Sends SIGINT.
    pub fn interrupt(&self) {
        let sent = Command::new("kill").args(["-INT", &self.child.0.id().to_string()]).status().expect("kill");
        assert!(sent.success());
    }

    /// Stops the program and waits for its end.
    pub fn stop(self) -> Said {
        self.interrupt();
        self.end()
    }

    /// Waits for the end of the program.
    pub fn end(self) -> Said {
        let Self { mut child, lines, reader, mut err, .. } = self;
        let mut out = String::new();
        std::io::Read::read_to_string(&mut child.0.stdout.take().expect("piped"), &mut out).expect("text");
        let status = child.0.wait().expect("it ends");
        reader.join().expect("no panic");
        lines.iter().for_each(|line| err = format!("{err}{line}\n"));
        Said { code: status.code().unwrap_or(Said::KILLED), out, err }
    }

    /// Kills the program as `kill -9` does.
    pub fn kill(mut self) {
        self.child.0.kill().expect("a child process");
        assert_eq!(self.end().code, Said::KILLED);
    }
}
