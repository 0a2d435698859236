//! Configured instances, from their addition to their removal, and the secrecy of their keys.

use insta::assert_snapshot;
use integration_heroku::fake::FakeOptions;
use serde_json::json;

use crate::harness::{Graph, Heroku, Place, Said, files_below};

/// A key that no other text resembles.
const KEY: &str = "HRKU-5ecretNumbat-do-not-print";
/// A key that the fake refuses.
const WRONG: &str = "HRKU-wr0ngNumbat-do-not-print";
/// A name of the sample organisation that the store contains after a collection.
const KNOWN: &str = "kestrel-harbour";

fn heroku() -> Heroku {
    Heroku::with(FakeOptions { token: KEY.to_owned(), ..FakeOptions::default() })
}

fn place() -> Place {
    Place::alone().with("TEAM_KEY", KEY).with("OTHER_KEY", WRONG)
}

/// Adds an instance with its key in a variable.
fn added(place: &Place, heroku: &Heroku, options: &str) -> Said {
    let said = place
        .run(&format!("instances add production --set api_key=env:TEAM_KEY --set api_url={} {options}", heroku.url()));
    assert_eq!(said.code, 0, "{}", said.all());
    said
}

/// Runs the program with a text on stdin.
fn fed(place: &Place, text: &str, line: &str) -> Said {
    place.shell(&format!("printf '%s\\n' '{text}' | \"$0\" \"$@\""), line)
}

/// The files below a place that contain a text.
fn files_with(text: &str, place: &Place) -> Vec<String> {
    let holds = |bytes: Vec<u8>| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let files = files_below(place.root()).into_iter();
    let found = files.filter(|path| holds(std::fs::read(path).expect("a file")));
    found.map(|path| path.display().to_string()).collect()
}

fn without_url(said: &Said, heroku: &Heroku) -> String {
    said.steady().replace(&heroku.url(), "URL")
}

#[test]
fn an_instance_is_added_listed_shown_run_and_removed() {
    let (heroku, place) = (heroku(), place());
    let options = "--interval ONE_WEEK --hour 4 --day 1 --description Company --tag-account-name Acme --keep-for 90d";
    let mut all = vec![added(&place, &heroku, options)];
    assert_snapshot!("instance added", without_url(&all[0], &heroku));
    all.push(place.run("instances show production"));
    assert_snapshot!("instance shown", without_url(&all[1], &heroku));
    all.push(place.run("instances list"));
    assert_snapshot!("instances listed", without_url(&all[2], &heroku));

    let run = place.run("instances run production --format json");
    assert_eq!(run.code, 0, "{}", run.all());
    assert_eq!(run.summary().0["instance"], "production");
    all.push(run);
    all.push(place.run("export --output out"));
    let graph = Graph::read(&place.path("out/graph")).objects();
    let (entities, others): (Vec<_>, Vec<_>) =
        graph.values().partition(|object| object.get("_fromEntityKey").is_none());
    assert!(entities.len() > 50 && entities.iter().all(|entity| entity["tag.AccountName"] == "Acme"));
    assert!(others.iter().all(|relationship| relationship.get("tag.AccountName").is_none()));

    // `collect` uses the same configuration, and the tags are no change.
    let again = place.run("collect --instance production --format json");
    assert_eq!(again.code, 0, "{}", again.all());
    assert_eq!(again.summary().0["published"]["changes"], json!({}), "{}", again.all());
    all.push(again);
    all.push(place.run("validate config --instance production"));
    all.push(place.run("instances test production --format json"));
    let listed = place.run("instances list --format json");
    assert_eq!(listed.json()[0]["lastJob"]["state"], "complete", "{}", listed.all());
    all.push(listed);
    all.push(place.run("instances export"));
    for said in &all {
        assert!(said.code == 0 && !said.all().contains(KEY), "{}", said.all());
    }

    let asked = place.run("instances remove production");
    assert_eq!(asked.code, 2, "{}", asked.all());
    assert_snapshot!("removal without a terminal", asked.steady());
    assert!(!files_with(KNOWN, &place).is_empty(), "the history is still there");
    std::fs::remove_dir_all(place.path("out")).expect("an export");
    let removed = place.run("instances remove production --yes");
    assert_snapshot!("instance removed", removed.steady());
    assert_eq!(files_with(KNOWN, &place), Vec::<String>::new());
    assert_eq!(place.run("instances list --format json").json(), json!([]));
    assert_eq!(place.run("instances remove production --yes").code, 2, "it is gone");
}

#[test]
fn an_instance_requests_details_of_changed_applications_only_if_it_is_set() {
    let (heroku, place) = (heroku(), place());
    added(&place, &heroku, "--enable-source application-webhooks --only-changed");
    assert_eq!(place.run("instances show production --format json").json()["onlyChanged"], true);
    assert!(place.run("instances show production").out.contains("only under objects that have changed"));
    let apps = heroku.organisation().apps().count();
    for (line, expected) in [
        ("instances run production --quiet", apps),
        ("instances run production --quiet", 0),
        ("collect --instance production --quiet", 0),
        ("collect --instance production --quiet --only-changed=false", apps),
        ("instances set production --only-changed=false", 0),
        ("instances run production --quiet", apps),
    ] {
        let before = heroku.requests();
        let said = place.run(line);
        assert_eq!(said.code, 0, "{line}: {}", said.all());
        let asked = heroku.asked_since(before).into_iter().filter(|request| request.path.ends_with("/webhooks"));
        assert_eq!(asked.count(), expected, "{line}");
    }
    assert_eq!(place.run("instances show production --format json").json().get("onlyChanged"), None);
}

#[test]
fn a_new_secret_replaces_the_old_one_only_if_it_works() {
    let (heroku, place) = (heroku(), place());
    added(&place, &heroku, "");
    let reference =
        |place: &Place| place.run("instances show production --format json").json()["config"]["api_key"].clone();
    for refused in [
        fed(&place, WRONG, "instances set production --secret api_key"),
        place.run("instances set production --set api_key=env:OTHER_KEY"),
        place.run("instances set production --set api_key=env:MISSING"),
    ] {
        assert_eq!(refused.code, 1, "{}", refused.all());
        assert!(refused.err.contains("The instance production is unchanged."), "{}", refused.all());
        assert!(!refused.all().contains(WRONG), "{}", refused.all());
        assert_eq!(reference(&place), "env:TEAM_KEY");
    }
    assert!(!place.path(".integration/secrets.vault").exists(), "nothing was entered");

    let replaced = fed(&place, KEY, "instances set production --secret api_key");
    assert_eq!(replaced.code, 0, "{}", replaced.all());
    assert_eq!(reference(&place), "vault:heroku/production/api_key");
    // From now on, the variable is not needed.
    let place = place.with("TEAM_KEY", "");
    let run = place.run("instances run production --format json");
    assert_eq!(run.code, 0, "{}", run.all());
    assert!(!(replaced.all() + &run.all()).contains(KEY));
    assert_eq!(files_with(KEY, &place), Vec::<String>::new(), "the key is encrypted");
    assert_eq!(place.run("instances change-key").code, 0);
    assert_eq!(place.run("instances test production").code, 0, "the new key opens the secret");
    assert_eq!(fed(&place, WRONG, "instances set production --secret api_key").code, 1);
    assert_eq!(place.run("instances test production").code, 0, "the former secret is still there");

    let key = place.path(".integration/vault.key");
    std::fs::rename(&key, place.path("elsewhere.key")).expect("a key");
    let lost = place.run("instances run production");
    assert!(lost.code == 1 && lost.err.contains("the key file"), "{}", lost.all());
    let place = place.with("INTEGRATION_VAULT_KEY_FILE", "elsewhere.key");
    assert_eq!(place.run("instances test production").code, 0);
    assert_eq!(place.run("instances remove production --yes").code, 0);
    assert!(!place.read(".integration/secrets.vault").contains("production"));
}

#[test]
fn an_instance_that_cannot_work_is_not_saved() {
    let (heroku, place) = (heroku(), place());
    let url = heroku.url();
    for (line, code, expected) in [
        (format!("instances add a --set api_key={WRONG}"), 2, "the option `--secret`"),
        (format!("instances add a --set {WRONG}"), 2, "FIELD=VALUE"),
        (format!("instances add a --secret api_key={WRONG}"), 2, "there is no field"),
        ("instances add a --set api_key=env:".to_owned(), 2, "env:HEROKU_API_KEY"),
        ("instances add a".to_owned(), 2, "the required field `api_key` is not set"),
        ("instances add sample --set api_key=env:TEAM_KEY".to_owned(), 2, "reserved"),
        ("instances add a --set api_key=env:TEAM_KEY --interval FIFTEEN_MINUTES".to_owned(), 2, "THIRTY_MINUTES"),
        ("instances add a --set api_key=env:TEAM_KEY --cron daily".to_owned(), 2, "cron expression"),
        ("instances add a --set api_key=env:TEAM_KEY --disable-source x".to_owned(), 2, "no ingestion source `x`"),
        (format!("instances add a --set api_key=env:OTHER_KEY --set api_url={url}"), 1, "401"),
        (format!("instances add a --set api_key=env:MISSING --set api_url={url}"), 1, "MISSING is not set"),
        (format!("instances add a --set api_key=file:missing --set api_url={url}"), 1, "cannot read the secret"),
        ("instances run a".to_owned(), 2, "there is no instance a"),
        ("instances set a --interval ONE_DAY".to_owned(), 2, "there is no instance a"),
    ] {
        let said = place.run(&line);
        assert_eq!(said.code, code, "{line}: {}", said.all());
        assert!(said.err.contains(expected), "{line}: {}", said.all());
        assert!(!said.all().contains(WRONG), "{line}: {}", said.all());
    }
    assert_eq!(place.run("instances list --format json").json(), json!([]));
    added(&place, &heroku, "");
    let twice = place.run("instances add production --set api_key=env:TEAM_KEY --no-test");
    assert!(twice.code == 2 && twice.err.contains("already"), "{}", twice.all());

    place.write(".integration/instances.yaml", "instances:\n  - name: production\n    polling: ONE_DAY\n");
    let misspelt = place.run("collect --instance production");
    assert_eq!(misspelt.code, 1, "{}", misspelt.all());
    assert_snapshot!("misspelt field in the file", misspelt.steady());
}

#[test]
fn files_of_other_programs_are_imported_and_no_secret_is_exported() {
    let (heroku, place) = (heroku(), place());
    let starbase = json!({"integrations": [
        {"name": "graph-heroku", "instanceId": "starry", "config": {"API_KEY": KEY, "API_URL": heroku.url()}},
    ]});
    let imported = fed(&place, &starbase.to_string(), "instances import -");
    assert_eq!(imported.code, 0, "{}", imported.all());
    assert_snapshot!("instances imported", imported.steady());
    assert_eq!(fed(&place, &starbase.to_string(), "instances import -").code, 2, "it is there");
    assert_eq!(fed(&place, &starbase.to_string(), "instances import --replace -").code, 0);
    let managed = json!({
        "name": "Acme: Production", "pollingInterval": "ONE_DAY",
        "config": {"apiKey": "****", "apiUrl": heroku.url(), "@tag": {"AccountName": "Acme"}},
    });
    let imported = fed(&place, &managed.to_string(), "instances import -");
    assert_eq!(imported.code, 0, "{}", imported.all());
    assert!(imported.err.contains("acme-production lacks the field api_key"), "{}", imported.all());
    assert_eq!(place.run("instances run starry").code, 0);

    let exported = place.run("instances export --output exported.yaml");
    assert_eq!(exported.code, 0, "{}", exported.all());
    assert_snapshot!("instances exported", place.read("exported.yaml").replace(&heroku.url(), "URL"));
    assert_eq!(files_with(KEY, &place), Vec::<String>::new());
    let other = self::place().with("INTEGRATION_VAULT_KEY", "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=");
    other.write("exported.yaml", &place.read("exported.yaml"));
    assert_eq!(other.run("instances import exported.yaml").code, 0);
    let lacking = other.run("instances run starry");
    assert!(lacking.code == 1 && lacking.err.contains("enter it again"), "{}", lacking.all());
}

#[test]
fn old_jobs_are_removed_after_a_run() {
    let (heroku, place) = (heroku(), place());
    added(&place, &heroku, "--keep-jobs 2");
    for _ in 0..3 {
        assert_eq!(place.run("instances run production --quiet").code, 0);
    }
    assert_eq!(place.states(), ["complete", "complete"]);
    assert_eq!(place.run("instances set production --keep-all").code, 0);
    assert_eq!(place.run("collect --instance production --quiet").code, 0);
    assert_eq!(place.states().len(), 3);
}

#[cfg(unix)]
#[test]
fn all_files_of_instances_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let (heroku, place) = (heroku(), place());
    let added = place.shell(
        "umask 0; printf %s \"$TEAM_KEY\" | \"$0\" \"$@\"",
        &format!("instances add production --secret api_key --set api_url={}", heroku.url()),
    );
    assert_eq!(added.code, 0, "{}", added.all());
    for path in files_below(&place.path(".integration")) {
        let mode = std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", path.display());
    }
    place.write("key", KEY);
    let exposed = place.run("instances set production --set api_key=file:key");
    assert!(exposed.code == 1 && exposed.err.contains("chmod 600"), "{}", exposed.all());
    std::fs::set_permissions(place.path("key"), std::fs::Permissions::from_mode(0o600)).expect("ours");
    assert_eq!(place.run("instances set production --set api_key=file:key").code, 0);
    assert!(
        !place.read(".integration/secrets.vault").contains("production"),
        "the entered secret is not needed any more"
    );
}

#[test]
fn help_in_messages_is_complete_and_can_be_followed() {
    let place = Place::alone();
    let said = place.run("instances add t9 --no-test");
    assert!(said.code == 2 && said.err.contains("`--secret` enters a secret"), "{}", said.all());
    assert!(!said.err.contains("[redacted]"), "{}", said.all());
    place.write(
        ".integration/instances.yaml",
        "version: 1\ninstances:\n  - name: a\n    config: {api_key: plain-text-of-the-test}\n",
    );
    let said = place.run("instances export");
    assert!(said.code == 2 && said.err.contains("`--secret` of `"), "{}", said.all());
    assert!(!said.err.contains("[redacted]") && !said.err.contains("plain-text"), "{}", said.all());
    let import = r#"{"name": "prod-acct", "pollingInterval": "ONE_DAY", "config": {"api_key": "env:KEY"},
        "ingestionSourcesOverrides": [{"ingestionSourceId": "no-such-source", "enabled": false}]}"#;
    place.write("import.json", import);
    std::fs::remove_file(place.path(".integration/instances.yaml")).expect("a file");
    let said = place.run("instances import import.json");
    assert!(said.code == 2 && said.err.contains("Nothing was imported; correct the file, and run"), "{}", said.all());
    assert!(!said.err.contains("instances set"), "{}", said.all());
    for (options, part) in [
        ("--interval ONE_HOUR --hour 4", "ONE_DAY and ONE_WEEK only"),
        ("--interval ONE_WEEK --day 7", "expected 0 to 6"),
        ("--interval FIVE_MINUTES", "THIRTY_MINUTES, ONE_HOUR"),
        ("--keep-jobs 0", "0 is not in 1.."),
    ] {
        let said = place.run(&format!("instances add t9 --no-test --set api_key=env:KEY {options}"));
        assert!(said.code == 2 && said.err.contains(part) && !said.err.contains("FIFTEEN"), "{}", said.all());
    }
}
