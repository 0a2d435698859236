//! Patterns of property names, such as `updatedOn` or `tag.*`.

use std::str::FromStr;

/// A pattern of property names: `*` matches any text, and `?` one character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyPattern(String);

/// The reason why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a pattern is not empty; write a property name such as updatedOn, or tag.* for all tags")]
pub struct EmptyPattern;

impl FromStr for PropertyPattern {
    type Err = EmptyPattern;

    fn from_str(text: &str) -> Result<Self, EmptyPattern> {
        if text.is_empty() { Err(EmptyPattern) } else { Ok(Self(text.to_owned())) }
    }
}

impl PropertyPattern {
    /// Returns whether the pattern matches a whole name.
    pub fn matches(&self, name: &str) -> bool {
        let (pattern, name): (Vec<char>, Vec<char>) = (self.0.chars().collect(), name.chars().collect());
        let (mut at, mut reached) = (0, 0);
        // The last star, and the position in the name at which its match ends.
        let mut star: Option<(usize, usize)> = None;
        while reached < name.len() {
            match pattern.get(at) {
                Some('*') => {
                    star = Some((at, reached));
                    at += 1;
                }
                Some(letter) if *letter == '?' || *letter == name[reached] => {
                    at += 1;
                    reached += 1;
                }
                _ => {
                    let Some((of_star, end)) = star else { return false };
                    star = Some((of_star, end + 1));
                    (at, reached) = (of_star + 1, end + 1);
                }
            }
        }
        pattern[at..].iter().all(|letter| *letter == '*')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        pattern.parse::<PropertyPattern>().expect("a pattern").matches(name)
    }

    #[test]
    fn a_star_matches_any_text_and_a_question_mark_one_character() {
        for (pattern, name) in [
            ("updatedOn", "updatedOn"),
            ("*On", "updatedOn"),
            ("tag.*", "tag.a.b"),
            ("a?c", "aßc"),
            ("*a*b*", "xaybab"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("updated", "updatedOn"), ("on", "On"), ("tag.*", "tags"), ("a?c", "ac"), ("*a*b", "xbya"), ("a", "")]
        {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
        assert!(matches("*", ""));
        assert_eq!("".parse::<PropertyPattern>(), Err(EmptyPattern));
    }
}
