//! Actions and their fields.

use std::fmt;

use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// An action as it is in the file. Texts in its fields are templates.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// The kind.
    pub kind: ActionKind,
    /// The identifier of an exported action.
    pub id: Option<String>,
    /// The fields except `type`, `id`, and `actions`.
    pub fields: Map<String, Value>,
    /// The actions for each item of `FOR_EACH_ITEM`; empty for other kinds.
    pub actions: Vec<Action>,
}

/// The kind of an action.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ActionKind {
    /// Sets a value that later conditions, templates, and outputs can use.
    SetProperty,
    /// Opens or updates the alert of the rule.
    CreateAlert,
    /// Sends an email.
    SendEmail,
    /// Sends a message to Slack.
    SendSlackMessage,
    /// Sends an HTTP request.
    Webhook,
    /// Runs actions for each element of a list.
    ForEachItem,
    /// Runs a query and keeps its result for later actions.
    JupiterOneQuery,
    /// Runs a program. JupiterOne does not have this action.
    RunCommand,
    /// Creates a ticket in Jira.
    CreateJiraTicket,
    /// Adds tags to entities.
    TagEntities,
    /// Publishes a message to Amazon SNS.
    PublishSnsMessage,
    /// Sends a message to Amazon SQS.
    SendSqsMessage,
    /// Writes an object to Amazon S3.
    SendToS3,
    /// An action that this program does not know.
    Unknown(String),
}

/// The shape of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldShape {
    Text,
    /// A list of texts, or one text.
    Texts,
    Flag,
    /// A text, a number, `true`, or `false`.
    Scalar,
    Object,
    Any,
}

/// A field of an action.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldSpec {
    pub name: &'static str,
    pub is_required: bool,
    pub shape: FieldShape,
}

const fn required(name: &'static str, shape: FieldShape) -> FieldSpec {
    FieldSpec { name, is_required: true, shape }
}

const fn optional(name: &'static str, shape: FieldShape) -> FieldSpec {
    FieldSpec { name, is_required: false, shape }
}

impl ActionKind {
    const KNOWN: [Self; 13] = [
        Self::SetProperty,
        Self::CreateAlert,
        Self::SendEmail,
        Self::SendSlackMessage,
        Self::Webhook,
        Self::ForEachItem,
        Self::JupiterOneQuery,
        Self::RunCommand,
        Self::CreateJiraTicket,
        Self::TagEntities,
        Self::PublishSnsMessage,
        Self::SendSqsMessage,
        Self::SendToS3,
    ];

    /// Returns the name in files.
    pub fn name(&self) -> &str {
        match self {
            Self::SetProperty => "SET_PROPERTY",
            Self::CreateAlert => "CREATE_ALERT",
            Self::SendEmail => "SEND_EMAIL",
            Self::SendSlackMessage => "SEND_SLACK_MESSAGE",
            Self::Webhook => "WEBHOOK",
            Self::ForEachItem => "FOR_EACH_ITEM",
            Self::JupiterOneQuery => "JUPITERONE_QUERY",
            Self::RunCommand => "RUN_COMMAND",
            Self::CreateJiraTicket => "CREATE_JIRA_TICKET",
            Self::TagEntities => "TAG_ENTITIES",
            Self::PublishSnsMessage => "PUBLISH_SNS_MESSAGE",
            Self::SendSqsMessage => "SEND_SQS_MESSAGE",
            Self::SendToS3 => "SEND_TO_S3",
            Self::Unknown(name) => name,
        }
    }

    /// Returns the kind with a name.
    pub fn named(name: &str) -> Self {
        let found = Self::KNOWN.into_iter().find(|kind| kind.name() == name);
        found.unwrap_or_else(|| Self::Unknown(name.to_owned()))
    }

    /// Returns whether this program carries out the action. The others are recorded and skipped.
    pub fn is_carried_out(&self) -> bool {
        !matches!(
            self,
            Self::CreateJiraTicket
                | Self::TagEntities
                | Self::PublishSnsMessage
                | Self::SendSqsMessage
                | Self::SendToS3
                | Self::Unknown(_)
        )
    }

    /// Returns the fields; `None` for unknown actions, which may have any.
    pub(crate) fn fields(&self) -> Option<&'static [FieldSpec]> {
        use FieldShape::{Any, Flag, Object, Scalar, Text, Texts};
        const SET_PROPERTY: &[FieldSpec] = &[required("targetProperty", Text), required("targetValue", Scalar)];
        const SEND_EMAIL: &[FieldSpec] = &[required("recipients", Texts), optional("body", Text)];
        const SLACK: &[FieldSpec] = &[
            optional("integrationInstanceId", Text),
            optional("channels", Texts),
            optional("webhookUrl", Text),
            optional("severity", Text),
            required("body", Text),
        ];
        const WEBHOOK: &[FieldSpec] = &[
            optional("endpoint", Text),
            optional("url", Text),
            optional("method", Text),
            optional("body", Any),
            optional("headers", Object),
            optional("integrationInstanceId", Text),
        ];
        const FOR_EACH: &[FieldSpec] = &[required("items", Any), optional("itemRef", Text)];
        const QUERY: &[FieldSpec] = &[required("query", Text), required("name", Text)];
        const COMMAND: &[FieldSpec] = &[required("command", Texts), optional("input", Text)];
        const JIRA: &[FieldSpec] = &[
            optional("integrationInstanceId", Text),
            required("entityClass", Text),
            required("project", Text),
            required("summary", Text),
            required("issueType", Text),
            optional("additionalFields", Object),
            optional("updateContentOnChanges", Flag),
            optional("autoResolve", Flag),
            optional("resolvedStatus", Text),
        ];
        const TAGS: &[FieldSpec] = &[required("entities", Any), required("tags", Any)];
        const SNS: &[FieldSpec] =
            &[optional("integrationInstanceId", Text), required("topicArn", Text), required("data", Any)];
        const SQS: &[FieldSpec] =
            &[optional("integrationInstanceId", Text), required("queueUrl", Text), required("data", Any)];
        const S3: &[FieldSpec] = &[
            optional("integrationInstanceId", Text),
            required("bucket", Text),
            required("region", Text),
            required("data", Any),
        ];
        Some(match self {
            Self::SetProperty => SET_PROPERTY,
            Self::CreateAlert => &[],
            Self::SendEmail => SEND_EMAIL,
            Self::SendSlackMessage => SLACK,
            Self::Webhook => WEBHOOK,
            Self::ForEachItem => FOR_EACH,
            Self::JupiterOneQuery => QUERY,
            Self::RunCommand => COMMAND,
            Self::CreateJiraTicket => JIRA,
            Self::TagEntities => TAGS,
            Self::PublishSnsMessage => SNS,
            Self::SendSqsMessage => SQS,
            Self::SendToS3 => S3,
            Self::Unknown(_) => return None,
        })
    }
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Map::deserialize(deserializer)?;
        let kind = match fields.remove("type") {
            Some(Value::String(name)) => ActionKind::named(&name),
            Some(_) => return Err(D::Error::custom("the `type` of an action must be a text")),
            None => return Err(D::Error::custom("an action has no `type`")),
        };
        let id = match fields.remove("id") {
            None | Some(Value::Null) => None,
            Some(Value::String(id)) => Some(id),
            Some(_) => return Err(D::Error::custom("the `id` of an action must be a text")),
        };
        let actions = if kind == ActionKind::ForEachItem {
            let actions = fields.remove("actions").unwrap_or_default();
            serde_json::from_value(actions)
                .map_err(|error| D::Error::custom(format!("the `actions` of FOR_EACH_ITEM: {error}")))?
        } else {
            Vec::new()
        };
        Ok(Self { kind, id, fields, actions })
    }
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(id) = &self.id {
            map.serialize_entry("id", id)?;
        }
        map.serialize_entry("type", self.kind.name())?;
        for (name, value) in &self.fields {
            map.serialize_entry(name, value)?;
        }
        if self.kind == ActionKind::ForEachItem {
            map.serialize_entry("actions", &self.actions)?;
        }
        map.end()
    }
}
