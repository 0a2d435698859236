//! The process of the soak, which the driver kills.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use integration_cli::Program;
use integration_server::{Clock, Options};
use jiff::Timestamp;
use tokio::runtime::Builder;

use super::super::child;

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
    let Some(folder) = child::folder() else { return };
    let program = Program::new(integration_heroku::integration()).rules(super::RULES);
    let options = Options { poll: Duration::from_millis(50), ..Options::default() };
    let clock = Arc::new(FileClock(folder.join("clock")));
    child::serve(&mut Builder::new_multi_thread(), &folder, &program, clock, options);
}
