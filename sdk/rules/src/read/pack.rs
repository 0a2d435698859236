//! Rule packs: rules of which only the queries are given.

use std::collections::BTreeMap;

use integration_scheduler::PollingInterval;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use crate::rule::{Action, ActionKind, Operation, Rule, RuleInput, RuleQuery, When};

/// An entry of a rule pack.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PackEntry {
    name: String,
    #[serde(default)]
    description: Option<String>,
    queries: Vec<PackQuery>,
    #[serde(default)]
    alert_level: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PackQuery {
    #[serde(default)]
    name: Option<String>,
    query: String,
    #[serde(default, rename = "version")]
    _version: Option<IgnoredAny>,
    #[serde(default)]
    include_deleted: Option<bool>,
}

impl PackEntry {
    /// Completes the entry with the defaults of JupiterOne's rule packs.
    ///
    /// The default condition names `query0`. An entry whose first query has another name gets a condition about that
    /// query, because the literal default would never hold.
    pub(super) fn into_rule(self) -> Rule {
        let query = |(at, query): (usize, PackQuery)| RuleQuery {
            name: query.name.unwrap_or_else(|| format!("query{at}")),
            query: query.query,
            include_deleted: query.include_deleted.unwrap_or_default(),
        };
        let queries: Vec<RuleQuery> = self.queries.into_iter().enumerate().map(query).collect();
        let has_default = queries.iter().any(|query| query.name == "query0");
        let first = queries.first().filter(|_| !has_default).map_or("query0", |query| query.name.as_str());
        let condition = json!(["AND", [format!("queries.{first}.total"), ">", 0]]);
        let level = self.alert_level.unwrap_or_else(|| "HIGH".to_owned());
        let fields = [("targetProperty", "alertLevel"), ("targetValue", level.as_str())];
        let fields = fields.map(|(name, value)| (name.to_owned(), Value::from(value))).into_iter().collect();
        let action = |kind, fields| Action { kind, id: None, fields, actions: Vec::new() };
        let actions = vec![action(ActionKind::SetProperty, fields), action(ActionKind::CreateAlert, Map::new())];
        Rule {
            id: None,
            version: None,
            name: self.name,
            description: self.description.unwrap_or_default(),
            spec_version: 1,
            polling_interval: PollingInterval::OneDay,
            input: RuleInput::Queries(queries),
            operations: vec![Operation { when: vec![When { kind: "FILTER".to_owned(), condition }], actions }],
            outputs: vec!["alertLevel".to_owned()],
            templates: BTreeMap::new(),
            tags: Vec::new(),
            labels: Vec::new(),
            notify_on_failure: false,
            new_entities_only: false,
            ignore_previous_results: false,
            remediation_steps: None,
            resource_group_id: None,
        }
    }
}
