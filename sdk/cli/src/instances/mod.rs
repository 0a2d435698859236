//! Configured instances: their search in the data directory, and the values of their fields.

mod run;

use std::collections::BTreeMap;
use std::path::Path;

use integration_instances::{ConfigValue, Instance, KnownField, Misfit};
use integration_sdk::Integration;
use integration_sdk::config::{SecretString, Values};
use integration_sdk::graph::InstanceId;
use integration_secrets::Resolver;

use crate::failure::Failure;
use crate::secrets;
use crate::variables::variable;

pub(crate) use run::{InstanceRunner, Ran, configured, retain};

/// Returns the resolver of the secrets of instances. Relative paths are below the data directory.
pub(crate) fn resolver(data_dir: &Path) -> Resolver {
    secrets::resolver(data_dir).base(data_dir)
}

/// Returns the configured instance with a name, if there is one.
pub(crate) fn find(data_dir: &Path, integration: &Integration, name: &InstanceId) -> Result<Option<Instance>, Failure> {
    let instances = integration_instances::read(data_dir, integration.id())?;
    Ok(instances.into_iter().find(|instance| instance.is(integration.id(), name)))
}

/// Renames the values of an instance to the fields of its integration, and returns the differences.
pub(crate) fn fit(integration: &Integration, instance: &mut Instance) -> Vec<Misfit> {
    let fields = integration.fields().iter();
    let known =
        fields.map(|field| KnownField { name: field.name, is_secret: field.masked, is_required: !field.optional });
    let sources: Vec<&str> = integration.sources().iter().map(|source| source.id.as_str()).collect();
    instance.fit(&known.collect::<Vec<_>>(), &sources)
}

/// Returns an instance that fits its integration.
///
/// # Errors
/// [`Failure::Misfits`] if it does not.
pub(crate) fn fitting(integration: &Integration, mut instance: Instance) -> Result<Instance, Failure> {
    let misfits = fit(integration, &mut instance);
    if misfits.is_empty() { Ok(instance) } else { Err(Failure::Misfits { instance: instance.name, misfits }) }
}

/// Reads the secrets of an instance, and returns the values of all its fields.
///
/// Secrets in `entered` take precedence. They are those that a person has entered and that are not stored yet.
pub(crate) async fn values(
    integration: &Integration,
    instance: &Instance,
    secrets: &Resolver,
    entered: &BTreeMap<String, SecretString>,
) -> Result<Values, Failure> {
    let mut values = Values::new(integration.id(), []);
    for (field, value) in &instance.config {
        let secret = match (entered.get(field), value) {
            (Some(secret), _) => secret.clone(),
            (None, ConfigValue::Secret(reference)) => {
                let failed = |source| Failure::Secret { instance: instance.name.clone(), field: field.clone(), source };
                secrets.resolve(reference).await.map_err(failed)?
            }
            (None, plain) => SecretString::from(plain.plain_text().unwrap_or_default()),
        };
        values.set(variable(integration, field), secret);
    }
    Ok(values)
}
