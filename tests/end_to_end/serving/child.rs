//! The server of the program in a process of its own, with a clock that the test sets.
//!
//! The process is this test binary with one ignored test, because the program itself has only the clock of the system.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use integration_cli::Program;
use integration_server::{AllowedHosts, Clock, Endpoint, Options};
use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;

use super::process::Process;
use crate::harness::Place;

/// The variable that names the folder of the process.
const FOLDER: &str = "SERVE_FOLDER";

/// Starts the process whose test has this name. The file `address` appears when its endpoint exists.
pub(super) fn start(place: &Place, test: &str, errors: Stdio) -> Process {
    let mut command = Command::new(env::current_exe().expect("this program"));
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    command.env_clear().envs(place.variables()).env(FOLDER, place.root());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
    Process(command.spawn().expect("a process"))
}

/// Returns the folder of the process; `None` outside of it.
pub(super) fn folder() -> Option<PathBuf> {
    env::var_os(FOLDER).map(PathBuf::from)
}

/// Runs the server of the process without an end.
pub(super) fn serve(runtime: &mut Builder, folder: &Path, program: &Program, clock: Arc<dyn Clock>, options: Options) {
    let runtime = runtime.worker_threads(2).enable_all().build().expect("threads");
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
