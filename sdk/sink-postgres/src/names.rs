//! Names of tables and columns as SQL identifiers.

use std::collections::BTreeSet;
use std::hash::Hasher;

use siphasher::sip::SipHasher13;

/// The maximum length of an identifier in bytes. PostgreSQL cuts longer ones, so that two of them may become equal.
const LONGEST: usize = 63;

/// Returns a name as an identifier, whatever characters it contains.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Returns a name that is no longer than identifiers may be. Different names stay different.
pub(crate) fn shortened(name: &str) -> String {
    // An identifier contains no NUL.
    let clean = name.replace('\0', "\u{fffd}");
    if clean.len() <= LONGEST && clean == name {
        return clean;
    }
    let mut hasher = SipHasher13::new();
    hasher.write(name.as_bytes());
    let suffix = format!("_{:08x}", hasher.finish() as u32);
    let mut end = (LONGEST - suffix.len()).min(clean.len());
    while !clean.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{suffix}", &clean[..end])
}

/// Returns a short name that is not taken, and takes it.
pub(crate) fn free(name: &str, taken: &mut BTreeSet<String>) -> String {
    let short = shortened(name);
    let mut names = std::iter::once(short).chain((2..).map(|number| shortened(&format!("{name}_{number}"))));
    names.find(|name| taken.insert(name.clone())).expect("numbers do not end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leaves_its_quotes() {
        assert_eq!(quoted("a\"; DROP TABLE b; --"), "\"a\"\"; DROP TABLE b; --\"");
    }

    #[test]
    fn long_names_are_cut_between_characters_and_stay_different() {
        let (one, other) = ("ä".repeat(40), format!("{}b", "ä".repeat(40)));
        let (short, other) = (shortened(&one), shortened(&other));
        assert!(short.len() <= LONGEST && other.len() <= LONGEST && short != other);
        assert_eq!(shortened("tag.Team"), "tag.Team");
        assert_eq!(shortened(&one), short, "names are stable");
    }

    #[test]
    fn a_taken_name_gets_a_number() {
        let mut taken = BTreeSet::from(["a".to_owned()]);
        assert_eq!([free("a", &mut taken), free("a", &mut taken), free("b", &mut taken)], ["a_2", "a_3", "b"]);
    }
}
