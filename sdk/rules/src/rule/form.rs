//! The JSON form of a rule.

use std::collections::BTreeMap;

use integration_scheduler::PollingInterval;
use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{Action, ChangeSelection, Label, LengthOfTime, Operation, Rule, RuleInput, RuleQuery, When};

/// A rule without input, or with several.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// None of the four fields is given.
    #[error("the rule `{0}` has no input: expected `question`, `questionId`, `questionName`, or `changes`")]
    Missing(String),
    /// Queries, a saved question, and changes exclude each other.
    #[error("the rule `{0}` has several inputs: expected only one of `question`, `questionId`, and `changes`")]
    Several(String),
    /// Only change rules have the field.
    #[error("the rule `{0}` has `resolveAfter`, but no `changes`")]
    ResolveAfter(String),
}

/// Fields that only the service uses are read and left out.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RuleForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    spec_version: Option<u64>,
    #[serde(default)]
    polling_interval: Option<PollingInterval>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    question: Option<QuestionForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    question_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    question_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "optional_list")]
    changes: Option<Vec<ChangeSelection>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resolve_after: Option<LengthOfTime>,
    #[serde(default)]
    operations: Option<Vec<OperationForm>>,
    #[serde(default)]
    outputs: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    templates: Option<BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    labels: Option<Vec<Label>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    notify_on_failure: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trigger_actions_on_new_entities_only: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ignore_previous_results: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remediation_steps: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resource_group_id: Option<String>,
    #[serde(default, rename = "accountId", skip_serializing)]
    _account_id: Option<IgnoredAny>,
    #[serde(default, rename = "evaluationStep", skip_serializing)]
    _evaluation_step: Option<IgnoredAny>,
    #[serde(default, rename = "lastEvaluationStartOn", skip_serializing)]
    _last_evaluation_start_on: Option<IgnoredAny>,
    #[serde(default, rename = "lastEvaluationEndOn", skip_serializing)]
    _last_evaluation_end_on: Option<IgnoredAny>,
    #[serde(default, rename = "latest", skip_serializing)]
    _latest: Option<IgnoredAny>,
    #[serde(default, rename = "deleted", skip_serializing)]
    _deleted: Option<IgnoredAny>,
    #[serde(default, rename = "type", skip_serializing)]
    _type: Option<IgnoredAny>,
    #[serde(default, rename = "latestAlertId", skip_serializing)]
    _latest_alert_id: Option<IgnoredAny>,
    #[serde(default, rename = "latestAlertIsActive", skip_serializing)]
    _latest_alert_is_active: Option<IgnoredAny>,
    #[serde(default, rename = "state", skip_serializing)]
    _state: Option<IgnoredAny>,
    #[serde(default, rename = "j1Internal", skip_serializing)]
    _j1_internal: Option<IgnoredAny>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct QuestionForm {
    queries: Vec<QueryForm>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct QueryForm {
    #[serde(default)]
    name: Option<String>,
    query: String,
    #[serde(default)]
    version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    include_deleted: Option<bool>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OperationForm {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "optional_list")]
    when: Option<Vec<WhenForm>>,
    #[serde(default)]
    actions: Vec<Action>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WhenForm {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    spec_version: Option<u64>,
    #[serde(default, rename = "version", skip_serializing)]
    _version: Option<IgnoredAny>,
    condition: Value,
}

/// Reads nothing, one value, or a list of values.
fn optional_list<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        list @ Value::Array(_) => serde_json::from_value(list).map(Some).map_err(D::Error::custom),
        one => serde_json::from_value(one).map(|one| Some(vec![one])).map_err(D::Error::custom),
    }
}

impl TryFrom<RuleForm> for Rule {
    type Error = InputError;

    fn try_from(form: RuleForm) -> Result<Self, InputError> {
        let by_question = form.question_id.is_some() || form.question_name.is_some();
        if form.resolve_after.is_some() && form.changes.is_none() {
            return Err(InputError::ResolveAfter(form.name));
        }
        let input = match (form.question, form.changes) {
            (Some(_), _) if by_question => return Err(InputError::Several(form.name)),
            (_, Some(_)) if by_question => return Err(InputError::Several(form.name)),
            (Some(_), Some(_)) => return Err(InputError::Several(form.name)),
            (Some(question), None) => RuleInput::Queries(RuleQuery::numbered(question.queries)),
            (None, Some(selections)) => RuleInput::Changes { selections, resolve_after: form.resolve_after },
            (None, None) if by_question => RuleInput::Question { id: form.question_id, name: form.question_name },
            (None, None) => return Err(InputError::Missing(form.name)),
        };
        Ok(Self {
            id: form.id,
            version: form.version,
            name: form.name,
            description: form.description.unwrap_or_default(),
            spec_version: form.spec_version.unwrap_or(1),
            polling_interval: form.polling_interval.unwrap_or_default(),
            input,
            operations: form.operations.unwrap_or_default().into_iter().map(Operation::from).collect(),
            outputs: form.outputs.unwrap_or_default(),
            templates: form.templates.unwrap_or_default(),
            tags: form.tags.unwrap_or_default(),
            labels: form.labels.unwrap_or_default(),
            notify_on_failure: form.notify_on_failure.unwrap_or_default(),
            new_entities_only: form.trigger_actions_on_new_entities_only.unwrap_or_default(),
            ignore_previous_results: form.ignore_previous_results.unwrap_or_default(),
            remediation_steps: form.remediation_steps,
            resource_group_id: form.resource_group_id,
        })
    }
}

impl From<Rule> for RuleForm {
    fn from(rule: Rule) -> Self {
        let (mut question, mut question_id, mut question_name) = (None, None, None);
        let (mut changes, mut resolve_after) = (None, None);
        match rule.input {
            RuleInput::Queries(queries) => {
                question = Some(QuestionForm { queries: queries.into_iter().map(QueryForm::from).collect() });
            }
            RuleInput::Question { id, name } => (question_id, question_name) = (id, name),
            RuleInput::Changes { selections, resolve_after: after } => {
                (changes, resolve_after) = (Some(selections), after);
            }
        }
        let flag = |flag: bool| flag.then_some(true);
        Self {
            id: rule.id,
            version: rule.version,
            name: rule.name,
            description: Some(rule.description),
            spec_version: Some(rule.spec_version),
            polling_interval: Some(rule.polling_interval),
            question,
            question_id,
            question_name,
            changes,
            resolve_after,
            operations: Some(rule.operations.into_iter().map(OperationForm::from).collect()),
            outputs: Some(rule.outputs),
            templates: Some(rule.templates).filter(|templates| !templates.is_empty()),
            tags: Some(rule.tags).filter(|tags| !tags.is_empty()),
            labels: Some(rule.labels).filter(|labels| !labels.is_empty()),
            notify_on_failure: flag(rule.notify_on_failure),
            trigger_actions_on_new_entities_only: flag(rule.new_entities_only),
            ignore_previous_results: flag(rule.ignore_previous_results),
            remediation_steps: rule.remediation_steps,
            resource_group_id: rule.resource_group_id,
            _account_id: None,
            _evaluation_step: None,
            _last_evaluation_start_on: None,
            _last_evaluation_end_on: None,
            _latest: None,
            _deleted: None,
            _type: None,
            _latest_alert_id: None,
            _latest_alert_is_active: None,
            _state: None,
            _j1_internal: None,
        }
    }
}

impl RuleQuery {
    /// Converts queries. A query without a name is called by its position.
    pub(super) fn numbered(queries: Vec<QueryForm>) -> Vec<Self> {
        let convert = |(at, query): (usize, QueryForm)| Self {
            name: query.name.unwrap_or_else(|| format!("query{at}")),
            query: query.query,
            include_deleted: query.include_deleted.unwrap_or_default(),
        };
        queries.into_iter().enumerate().map(convert).collect()
    }
}

impl From<RuleQuery> for QueryForm {
    fn from(query: RuleQuery) -> Self {
        let include_deleted = query.include_deleted.then_some(true);
        Self { name: Some(query.name), query: query.query, version: Some("v1".to_owned()), include_deleted }
    }
}

impl From<OperationForm> for Operation {
    fn from(form: OperationForm) -> Self {
        let when = |when: WhenForm| When { kind: when.kind, condition: when.condition };
        Self { when: form.when.unwrap_or_default().into_iter().map(when).collect(), actions: form.actions }
    }
}

impl From<Operation> for OperationForm {
    fn from(operation: Operation) -> Self {
        let when =
            |when: When| WhenForm { kind: when.kind, spec_version: Some(1), _version: None, condition: when.condition };
        let when: Vec<WhenForm> = operation.when.into_iter().map(when).collect();
        Self { when: Some(when).filter(|when| !when.is_empty()), actions: operation.actions }
    }
}
