//! The process of the soak, which the driver kills.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use integration_cli::Program;
use integration_server::{AllowedHosts, Clock, Endpoint, Options};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

/// The variable that names the folder of the process.
pub(super) const FOLDER: &str = "SERVE_SOAK_FOLDER";

/// A clock that stands still until the driver sets it.
pub(super) struct FileClock(pub(super) PathBuf);

impl Clock for FileClock {
    fn now(&self) -> Timestamp {
        let text = fs::read_to_string(&self.0).expect("the driver sets the time");
        text.trim().parse().expect("a time")
    }

    fn sleep_until(&self, time: Timestamp) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            while self.now() < time {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
    }
}

/// The process of the soak: the server of the program, which the driver kills.
#[test]
#[ignore = "the soak starts it"]
fn process_of_the_soak() {
    let Some(folder) = env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let program = Program::new(integration_heroku::integration()).rules(super::RULES);
    let options = Options { poll: Duration::from_millis(50), ..Options::default() };
    let clock = Arc::new(FileClock(folder.join("clock")));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
    let served = runtime.block_on(async {
        let server = program.server(&folder.join(".integration"), clock, options).map_err(|error| error.to_string())?;
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let endpoint = Endpoint::bind(address, AllowedHosts::default(), server.health(), server.metrics()).await;
        let endpoint = endpoint.map_err(|error| error.to_string())?;
        fs::write(folder.join("address.incomplete"), endpoint.address().to_string()).expect("a file");
        fs::rename(folder.join("address.incomplete"), folder.join("address")).expect("a file");
        tokio::spawn(endpoint.serve(CancellationToken::new()));
        server.run(CancellationToken::new()).await.map_err(|error| error.to_string())
    });
    panic!("the server ended by itself: {served:?}");
}
