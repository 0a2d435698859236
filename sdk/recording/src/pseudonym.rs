//! Pseudonyms of e-mail addresses, which are irreversible without the key.
//!
//! `ada@eng.acme.com` becomes `person-5f0c2a91b3de@d41c07aa.d8a2f310.invalid`. Equal addresses have equal pseudonyms,
//! and equal domains stay equal. The number of labels is unchanged, and the reserved domain `invalid` cannot belong to
//! a real person.
//!
//! The key is stored alongside the recordings, so that later recordings use the same pseudonyms. A person with the key
//! can test guessed addresses, so the key must not be shared with the recordings.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use integration_files::input;
use integration_files::owner_only;

use super::RecordingError;
use super::body::hexadecimal;

/// The name of the key file in a folder of recordings.
const KEY_FILE: &str = "pseudonyms.key";
/// The reserved top-level domain of names that do not exist.
const TOP: &str = "invalid";

/// The pattern of the at sign.
///
/// It may be plain, full-width, percent-encoded to any depth, quoted-printable, an HTML entity, or an escape of JSON.
/// Comments around it are not part of the group.
const AT: &str = r"(?:\([^()\r\n]{0,64}\))?(?P<at>[@\x{FF20}\x{FE6B}]|%(?:25)*(?:40|[Ee][Ff]%(?:25)*[Bb][Cc]%(?:25)*[Aa]0)|&#64;|&#[xX]40;|&commat;|\\+(?:[uU]00|[xX])40|=40)(?:\([^()\r\n]{0,64}\))?";
/// The pattern of the local part.
///
/// Letters may be percent-encoded, as in URLs. Encoded characters that separate an address from its surroundings, such
/// as `%3D`, are excluded.
static LOCAL: LazyLock<String> = LazyLock::new(|| {
    let sign = r"\p{M}|[._+'!#$*^{}|~-]|%(?:25)*(?:2[1457AaBbDdEe]|5[EeFf]|7[BbCcDdEe]|40)|%[0-9A-Fa-f]?[G-Zg-z._+-]";
    let quoted = r#"\\+"[^"\\\r\n]{1,64}\\+"|"(?:[^"\\\r\n]|\\.){1,64}"|%(?:25)*22(?:%(?:25)*5[Cc]%(?:25)*22|[A-Za-z0-9._~!$'()*+,;=-]|%(?:25)*(?:[013-9A-Fa-f][0-9A-Fa-f]|2[013-9A-Fa-f])){1,190}%(?:25)*22"#;
    format!("(?P<local>(?:{LETTER})(?:{LETTER}|{sign})*|{quoted})")
});
/// A letter or a digit. HTML entities of signs that separate an address from its surroundings are excluded.
const LETTER: &str = r"[\p{L}\p{N}]|%(?:25)*[89A-Fa-f][0-9A-Fa-f]|&#0*(?:4[35689]|5[0-7]|6[5-9]|[78][0-9]|9[057-9]|[1-9][0-9]{2,4});|&#[xX]0*(?:2[BbDdEe]|3[0-9]|4[1-9A-Fa-f]|5[0-9AaFf]|6[1-9A-Fa-f]|7[0-9Aa]|[1-9A-Fa-f][0-9A-Fa-f]{2,3});";

/// The pattern of addresses within a longer text.
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    let label = format!(r"-*(?:{LETTER})(?:(?:{LETTER}|[\p{{M}}_-])*(?:{LETTER}|\p{{M}}))?-*");
    let top = r"(?:xn--[A-Za-z0-9-]*[A-Za-z0-9]|\p{L}[\p{L}\p{M}]+|(?:%(?:25)*[89A-Fa-f][0-9A-Fa-f]){2,})";
    let literal = r"\[(?:IPv6:)?[0-9A-Fa-f:.]{2,45}\]|%(?:25)*5[Bb](?:IPv6(?::|%(?:25)*3[Aa]))?(?:[0-9A-Fa-f:.]|%(?:25)*3[Aa]){2,100}%(?:25)*5[Dd]";
    let numbers = r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b";
    let domain = format!(
        r"(?P<domain>(?:(?:{label})(?:[.\x{{FF0E}}\x{{3002}}]|&#0*46;|&#[xX]0*2[Ee];|%(?:25)*2[Ee]))+{top}\b|localhost\b|{numbers}|{literal})"
    );
    Regex::new(&format!("{}{AT}{domain}", *LOCAL)).expect("the pattern is a constant")
});

/// The pattern of addresses whose domain is a machine name, in an unambiguous context.
///
/// Examples are `<me@host>`, `mailto:me@host`, `email=me@host`, and `/users/me@host`.
static AT_MACHINE: LazyLock<Regex> = LazyLock::new(|| {
    let field = r#"(?:\b|%(?:25)*[0-9A-Fa-f]{2})(?i:(?:e-?mail|mail|user|owner|login|member|collaborator|author|from|to|cc|bcc)(?:[_-]?(?:address|name|id))?)["']?(?:\s*[=:\]]\s*|%(?:25)*3[AaDd])["'<\]]?"#;
    let path = "/(?:users|members|collaborators|accounts|people|owners|invitations)/";
    let before = format!(r"(?P<before><|%(?:25)*3[Cc]|(?i:mailto)(?::|%(?:25)*3[Aa])|{field}|{path})");
    let domain = r"(?P<domain>[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}_-]*[\p{L}\p{M}\p{N}])?)";
    let after = r"(?P<after>$|\.\.|\.\s|\.$|[^\p{L}\p{M}\p{N}_.@-])";
    Regex::new(&format!("{before}{}{AT}{domain}{after}", *LOCAL)).expect("the pattern is a constant")
});

/// The pattern of a text that consists of an address only.
///
/// Such a text may contain any letters, and its domain may be a machine name.
static WHOLE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r#"^(?P<local>[^\s@\x{FF20}\x{FE6B}<>"(),:;\\\[\]]+)(?P<at>[@\x{FF20}\x{FE6B}])(?P<domain>[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}.\x{FF0E}\x{3002}_-]*[\p{L}\p{M}\p{N}])?)$"#;
    Regex::new(pattern).expect("the pattern is a constant")
});

/// The pattern of package versions, as in `name@1.2.3` and `name@latest`.
static VERSION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:v?[0-9]+(?:\.[0-9]+)*(?:[-+._][0-9A-Za-z.-]*)?|latest|next|main|master|beta|canary|stable|HEAD)$")
        .expect("the pattern is a constant")
});

/// The replacement of addresses by pseudonyms, with a fixed key.
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

    /// Reads the key of a folder, or returns `None` if it has none.
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

    /// Reads the key of a folder, or creates one.
    ///
    /// A new key is excluded from version control.
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
            write_private(&ignored, KEY_FILE).map_err(RecordingError::io("write", &ignored))?;
        }
        Ok(Self::of(&key))
    }

    /// Replaces every address in a text, or returns `None` if nothing changes.
    ///
    /// Addresses that already are pseudonyms stay unchanged.
    pub(super) fn apply(&self, text: &str) -> Option<String> {
        const SIGNS: [&str; 12] =
            ["u0040", "x40", "=40", "@", "%40", "2540", "\u{ff20}", "\u{fe6b}", "A0", "a0", "&#", "&commat"];
        if !SIGNS.iter().any(|sign| text.contains(sign)) {
            return None;
        }
        let is_address = |found: &Captures<'_>| !VERSION.is_match(&found["domain"]) && !found["local"].contains("://");
        let changed = match WHOLE.captures(text).filter(is_address) {
            Some(found) => self.replace(text, &found),
            None => {
                let changed = ADDRESS.replace_all(text, |found: &Captures<'_>| self.replace(text, found));
                let at_machine = |found: &Captures<'_>| match is_address(found) {
                    true => {
                        let whole = found.name("local").map_or(0, |local| local.start());
                        let named = self.named(&changed[..whole], &found["local"], &found["at"], &found["domain"]);
                        format!("{}{named}{}", &found["before"], &found["after"])
                    }
                    false => found[0].to_owned(),
                };
                AT_MACHINE.replace_all(&changed, at_machine).into_owned()
            }
        };
        (changed != text).then_some(changed)
    }

    fn replace(&self, text: &str, found: &Captures<'_>) -> String {
        let before = &text[..found.get(0).map_or(0, |whole| whole.start())];
        // After `size=40`, a number goes on.
        let is_number = &found["at"] == "=40" && !found["domain"].starts_with(char::is_alphabetic);
        let names_nobody = is_number || before.ends_with("://") || found["domain"].ends_with(&format!(".{TOP}"));
        if names_nobody {
            return found[0].to_owned();
        }
        self.named(before, &found["local"], &found["at"], &found["domain"])
    }

    fn named(&self, before: &str, local: &str, at: &str, domain: &str) -> String {
        // The end of an encoded letter, such as the `3D` of `%3Dada%40acme.com`, does not belong to the local part.
        let (kept, local) = local.split_at(if before.ends_with('%') { end_of_unit(local) } else { 0 });
        let domain = canonical(domain);
        let person = self.name("address", &format!("{}@{domain}", canonical_local(local)), 6);
        format!("{kept}person-{person}{at}{domain}", domain = self.domain(&domain))
    }

    /// Returns the pseudonym of a domain.
    ///
    /// The pseudonym of a label depends on the label and on those after it, so that related domains have related
    /// pseudonyms.
    fn domain(&self, domain: &str) -> String {
        if domain.starts_with('[')
            || !domain.contains('.')
            || domain.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        {
            return format!("{}.{TOP}", self.name("domain", domain, 4));
        }
        let starts = std::iter::once(0).chain(domain.match_indices('.').map(|(at, _)| at + 1));
        let parts: Vec<&str> = starts.map(|start| &domain[start..]).collect();
        let named = parts.iter().take(parts.len() - 1).map(|part| self.name("domain", part, 4) + ".");
        named.collect::<String>() + TOP
    }

    fn name(&self, purpose: &str, text: &str, bytes: usize) -> String {
        hex(&hmac::sign(&self.0, format!("{purpose}\0{text}").as_bytes()).as_ref()[..bytes])
    }
}

/// Returns the length of the digits that complete a percent sign before a text.
///
/// For example, the length is 4 for `253Dada`.
fn end_of_unit(text: &str) -> usize {
    let is_pair = |at: usize| text.get(at..at + 2).is_some_and(|pair| hexadecimal(pair).is_some());
    let mut at = 0;
    while text[at..].starts_with("25") && is_pair(at + 2) {
        at += 2;
    }
    if text.is_char_boundary(at + 2) { (at + 2).min(text.len()) } else { 0 }
}

/// Returns the canonical local part: decoded, without quotes, in lower case, composed.
fn canonical_local(local: &str) -> String {
    // In a URL, a plus sign between encoded quotes is a space.
    let spaced = if local.starts_with('%') { local.replace('+', " ") } else { local.to_owned() };
    let text = folded(&decoded(&spaced)).to_lowercase();
    let text = match text.trim_start_matches('\\').strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        // JSON within a text has backslashes before both quotes.
        Some(quoted) if text.starts_with('\\') => quoted.trim_end_matches('\\').to_owned(),
        Some(quoted) => without_escapes(quoted),
        None => text,
    };
    if text.is_ascii() {
        return text;
    }
    // Host names have composed letters, so the conversion leaves one spelling of each word.
    let is_of_word = |letter: char| letter.is_ascii_alphanumeric() || !letter.is_ascii();
    let mut composed = String::new();
    for piece in text.split_inclusive(|letter| !is_of_word(letter)) {
        let word = piece.trim_end_matches(|letter| !is_of_word(letter));
        match url::Host::parse(word) {
            Ok(host) if !word.is_ascii() => composed.push_str(&host.to_string()),
            _ => composed.push_str(word),
        }
        composed.push_str(&piece[word.len()..]);
    }
    composed
}

fn without_escapes(quoted: &str) -> String {
    let mut letters = quoted.chars();
    let mut text = String::with_capacity(quoted.len());
    while let Some(letter) = letters.next() {
        text.push(if letter == '\\' { letters.next().unwrap_or(letter) } else { letter });
    }
    text
}

/// Returns the canonical domain: decoded, in lower case, with the letters of host names.
fn canonical(domain: &str) -> String {
    let domain = folded(&decoded(domain)).to_lowercase();
    let named = url::Host::parse(&domain).map(|host| host.to_string()).unwrap_or_default();
    let same_shape = named.matches('.').count() == domain.matches('.').count();
    if same_shape && !named.is_empty() { named } else { domain }
}

/// Replaces full-width letters and signs by the usual ones.
fn folded(text: &str) -> String {
    let fold = |letter: char| match u32::from(letter) {
        code @ 0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0).unwrap_or(letter),
        0x3002 => '.',
        0xFE6B => '@',
        _ => letter,
    };
    text.chars().map(fold).collect()
}

/// Decodes HTML entities, and percent-encoded letters even if they were encoded several times.
fn decoded(text: &str) -> String {
    static ENTITY: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"&#(?:[xX](?P<hex>[0-9A-Fa-f]{1,8})|(?P<decimal>[0-9]{1,8}));").expect("the pattern is a constant")
    });
    let letter = |found: &Captures<'_>| {
        let code = match (found.name("hex"), found.name("decimal")) {
            (Some(hex), _) => u32::from_str_radix(hex.as_str(), 16).ok(),
            (_, decimal) => decimal.and_then(|decimal| decimal.as_str().parse().ok()),
        };
        code.and_then(char::from_u32).map_or_else(|| found[0].to_owned(), String::from)
    };
    percent_decoded(&ENTITY.replace_all(text, letter))
}

fn percent_decoded(text: &str) -> String {
    let once = decoded_once(text);
    if once == text || !once.contains('%') { once } else { percent_decoded(&once) }
}

fn decoded_once(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        let pair = behind.get(..2).and_then(|pair| std::str::from_utf8(pair).ok()).and_then(hexadecimal);
        let letter = pair.filter(|_| *byte == b'%');
        bytes.extend(letter.as_deref().unwrap_or(&[*byte]));
        rest = &behind[if letter.is_some() { 2 } else { 0 }..];
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    writeln!(owner_only::create_new(path)?, "{text}")
}

#[cfg(test)]
mod tests {
    use std::fs;

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
    fn addresses_of_every_form_are_replaced_as_a_whole() {
        let forms = [
            ("root@localhost", "root@localhost"),
            ("admin@intranet", "admin@intranet"),
            ("\"quoted user\"@example.com", "%22quoted%20user%22%40example.com"),
            ("x@[192.0.2.1]", "x%40%5B192.0.2.1%5D"),
            ("x@[IPv6:2001:db8::1]", "x%40%5BIPv6%3A2001%3Adb8%3A%3A1%5D"),
            ("root@192.0.2.1", "root%40192.0.2.1"),
            ("jürgen@exämple.example", "j%C3%BCrgen%40ex%C3%A4mple.example"),
            ("user@xn--exmple-cua.example", "user%40ex%C3%A4mple.example"),
            ("u@пример.рф", "u%40xn--e1afmkfd.xn--p1ai"),
            ("percent%40odd@example.com", "percent%40odd@example.com"),
            ("o'hara@example.co.uk", "o%27hara%40example.co.uk"),
            ("User.Name+tag@Example.COM", "user.name%2Btag%40example.com"),
            ("a=b/c!d@example.com", "a=b/c!d@example.com"),
            ("ada+x@eng.acme.com", "ada%252Bx%2540eng.acme.com"),
            ("ada@acme.com", "\u{ff41}\u{ff44}\u{ff41}\u{ff20}acme\u{ff0e}com"),
            ("ada@acme.com", "ada%EF%BC%A0acme.com"),
            ("ada@acme.com", "ada&#64;acme.com"),
            ("ada@acme.com", "\"ada\"@acme.com"),
            ("ju\u{308}rgen@example.com", "j\u{fc}rgen@example.com"),
            ("\"quoted user\"@example.com", "%22quoted%20user%22@example.com"),
            ("\"quoted user\"@example.com", "%22quoted+user%22%40example.com"),
            ("\"quoted user\"@example.com", "%2522quoted%2520user%2522%2540example.com"),
            ("\"a\\\"b\"@example.com", "%22a%5C%22b%22%40example.com"),
        ];
        for (plain, other) in forms {
            let name = named(plain);
            assert!(name.starts_with("person-") && name.ends_with(".invalid"), "{plain}: {name}");
            assert_eq!(name.matches('@').count(), 1, "{plain}: {name}");
            let plainly = |text: String| {
                let signs = ["%2540", "%40", "%EF%BC%A0", "&#64;", "\u{ff20}"];
                signs.iter().fold(text, |text, sign| text.replace(sign, "@"))
            };
            assert_eq!(plainly(named(other)), name, "{other}");
            if !plain.contains(['=', '/']) && plain != "admin@intranet" {
                assert_eq!(named(&format!("about <{plain}>, and")), format!("about <{name}>, and"));
            }
        }
        let decomposed = named("ju\u{308}rgen@example.com");
        assert!(decomposed.starts_with("person-"), "{decomposed}");
        assert_eq!(named("to=root@localhost:25"), format!("to={}:25", named("root@localhost")));
    }

    #[test]
    fn addresses_in_other_encodings_and_with_comments_have_the_same_name() {
        let name = named("me@example.com");
        for (text, at) in [
            ("me(comment)@example.com", "@"),
            ("me@(comment)example.com", "@"),
            (r"me\u0040example.com", r"\u0040"),
            (r"me\\u0040example.com", r"\\u0040"),
            ("me=40example.com", "=40"),
            ("&#109;e@example.com", "@"),
            ("&#x6D;&#101;&#64;ex&#97;mple.com", "&#64;"),
            (r#"\"me\"@example.com"#, "@"),
            ("me@example&#46;com", "@"),
            ("me%40example%2Ecom", "%40"),
        ] {
            let expected = name.replace('@', at);
            assert_eq!(named(text), expected, "{text}");
            assert_eq!(named(&format!("to <{text}>, x")), format!("to <{expected}>, x"), "{text}");
        }
        for text in ["user@-example.com", "user@example-.com", "user+tag%x@example.com", "a%az@example.com"] {
            let clean = named(&format!("to <{text}>"));
            assert!(clean.starts_with("to <person-") && clean.ends_with(".invalid>"), "{clean}");
        }
    }

    #[test]
    fn a_machine_is_a_domain_where_nothing_else_can_be_meant() {
        let name = named("me@host");
        assert!(name.starts_with("person-") && name.ends_with(".invalid"), "{name}");
        for (before, after) in [
            ("Ada <", ">"),
            ("see mailto:", " now"),
            ("/x?email=", "&page=2"),
            ("{'owner': '", "'}"),
            ("email ]", "..; max=200"),
            ("https://h/teams/t/members/", "?x=1"),
            ("sent To: ", "."),
        ] {
            assert_eq!(named(&format!("{before}me@host{after}")), format!("{before}{name}{after}"));
        }
        assert_eq!(named("/x?user=me%40host&y"), format!("/x?user={}&y", name.replace('@', "%40")));
        assert_eq!(named("x%3Femail%3Dme%2540host%26y"), format!("x%3Femail%3D{}%26y", name.replace('@', "%2540")));
        for text in ["uses: actions/checkout@main now", "to: package@latest, a", "from: x@2.0.0", "user: a@b@c"] {
            assert_eq!(named(text), text);
        }
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
        for text in [
            "ssh://git@heroku.com/x.git",
            "@handle",
            "see a@b",
            "5 @ 3.50",
            "name@1.2.3",
            "actions/checkout@v4",
            "name@2.0.0-rc.1",
            "size=400.example",
            "?limit=40&a=b.c",
        ] {
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
