//! The revision of an instance.

use integration_secrets::Resolver;
use ring::digest::{SHA256, digest};
use serde_json::json;

use crate::instance::Instance;

impl Instance {
    /// Returns a digest of everything that affects the data of a job: the values, the sources, and the tag.
    ///
    /// The setting `only_changed` is left out, because it affects the requests alone.
    ///
    /// After refused credentials, the scheduler runs an instance again when its revision changes. The revision therefore
    /// also covers the state of the places of secrets, as [`Resolver::state_of`] reports it: an entered secret that was
    /// replaced, or a file that was written.
    pub fn revision(&self, secrets: &Resolver) -> String {
        let states: Vec<Option<String>> = self.secrets().map(|(_, reference)| secrets.state_of(reference)).collect();
        let covered = json!([self.integration, self.config, self.ingestion_sources, self.account_name, states]);
        let digest = digest(&SHA256, covered.to_string().as_bytes());
        digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use integration_scheduler::{PollingInterval, PollingTime};
    use integration_secrets::{KeySource, SecretReference, Vault};

    use super::*;
    use crate::instance::ConfigValue;
    use crate::name::check_name;
    use crate::polling::Polling;

    #[test]
    fn a_revision_changes_with_what_a_job_collects() {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = Vault::new(folder.path(), KeySource::File(folder.path().join("vault.key")));
        let secrets = Resolver::new().vault(vault.clone());
        let mut instance = Instance::new(check_name("east").expect("a name"), "heroku");
        let entry = instance.vault_entry("api_key");
        let reference = SecretReference::vault(&entry).expect("a reference");
        instance.config.insert("api_key".to_owned(), ConfigValue::Secret(reference));
        let mut revisions = vec![instance.revision(&secrets)];
        vault.set(&entry, &"s3cret".into()).expect("set");
        revisions.push(instance.revision(&secrets));
        vault.set(&entry, &"rotated".into()).expect("set");
        revisions.push(instance.revision(&secrets));
        instance.account_name = Some("Acme".to_owned());
        revisions.push(instance.revision(&secrets));
        instance.ingestion_sources.insert("addons".to_owned(), false);
        revisions.push(instance.revision(&secrets));
        let all = revisions.len();
        revisions.sort();
        revisions.dedup();
        assert_eq!(revisions.len(), all);

        let before = instance.revision(&secrets);
        instance.description = Some("The account of the company".to_owned());
        instance.polling = Polling::every(PollingInterval::OneHour, PollingTime::default()).expect("a polling");
        assert_eq!(instance.revision(&secrets), before);
    }
}
