//! Rules in Terraform files: resources of the type `jupiterone_rule`.

use hcl::eval::{Context, Evaluate, FuncArgs, FuncDef, ParamType};
use hcl::expr::Expression;
use hcl::structure::{Block, Body, Structure};
use serde_json::{Map, Value};

use crate::Rule;

/// The maximum length of the parser's message, which repeats a whole line of the file.
const MAX_MESSAGE: usize = 400;

/// A Terraform file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TerraformError {
    /// The text is not HCL.
    #[error("the file is not HCL: {0}")]
    Syntax(String),
    /// An expression refers to a variable or another resource, which only Terraform knows.
    #[error("{resource}: `{attribute}` cannot be computed without Terraform: {cause}")]
    Expression {
        /// The address of the resource.
        resource: String,
        /// The name of the attribute.
        attribute: String,
        /// The cause.
        cause: String,
    },
    /// The resource is no rule: a field is missing, unknown, or of another type.
    #[error("{resource}: {cause}")]
    Rule {
        /// The address of the resource.
        resource: String,
        /// The cause.
        cause: String,
    },
}

/// Reads the rules of a Terraform file. Other resources and blocks are skipped.
///
/// # Errors
/// [`TerraformError`] if the file is not HCL, or if a rule needs a value that only Terraform knows.
pub fn parse_terraform(text: &str) -> Result<Vec<Rule>, TerraformError> {
    let body = hcl::parse(text).map_err(|error| TerraformError::Syntax(shortened(&error.to_string())))?;
    let context = functions();
    let mut rules = Vec::new();
    for block in body.blocks().filter(|block| block.identifier() == "resource") {
        let labels: Vec<&str> = block.labels().iter().map(hcl::structure::BlockLabel::as_str).collect();
        let ["jupiterone_rule", name] = labels.as_slice() else { continue };
        let resource = format!("jupiterone_rule.{name}");
        let mut fields = object(block.body(), &context, &resource)?;
        rename(&mut fields);
        let rule = serde_json::from_value(Value::Object(fields));
        rules.push(rule.map_err(|error| TerraformError::Rule { resource, cause: error.to_string() })?);
    }
    Ok(rules)
}

fn shortened(message: &str) -> String {
    if message.contains("recursion limit") {
        return "it is nested too deeply".to_owned();
    }
    message.trim().chars().take(MAX_MESSAGE).collect()
}

/// Returns the functions that rules use: they convert between JSON and texts.
fn functions() -> Context<'static> {
    fn encode(arguments: FuncArgs) -> Result<hcl::Value, String> {
        serde_json::to_string(&arguments[0]).map(hcl::Value::from).map_err(|error| error.to_string())
    }
    fn decode(arguments: FuncArgs) -> Result<hcl::Value, String> {
        let text = arguments[0].as_str().unwrap_or_default();
        serde_json::from_str(text).map_err(|_| "the text is no JSON, or it is nested too deeply".to_owned())
    }
    let mut context = Context::new();
    context.declare_func("jsonencode", FuncDef::builder().param(ParamType::Any).build(encode));
    context.declare_func("jsondecode", FuncDef::builder().param(ParamType::String).build(decode));
    context
}

/// Converts a body. Blocks of one name become a list.
fn object(body: &Body, context: &Context<'_>, resource: &str) -> Result<Map<String, Value>, TerraformError> {
    let mut fields = Map::new();
    for structure in body {
        match structure {
            Structure::Attribute(attribute) => {
                let value = evaluate(attribute.expr(), context).map_err(|cause| TerraformError::Expression {
                    resource: resource.to_owned(),
                    attribute: attribute.key().to_owned(),
                    cause,
                })?;
                fields.insert(attribute.key().to_owned(), value);
            }
            Structure::Block(block) => {
                let inner = Value::Object(object(Block::body(block), context, resource)?);
                let list = fields.entry(block.identifier()).or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(blocks) = list {
                    blocks.push(inner);
                }
            }
        }
    }
    Ok(fields)
}

fn evaluate(expression: &Expression, context: &Context<'_>) -> Result<Value, String> {
    let value = expression.evaluate(context).map_err(|error| error.to_string())?;
    serde_json::to_value(value).map_err(|error| error.to_string())
}

/// Replaces Terraform's names of the fields, and the texts that contain JSON by their values.
fn rename(fields: &mut Map<String, Value>) {
    const NAMES: [(&str, &str); 12] = [
        ("polling_interval", "pollingInterval"),
        ("spec_version", "specVersion"),
        ("question_id", "questionId"),
        ("question_name", "questionName"),
        ("notify_on_failure", "notifyOnFailure"),
        ("trigger_on_new_only", "triggerActionsOnNewEntitiesOnly"),
        ("trigger_actions_on_new_entities_only", "triggerActionsOnNewEntitiesOnly"),
        ("ignore_previous_results", "ignorePreviousResults"),
        ("remediation_steps", "remediationSteps"),
        ("resource_group_id", "resourceGroupId"),
        ("include_deleted", "includeDeleted"),
        ("label_name", "labelName"),
    ];
    for meta in ["depends_on", "lifecycle", "provider", "count", "for_each", "provisioner"] {
        fields.remove(meta);
    }
    // Terraform has no way to leave out an attribute conditionally except `null`.
    fields.retain(|_, value| !value.is_null());
    rename_all(fields, &NAMES);
    if let Some(question) = fields.get_mut("question") {
        single(question);
        if let Some(queries) = question.get_mut("queries").and_then(Value::as_array_mut) {
            queries.iter_mut().filter_map(Value::as_object_mut).for_each(|query| rename_all(query, &NAMES));
        }
    }
    if let Some(labels) = fields.get_mut("labels").and_then(Value::as_array_mut) {
        let names = [("label_name", "labelName"), ("label_value", "labelValue")];
        labels.iter_mut().filter_map(Value::as_object_mut).for_each(|label| rename_all(label, &names));
    }
    let Some(operations) = fields.get_mut("operations").and_then(Value::as_array_mut) else { return };
    for operation in operations.iter_mut().filter_map(Value::as_object_mut) {
        if let Some(when) = operation.get_mut("when") {
            decode(when);
            if let Value::Array(conditions) = when {
                conditions.iter_mut().for_each(decode);
            }
        }
        if let Some(Value::Array(actions)) = operation.get_mut("actions") {
            actions.iter_mut().for_each(decode);
        }
    }
}

fn rename_all(fields: &mut Map<String, Value>, names: &[(&str, &str)]) {
    for (from, to) in names {
        if let Some(value) = fields.remove(*from) {
            fields.insert((*to).to_owned(), value);
        }
    }
}

/// Replaces a list of one block by the block.
fn single(value: &mut Value) {
    if let Value::Array(blocks) = value
        && blocks.len() == 1
        && let Some(block) = blocks.pop()
    {
        *value = block;
    }
}

/// Replaces a text that contains JSON by the value.
fn decode(value: &mut Value) {
    if let Value::String(text) = value
        && let Ok(decoded) = serde_json::from_str(text)
    {
        *value = decoded;
    }
}
