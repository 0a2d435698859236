//! The receivers of the deliveries of the soak.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use integration_fake_receivers::{Mails, Reply, Webhooks};
use integration_server::Clock;
use serde_json::Value;

use super::process::FileClock;
use crate::harness::Place;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PASSWORD: &str = "s3cret-of-the-soak";

/// A receiver of webhooks and a mail server. Both fail at the beginning.
pub(super) struct Receivers {
    hooks: Arc<Webhooks>,
    mails: Arc<Mails>,
}

impl Receivers {
    /// Starts the receivers, whose clock is the file that the driver sets.
    pub(super) fn start(clock: PathBuf) -> Self {
        let script =
            [Reply::Status(503), Reply::CutAfter, Reply::Later(900), Reply::Cut, Reply::Accept, Reply::CutAfter];
        let clock = FileClock(clock);
        let hooks = Webhooks::start_with_clock(Some(SECRET), script, move || clock.now()).expect("a receiver");
        let mails = Mails::start(Some(("alerts", PASSWORD)), ["451 try again", "421 closing"]).expect("a server");
        Self { hooks, mails }
    }

    /// Writes the settings of the deliveries.
    pub(super) fn configure(&self, place: Place) -> Place {
        let settings = format!(
            "privateTargets: ['{address}']
receivers: {{hook: {{url: '{hook}', signingSecret: 'env:SIGNING'}}}}
email:
  host: 127.0.0.1
  port: {port}
  from: alerts@example.com
  user: alerts
  password: env:PASSWORD
  certificates: '{certificate}'
",
            address = self.hooks.address(),
            hook = self.hooks.url("/hook"),
            port = self.mails.port(),
            certificate = Mails::certificate().display(),
        );
        place.write(".integration/delivery.yaml", &settings);
        place.with("SIGNING", SECRET).with("PASSWORD", PASSWORD)
    }

    /// Compares the processed deliveries of each rule with the expected numbers.
    pub(super) fn compare(&self, expected: &BTreeMap<String, usize>) {
        let mut hooks: BTreeMap<String, usize> = BTreeMap::new();
        for received in self.hooks.processed() {
            let body: Value = serde_json::from_str(&received.body).expect("JSON");
            *hooks.entry(body["rule"].as_str().expect("a rule").to_owned()).or_default() += 1;
        }
        assert_eq!(&hooks, expected, "the webhooks");
        // A mail server does not recognise a repetition, but a reader does.
        let mut known = BTreeSet::new();
        let mut mails: BTreeMap<String, usize> = BTreeMap::new();
        for mail in self.mails.received().iter().filter(|mail| known.insert(header(&mail.text, "Message-ID"))) {
            assert!(mail.is_encrypted);
            let subject = header(&mail.text, "Subject");
            let rule = subject.split_once("] ").expect("a level and a rule").1;
            *mails.entry(rule.to_owned()).or_default() += 1;
        }
        assert_eq!(&mails, expected, "the emails");
        assert_eq!(self.mails.errors(), [""; 0]);
    }
}

fn header(text: &str, name: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("{name}: {text}")).to_owned()
}

/// Returns whether all deliveries have reached their receivers. An abandoned one fails.
pub(super) fn are_delivered(place: &Place) -> bool {
    let files = fs::read_dir(place.path(".integration/outbox")).into_iter().flatten();
    // Files that are being replaced have another extension.
    let entries =
        files.map(|file| file.expect("a file").path()).filter(|path| path.extension().is_some_and(|it| it == "json"));
    let mut states = entries.map(|path| -> Value {
        let entry: Value = serde_json::from_str(&fs::read_to_string(path).expect("a text")).expect("JSON");
        assert_ne!(entry["state"]["state"], "abandoned", "{entry}");
        entry["state"]["state"].clone()
    });
    states.all(|state| state == "delivered")
}
