//! `serve`: the program as a service, with its endpoint, signals, kills, and its service manager.

mod child;
mod many;
mod process;
mod soak;
mod watched;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use integration_heroku::fake::Fault;
use serde_json::json;

use self::process::Serving;
use crate::harness::{Heroku, Place};

/// The text of `instances.yaml` with hourly instances.
pub(crate) fn instances(names: &[&str], key: &str, url: &str) -> String {
    let instance =
        |name: &&str| json!({"name": name, "pollingInterval": "ONE_HOUR", "config": {"api_key": key, "api_url": url}});
    json!({"instances": names.iter().map(instance).collect::<Vec<_>>()}).to_string()
}

fn place(heroku: &Heroku) -> Place {
    let place = Place::before(heroku);
    place.write(".integration/instances.yaml", &instances(&["production"], "env:HEROKU_API_KEY", &heroku.url()));
    place
}

/// Sends a request and returns the response.
pub(crate) fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the endpoint");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").expect("open");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    answer
}

fn has_ended(serving: &mut Serving, end: &str) {
    serving
        .until(|event| event["message"].as_str().is_some_and(|text| text.starts_with("a job")) && event["end"] == end);
}

#[test]
fn a_new_instance_runs_at_once_and_the_endpoint_shows_it() {
    let heroku = Heroku::sample();
    let place = place(&heroku);
    let mut serving = Serving::start(&place, "");
    has_ended(&mut serving, "Published");
    let address = serving.address();
    assert!(get(&address, "/healthz").starts_with("HTTP/1.1 200"));
    assert!(get(&address, "/readyz").ends_with("\r\n\r\nready\n"));
    let metrics = get(&address, "/metrics");
    for line in [
        r#"integration_jobs_total{instance="heroku/production",end="published"} 1"#,
        r#"integration_changes_total{instance="heroku/production",kind="removed"} 0"#,
        "integration_instances 1",
        "integration_configuration_valid 1",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}: {metrics}");
    }
    assert!(!metrics.contains(heroku.token()));

    // Another scheduler is refused, and other commands are not.
    let second = place.run("serve --listen none");
    assert_eq!(second.code, 1, "{}", second.all());
    assert!(second.err.contains(&format!("(process {})", serving.id())), "{}", second.all());
    assert_eq!(place.states(), ["complete"]);

    // A changed configuration is read without a restart.
    place.write(".integration/instances.yaml", "instances: [{name: broken");
    serving.until(|event| event["message"].as_str().is_some_and(|text| text.contains("cannot be read")));
    assert!(get(&address, "/metrics").contains("integration_configuration_valid 0"));
    let two = instances(&["production", "second"], "env:HEROKU_API_KEY", &heroku.url());
    place.write(".integration/instances.yaml", &two);
    has_ended(&mut serving, "Published");
    // A person does not wait for the next hour.
    let requested = place.run("serve --run-now production");
    assert!(requested.code == 0 && requested.err.contains("Requested a run"), "{}", requested.all());
    serving.until(|event| event["message"] == "a job starts" && event["reason"] == "Request");
    has_ended(&mut serving, "Published");
    assert_eq!(place.run("serve --run-now unknown").code, 2);
    let said = serving.stop();
    assert_eq!(said.code, 0, "{}", said.all());
    assert_eq!(place.run("serve --run-now production").code, 2, "no scheduler works any more");
    assert_eq!(said.out, "", "a service prints nothing on stdout");
    assert!(!said.err.contains(heroku.token()));
}

#[test]
fn a_killed_job_is_resumed_and_a_stopped_one_too() {
    let heroku = Heroku::sample();
    let place = place(&heroku);
    let hangs = heroku.fault(Fault::NoAnswer.on("/teams/{id}/apps"));
    let team = heroku.team("kestrel-storefront");
    let apps = format!("/teams/{team}/apps");
    let mut serving = Serving::start(&place, "");
    serving.until(|event| event["message"] == "a job starts" && event["reason"] == "Due");
    heroku.until(|heroku| heroku.log().iter().any(|request| request.path == apps));
    serving.kill();
    assert_eq!(place.states(), ["interrupted"]);

    let requests = heroku.requests();
    let mut serving = Serving::start(&place, "");
    serving.until(|event| event["message"] == "a job starts" && event["reason"] == "Resume");
    heroku.until(|heroku| heroku.log()[requests..].iter().any(|request| request.path == apps));
    let said = serving.stop();
    assert_eq!(said.code, 0, "{}", said.all());

    heroku.server().lift(hangs);
    let mut serving = Serving::start(&place, "");
    serving.until(|event| event["message"] == "a job starts" && event["reason"] == "Resume");
    has_ended(&mut serving, "Published");
    assert_eq!(place.states(), ["complete"], "one job from the first start to the end");
    assert_eq!(serving.stop().code, 0);
}

#[test]
fn refused_credentials_open_one_alert_until_they_are_corrected() {
    let heroku = Heroku::sample();
    let place = place(&heroku).with("HEROKU_API_KEY", "another-key");
    let mut serving = Serving::start(&place, "");
    has_ended(&mut serving, "CredentialsRefused");
    serving.until(|event| event["message"] == "an alert changed" && event["change"] == "Opened");
    let refused = heroku.requests();
    serving.kill();
    // Neither a restart nor time is a reason for another request.
    let mut serving = Serving::start(&place, "");
    serving.until(|event| event["message"] == "serving");
    assert_eq!(heroku.requests(), refused);
    place.write("key", heroku.token());
    let mode = Command::new("chmod").arg("600").arg(place.path("key")).status().expect("chmod");
    assert!(mode.success());
    let key = format!("file:{}", place.path("key").display());
    place.write(".integration/instances.yaml", &instances(&["production"], &key, &heroku.url()));
    has_ended(&mut serving, "Published");
    serving.until(|event| event["message"] == "an alert changed" && event["change"] == "Resolved");
    assert_eq!(serving.stop().code, 0);
    let alerts = place.run("alerts list --all --format json").json();
    let of_key = |alert: &&serde_json::Value| alert["ruleId"] == "Credentials refused: heroku/production";
    assert_eq!(alerts.as_array().expect("a list").iter().filter(of_key).count(), 1, "{alerts}");
}

#[test]
fn the_service_manager_learns_the_start_the_stop_and_that_the_program_is_alive() {
    let heroku = Heroku::sample();
    let place = place(&heroku);
    let socket = UnixDatagram::bind(place.path("notify")).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_secs(120))).expect("a time");
    let path = place.path("notify").to_str().expect("text").to_owned();
    let place = place.with("NOTIFY_SOCKET", path).with("WATCHDOG_USEC", "900000");
    let told = |wanted: &str| {
        let mut buffer = [0; 1_024];
        loop {
            let length = socket.recv(&mut buffer).expect("a message");
            if String::from_utf8_lossy(&buffer[..length]).lines().any(|line| line == wanted) {
                return;
            }
        }
    };
    let serving = Serving::start(&place, "");
    told("READY=1");
    told("WATCHDOG=1");
    told("WATCHDOG=1");
    serving.interrupt();
    told("STOPPING=1");
    assert_eq!(serving.end().code, 0);
}

#[test]
fn the_unit_of_the_documents_is_valid() {
    let unit = include_str!("../../docs/deploy/integration-heroku.service");
    let place = Place::alone();
    let unit = unit.replace("/usr/local/bin/integration-heroku", env!("CARGO_BIN_EXE_integration-heroku"));
    place.write("integration-heroku.service", &unit);
    let verified = Command::new("systemd-analyze").arg("verify").arg(place.path("integration-heroku.service")).output();
    // Only systems with systemd have the command.
    let Ok(verified) = verified else { return };
    let text = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && !text.contains("integration-heroku.service:"), "{text}");
}

#[test]
fn wrong_options_are_named() {
    let place = Place::alone();
    for (line, part) in [
        ("serve --jobs 0", "--jobs"),
        ("serve --listen localhost:1", "127.0.0.1:9464"),
        ("serve --stop-within soon", "--stop-within"),
        ("serve --rules missing.yaml", "missing.yaml"),
    ] {
        let said = place.run(line);
        assert!(said.code == 2 || said.code == 1, "{line}: {}", said.all());
        assert!(said.err.contains(part), "{line}: {}", said.all());
    }
}
