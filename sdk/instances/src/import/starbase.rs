//! Configurations of Starbase, the runner of JupiterOne for one machine.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

use super::{Imported, is_hidden};
use crate::document::config_value;
use crate::error::{Problem, ReadError};
use crate::instance::Instance;
use crate::name::name_of;
use crate::yaml::{self, line};

/// The beginning of the names of integrations.
const PREFIX: &str = "graph-";

#[derive(Deserialize)]
struct Document {
    integrations: Vec<Integration>,
    storage: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Integration {
    name: Spanned<String>,
    instance_id: Option<Spanned<String>>,
    #[serde(default)]
    config: Option<BTreeMap<String, Spanned<Value>>>,
}

/// Reads a configuration.
///
/// The integration is the name without `graph-`, and the instance is named by its id, or by the integration if it has none.
/// Values are spelt like variables; [`Instance::fit`] renames them.
pub(super) fn import(text: &str) -> Result<Imported, ReadError> {
    let document: Document = yaml::read(text)?;
    let mut imported = Imported { instances: Vec::new(), remarks: Vec::new() };
    if document.storage.is_some_and(|storage| !storage.is_null()) {
        imported
            .remarks
            .push("`storage` is left out: results are in the data directory, and exports are commands".into());
    }
    for Integration { name, instance_id, config } in document.integrations {
        let title = instance_id.as_ref().unwrap_or(&name);
        let problem = |line, message: String| ReadError::from(Problem::new(line, Some(&title.value), message));
        let id = name_of(&title.value).map_err(|error| problem(line(title), error.to_string()))?;
        let integration = name.value.strip_prefix(PREFIX).unwrap_or(&name.value);
        let mut instance = Instance::new(id, integration);
        for (field, value) in config.into_iter().flatten() {
            let at = line(&value);
            if is_hidden(&value.value) {
                imported
                    .remarks
                    .push(format!("instance {:?}: the value of `{field}` is hidden; set it again", title.value));
            } else if let Some(value) = config_value(value.value).map_err(|message| problem(at, message))? {
                instance.config.insert(field, value);
            }
        }
        imported.instances.push(instance);
    }
    Ok(imported)
}
