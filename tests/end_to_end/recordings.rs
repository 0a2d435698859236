//! Tests of `collect --record` and `collect --replay`.

use integration_heroku::fake::{Fault, Reply};
use serde_json::Value;

use crate::harness::{Graph, Heroku, Objects, Place, assert_same, assert_same_objects, files_below, undisturbed};

/// The objects of a graph without what follows from certificates and from addresses with secrets: no recording has them.
pub(crate) fn as_recorded(graph: &Graph) -> Objects {
    let lost = ["fingerprint", "certificateFingerprints", "ssoUrl", "ssoHost", "logInputUrls"];
    let mut objects = graph.objects();
    for object in objects.values_mut().filter_map(Value::as_object_mut) {
        object.retain(|name, _| !lost.contains(&name.as_str()));
    }
    objects
}

#[test]
fn what_was_recorded_is_collected_again_without_a_provider() {
    let heroku = Heroku::sample();
    heroku.fault(Fault::Status(Reply::html(503, "<h1>Application error</h1>")).on("/teams/{id}/apps").first(1));
    let place = Place::before(&heroku);
    let (said, recorded) = place.collect("--record recordings");
    assert_eq!(said.code, 0, "{}", said.all());
    let asked = heroku.requests();
    assert!(said.err.contains(&format!("Recorded {asked} exchanges in recordings")), "{}", said.err);
    let (said, replayed) = place.collect("--replay recordings");
    assert_eq!((said.code, heroku.requests()), (0, asked), "{}", said.all());
    assert_same_objects(&as_recorded(&replayed), &as_recorded(&recorded));
    assert_same(&recorded, undisturbed());
}

#[test]
fn a_recording_holds_no_secret_and_no_address_where_that_is_asked_for() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    assert_eq!(place.run("collect --quiet --record recordings --pseudonymise").code, 0);
    for file in files_below(&place.path("recordings")) {
        let text = String::from_utf8_lossy(&std::fs::read(&file).expect("a file")).into_owned();
        assert!(!text.contains(heroku.token()) && !text.contains("kestrel.example.com"), "{}", file.display());
    }
}

#[test]
fn a_request_that_no_recording_answers_is_named_with_the_nearest() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    place.run("collect --quiet --record recordings --step fetch-teams");
    let said = place.run("collect --quiet --replay recordings");
    assert_eq!(said.code, 3, "{}", said.all());
    assert!(said.out.contains("no recording") && said.out.contains("/apps"), "{}", said.out);
    let said = place.run("collect --quiet --replay nowhere");
    assert_eq!(said.code, 1, "{}", said.all());
    let said = place.run("collect --quiet --record recordings");
    assert_eq!(said.code, 1, "an occupied folder must be refused: {}", said.all());
}
