//! A private PostgreSQL cluster on loopback, without durability.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A running server. It stops when it is dropped.
pub struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
    port: u16,
}

impl Server {
    /// Starts a server; `None` if PostgreSQL is not installed.
    ///
    /// # Panics
    /// If the server does not start, or if it is not installed although `POSTGRES_TESTS` is set.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            assert!(std::env::var_os("POSTGRES_TESTS").is_none(), "PostgreSQL is not installed");
            eprintln!("skipped: PostgreSQL is not installed (Debian package postgresql-15)");
            return None;
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let server = Self { folder, programs, port };
        if is_root() {
            // The server refuses to run as root.
            run(Command::new("chown").arg("postgres").arg(server.folder.path()));
        }
        let data = server.data();
        run(server.program("initdb").arg("-D").arg(&data).args([
            "-U",
            "postgres",
            "--auth=trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]));
        let socket = server.folder.path().display();
        let options = format!("-p {port} -c listen_addresses=127.0.0.1 -k {socket} -c fsync=off");
        let log = server.folder.path().join("log");
        run(server.program("pg_ctl").arg("-D").arg(&data).arg("-w").arg("-l").arg(log).args(["-o", &options, "start"]));
        Some(server)
    }

    /// The address of the database.
    pub fn address(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Makes the server request the password of a user.
    #[allow(dead_code, reason = "only the end-to-end tests have users with passwords")]
    pub fn require_passwords(&self, user: &str) {
        let path = self.data().join("pg_hba.conf");
        let rules = std::fs::read_to_string(&path).expect("the rules of access");
        std::fs::write(&path, format!("host all {user} 127.0.0.1/32 scram-sha-256\n{rules}")).expect("a file");
        run(self.program("pg_ctl").arg("-D").arg(self.data()).arg("reload"));
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        if !is_root() {
            return Command::new(path);
        }
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(path);
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The folder is removed afterwards; a server that has ended already is no failure.
        drop(self.program("pg_ctl").arg("-D").arg(self.data()).args(["-m", "immediate", "stop"]).output());
    }
}

fn run(command: &mut Command) {
    let output = command.current_dir("/").output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}{said}", String::from_utf8_lossy(&output.stdout));
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("the command `id` is installed");
    output.stdout.trim_ascii() == b"0"
}

/// The folder of the server's programs, of the newest version.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut found: Vec<PathBuf> = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect();
    let path = std::env::var_os("PATH").unwrap_or_default();
    found.sort();
    found.splice(0..0, std::env::split_paths(&path));
    found.into_iter().rev().find(|folder| Path::new(folder).join("initdb").is_file())
}
