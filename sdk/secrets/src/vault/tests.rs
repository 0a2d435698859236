use std::fs;

use proptest::prelude::*;
use serde_json::Value;

use std::path::Path;

use super::*;
use crate::entry_name::LONGEST_NAME;

const KEY: &str = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=";
const OTHER: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn with_file(folder: &Path) -> Vault {
    Vault::new(folder, KeySource::File(folder.join("keys/vault.key")))
}

fn with_value(folder: &Path, key: &str) -> Vault {
    Vault::new(folder, KeySource::Value(key.into()))
}

fn text(vault: &Vault, name: &str) -> Result<String, VaultError> {
    vault.get(name).map(|secret| secret.expose_secret().to_owned())
}

/// Changes the file of a vault.
fn edit(vault: &Vault, change: impl FnOnce(&mut Value)) {
    let mut json = serde_json::from_slice(&fs::read(vault.path()).expect("a vault")).expect("JSON");
    change(&mut json);
    fs::write(vault.path(), json.to_string()).expect("written");
}

#[test]
fn an_entry_is_kept_replaced_and_removed() {
    let folder = folder();
    let vault = with_file(folder.path());
    assert!(vault.names().expect("no vault").is_empty());
    assert!(!vault.remove("a").expect("no vault"));
    assert!(matches!(vault.get("a"), Err(VaultError::NoEntry { .. })));
    vault.set("b", &"other".into()).expect("set");
    vault.set("a", &"first".into()).expect("set");
    vault.set("a", &"s3cret".into()).expect("set");
    assert_eq!(vault.names().expect("names"), ["a", "b"]);
    assert_eq!(text(&with_file(folder.path()), "a").expect("a secret"), "s3cret");
    assert!(vault.remove("a").expect("removed") && !vault.remove("a").expect("gone"));
    assert_eq!(text(&vault, "b").expect("a secret"), "other");
}

#[test]
fn no_file_contains_a_secret_and_equal_secrets_differ() {
    let folder = folder();
    let vault = with_file(folder.path());
    vault.set("a", &"s3cret".into()).expect("set");
    vault.set("b", &"s3cret".into()).expect("set");
    let stored = fs::read_to_string(vault.path()).expect("a vault");
    assert!(!stored.contains("s3cret") && !format!("{vault:?}").contains("s3cret"));
    let json: Value = serde_json::from_str(&stored).expect("JSON");
    assert_ne!(json["entries"]["a"], json["entries"]["b"]);
}

#[cfg(unix)]
#[test]
fn all_files_are_for_their_owner_only_and_an_exposed_key_is_refused() {
    use std::os::unix::fs::PermissionsExt;

    let folder = folder();
    let vault = with_file(folder.path());
    vault.set("a", &"s3cret".into()).expect("set");
    let key = folder.path().join("keys/vault.key");
    for path in [&vault.path(), &key, &folder.path().join(LOCK)] {
        assert_eq!(fs::metadata(path).expect("a file").permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).expect("ours");
    let error = vault.get("a").expect_err("exposed");
    assert!(matches!(error, VaultError::KeyExposed { mode: 0o640, .. }), "{error}");
    assert!(vault.set("b", &"x".into()).is_err());
}

#[test]
fn a_wrong_or_missing_key_is_recognised() {
    let folder = folder();
    let vault = with_value(folder.path(), KEY);
    vault.set("a", &"s3cret".into()).expect("set");
    let other = with_value(folder.path(), OTHER);
    assert!(matches!(other.get("a"), Err(VaultError::WrongKey { .. })));
    assert!(matches!(other.set("b", &"x".into()), Err(VaultError::WrongKey { .. })), "two keys in one vault");
    assert!(matches!(with_file(folder.path()).get("a"), Err(VaultError::NoKeyFile { .. })));
    assert!(matches!(with_file(folder.path()).set("b", &"x".into()), Err(VaultError::NoKeyFile { .. })));
    for form in ["", "short", "c2hvcnQ=", "not base64 at all, but long enough for a key!"] {
        let error = with_value(folder.path(), form).get("a").expect_err("no key");
        assert!(matches!(error, VaultError::KeyForm { .. }), "{error}");
        assert!(form.is_empty() || !format!("{error} {error:?}").contains(form), "{error}");
    }
}

#[test]
fn an_altered_copied_or_truncated_file_is_recognised() {
    let folder = folder();
    let vault = with_value(folder.path(), KEY);
    vault.set("a", &"s3cret".into()).expect("set");
    vault.set("b", &"other".into()).expect("set");
    let original = fs::read(vault.path()).expect("a vault");

    edit(&vault, |json| json["entries"]["a"] = json["entries"]["b"].clone());
    assert!(matches!(vault.get("a"), Err(VaultError::Altered { .. })), "an entry of another name");
    assert_eq!(text(&vault, "b").expect("a secret"), "other");

    fs::write(vault.path(), &original).expect("restored");
    edit(&vault, |json| json["entries"]["a"]["nonce"] = "AAAAAAAAAAAAAAAA".into());
    assert!(matches!(vault.get("a"), Err(VaultError::Altered { .. })), "another nonce");

    fs::write(vault.path(), &original[..original.len() / 2]).expect("truncated");
    assert!(matches!(vault.get("a"), Err(VaultError::Damaged { .. })));
    assert!(vault.set("c", &"x".into()).is_err(), "a damaged vault is not overwritten");
    assert_eq!(fs::read(vault.path()).expect("a vault").len(), original.len() / 2);

    fs::write(vault.path(), "").expect("emptied");
    assert!(matches!(vault.get("a"), Err(VaultError::Damaged { .. })));

    fs::write(vault.path(), r#"{"version": 2, "future": true}"#).expect("written");
    assert!(matches!(vault.get("a"), Err(VaultError::Newer { .. })));
}

#[test]
fn a_vault_of_another_folder_needs_its_key() {
    let (one, two) = (folder(), folder());
    with_file(one.path()).set("a", &"one".into()).expect("set");
    with_file(two.path()).set("a", &"two".into()).expect("set");
    fs::copy(with_file(one.path()).path(), with_file(two.path()).path()).expect("swapped");
    assert!(matches!(with_file(two.path()).get("a"), Err(VaultError::WrongKey { .. })));
}

#[test]
fn a_changed_key_opens_the_entries_and_the_former_one_does_not() {
    let folder = folder();
    let vault = with_file(folder.path());
    vault.set("a", &"s3cret".into()).expect("set");
    let key = folder.path().join("keys/vault.key");
    let former = fs::read_to_string(&key).expect("a key");
    vault.change_key(None).expect("changed");
    let changed = fs::read_to_string(&key).expect("a key");
    assert!(changed != former && changed.lines().count() == 1);
    assert_eq!(text(&vault, "a").expect("a secret"), "s3cret");
    assert!(matches!(with_value(folder.path(), &former).get("a"), Err(VaultError::WrongKey { .. })));

    vault.change_key(Some(&KeySource::Value(KEY.into()))).expect("changed");
    let vault = with_value(folder.path(), KEY);
    assert_eq!(text(&vault, "a").expect("a secret"), "s3cret");
    assert!(matches!(vault.change_key(None), Err(VaultError::NoNewKey)));
}

/// The process was killed between the two files.
#[test]
fn a_key_file_with_both_keys_opens_the_entries() {
    let folder = folder();
    let vault = with_file(folder.path());
    vault.set("a", &"s3cret".into()).expect("set");
    let key = folder.path().join("keys/vault.key");
    let former = fs::read_to_string(&key).expect("a key");
    fs::write(&key, format!("{former}{KEY}\n")).expect("both keys");
    assert_eq!(text(&vault, "a").expect("a secret"), "s3cret");
    vault.set("b", &"other".into()).expect("set");
    vault.change_key(None).expect("changed");
    assert_eq!(
        (text(&vault, "a").expect("a secret"), text(&vault, "b").expect("a secret")),
        ("s3cret".into(), "other".into())
    );
}

#[test]
fn names_are_printable_and_bounded() {
    let folder = folder();
    let vault = with_value(folder.path(), KEY);
    for name in ["", "a\n", &"a".repeat(LONGEST_NAME + 1)] {
        assert!(matches!(vault.set(name, &"x".into()), Err(VaultError::Name)));
    }
}

#[test]
fn several_threads_change_one_vault() {
    let folder = folder();
    let vault = with_file(folder.path());
    std::thread::scope(|scope| {
        for at in 0..8 {
            let vault = &vault;
            scope.spawn(move || vault.set(&format!("name-{at}"), &"s3cret".into()).expect("set"));
        }
    });
    assert_eq!(vault.names().expect("names").len(), 8);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_text_is_kept_and_any_damage_is_recognised(name in "[a-z/]{1,20}", secret in ".{0,80}", at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let folder = folder();
        let vault = with_value(folder.path(), KEY);
        vault.set(&name, &secret.clone().into()).expect("set");
        prop_assert_eq!(text(&vault, &name).expect("a secret"), secret.clone());
        let mut bytes = fs::read(vault.path()).expect("a vault");
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        fs::write(vault.path(), &bytes).expect("written");
        // Blanks between two values mean nothing.
        if let Ok(found) = text(&vault, &name) {
            prop_assert_eq!(found, secret);
        }
    }
}
