//! The names of instances on the scheduler.

use integration_instances::Instance;
use integration_sdk::graph::InstanceId;

/// Returns the name of an instance among those of all integrations, such as `heroku/production`.
///
/// Two integrations may have instances of one name. The positions of rules have this form as well.
pub(crate) fn key_of(instance: &Instance) -> String {
    key(&instance.integration, &instance.name)
}

/// Returns the name of the instance of an integration among those of all integrations.
pub(super) fn key(integration: &str, instance: &InstanceId) -> String {
    format!("{integration}/{instance}")
}

/// Returns the name under which the alert about refused credentials of an instance is kept.
pub(crate) fn credentials_rule(key: &str) -> String {
    format!("Credentials refused: {key}")
}
