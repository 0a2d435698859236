use proptest::prelude::*;
use serde_json::json;

use super::*;

const FULL: &str = "\
version: 1
instances:
  - name: production
    integration: heroku
    description: The account of the company
    pollingInterval: ONE_WEEK
    pollingIntervalCronExpression:
      hour: 4
      dayOfWeek: 1
    config:
      api_key: vault:heroku/production/api_key
      api_url: https://api.heroku.com
      limits:
        teams: 5
    ingestionSources:
      addons: false
    onlyChanged: true
    retention:
      jobs: 30
      age: 90d
    tagAccountName: Acme
  - name: staging
    integration: heroku
    cron: 0 6 * * mon-fri
    timeZone: Europe/Berlin
";

fn problems(text: &str) -> Vec<String> {
    parse(text, "heroku").expect_err("problems").problems.iter().map(Problem::to_string).collect()
}

#[test]
fn every_field_is_read_and_written() {
    let instances = parse(FULL, "zoom").expect("instances");
    assert_eq!(instances.len(), 2);
    let production = &instances[0];
    assert_eq!(production.account_name.as_deref(), Some("Acme"));
    assert_eq!(production.retention.newest, Some(30));
    assert!(production.only_changed && !instances[1].only_changed);
    assert!(matches!(production.config["api_key"], ConfigValue::Secret(_)));
    assert_eq!(production.config["limits"], ConfigValue::Plain(json!({"teams": 5})));
    assert!(matches!(instances[1].polling, Polling::Cron { .. }));
    let written = to_yaml(&instances).expect("YAML");
    assert_eq!(written, HEADER.to_owned() + FULL);
    assert_eq!(parse(&written, "zoom").expect("instances"), instances);
    let json = serde_json::json!({"instances": instances}).to_string();
    assert_eq!(parse(&json, "zoom").expect("JSON is YAML"), instances);
}

#[test]
fn an_entry_needs_only_a_name() {
    let instances = parse("instances: [{name: east}]", "heroku").expect("instances");
    assert_eq!(instances, [Instance::new(check_name("east").expect("a name"), "heroku")]);
    assert_eq!(instances[0].polling, Polling::default());
    assert!(parse("instances: []", "heroku").expect("none").is_empty());
}

#[test]
fn all_problems_are_reported_with_their_lines() {
    let text = "\
instances:
  - name: ../east
  - name: west
    pollingInterval: FIFTEEN_MINUTES
    config:
      api_key: 'env:'
    retention: { age: soon }
  - name: north
    cron: 0 6 * *
  - name: south
    pollingInterval: ONE_DAY
    cron: 0 6 * * *
  - name: north
    timeZone: UTC
";
    let found = problems(text);
    let starts = [
        "line 2: instance \"../east\": a name consists of",
        "line 4: instance \"west\": `FIFTEEN_MINUTES` is an interval of rules",
        "line 6: instance \"west\": the value of `api_key` cannot be used: `env:` is followed by no name",
        "line 7: instance \"west\": `soon` is no duration",
        "line 9: instance \"north\": the cron expression",
        "line 11: instance \"south\": `cron` and `pollingInterval` exclude each other",
        "line 14: instance \"north\": `timeZone` has a meaning only with `cron`",
        "line 13: instance \"north\": the name is used twice",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (found, start) in found.iter().zip(starts) {
        assert!(found.starts_with(start), "{found:?} instead of {start:?}");
    }
}

#[test]
fn a_misspelt_field_is_reported_with_its_line_and_without_values() {
    for (text, expected) in [
        ("instances:\n  - name: a\n    polling: ONE_DAY\n", "line 3: the field `polling` is unknown"),
        ("instances:\n  - description: s3cret\n", "the field `name` is missing"),
        ("instances:\n  - name: a\n    config: s3cret\n", "line 3: "),
        ("instances:\n  - name: a\n    config:\n      api_key: s3cret\n     x: s3cret\n", "line "),
        ("instances:\n  - name: a\n    ingestionSources: { a: s3cret }\n", "line 3: "),
        ("instances:\n  - name: a\n    name: b\n", "a field is given twice"),
        ("version: 2\ninstances: []\n", "line 1: a newer version"),
        ("", "the text is empty"),
    ] {
        let found = problems(text).join("\n");
        assert!(found.contains(expected) && !found.contains("s3cret"), "{found}");
    }
}

proptest! {
    #[test]
    fn any_instance_survives_its_text(
        description in prop::option::of(".{1,40}"),
        text in ".{0,40}",
        number in any::<i64>(),
        on in any::<bool>(),
        tag in prop::option::of("[ -~]{1,20}"),
        jobs in prop::option::of(any::<u32>()),
        only_changed in any::<bool>(),
    ) {
        let mut instance = Instance::new(check_name("east").expect("a name"), "heroku");
        instance.description = description;
        if let Ok(value) = ConfigValue::of_text(&text) {
            instance.config.insert("text".to_owned(), value);
        }
        instance.config.insert("number".to_owned(), ConfigValue::Plain(json!(number)));
        instance.config.insert("list".to_owned(), ConfigValue::Plain(json!([text, on, {"a": text}])));
        instance.ingestion_sources.insert("addons".to_owned(), on);
        instance.account_name = tag;
        instance.retention.newest = jobs;
        instance.only_changed = only_changed;
        let written = to_yaml(std::slice::from_ref(&instance)).expect("YAML");
        prop_assert_eq!(parse(&written, "zoom").expect(&written), [instance], "{}", written);
    }
}

#[test]
fn times_and_retentions_without_a_meaning_are_refused() {
    let with = |time: &str| format!("pollingInterval: {time}}}");
    for (fields, part) in [
        (with("ONE_HOUR\n    pollingIntervalCronExpression: {dayOfWeek: 2"), "for ONE_WEEK only"),
        (with("ONE_HOUR\n    pollingIntervalCronExpression: {hour: 2"), "for ONE_DAY and ONE_WEEK only"),
        (with("ONE_WEEK\n    pollingIntervalCronExpression: {dayOfWeek: 9"), "expected 0 to 6"),
        ("pollingInterval: FIVE_MINUTES".to_owned(), "expected one of: DISABLED, THIRTY_MINUTES"),
        ("retention: {jobs: 0}".to_owned(), "always kept"),
    ] {
        let text = format!("version: 1\ninstances:\n  - name: a\n    {fields}\n");
        let error = parse(&text, "acme").expect_err(&fields).to_string();
        assert!(error.contains(part), "{fields}: {error}");
    }
}
