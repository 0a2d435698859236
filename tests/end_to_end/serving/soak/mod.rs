//! Months of serving in minutes: an organisation changes by a script, with faults and kills at random instants.
//!
//! ```text
//!   driver ── time, changes, faults, kill -9 ──▶ the server of the program, as a process of its own
//!     └─ the model: the expected alerts                ├─ jobs against the fake Heroku, rules, alerts
//!                                                      └─ deliveries to a receiver of webhooks and a mail server
//! ```
//!
//! The process is this test binary, which runs the server with a clock that the driver sets through a file. Each step lasts
//! an hour: a change of the organisation, a run at its regular time, and evaluations of rules before and after it. The model
//! knows the truth about the organisation and which part of it the provider shows. After each step, every alert of the model
//! was opened and resolved exactly as often as expected. At the end, each receiver has processed one delivery for each opened
//! alert: identifiers follow from evaluations, so an alert that was raised twice would have two.
//!
//! `SERVE_STEPS=50 SERVE_KILLS=20 cargo test -p integration-heroku --test end_to_end soak_of_serving -- --nocapture` is the
//! full form; `SERVE_SEED` selects other instants.

mod process;
mod receivers;
mod script;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::time::{Duration, Instant};

use integration_heroku::fake::{FakeOptions, Fault, FaultId, FaultRule, Organisation, Reply};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use self::receivers::Receivers;
use self::script::{SCRIPT, Step, Team};
use super::process::Process;
use super::{child, get, instances};
use crate::harness::{Heroku, Place, refusal};

/// The numbers of steps and kills without `SERVE_STEPS` and `SERVE_KILLS`.
const STEPS: usize = 9;
const KILLS: usize = 4;
/// A limit that only a program that hangs reaches.
const PATIENCE: Duration = Duration::from_secs(120);

/// The sample has one team without applications from the beginning.
const RULES: &str = include_str!("rules.yaml");
const CREDENTIALS: &str = "Credentials refused: heroku/production";
const ALERTS: [&str; 5] =
    ["Old stack", "Team without applications", "New application", "Removed application", CREDENTIALS];

/// The expected life of an alert.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Life {
    is_open: bool,
    opened: usize,
    resolved: usize,
}

impl Life {
    fn set(&mut self, is_open: bool) {
        match (self.is_open, is_open) {
            (false, true) => self.opened += 1,
            (true, false) => self.resolved += 1,
            _ => {}
        }
        self.is_open = is_open;
    }
}

struct Soak {
    heroku: Heroku,
    receivers: Receivers,
    place: Place,
    teams: Vec<Team>,
    /// The applications outside of these teams.
    others: Vec<Value>,
    /// The fault that replaces the list of all applications.
    all: Option<FaultId>,
    revoked: Option<FaultId>,
    /// The number of the variable with the key, which changes with each rotation.
    key: usize,
    now: Timestamp,
    process: Option<Process>,
    alerts: BTreeMap<&'static str, Life>,
    random: fastrand::Rng,
    kills_left: usize,
    steps_left: usize,
    created: usize,
}

impl Soak {
    fn new(seed: u64, steps: usize, kills: usize) -> Self {
        let heroku = Heroku::of(Organisation::sample(), FakeOptions { rate: None, ..FakeOptions::default() });
        let before = Place::before(&heroku);
        let (_, graph) = before.collect("");
        let mut teams: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for app in graph.of_type("heroku_application").into_values() {
            // A personal application has no team.
            let team = app["teamId"].as_str().unwrap_or_default().to_owned();
            teams.entry(team).or_default().push(app["_rawData"][0]["rawData"].clone());
        }
        let is_chosen = |(id, apps): &(String, Vec<Value>)| !id.is_empty() && apps.len() > 2;
        let (chosen, mut others): (Vec<_>, Vec<_>) = teams.into_iter().partition(is_chosen);
        others.extend(chosen.iter().skip(2).cloned());
        let with_apps = chosen.into_iter().take(2);
        let others = others.into_iter().flat_map(|(_, apps)| apps).collect();
        let team = |(id, original): (String, Vec<Value>)| Team {
            id,
            original,
            is_cleared: false,
            is_outdated: false,
            created: Vec::new(),
            is_hidden: false,
            fault: None,
            shown: Vec::new(),
        };
        let teams: Vec<Team> = with_apps.map(team).collect();
        assert_eq!(teams.len(), 2);
        let place = Place::alone().with("KEY_0", heroku.token()).with("KEY_1", heroku.token());
        let receivers = Receivers::start(place.path("clock"));
        let place = receivers.configure(place);
        let begin = "2026-01-05T08:00:00Z".parse().expect("a time");
        let mut soak = Self {
            heroku,
            receivers,
            place,
            teams,
            others,
            all: None,
            revoked: None,
            key: 0,
            now: begin,
            process: None,
            alerts: ALERTS.map(|alert| (alert, Life::default())).into(),
            random: fastrand::Rng::with_seed(seed),
            kills_left: kills,
            steps_left: steps,
            created: 0,
        };
        for at in 0..soak.teams.len() {
            soak.show_team(at);
            soak.teams[at].shown = soak.teams[at].ids();
        }
        soak.configure();
        soak.set_time(SignedDuration::ZERO);
        soak
    }

    /// Runs the first job, whose graph is the baseline of the rules, and moves to the middle of an interval.
    fn begin(&mut self) {
        self.start();
        self.until_run_ended();
        self.advance(24);
        self.until_evaluated();
    }

    fn configure(&self) {
        let key = format!("env:KEY_{}", self.key % 2);
        self.place.write(".integration/instances.yaml", &instances(&["production"], &key, &self.heroku.url()));
    }

    /// Lets the provider show the current applications of a team, or refuse them.
    fn show_team(&mut self, at: usize) {
        let team = &mut self.teams[at];
        let fault = if team.is_hidden { refusal() } else { Fault::Status(Reply::json(200, &json!(team.apps()))) };
        let earlier = team.fault.replace(self.heroku.fault(fault.on(&format!("/teams/{}/apps", team.id))));
        let all: Vec<Value> = self.teams.iter().flat_map(Team::apps).chain(self.others.iter().cloned()).collect();
        let all = self.all.replace(self.heroku.fault(Fault::Status(Reply::json(200, &json!(all))).on("/apps")));
        for earlier in [earlier, all].into_iter().flatten() {
            self.heroku.server().lift(earlier);
        }
    }

    fn change(&mut self, step: Step) {
        match step {
            Step::Nothing => {}
            Step::Outdate(at) => self.teams[at].is_outdated = true,
            Step::Update(at) => self.teams[at].is_outdated = false,
            Step::Create(at) => {
                self.created += 1;
                let mut app = self.teams[at].original[1].clone();
                app["id"] = json!(format!("01234567-89ab-4def-8123-{:012x}", self.created));
                app["name"] = json!(format!("kestrel-new-{}", self.created));
                self.teams[at].created.push(app);
            }
            Step::Delete(at) => drop(self.teams[at].created.pop()),
            Step::Clear(at) => self.teams[at].is_cleared = true,
            Step::Restore(at) => self.teams[at].is_cleared = false,
            Step::Hide(at) => self.teams[at].is_hidden = true,
            Step::Show(at) => self.teams[at].is_hidden = false,
            Step::Storm => {
                let error = Fault::Status(Reply::html(503, "<h1>Application error</h1>"));
                self.heroku.fault(FaultRule::from(error).first(3));
            }
            Step::Revoke => {
                let refused =
                    Reply::json(401, &json!({"id": "unauthorized", "message": "Invalid credentials provided."}));
                self.revoked = Some(self.heroku.fault(FaultRule::from(Fault::Status(refused))));
            }
            Step::Rotate => {
                self.key += 1;
                if let Some(fault) = self.revoked.take() {
                    self.heroku.server().lift(fault);
                }
                self.configure();
            }
        }
        (0..self.teams.len()).for_each(|at| self.show_team(at));
    }

    /// The effect of a run and the evaluations after it.
    fn expect(&mut self) {
        let mut set = |alert: &'static str, is_open: bool| {
            self.alerts.get_mut(alert).expect("a known alert").set(is_open);
        };
        set(CREDENTIALS, self.revoked.is_some());
        if self.revoked.is_some() {
            return;
        }
        let (mut has_added, mut has_removed) = (false, false);
        for team in self.teams.iter_mut().filter(|team| !team.is_hidden) {
            let ids = team.ids();
            has_added |= ids.iter().any(|id| !team.shown.contains(id));
            has_removed |= team.shown.iter().any(|id| !ids.contains(id));
            team.shown = ids;
        }
        if has_added {
            set("New application", true);
        }
        if has_removed {
            set("Removed application", true);
        }
        // Rules about the whole graph are decided only if nothing is missing.
        if self.teams.iter().all(|team| !team.is_hidden) {
            set("Old stack", self.teams.iter().any(Team::has_old_stack));
            set("Team without applications", self.teams.iter().any(|team| team.apps().is_empty()));
        }
    }

    /// The effect of time: alerts about events end.
    fn expect_quiet(&mut self) {
        for alert in ["New application", "Removed application"] {
            self.alerts.get_mut(alert).expect("a known alert").set(false);
        }
    }

    fn step(&mut self, number: usize, step: Step) {
        self.advance(28);
        self.until_evaluated();
        self.expect_quiet();
        self.compare(&format!("before step {number}, {step:?}"));
        self.change(step);
        self.advance(16);
        self.kill_sometimes();
        self.until_run_ended();
        self.advance(16);
        self.kill_sometimes();
        self.until_evaluated();
        self.expect();
        self.compare(&format!("step {number}, {step:?}"));
        self.steps_left -= 1;
    }

    fn compare(&self, case: &str) {
        let said = self.place.run("alerts list --all --format json");
        assert_eq!(said.code, 0, "{}", said.all());
        let alerts = said.json();
        let mut found: BTreeMap<&str, Life> = ALERTS.map(|alert| (alert, Life::default())).into();
        for alert in alerts.as_array().expect("a list") {
            let rule = alert["ruleId"].as_str().expect("a rule");
            let life = found.get_mut(rule).unwrap_or_else(|| panic!("{case}: an alert of {rule}: {alert}"));
            let events = alert["history"]["events"].as_array().expect("events");
            life.opened += events.iter().filter(|event| event["change"] == "opened").count();
            life.resolved += events.iter().filter(|event| event["change"] == "resolved").count();
            life.is_open |= alert["status"] == "ACTIVE";
        }
        assert_eq!(found, self.alerts, "{case}: {alerts:#}");
        eprintln!("{case}: {} kills left", self.kills_left);
    }

    fn set_time(&mut self, by: SignedDuration) {
        self.now += by;
        let incomplete = self.place.path("clock.incomplete");
        fs::write(&incomplete, self.now.to_string()).expect("a file");
        fs::rename(incomplete, self.place.path("clock")).expect("a file");
    }

    fn advance(&mut self, minutes: i64) {
        self.set_time(SignedDuration::from_mins(minutes));
    }

    fn start(&mut self) {
        let address = self.place.path("address");
        let _ = fs::remove_file(&address);
        let errors = fs::File::options().create(true).append(true).open(self.place.path("errors")).expect("a file");
        let test = "serving::soak::process::process_of_the_soak";
        self.process = Some(child::start(&self.place, test, errors.into()));
        self.until("the endpoint exists", |soak| soak.place.path("address").exists());
    }

    /// Kills the process at a random instant, with a probability that uses all kills.
    fn kill_sometimes(&mut self) {
        // Two phases of each remaining step may have kills.
        let chances = 2 * self.steps_left as u64;
        while self.kills_left > 0 && self.random.u64(..chances.max(1)) < self.kills_left as u64 {
            // A run with its evaluation takes about a second.
            std::thread::sleep(Duration::from_millis(self.random.u64(..1_500)));
            let mut process = self.process.take().expect("a process");
            process.0.kill().expect("it runs");
            assert!(process.0.wait().expect("an end").code().is_none(), "it ended by itself: {}", self.errors());
            self.kills_left -= 1;
            self.start();
        }
    }

    /// Lets the time pass until every delivery has ended, and compares them with the alerts.
    fn deliver(&mut self) {
        for _ in 0..40 {
            if receivers::are_delivered(&self.place) {
                break;
            }
            self.advance(16);
            self.until_evaluated();
        }
        let opened = self.alerts.iter().filter(|(alert, _)| **alert != CREDENTIALS);
        let opened = opened.map(|(alert, life)| ((*alert).to_owned(), life.opened)).filter(|(_, opened)| *opened > 0);
        self.receivers.compare(&opened.collect());
    }

    fn errors(&self) -> String {
        fs::read_to_string(self.place.path("errors")).unwrap_or_default()
    }

    fn metrics(&self) -> String {
        let address = fs::read_to_string(self.place.path("address")).expect("an address");
        get(&address, "/metrics")
    }

    fn until(&self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !wanted(self) {
            assert!(begun.elapsed() < PATIENCE, "{what}: {}", self.errors());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until no run is due, none is in progress, and all ends are observed.
    fn until_run_ended(&self) {
        self.until("the run ends", |soak| {
            let text = soak.metrics();
            let value = |name: &str| {
                let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
                line.and_then(|value| value.parse::<f64>().ok())
            };
            let of_instance = |name: &str| value(&format!(r#"{name}{{instance="heroku/production"}}"#));
            let now = soak.now.as_duration().as_secs_f64();
            let is_refused = of_instance("integration_credentials_refused") == Some(1.0);
            let is_due = of_instance("integration_next_run_timestamp_seconds").is_some_and(|next| next <= now);
            let is_known = value("integration_instances") == Some(1.0);
            let waits = is_refused == soak.revoked.is_some() && !is_due;
            is_known
                && waits
                && value("integration_jobs_running") == Some(0.0)
                && value("integration_pending_notices") == Some(0.0)
        });
    }

    /// Waits until all rules were evaluated at the current time.
    fn until_evaluated(&self) {
        self.until("the rules are evaluated", |soak| {
            let Ok(text) = fs::read_to_string(soak.place.path(".integration/alerts.json")) else { return false };
            let book: Value = serde_json::from_str(&text).expect("JSON");
            let times = book["rules"].as_object().expect("rules").values().map(|rule| &rule["evaluatedOn"]);
            let times: Vec<Timestamp> = times.filter_map(|time| time.as_str()?.parse().ok()).collect();
            times.len() == ALERTS.len() - 1 && times.iter().all(|time| *time >= soak.now)
        });
    }
}

#[test]
fn soak_of_serving() {
    let number = |name: &str, default: usize| {
        env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
    };
    let (steps, kills) = (number("SERVE_STEPS", STEPS), number("SERVE_KILLS", KILLS));
    let mut soak = Soak::new(number("SERVE_SEED", 1) as u64, steps, kills);
    soak.begin();
    soak.compare("the beginning");
    for (number, step) in (1..=steps).zip(SCRIPT.into_iter().cycle()) {
        soak.step(number, step);
    }
    soak.advance(28);
    soak.until_evaluated();
    soak.expect_quiet();
    soak.compare("the end");
    assert_eq!(soak.kills_left, 0);
    soak.deliver();
    assert!(soak.alerts.values().map(|life| life.opened).sum::<usize>() > steps / 3, "{:?}", soak.alerts);
}
