//! The sources of keys, the effects of wrong ones, and the secrecy of all.

use std::path::Path;

use insta::assert_snapshot;
use integration_heroku::fake::{FakeOptions, Fault, Reply};
use serde_json::json;

use crate::harness::{Heroku, Place, assert_same, files_below, side_by_side, undisturbed};

/// A key that no other text resembles.
const KEY: &str = "HRKU-5ecretQuokka-do-not-print";

fn heroku() -> Heroku {
    Heroku::with(FakeOptions { token: KEY.to_owned(), ..FakeOptions::default() })
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// The files that contain a text.
pub(super) fn files_with(text: &str, folder: &Path) -> Vec<String> {
    let files = files_below(folder).into_iter();
    let found = files.filter(|path| holds(&std::fs::read(path).expect("a file"), text));
    found.map(|path| path.display().to_string()).collect()
}

#[test]
fn the_key_is_written_nowhere_though_the_provider_repeats_it() {
    let heroku = heroku();
    let refusal = json!({"id": "forbidden", "message": format!("The key {KEY} may not read members. Bearer {KEY}")});
    heroku.fault(Fault::Status(Reply::json(403, &refusal)).on("/teams/{id}/members"));
    let place = Place::before(&heroku);
    for line in [
        "collect -vv --output out",
        "collect -vv --log-format json --format json --output json",
        "collect --resume -vv --output resumed",
        "jobs show --format json",
        "jobs show",
        "visualize steps --job --output steps.html",
        "visualize steps --job --output steps.svg",
        "visualize graph --output graph.html",
        "validate -vv",
        "validate config --format json",
    ] {
        let said = place.run(line);
        assert!([0, 3].contains(&said.code), "{line}: {}", said.all());
        assert!(!holds(said.all().as_bytes(), KEY), "{line} must not show the key");
    }
    assert!(place.read("out/summary.json").contains("[secret]"), "the provider's message must be kept without the key");
    assert_eq!(files_with(KEY, place.root()), Vec::<String>::new());
    assert!(
        !files_with("kestrel-harbour", &place.path(".integration")).is_empty(),
        "the search must find a text that exists"
    );
}

/// The encodings in which a provider may return the key.
fn forms_of(key: &str) -> Vec<String> {
    use base64::Engine;
    let coder = base64::prelude::BASE64_STANDARD;
    let percent: String = key
        .chars()
        .map(|letter| match letter {
            '+' | '/' | '=' => format!("%{:02x}", u32::from(letter)),
            letter => letter.to_string(),
        })
        .collect();
    vec![
        key.to_owned(),
        key.to_uppercase(),
        key.to_lowercase(),
        percent.to_uppercase(),
        percent,
        coder.encode(key).trim_end_matches('=').to_owned(),
        coder.encode(format!("u:{key}, and more")),
        coder.encode(format!(":{key}, and more")),
        key.bytes().map(|byte| format!("{byte:02x}")).collect(),
    ]
}

#[test]
fn the_key_gets_nowhere_in_whatever_form_and_place_the_provider_repeats_it() {
    let key = "HRKU-5ecretQuokka+do/not0print==";
    let heroku = Heroku::with(FakeOptions { token: key.to_owned(), ..FakeOptions::default() });
    let forms = forms_of(key);
    let text = forms.join(" ");
    let slashed =
        format!(r#"[{{"id":"{key}","name":"{}","text":"{}"}}]"#, key.replace('/', "\\/"), text.replace('/', "\\u002f"));
    let team = heroku.team("kestrel-research");
    heroku.fault(Fault::Status(Reply::new(200, "application/json", slashed)).on(&format!("/teams/{team}/apps")));
    let refusal = Reply::json(403, &json!({"id": format!("no-{key}"), "message": text}))
        .with_header("request-id", &text)
        .with_header("oauth-scope-accepted", key);
    heroku.fault(Fault::Status(refusal).on("/teams/{id}/members"));
    let place = Place::before(&heroku);
    let said = place.run("collect -vv --output out --record recordings");
    assert_eq!(said.code, 3, "{}", said.all());
    for form in forms {
        // The characters around the key influence the ends of a base64 text, so only its middle is compared.
        let middle = &form[4..form.len() - 20];
        assert!(!holds(said.all().as_bytes(), middle), "{form} is shown: {}", said.all());
        assert_eq!(files_with(middle, place.root()), Vec::<String>::new(), "{form}");
    }
    let graph = place.read("out/summary.json");
    assert!(graph.contains("[secret]"), "the provider's message must be kept without the key");
    assert!(!files_with("[secret]", &place.path("out/graph")).is_empty(), "the object must be kept without the key");
}

#[test]
fn passwords_in_urls_get_nowhere_whatever_holds_them() {
    let heroku = heroku();
    let team = heroku.team("kestrel-research");
    let app = json!([{
        "id": "https://u:quokka-1@h/app", "name": "//u:quokka-2@h", "owner": null,
        "web_url": "https://user:quokka-3@h/prop", "git_url": "ssh://u:quokka-4@h/x.git",
        "text": "see https://user:quokka-5@h/x here", "java": "jdbc:postgresql://user:quokka-6@h/db",
        "several": "postgres://u:quokka-7@h1,h2:99999/db", "upper": "HTTPS://U:quokka-8@H/", "odd": "https://u:quokka-9@h ost/x",
        "parameter": "https://h/x?next=https%3A%2F%2Fu%3Aquokka-10%40h&token=quokka-11", "list": ["redis://:quokka-12@h:6379"],
    }]);
    let addon = json!([{
        "id": "addon", "name": "https://u:quokka-13@h/", "app": {"id": "https://u:quokka-1@h/app"},
        "addon_service": {"name": "x"}, "plan": {"name": "https://u:quokka-14@h/"}, "web_url": "https://u:quokka-15@h",
        "provider_id": "https://u:quokka-16@h/", "state": "https://u:quokka-17@h/", "config_vars": ["A=https://u:quokka-18@h"],
    }]);
    let refusal =
        json!({"id": "//u:quokka-19@h", "message": "drain https://u:quokka-20@h/ Bearer a1B2c3D4e5F6quokka-21"});
    heroku.fault(Fault::Status(Reply::json(200, &app)).on(&format!("/teams/{team}/apps")));
    heroku.fault(Fault::Status(Reply::json(200, &addon)).on(&format!("/teams/{team}/addons")));
    heroku.fault(Fault::Status(Reply::json(403, &refusal)).on("/teams/{id}/members"));
    let place = Place::before(&heroku);
    let (said, graph) = place.collect("-vv --record recordings");
    assert_eq!(said.code, 3, "{}", said.all());
    assert!(!said.all().contains("quokka-"), "{}", said.all());
    assert_eq!(files_with("quokka-", place.root()), Vec::<String>::new());
    let kept = &graph.of_type("heroku_application")["https://h/app"];
    assert_eq!(kept["_rawData"][0]["rawData"]["java"], "jdbc:postgresql://h/db");
    let owned = graph.of_type("heroku_application_has_addon");
    assert!(
        owned.values().any(|one| one["_fromEntityKey"] == "https://h/app"),
        "the relationship must refer to its entity"
    );
}

#[test]
fn a_key_goes_over_plain_http_only_where_that_is_allowed() {
    let place = Place::alone().with("HEROKU_API_KEY", KEY).with("HEROKU_API_URL", "http://heroku.invalid");
    let said = place.run("validate config");
    assert_eq!(said.code, 4, "{}", said.all());
    assert!(said.out.contains("http://heroku.invalid, which would send the credentials unencrypted"), "{}", said.all());
    let said = place.run("collect");
    assert_eq!(said.code, 1, "{}", said.all());
    assert!(said.err.contains("--allow-http"), "{}", said.err);
    let said = place.run("validate config --allow-http");
    assert!(!said.all().contains("unencrypted"), "{}", said.all());
}

#[test]
fn an_address_of_the_folder_for_a_key_of_the_environment_is_warned_about() {
    let heroku = heroku();
    let place = Place::alone().with("HEROKU_API_KEY", KEY);
    place.write(".env", &format!("APP_NAME=My great app\nKEY: value\nHEROKU_API_URL={}\n", heroku.url()));
    let said = place.run("validate config");
    assert_eq!(said.code, 0, "{}", said.all());
    let warning =
        "HEROKU_API_KEY is set by the environment, but HEROKU_API_URL, which names the host 127.0.0.1, by .env";
    assert!(said.err.contains(warning), "{}", said.err);
    assert!(said.err.contains(".env: ignoring lines (not in the form NAME=value): 2"), "{}", said.err);
    place.write(".env", &format!("HEROKU_API_URL={}\nHEROKU_API_KEY={KEY}\n", heroku.url()));
    let said = place.with("HEROKU_API_KEY", "").run("validate config");
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.all());
}

#[test]
fn a_process_that_is_killed_leaves_no_key_behind() {
    let heroku = heroku();
    heroku.fault(Fault::NoAnswer.on("/teams/{id}/addons"));
    let place = Place::before(&heroku);
    let mut running = place.start("collect");
    running.tells(&["fetch-apps: ", "fetch-members: "]);
    running.kill();
    let files = files_below(&place.path(".integration"));
    assert!(files.iter().any(|path| path.to_string_lossy().ends_with("-wal")), "{files:?}");
    assert_eq!(files_with(KEY, place.root()), Vec::<String>::new());
}

#[test]
fn what_heroku_tells_of_other_secrets_is_not_kept() {
    let heroku = heroku();
    let team = heroku.team("kestrel-research");
    let app = json!([{
        "id": "0b2dfa09-1111-428b-b78c-c3ed9eb894d1", "name": "kestrel-leaky", "owner": null,
        "web_url": "https://kestrel-leaky.herokuapp.com/",
        "token": "quokka-token", "nested": [{"password": "quokka-password", "secret": "quokka-secret"}],
        "drain": "https://user:quokka-drain@logs.example.com/1",
    }]);
    heroku.fault(Fault::Status(Reply::json(200, &app)).on(&format!("/teams/{team}/apps")));
    let place = Place::before(&heroku);
    let (said, graph) = place.collect("");
    assert_eq!(said.code, 0, "{}", said.all());
    let kept = &graph.of_type("heroku_application")["0b2dfa09-1111-428b-b78c-c3ed9eb894d1"];
    assert_eq!(kept["_rawData"][0]["rawData"]["drain"], "https://logs.example.com/1");
    assert_eq!(files_with("quokka-", place.root()), Vec::<String>::new());
}

#[test]
fn a_key_that_works_is_named_by_whose_it_is() {
    let heroku = heroku();
    assert_snapshot!("config_that_works", Place::before(&heroku).run("validate config").steady());
}

#[test]
fn a_provider_that_does_not_answer_is_no_finding_but_a_failed_check() {
    let gone = heroku();
    let place = Place::before(&gone);
    drop(gone);
    let said = place.run("validate config");
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{}", said.all());
    assert!(said.err.contains("check the network") && !said.all().contains(KEY), "{}", said.all());
}

#[test]
fn a_wrong_key_is_a_finding_and_is_not_shown() {
    let heroku = heroku();
    let place = Place::before(&heroku).with("HEROKU_API_KEY", "HRKU-not-the-right-one");
    let said = place.run("validate config");
    assert_eq!(said.code, 4, "{}", said.all());
    assert_snapshot!("config_with_a_wrong_key", said.steady());
    let said = place.run("validate config --format json -vv");
    assert_eq!((said.code, &said.json()["config"]["problem"]["code"]), (4, &"PROVIDER_AUTHENTICATION_ERROR".into()));
    assert!(!said.all().contains("not-the-right-one"), "{}", said.all());
}

/// All cases in which a key's owner remains unknown, each with the expected explanation.
fn without_an_owner() -> Vec<(Heroku, &'static str)> {
    let scope =
        Heroku::with(FakeOptions { token: KEY.to_owned(), scopes: vec!["read".into()], ..FakeOptions::default() });
    let refusals = [
        (402, json!({"id": "delinquent", "message": "Your account is past due."}), "402 delinquent"),
        (403, json!({"id": "suspended", "message": "Your account is suspended."}), "403 suspended"),
        (404, json!({"id": "not_found", "message": "No."}), "404 not_found"),
        (422, json!({"id": "invalid_params", "message": "No."}), "422 invalid_params"),
        (200, json!({"id": null, "email": null}), "GET /account names neither"),
    ];
    let mut all = vec![(scope, "accepts scopes: global, identity")];
    for (status, body, told) in refusals {
        let heroku = heroku();
        heroku.fault(Fault::Status(Reply::json(status, &body)).on("/account"));
        all.push((heroku, told));
    }
    all
}

#[test]
fn a_key_whose_owner_is_unknown_works_everywhere_and_the_reason_is_told() {
    for (heroku, told) in without_an_owner() {
        let place = Place::before(&heroku);
        let config = place.run("validate config --format json");
        assert_eq!(config.code, 0, "{}", config.all());
        let unknown = config.json()["config"]["accountUnknown"].as_str().expect("a reason").to_owned();
        assert!(unknown.contains(told), "{unknown}");
        let plan = place.run("plan --format json");
        assert_eq!((plan.code, &plan.json()["subject"]), (0, &json!(null)), "{}", plan.all());
        assert!(plan.json()["subjectUnknown"].as_str().is_some_and(|reason| reason.contains(told)), "{}", plan.out);
        for line in ["validate config", "plan", "collect"] {
            let said = place.run(line);
            let text = said.all().split_whitespace().collect::<Vec<_>>().join(" ");
            assert!([0, 3].contains(&said.code), "{line}: {text}");
            assert!(
                text.contains("owner of the credentials is unknown") || text.contains("their owner is unknown"),
                "{line}: {text}"
            );
            assert!(text.contains(told), "{line}: {text}");
        }
        let (said, graph) = place.collect("");
        assert_eq!(graph.of_type("heroku_application").len(), 27, "{}", said.all());
    }
}

#[test]
fn an_account_that_cannot_be_read_costs_nothing_but_the_owner() {
    let faults = [
        Fault::Status(Reply::json(500, &json!({"id": "internal", "message": "Oops."}))),
        Fault::Status(Reply::html(200, "<html>Maintenance</html>")),
        Fault::EmptyBody,
        Fault::ConnectionReset,
    ];
    side_by_side(faults, |fault| {
        let heroku = heroku();
        heroku.fault(fault.clone().on("/account"));
        let place = Place::before(&heroku);
        let (said, graph) = place.collect("");
        assert_eq!((said.code, said.summary().state()), (0, "complete"), "{fault:?}: {}", said.all());
        assert!(said.err.contains("the owner of the credentials is unknown"), "{fault:?}: {}", said.err);
        assert_same(&graph, undisturbed());
    });
}

#[test]
fn a_key_that_may_read_nothing_is_not_refused_and_all_is_missing() {
    let heroku = Heroku::with(FakeOptions { token: KEY.to_owned(), scopes: Vec::new(), ..FakeOptions::default() });
    let place = Place::before(&heroku);
    assert_eq!(place.run("validate config").code, 0);
    let plan = place.run("plan");
    assert!(plan.code == 0 && plan.out.contains("they have no scopes"), "{}", plan.all());
    let said = place.run("collect --format json");
    assert_eq!((said.code, said.json()["state"].as_str()), (3, Some("partial")), "{}", said.all());
    assert_eq!(said.summary().gaps("fetch-account").len(), 1);
}

#[test]
fn at_an_address_that_answers_nothing_but_failures_all_is_missing() {
    let heroku = heroku();
    heroku.fault(Fault::Status(Reply::json(404, &json!({"id": "not_found", "message": "No."}))));
    let place = Place::before(&heroku);
    let said = place.run("collect --format json");
    assert_eq!((said.code, said.json()["state"].as_str()), (3, Some("partial")), "{}", said.all());
    assert_eq!(said.summary().gaps("fetch-account").len(), 1);
}

#[test]
fn a_key_is_confirmed_only_by_a_request_that_is_accepted() {
    let cases = [
        (Reply::html(200, "<html>Sign in</html>"), "did not answer as expected"),
        (Reply::json(404, &json!({"id": "not_found", "message": "No."})), "answered 404 not_found"),
        (Reply::html(403, "<html>Blocked</html>"), "answered 403 Forbidden"),
        (Reply::json(429, &json!({"id": "rate_limit"})).with_header("retry-after", "86400"), "answered 429"),
    ];
    side_by_side(cases, |(reply, answer)| {
        let heroku = heroku();
        let place = Place::before(&heroku);
        heroku.fault(Fault::Status(reply));
        let config = place.run("validate config");
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = words(&config.out);
        assert_eq!(config.code, 4, "{}", config.all());
        let unconfirmed = "the credentials could not be confirmed, because no request was accepted";
        assert!(text.contains(unconfirmed) && text.contains(answer), "{text}");
        assert!(!text.contains("accepts the credentials"), "{text}");
        let plan = place.run("plan");
        let text = words(&plan.out);
        assert_eq!(plan.code, 0, "{}", plan.all());
        assert!(text.contains("could not be confirmed") && text.contains(answer), "{text}");
        assert!(!text.contains("which is enough") && !text.contains("continues without the owner"), "{text}");
    });
}

#[test]
fn a_list_that_is_refused_is_no_reason_for_a_plan_to_fail() {
    let heroku = heroku();
    let refusal = json!({"id": "forbidden", "message": "You do not have access to enterprise accounts."});
    heroku.fault(Fault::Status(Reply::json(403, &refusal)).on("/enterprise-accounts"));
    let plan = Place::before(&heroku).run("plan");
    assert_eq!(plan.code, 0, "{}", plan.all());
    let text = plan.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("their scopes are unknown (GET /enterprise-accounts answered 403 forbidden"), "{text}");
}

#[test]
fn variables_for_connections_that_cannot_be_used_are_named() {
    let heroku = heroku();
    let missing = "/nowhere/bundle.pem";
    for (variable, value) in [
        ("HTTP_PROXY", "http://"),
        ("HTTPS_PROXY", "socks5://127.0.0.1:1"),
        ("all_proxy", "ftp://x"),
        ("SSL_CERT_FILE", missing),
        ("SSL_CERT_DIR", "/nowhere"),
        ("REQUESTS_CA_BUNDLE", missing),
        ("CURL_CA_BUNDLE", missing),
        ("NODE_EXTRA_CA_CERTS", missing),
    ] {
        let place = Place::before(&heroku).with(variable, value);
        for (line, code) in [("collect", 1), ("plan", 1), ("validate config", 4)] {
            let said = place.run(line);
            assert_eq!(said.code, code, "{variable}, {line}: {}", said.all());
            assert!(said.all().contains(&format!("{variable} cannot be used")), "{variable}, {line}: {}", said.all());
        }
        assert_eq!(place.run("collect --sample").code, 0, "the sample on loopback must ignore the variable");
    }
    assert_eq!(heroku.requests(), 0);
}

#[test]
fn a_configuration_that_is_not_valid_is_a_finding() {
    let place = Place::alone().with("HEROKU_API_KEY", KEY).with("HEROKU_API_URL", "api.heroku.com");
    let said = place.run("validate config");
    assert_eq!(said.code, 4, "{}", said.all());
    assert!(said.out.contains("HEROKU_API_URL"), "{}", said.out);
    let said = place.run("collect");
    assert_eq!(said.code, 1, "{}", said.all());
    assert!(said.err.contains("HEROKU_API_URL") && !said.all().contains(KEY), "{}", said.all());
}

#[test]
fn an_address_with_a_password_in_it_is_refused_and_the_password_not_shown() {
    let place = Place::alone().with("HEROKU_API_KEY", KEY).with("HEROKU_API_URL", "https://me:quokka@127.0.0.1:1/");
    for (line, code) in [("validate config", 4), ("validate config --format json -vv", 4), ("collect -vv", 1)] {
        let said = place.run(line);
        assert_eq!(said.code, code, "{line}: {}", said.all());
        assert!(said.all().contains("no user and no password"), "{line}: {}", said.all());
        assert!(!said.all().contains("quokka"), "{line}: {}", said.all());
    }
}

#[test]
fn keys_come_from_the_environment_or_files_and_the_nearest_wins() {
    let heroku = heroku();
    let url = heroku.url();
    let place = Place::alone();
    place.write(".env", &format!("HEROKU_API_URL={url}\nAPI_KEY=wrong\n"));
    assert_eq!(place.run("validate config").code, 4);
    place.write(".env.east", &format!("HEROKU_API_KEY={KEY}\n"));
    assert_eq!(place.run("validate config --instance east").code, 0);
    let said = place.run("collect --instance east --format json");
    assert_eq!((said.code, &said.json()["instance"]), (0, &"east".into()), "{}", said.all());
    let place = place.with("HEROKU_API_KEY", "wrong");
    assert_eq!(place.run("validate config --instance east").code, 4);
    let place = place.with("HEROKU_API_KEY", KEY);
    assert_eq!(place.run("validate config").code, 0);
    let before = heroku.requests();
    assert_eq!(place.run("collect --sample").code, 0);
    assert_eq!(heroku.requests(), before, "the sample must send requests only to its own fake");
}
