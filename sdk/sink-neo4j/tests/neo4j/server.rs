//! A private server that speaks Bolt and Cypher, on loopback: ArcadeDB with its own Java, from the PyPI package
//! `arcadedb-embedded`.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The password of the user `root`.
pub const PASSWORD: &str = "playwithdata";

/// A limit that only a server that hangs reaches.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running server. It stops when it is dropped.
pub struct Server {
    folder: tempfile::TempDir,
    process: Child,
    port: u16,
}

impl Server {
    /// Starts a server; `None` if the variable `ARCADEDB`, the folder of the package, is not set.
    ///
    /// # Panics
    /// If the server does not start, or if `ARCADEDB` is not set although `NEO4J_TESTS` is.
    pub fn start() -> Option<Self> {
        let Some(package) = std::env::var_os("ARCADEDB").map(PathBuf::from) else {
            assert!(std::env::var_os("NEO4J_TESTS").is_none(), "ARCADEDB does not name the package arcadedb-embedded");
            eprintln!("skipped: ARCADEDB does not name the folder of the Python package arcadedb-embedded");
            return None;
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [port, http] = [(), ()].map(|()| free_port());
        let set = |name: &str, value: String| format!("-Darcadedb.{name}={value}");
        let log = std::fs::File::create(folder.path().join("output")).expect("a file");
        let mut command = Command::new(package.join("jre/bin/java"));
        command.arg("-Xmx1g").args(
            ["java.nio.channels.spi", "java.nio", "sun.nio.ch", "java.lang"]
                .map(|name| format!("--add-opens=java.base/{name}=ALL-UNNAMED")),
        );
        command.args([
            "--add-modules",
            "jdk.incubator.vector",
            "-cp",
            &format!("{}/*", package.join("jars").display()),
        ]);
        command.arg(set("server.rootPassword", PASSWORD.to_owned()));
        command.arg(set("server.rootPath", folder.path().display().to_string()));
        command.arg(set("server.databaseDirectory", folder.path().join("databases").display().to_string()));
        command.arg(set("server.httpIncomingHost", "127.0.0.1".to_owned()));
        command.arg(set("server.httpIncomingPort", http.to_string()));
        command.arg(set("server.plugins", "Bolt:com.arcadedb.bolt.BoltProtocolPlugin".to_owned()));
        command.arg(set("bolt.host", "127.0.0.1".to_owned())).arg(set("bolt.port", port.to_string()));
        command.arg(set("server.defaultDatabases", "neo4j[root]".to_owned()));
        command.arg("com.arcadedb.server.ArcadeDBServer").current_dir(folder.path());
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a file")).stderr(log);
        let mut server = Self { process: command.spawn().expect("Java starts"), folder, port };
        let begun = Instant::now();
        // The server opens this port last, after its database.
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = server.process.try_wait().expect("a child process");
            assert!(ended.is_none() && begun.elapsed() < PATIENCE, "the server does not start: {}", server.output());
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    /// The address of the server.
    pub fn address(&self) -> String {
        format!("bolt://127.0.0.1:{}", self.port)
    }

    fn output(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("output")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that has ended already is no failure.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port()
}
