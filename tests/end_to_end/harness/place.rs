//! A folder and an environment for the program. Only variables that the test sets are visible to the program.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use integration_heroku::fake::FakeHeroku;

use super::{Graph, Said};

/// A limit that only a program that hangs reaches.
const PATIENCE: Duration = Duration::from_secs(240);

/// A folder and an environment for the program.
pub struct Place {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Place {
    /// An environment without credentials.
    pub fn alone() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder"), variables: Vec::new() }
    }

    /// An environment with the credentials of a fake Heroku.
    pub fn before(heroku: &FakeHeroku) -> Self {
        Self::alone().with("HEROKU_API_URL", heroku.url()).with("HEROKU_API_KEY", heroku.token())
    }

    /// Sets a variable, replacing its earlier value.
    pub fn with(mut self, variable: &str, value: impl Into<String>) -> Self {
        self.variables.retain(|(name, _)| name != variable);
        self.variables.push((variable.to_owned(), value.into()));
        self
    }

    /// The variables that the program sees.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
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

    /// Runs the program and waits for its end.
    pub fn run(&self, line: &str) -> Said {
        self.start(line).end()
    }

    /// Collects with options and exports. Returns the result, with the summary on stdout, and the graph.
    pub fn collect(&self, options: &str) -> (Said, Graph) {
        let said = self.run(&format!("collect --format json --output out {options}"));
        (said, Graph::read(&self.path("out/graph")))
    }

    /// Resumes the newest job, which must then be complete.
    pub fn resume(&self) -> (Said, Graph) {
        let (said, graph) = self.collect("--resume");
        assert_eq!(said.code, 0, "{}", said.all());
        (said, graph)
    }

    /// The states of all jobs, newest first.
    pub fn states(&self) -> Vec<String> {
        let said = self.run("jobs list --format json");
        assert_eq!(said.code, 0, "{}", said.all());
        let jobs = said.json();
        let jobs = jobs.as_array().expect("a list").iter();
        jobs.map(|job| job["state"].as_str().expect("a state").to_owned()).collect()
    }

    /// Starts the program.
    pub fn start(&self, line: &str) -> Running {
        self.launch(Command::new(env!("CARGO_BIN_EXE_integration-heroku")), line)
    }

    /// Runs the program through a shell script and waits for its end. The script starts it as `"$0" "$@"`.
    pub fn shell(&self, script: &str, line: &str) -> Said {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", script, env!("CARGO_BIN_EXE_integration-heroku")]);
        self.launch(shell, line).end()
    }

    fn launch(&self, mut command: Command, line: &str) -> Running {
        command.args(line.split_whitespace()).current_dir(self.root()).env_clear();
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let errors = BufReader::new(child.stderr.take().expect("piped"));
        let (over, told) = mpsc::channel();
        let process = child.id();
        thread::spawn(move || {
            if told.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                signal(process, "KILL");
            }
        });
        Running { child, errors, err: String::new(), _over: over }
    }
}

/// A running program.
pub struct Running {
    child: Child,
    errors: BufReader<ChildStderr>,
    err: String,
    /// Dropping this sender, when the process ends, stops the watchdog.
    _over: mpsc::Sender<()>,
}

impl Running {
    /// Reads stderr until one line of each beginning has been seen.
    pub fn tells(&mut self, beginnings: &[&str]) {
        let mut missing = beginnings.to_vec();
        while !missing.is_empty() {
            let mut line = String::new();
            let read = self.errors.read_line(&mut line).expect("text");
            assert!(read > 0, "the program ended before it printed {missing:?}: {}", self.err);
            missing.retain(|beginning| !line.starts_with(beginning));
            self.err += &line;
        }
    }

    /// Kills the program as `kill -9` does.
    pub fn kill(mut self) {
        self.child.kill().expect("a child process");
        let said = self.end();
        assert_eq!(said.code, Said::KILLED, "the program ended before it was killed: {}", said.all());
    }

    /// Kills the program as `kill -9` does, unless it has ended. Returns whether it was still running.
    pub fn kill_if_running(mut self) -> bool {
        // Killing a process that has ended, but was not waited for, succeeds as well. Only its status tells the two apart.
        self.child.kill().expect("a child process");
        self.end().code == Said::KILLED
    }

    /// Sends a signal such as `INT`, which Ctrl-C sends.
    pub fn interrupt(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Waits for the end of the program.
    pub fn end(mut self) -> Said {
        let mut out = self.child.stdout.take().expect("piped");
        let out = thread::spawn(move || {
            let mut text = String::new();
            out.read_to_string(&mut text).map(|_| text)
        });
        self.errors.read_to_string(&mut self.err).expect("text");
        let out = out.join().expect("no panic").expect("text");
        let status = self.child.wait().expect("it ends");
        Said { code: status.code().unwrap_or(Said::KILLED), out, err: std::mem::take(&mut self.err) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A failed test must not leave a process behind. Killing a process that has ended returns an error, which is
        // irrelevant.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn signal(process: u32, name: &str) {
    let sent = Command::new("kill")
        .args([format!("-{name}"), process.to_string()])
        .status()
        .expect("the command `kill` is installed");
    assert!(sent.success(), "the process must exist to receive {name}");
}
