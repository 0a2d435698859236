//! The start and stop of chromedriver.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use fantoccini::ClientBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::tab::Tab;

/// The time limit for the start of chromedriver.
const START: Duration = Duration::from_secs(20);

/// A chromedriver process, which stops when dropped.
#[derive(Debug)]
pub struct Browser {
    port: u16,
    _driver: Child,
}

impl Browser {
    /// Starts chromedriver if the environment requests browser tests. Otherwise prints a message and returns `None`.
    ///
    /// # Panics
    /// Panics if browser tests are requested and chromedriver does not start, because the test would check nothing.
    pub async fn start() -> Option<Browser> {
        if std::env::var_os("BROWSER_TESTS").is_none_or(|value| value != "1") {
            eprintln!("skipped: set BROWSER_TESTS=1 if chromium and chromedriver are installed");
            return None;
        }
        let port = free_port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("chromedriver (Debian: apt-get install chromium-driver): {error}"));
        let answers = async {
            while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(START, answers).await.unwrap_or_else(|_| panic!("chromedriver does not answer on port {port}"));
        Some(Browser { port, _driver: driver })
    }

    /// Opens a page, stored as a file, in a window of this size.
    ///
    /// # Panics
    /// Panics if the browser does not start.
    pub async fn open(&self, page: &[u8], (width, height): (u32, u32)) -> Tab {
        let folder = TempDir::new().expect("a folder for the page");
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(&folder, width, height))
            .connect(&format!("http://127.0.0.1:{}/", self.port))
            .await
            .unwrap_or_else(|error| panic!("a window in chromium: {error}"));
        Tab::open(client, folder, page).await
    }
}

/// Returns a free port.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port on loopback");
    listener.local_addr().expect("an address").port()
}

fn capabilities(folder: &TempDir, width: u32, height: u32) -> Map<String, Value> {
    let profile = folder.path().join("profile");
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        &format!("--user-data-dir={}", profile.display()),
        &format!("--window-size={width},{height}"),
    ];
    let downloads =
        json!({ "download.default_directory": folder.path().join("downloads"), "download.prompt_for_download": false });
    let mut capabilities = Map::new();
    capabilities.insert("goog:chromeOptions".into(), json!({ "args": arguments, "prefs": downloads }));
    capabilities.insert("goog:loggingPrefs".into(), json!({ "browser": "ALL" }));
    capabilities
}
