use integration_scheduler::{PollingInterval, PollingTime};
use serde_json::json;

use super::*;
use crate::instance::ConfigValue;
use crate::polling::Polling;

fn imported(text: &str) -> Imported {
    import(text, "heroku").expect("instances")
}

#[test]
fn an_object_of_the_api_is_read() {
    let imported = imported(
        r#"{
          "id": "5c6e", "accountId": "j1dev", "createdOn": 1700000000000, "resourceGroupId": null,
          "name": "Acme: Production", "integrationDefinitionId": "0f2f",
          "integrationDefinition": {"name": "Heroku", "integrationType": "heroku"},
          "pollingInterval": "ONE_WEEK", "pollingIntervalCronExpression": {"hour": 4, "dayOfWeek": 1},
          "config": {"apiKey": "********", "apiUrl": "https://api.heroku.com", "@tag": {"AccountName": "Acme"}},
          "ingestionSourcesOverrides": [{"ingestionSourceId": "addons", "enabled": false}]
        }"#,
    );
    let instance = &imported.instances[0];
    assert_eq!((instance.name.as_str(), instance.integration.as_str()), ("acme-production", "heroku"));
    assert_eq!(instance.description.as_deref(), Some("Acme: Production"));
    let time = PollingTime { hour: Some(4), day_of_week: Some(1) };
    assert_eq!(instance.polling, Polling::Interval { interval: PollingInterval::OneWeek, time });
    assert_eq!(instance.account_name.as_deref(), Some("Acme"));
    assert!(!instance.ingestion_sources["addons"]);
    assert_eq!(instance.config.keys().collect::<Vec<_>>(), ["apiUrl"]);
    assert_eq!(
        imported.remarks,
        [
            "instance \"Acme: Production\" is named acme-production",
            "instance \"Acme: Production\": the value of `apiKey` was not exported; set it again",
        ]
    );
}

#[test]
fn an_object_of_terraform_is_read() {
    let imported = imported(
        r#"[{
          "name": "east", "integration_definition_id": "0f2f", "polling_interval": "ONE_DAY",
          "polling_interval_cron_expression": "{\"hour\": 6}", "config": "{\"api_key\": \"env:KEY\", \"deep\": true}",
          "ingestion_sources_overrides": [{"ingestion_source_id": "teams", "enabled": true}], "collector_pool_id": "c"
        }]"#,
    );
    let instance = &imported.instances[0];
    let time = PollingTime { hour: Some(6), day_of_week: None };
    assert_eq!(instance.polling, Polling::Interval { interval: PollingInterval::OneDay, time });
    assert!(matches!(instance.config["api_key"], ConfigValue::Secret(_)));
    assert_eq!(instance.config["deep"], ConfigValue::Plain(json!(true)));
    assert!(instance.ingestion_sources["teams"]);
    assert_eq!(imported.remarks.len(), 1, "{:?}", imported.remarks);
}

#[test]
fn a_configuration_of_starbase_is_read() {
    let imported = imported(
        "
integrations:
  - name: graph-heroku
    instanceId: testInstance
    directory: ./.integrations/graph-heroku
    gitRemoteUrl: https://github.com/JupiterOne/graph-heroku.git
    config:
      API_KEY: s3cret
  - name: graph-zoom
    directory: ./.integrations/graph-zoom
storage:
  - engine: neo4j
    config: { username: neo4j, password: hidden, uri: bolt://localhost:7687 }
",
    );
    let names: Vec<_> =
        imported.instances.iter().map(|instance| (instance.integration.as_str(), instance.name.as_str())).collect();
    assert_eq!(names, [("heroku", "testInstance"), ("zoom", "graph-zoom")]);
    assert!(imported.instances[0].config.contains_key("API_KEY"));
    assert_eq!(imported.remarks.len(), 1);
    assert!(!format!("{imported:?}").contains("s3cret"));
}

#[test]
fn the_own_form_is_read_as_well() {
    let imported = imported("instances:\n  - name: east\n");
    assert_eq!(imported.instances[0].integration, "heroku");
}

#[test]
fn a_defect_is_reported_with_its_line_and_without_values() {
    let error = |text: &str| import(text, "heroku").expect_err("a defect").to_string();
    let text = "- name: east\n  pollingInterval: HOURLY\n  config: {}\n";
    assert!(error(text).starts_with("line 2: instance \"east\": `HOURLY`"), "{}", error(text));
    for text in
        ["- name: east\n  config: s3cret\n", "s3cret", "name: s3cret: x", "integrations: s3cret", "instances: s3cret"]
    {
        assert!(!error(text).contains("s3cret"), "{}", error(text));
    }
    assert!(error("[1]").contains("no instances"), "{}", error("[1]"));
    assert_eq!(imported("[]").instances.len(), 0);
}
