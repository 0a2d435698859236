//! Secrets that a person enters, and their entries in the vault.

use std::collections::BTreeMap;

use integration_instances::{ConfigValue, Instance, InstanceFile};
use integration_sdk::config::Field;
use integration_secrets::{ExposeSecret, KeySource, SecretReference, SecretString, Vault, VaultError};

use super::settings::{absolute, field};
use crate::asking::stdin;
use crate::context::Context;
use crate::dialogue;
use crate::failure::Failure;
use crate::secrets;

/// Entered secrets, by the name of the field.
pub(super) type Entered = BTreeMap<String, SecretString>;

/// Asks for the secrets of fields, or reads one of them from stdin.
pub(super) async fn read(
    context: &Context<'_>,
    fields: &[String],
    instance: &mut Instance,
) -> Result<Entered, Failure> {
    let mut entered = Entered::new();
    if fields.len() > 1 && !dialogue::is_possible() {
        return Err(Failure::Usage(
            "stdin contains one secret; use `--secret` once, and references for the others".to_owned(),
        ));
    }
    for name in fields {
        let field = field(context.integration, name)?;
        let secret = match dialogue::is_possible() {
            true => dialogue::secret(field.name).await?,
            false => SecretString::from(stdin()?.trim()),
        };
        if secret.expose_secret().is_empty() {
            return Err(Failure::Usage(format!("the secret of {} is empty", field.name)));
        }
        accept(field, secret, instance, &mut entered)?;
    }
    Ok(entered)
}

/// Notes an entered secret. The text of a reference is taken as the reference.
pub(super) fn accept(
    field: &Field,
    secret: SecretString,
    instance: &mut Instance,
    entered: &mut Entered,
) -> Result<(), Failure> {
    let name = field.name.to_owned();
    let reference = if SecretReference::is_like(secret.expose_secret()) {
        let reference = secret.expose_secret().parse();
        absolute(reference.map_err(|error| Failure::Usage(format!("{name}: {error}")))?)
    } else {
        let entry = instance.vault_entry(&name);
        entered.insert(name.clone(), secret);
        SecretReference::vault(entry).map_err(|error| Failure::Usage(format!("{name}: {error}")))?
    };
    instance.config.insert(name, ConfigValue::Secret(reference));
    Ok(())
}

/// Saves the instances together with the entered secrets of the changed ones.
///
/// If the file cannot be written, the former secrets are restored. Entries that a changed instance no longer refers to are
/// removed.
pub(super) fn save(context: &Context<'_>, file: &InstanceFile, changed: &[(Instance, Entered)]) -> Result<(), Failure> {
    let vault = secrets::vault(&context.globals.data_dir);
    let mut former: Vec<(String, Option<SecretString>)> = Vec::new();
    let mut stored = || -> Result<(), Failure> {
        let secrets = changed.iter().flat_map(|(instance, entered)| {
            entered.iter().map(move |(field, secret)| (instance.vault_entry(field), secret))
        });
        for (entry, secret) in secrets {
            let before = match vault.get(&entry) {
                Ok(before) => Some(before),
                Err(VaultError::NoEntry { .. }) => None,
                Err(error) => return Err(error.into()),
            };
            vault.set(&entry, secret)?;
            former.push((entry, before));
        }
        Ok(file.save()?)
    };
    if let Err(failure) = stored() {
        for (entry, before) in &former {
            // The first failure is the one to report.
            let _ = match before {
                Some(secret) => vault.set(entry, secret),
                None => vault.remove(entry).map(drop),
            };
        }
        return Err(failure);
    }
    for (instance, _) in changed {
        let used: Vec<&SecretReference> = instance.secrets().map(|(_, reference)| reference).collect();
        for entry in entries(&vault, instance)? {
            if !used.iter().any(|reference| matches!(reference, SecretReference::Vault(name) if *name == entry)) {
                vault.remove(&entry)?;
            }
        }
    }
    Ok(())
}

/// Returns the entries of an instance in the vault.
pub(super) fn entries(vault: &Vault, instance: &Instance) -> Result<Vec<String>, Failure> {
    let prefix = instance.vault_entry("");
    let names = vault.names()?.into_iter();
    Ok(names.filter(|name| name.starts_with(&prefix)).collect())
}

/// Encrypts all entered secrets under a new key.
pub(super) fn change_key(context: &Context<'_>) -> Result<(), Failure> {
    let vault = secrets::vault(&context.globals.data_dir);
    let entries = vault.names()?.len();
    if std::env::var_os(secrets::KEY).is_some_and(|key| !key.is_empty()) {
        let new = KeySource::Value(SecretString::from(stdin()?.trim()));
        vault.change_key(Some(&new))?;
        return context.print(&format!(
            "Encrypted {entries} secrets under the new key. Set {} to it from now on.\n",
            secrets::KEY
        ));
    }
    vault.change_key(None)?;
    context.print(&format!("Encrypted {entries} secrets under a new key.\n"))
}
