//! Whether a person still belongs to the organisation.

use std::collections::BTreeSet;

use crate::record::simplified;

const PRESENT: [&str; 14] = [
    "active",
    "aktiv",
    "employed",
    "current",
    "enabled",
    "true",
    "yes",
    "1",
    "onleave",
    "leave",
    "present",
    "probation",
    "normal",
    "hired",
];
const GONE: [&str; 25] = [
    "inactive",
    "inaktiv",
    "terminated",
    "former",
    "left",
    "leaver",
    "departed",
    "disabled",
    "suspended",
    "deprovisioned",
    "deactivated",
    "deleted",
    "removed",
    "resigned",
    "retired",
    "archived",
    "ausgeschieden",
    "gekündigt",
    "ended",
    "separated",
    "offboarded",
    "alumni",
    "false",
    "no",
    "0",
];
/// Columns in which `true` means that the person has left.
const INVERSE: [&str; 5] = ["suspended", "disabled", "terminated", "archived", "deactivated"];
/// The bit of `userAccountControl` that disables an account in Active Directory.
const ACCOUNT_DISABLED: u64 = 0x2;

/// The status of a person: the text to show, and its meaning if it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) text: String,
    pub(crate) is_active: Option<bool>,
}

/// Reads the value of a status column; `gone` are the simplified values that mean that a person has left.
pub(crate) fn read(column: &str, value: &str, gone: &BTreeSet<String>) -> Status {
    let plain = simplified(value);
    if column == "useraccountcontrol"
        && let Ok(flags) = value.parse::<u64>()
    {
        let is_active = flags & ACCOUNT_DISABLED == 0;
        return Status { text: if is_active { "enabled" } else { "disabled" }.to_owned(), is_active: Some(is_active) };
    }
    let known = match plain.as_str() {
        text if gone.contains(text) || GONE.contains(&text) => Some(false),
        text if PRESENT.contains(&text) => Some(true),
        _ => None,
    };
    match known {
        // The text `true` alone would say the opposite of its column.
        Some(value) if INVERSE.contains(&column) => {
            Status { text: if value { column } else { "active" }.to_owned(), is_active: Some(!value) }
        }
        is_active => Status { text: value.to_owned(), is_active },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(column: &str, value: &str) -> (String, Option<bool>) {
        let Status { text, is_active } = read(column, value, &BTreeSet::from(["t".to_owned()]));
        (text, is_active)
    }

    #[test]
    fn the_common_words_of_directories_are_known() {
        assert_eq!(meaning("status", "Active"), ("Active".into(), Some(true)));
        assert_eq!(meaning("status", "On Leave"), ("On Leave".into(), Some(true)));
        assert_eq!(meaning("status", "Terminated"), ("Terminated".into(), Some(false)));
        assert_eq!(meaning("accountenabled", "False"), ("False".into(), Some(false)));
        assert_eq!(meaning("status", "Sabbatical?"), ("Sabbatical?".into(), None));
        assert_eq!(meaning("status", "T"), ("T".into(), Some(false)), "a value of the configuration");
    }

    #[test]
    fn a_column_can_mean_the_opposite() {
        assert_eq!(meaning("suspended", "true"), ("suspended".into(), Some(false)));
        assert_eq!(meaning("suspended", "false"), ("active".into(), Some(true)));
        assert_eq!(meaning("useraccountcontrol", "512"), ("enabled".into(), Some(true)));
        assert_eq!(meaning("useraccountcontrol", "514"), ("disabled".into(), Some(false)));
    }
}
