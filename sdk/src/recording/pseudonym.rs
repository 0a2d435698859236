//! E-mail addresses under other names: the same address always has the same one, and nobody gets back without the key.
//!
//! `ada@eng.acme.com` becomes `person-5f0c2a91b3de@d41c07aa.d8a2f310.invalid`: as many parts as before, a domain that
//! belongs to nobody, and equal domains equal. The key lies beside the recordings, so that later ones agree; whoever
//! has it can try addresses, so it is not to be given away with them.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use crate::input;

use super::RecordingError;
use super::body::hexadecimal;

/// The file of the key in a folder of recordings.
const KEY_FILE: &str = "pseudonyms.key";
/// A name that is reserved for what does not exist.
const TOP: &str = "invalid";

/// The `@` may be encoded, as it is in URLs; so may be some letters before it then.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    let local = r"(?P<local>[\p{L}\p{N}](?:[\p{L}\p{N}._+'-]|%2[bB7])*)";
    let domain = r"(?P<domain>(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+\p{L}{2,}\b)";
    Regex::new(&format!("{local}(?P<at>@|%40){domain}")).expect("the pattern is a constant")
});

/// Gives addresses their other names.
#[derive(Clone)]
pub(super) struct Pseudonyms(hmac::Key);

impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pseudonyms")
    }
}

impl Pseudonyms {
    fn of(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// With the key of a folder; `None` where it has none.
    pub(super) fn of_folder(folder: &Path) -> Result<Option<Self>, RecordingError> {
        let path = folder.join(KEY_FILE);
        let text = match input::read_to_string(&path, input::SETTINGS) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(RecordingError::io("read", path)(error)),
        };
        match hexadecimal(text.trim()).filter(|key| key.len() == 32) {
            Some(key) => Ok(Some(Self::of(&key))),
            None => Err(RecordingError::Key { path }),
        }
    }

    /// With the key of a folder, which is made where there is none, and kept out of version control.
    pub(super) fn of_folder_or_new(folder: &Path) -> Result<Self, RecordingError> {
        if let Some(there) = Self::of_folder(folder)? {
            return Ok(there);
        }
        let mut key = [0; 32];
        SystemRandom::new().fill(&mut key).map_err(|_| RecordingError::Random)?;
        let path = folder.join(KEY_FILE);
        write_private(&path, &hex(&key)).map_err(RecordingError::io("write", &path))?;
        let ignored = folder.join(".gitignore");
        if !ignored.exists() {
            fs::write(&ignored, format!("{KEY_FILE}\n")).map_err(RecordingError::io("write", &ignored))?;
        }
        Ok(Self::of(&key))
    }

    /// The text with every address under its other name; one that has its other name keeps it.
    pub(super) fn apply(&self, text: &str) -> Option<String> {
        if !(text.contains('@') || text.contains("%40")) {
            return None;
        }
        let changed = ADDRESS.replace_all(text, |found: &Captures<'_>| self.replace(text, found));
        (changed != text).then(|| changed.into_owned())
    }

    fn replace(&self, text: &str, found: &Captures<'_>) -> String {
        let (whole, local, domain) = (&found[0], &found["local"], &found["domain"]);
        let before = &text[..found.get(0).map_or(0, |whole| whole.start())];
        let names_nobody = before.ends_with("://") || domain.ends_with(&format!(".{TOP}"));
        if names_nobody {
            return whole.to_owned();
        }
        // The end of an encoded letter, such as the `3D` of `%3Dada%40acme.com`, is not of the name.
        let foreign = if before.ends_with('%') && local.is_char_boundary(2) { 2 } else { 0 };
        let (kept, local) = local.split_at(foreign.min(local.len()));
        let plain = local.replace("%2B", "+").replace("%2b", "+").replace("%27", "'").to_lowercase();
        let domain = domain.to_lowercase();
        let person = self.name("address", &format!("{plain}@{domain}"), 6);
        format!("{kept}person-{person}{at}{domain}", at = &found["at"], domain = self.domain(&domain))
    }

    /// Each part is named by itself and what follows it, so that the parts of two domains agree where they are one.
    fn domain(&self, domain: &str) -> String {
        let starts = std::iter::once(0).chain(domain.match_indices('.').map(|(at, _)| at + 1));
        let parts: Vec<&str> = starts.map(|start| &domain[start..]).collect();
        let named = parts.iter().take(parts.len() - 1).map(|part| self.name("domain", part, 4) + ".");
        named.collect::<String>() + TOP
    }

    fn name(&self, purpose: &str, text: &str, bytes: usize) -> String {
        hex(&hmac::sign(&self.0, format!("{purpose}\0{text}").as_bytes()).as_ref()[..bytes])
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    writeln!(options.open(path)?, "{text}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(text: &str) -> String {
        Pseudonyms::of(&[7; 32]).apply(text).unwrap_or_else(|| text.to_owned())
    }

    #[test]
    fn the_same_address_has_the_same_name_wherever_and_however_it_is_written() {
        let name = named("ada+x@eng.acme.com");
        assert!(name.starts_with("person-") && name.ends_with(".invalid"), "{name}");
        assert_eq!(named("Ada+X@ENG.acme.com"), name);
        assert_eq!(named("email ]ada+x@eng.acme.com..; max=200"), format!("email ]{name}..; max=200"));
        assert_eq!(named("/u/ada%2Bx%40eng.acme.com?q=1"), format!("/u/{}?q=1", name.replace('@', "%40")));
        assert_eq!(named("to%3Dada%2Bx%40eng.acme.com"), format!("to%3D{}", name.replace('@', "%40")));
        assert_ne!(named("ada+y@eng.acme.com"), name);
    }

    #[test]
    fn a_domain_keeps_its_shape_and_its_company() {
        let of = |address: &str| named(address).split_once('@').map(|(_, domain)| domain.to_owned()).unwrap();
        assert_eq!(of("a@acme.com"), of("b@acme.com"));
        assert!(of("a@eng.acme.com").ends_with(&of("b@acme.com")));
        assert_ne!(of("a@acme.com"), of("a@acme.org"));
        assert_eq!(of("a@x.acme.co.uk").split('.').count(), 4);
    }

    #[test]
    fn what_is_no_address_stays() {
        for text in ["ssh://git@heroku.com/x.git", "@handle", "a@b", "5 @ 3.50", "name@1.2.3"] {
            assert_eq!(named(text), text);
        }
    }

    #[test]
    fn a_folder_keeps_its_key_to_itself_and_a_broken_one_is_said() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Pseudonyms::of_folder(folder.path()).unwrap().is_none());
        let first = Pseudonyms::of_folder_or_new(folder.path()).unwrap().apply("a@acme.com");
        assert_eq!(Pseudonyms::of_folder(folder.path()).unwrap().unwrap().apply("a@acme.com"), first);
        assert_eq!(fs::read_to_string(folder.path().join(".gitignore")).unwrap(), "pseudonyms.key\n");
        fs::write(folder.path().join(KEY_FILE), "00ff").unwrap();
        assert!(Pseudonyms::of_folder_or_new(folder.path()).unwrap_err().to_string().contains("64 hexadecimal"));
    }

    proptest! {
        #[test]
        fn a_name_is_given_once(text in "(\\PC|[a-z@.%4]){0,40}") {
            let once = named(&text);
            prop_assert_eq!(named(&once), once);
        }
    }
}
