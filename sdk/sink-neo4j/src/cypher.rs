//! Names in the text of Cypher statements. Values are never part of the text.

/// The maximum length of a label or of a type of relationships. Some servers use them as names of files.
const LONGEST: usize = 120;
/// The label of every node.
pub const ENTITY: &str = "_Entity";

/// Returns a name as a quoted identifier, whatever characters it contains.
///
/// Some versions of Neo4j decode `\u0060` to a backtick before they parse a statement, so a backslash becomes an
/// underscore.
/// The name may be that of a property, so it is not cut.
pub fn quoted(name: &str) -> String {
    let plain = if name.is_empty() { "_".to_owned() } else { name.replace(['\0', '\\'], "_") };
    format!("`{}`", plain.replace('`', "``"))
}

/// Returns a name without the characters that a database refuses in names. A long one is cut, and gets a digest.
pub fn plain(name: &str) -> String {
    let plain = name.replace(['\0', '\\'], "_");
    match plain.len() {
        0 => "_".to_owned(),
        length if length <= LONGEST => plain,
        _ => {
            let end = (0..=LONGEST - 17).rev().find(|at| plain.is_char_boundary(*at)).unwrap_or_default();
            format!("{}_{:016x}", &plain[..end], digest(name))
        }
    }
}

/// Returns the FNV-1a digest of a text, which does not depend on the version of a library.
fn digest(text: &str) -> u64 {
    let add = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, add)
}

/// Returns labels for a pattern, such as ``:`a`:`b` ``.
pub fn labels<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!(":{}", quoted(name))).collect()
}

/// The pattern of a node by its key, where `key` is an expression.
pub(crate) fn node(variable: &str, key: &str) -> String {
    format!("({variable}:{ENTITY} {{_integrationType: $integration, _integrationInstanceID: $instance, _key: {key}}})")
}

/// The pattern of all nodes of an instance. The condition on the key makes a composite index usable.
pub(crate) fn nodes_of_instance() -> String {
    format!(
        "MATCH (n:{ENTITY} {{_integrationType: $integration, _integrationInstanceID: $instance}}) \
         WHERE n._key IS NOT NULL"
    )
}

/// The statement that makes keys unique.
pub(crate) fn constraint() -> String {
    format!(
        "CREATE CONSTRAINT integration_entity_key IF NOT EXISTS FOR (n:{ENTITY}) \
         REQUIRE (n._integrationType, n._integrationInstanceID, n._key) IS UNIQUE"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leaves_its_quotes() {
        assert_eq!(quoted("heroku_team"), "`heroku_team`");
        assert_eq!(quoted("a`) DETACH DELETE n //"), "`a``) DETACH DELETE n //`");
        assert_eq!(quoted(r"a\u0060"), "`a_u0060`");
    }

    #[test]
    fn long_names_are_cut_between_characters_and_stay_different() {
        let names = ["ä".repeat(100), format!("{}b", "ä".repeat(100))].map(|name| plain(&name));
        assert!(names[0] != names[1] && names.iter().all(|name| name.len() <= LONGEST));
        assert_eq!([plain(""), plain("a\0b")], ["_", "a_b"]);
    }
}
