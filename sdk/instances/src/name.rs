//! The names of instances.

use integration_graph::InstanceId;

/// The names of the instances of sample and recorded data.
pub const RESERVED: [&str; 2] = ["sample", "replay"];

/// The maximum length of a name.
const LONGEST: usize = 64;

/// A text that cannot be the name of an instance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The name is that of sample or recorded data.
    #[error("{0:?} is reserved for jobs with --{0}")]
    Reserved(String),
    /// The name is empty, too long, or contains other characters.
    #[error(
        "a name consists of 1 to 64 letters, digits, dashes, dots and underscores, and does not begin with a dot or a dash"
    )]
    Form,
}

/// Returns a text as the name of an instance. Names are used in file names and on command lines.
///
/// # Errors
/// [`NameError`] if the text is no such name.
pub fn check_name(text: &str) -> Result<InstanceId, NameError> {
    if RESERVED.contains(&text) {
        return Err(NameError::Reserved(text.to_owned()));
    }
    let fits =
        !text.is_empty() && text.len() <= LONGEST && text.chars().all(is_letter) && !text.starts_with(['.', '-']);
    if fits { InstanceId::new(text).map_err(|_| NameError::Form) } else { Err(NameError::Form) }
}

fn is_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.')
}

/// Returns a name made of a text for people, such as `acme-production` of `Acme: Production`.
pub(crate) fn name_of(text: &str) -> Result<InstanceId, NameError> {
    if let Ok(name) = check_name(text) {
        return Ok(name);
    }
    let lower = text.to_lowercase();
    let words = lower.split(|letter| !is_letter(letter)).filter(|word| !word.is_empty());
    let joined: String = words.collect::<Vec<_>>().join("-").chars().take(LONGEST).collect();
    check_name(joined.trim_matches(['-', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_lead_out_of_a_folder_and_can_be_typed() {
        assert!(check_name("east-1").is_ok() && check_name("default").is_ok());
        for text in ["", "../x", "a/b", ".hidden", "a:b", "a b", "a\n", "ä", "sample", "replay", "-x", &"a".repeat(65)]
        {
            assert!(check_name(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_is_made_of_a_text_for_people() {
        let name = |text: &str| name_of(text).map(|name| name.to_string());
        assert_eq!(name("Acme: Production (EU)"), Ok("acme-production-eu".to_owned()));
        assert_eq!(name("East_1"), Ok("East_1".to_owned()));
        assert_eq!(name("Sample!"), Err(NameError::Reserved("sample".to_owned())));
        assert_eq!(name("日本"), Err(NameError::Form));
        assert!(name(&"ab ".repeat(60)).is_ok());
    }
}
