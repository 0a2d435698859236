//! The files of a new integration, generated from templates with `{{placeholders}}`.
//!
//! This module reads the disk only to find the SDK, and never writes to it.

use std::path::{Component, Path, PathBuf};

/// The templates: the path and the text of each file.
const TEMPLATES: [(&str, &str); 13] = [
    ("Cargo.toml", include_str!("../templates/new/Cargo.toml.template")),
    (".gitignore", include_str!("../templates/new/gitignore.template")),
    ("README.md", include_str!("../templates/new/README.md")),
    ("src/main.rs", include_str!("../templates/new/src/main.rs")),
    ("src/lib.rs", include_str!("../templates/new/src/lib.rs")),
    ("src/config.rs", include_str!("../templates/new/src/config.rs")),
    ("src/client.rs", include_str!("../templates/new/src/client.rs")),
    ("src/sample.rs", include_str!("../templates/new/src/sample.rs")),
    ("src/types.rs", include_str!("../templates/new/src/types.rs")),
    ("src/steps.rs", include_str!("../templates/new/src/steps.rs")),
    ("schemas/types/{{snake}}_user.json", include_str!("../templates/new/schemas/types/user.json")),
    ("tests/collect.rs", include_str!("../templates/new/tests/collect.rs")),
    (
        "tests/recordings/users/recording-00001.har",
        include_str!("../templates/new/tests/recordings/users/recording-00001.har"),
    ),
];

/// The SDK crates that a new integration depends on, with their paths below `sdk`.
const CRATES: [(&str, &str); 4] = [
    ("integration-cli", "cli"),
    ("integration-sdk", ""),
    ("integration-testing", "testing"),
    ("integration-testing-kit", "testing/kit"),
];

/// The maximum length of a name; longer names exceed the line width of the generated code.
const LONGEST_NAME: usize = 24;

/// An error that prevents the creation of an integration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScaffoldError {
    #[error(
        "{name:?} is not a valid name: use at most {LONGEST_NAME} lowercase letters, digits and single dashes, beginning \
         with a letter"
    )]
    Name { name: String },
    #[error("{folder} already exists", folder = folder.display())]
    Occupied { folder: PathBuf },
    #[error("{path} does not contain the SDK: {missing} does not exist", path = path.display(), missing = missing.display())]
    NoSdk { path: PathBuf, missing: PathBuf },
    #[error("cannot find the SDK: neither this folder nor this program is inside a checkout of it")]
    NoCheckout,
}

/// The name of an integration, such as `acme` or `acme-cloud`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    pub(crate) fn parse(text: &str) -> Result<Self, ScaffoldError> {
        let words_fit = text.split('-').all(|word| !word.is_empty() && word.bytes().all(is_letter_or_digit));
        if words_fit && text.starts_with(|first: char| first.is_ascii_lowercase()) && text.len() <= LONGEST_NAME {
            Ok(Self(text.to_owned()))
        } else {
            Err(ScaffoldError::Name { name: text.chars().take(80).collect() })
        }
    }

    /// The name of the crate and of its folder.
    pub(crate) fn package(&self) -> String {
        format!("integration-{}", self.0)
    }

    /// The display name, such as `Acme Cloud`.
    fn title(&self) -> String {
        let capital = |word: &str| format!("{}{}", word[..1].to_uppercase(), &word[1..]);
        self.0.split('-').map(capital).collect::<Vec<_>>().join(" ")
    }
}

fn is_letter_or_digit(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// The location of the SDK for a new integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sdk {
    /// The `sdk` folder of a checkout, relative to the new crate if possible.
    folder: PathBuf,
}

impl Sdk {
    /// Finds the SDK in a checkout or its `sdk` folder, for a crate in `folder`.
    pub(crate) fn find(path: &Path, folder: &Path) -> Result<Self, ScaffoldError> {
        let manifest = |sdk: &Path| sdk.join("cli/Cargo.toml");
        let places = [path.join("sdk"), path.to_owned()];
        let missing = || ScaffoldError::NoSdk { path: path.to_owned(), missing: manifest(&places[0]) };
        let sdk = places.iter().find(|sdk| manifest(sdk).is_file()).ok_or_else(missing)?;
        let folder = match way_back(folder).filter(|_| sdk.is_relative()) {
            Some(back) => back.join(sdk),
            None => sdk.canonicalize().map_err(|_| missing())?,
        };
        Ok(Self { folder })
    }

    /// Finds the SDK in the checkout that contains the current folder or the program.
    pub(crate) fn around(current: &Path, program: Option<&Path>, folder: &Path) -> Result<Self, ScaffoldError> {
        let above = current.ancestors().position(is_checkout);
        if let (Some(above), Some(back)) = (above, way_back(folder)) {
            let up: PathBuf = std::iter::repeat_n("..", above).collect();
            return Ok(Self { folder: back.join(up).join("sdk") });
        }
        let places = current.ancestors().chain(program.into_iter().flat_map(Path::ancestors));
        places
            .into_iter()
            .find(|folder| is_checkout(folder))
            .map_or(Err(ScaffoldError::NoCheckout), |checkout| Self::find(checkout, folder))
    }

    fn dependency(&self, below: &str) -> String {
        let folder = if below.is_empty() { self.folder.clone() } else { self.folder.join(below) };
        // A JSON string is also a valid TOML string.
        format!("{{ path = {} }}", serde_json::Value::from(folder.to_string_lossy()))
    }
}

/// Returns whether a folder is a checkout of the SDK.
///
/// Other projects may have an `sdk` folder as well, so this checks the name of the CLI crate.
fn is_checkout(folder: &Path) -> bool {
    let manifest = std::fs::read_to_string(folder.join("sdk/cli/Cargo.toml"));
    manifest.is_ok_and(|text| text.lines().any(|line| line.trim() == "name = \"integration-cli\""))
}

/// Returns `../..` for `a/b`, and `None` for a folder outside the current one.
fn way_back(folder: &Path) -> Option<PathBuf> {
    let steps = folder.components().map(|step| matches!(step, Component::Normal(_)).then_some(".."));
    steps.collect()
}

/// Generates the path and the text of each file of a new integration.
pub(crate) fn files(name: &Name, sdk: &Sdk) -> Vec<(String, String)> {
    let snake = name.0.replace('-', "_");
    let mut words = vec![
        ("{{name}}".to_owned(), name.0.clone()),
        ("{{title}}".to_owned(), name.title()),
        ("{{VARIABLE}}".to_owned(), snake.to_uppercase()),
        ("{{snake}}".to_owned(), snake),
    ];
    words.extend(CRATES.iter().map(|(package, below)| (format!("{{{{sdk:{package}}}}}"), sdk.dependency(below))));
    let fill = |text: &str| words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value));
    TEMPLATES.iter().map(|(path, text)| (fill(path), fill(text))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_valid_for_a_crate_and_a_type() {
        for name in ["a", "acme", "acme-cloud", "s3", "self", "a-name-as-long-as-can-be"] {
            assert!(Name::parse(name).is_ok(), "{name}");
        }
        for name in
            ["", "Acme", "acme_cloud", "acme--cloud", "-acme", "acme-", "1password", "../acme", "acme cloud", "ä"]
        {
            assert!(matches!(Name::parse(name), Err(ScaffoldError::Name { .. })), "{name}");
        }
        assert!(Name::parse(&"a".repeat(LONGEST_NAME + 1)).is_err());
        assert_eq!(Name::parse("acme-cloud").unwrap().title(), "Acme Cloud");
    }

    #[test]
    fn all_placeholders_are_replaced_and_paths_are_unique() {
        let files = files(&Name::parse("acme-cloud").unwrap(), &Sdk { folder: "../sdk".into() });
        let paths: std::collections::BTreeSet<_> = files.iter().map(|(path, _)| path).collect();
        assert_eq!(paths.len(), TEMPLATES.len());
        for (path, text) in &files {
            assert!(!text.contains("{{") && !text.contains("}}"), "{path}: {text}");
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{path}");
        }
        let text = |path: &str| &files.iter().find(|(known, _)| known == path).unwrap().1;
        assert!(text("Cargo.toml").contains("name = \"integration-acme-cloud\""));
        assert!(text("Cargo.toml").contains("integration-sdk = { path = \"../sdk\" }\n"));
        assert!(text("src/types.rs").contains("type = \"acme_cloud_user\""));
        assert!(text("src/sample.rs").contains("ACME_CLOUD_API_TOKEN"));
        assert!(text("schemas/types/acme_cloud_user.json").contains("\"acme_cloud_user.json\""));
        assert!(text("README.md").contains("<!-- data-model:begin -->\n<!-- data-model:end -->\n"));
    }

    #[test]
    fn the_sdk_is_found_from_the_new_crate() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("sdk/cli")).unwrap();
        std::fs::write(folder.path().join("sdk/cli/Cargo.toml"), "").unwrap();
        let sdk = folder.path().join("sdk").canonicalize().unwrap();
        for path in [folder.path().to_owned(), folder.path().join("sdk")] {
            assert_eq!(Sdk::find(&path, Path::new("integration-acme")).unwrap(), Sdk { folder: sdk.clone() });
        }
        std::fs::write(folder.path().join("sdk/cli/Cargo.toml"), "[package]\nname = \"integration-cli\"\n").unwrap();
        let below = folder.path().join("some/where");
        let around = |current: &Path, program| Sdk::around(current, program, Path::new("integration-acme"));
        assert_eq!(around(folder.path(), None).unwrap(), Sdk { folder: "../sdk".into() });
        assert_eq!(around(&below, None).unwrap(), Sdk { folder: "../../../sdk".into() });
        let elsewhere = tempfile::tempdir().unwrap();
        let program = folder.path().join("target/debug/integration-heroku");
        assert_eq!(around(elsewhere.path(), Some(&program)).unwrap(), Sdk { folder: sdk.clone() });
        assert!(matches!(around(elsewhere.path(), None), Err(ScaffoldError::NoCheckout)));
        let missing = Sdk::find(&folder.path().join("sdk/cli"), Path::new("integration-acme"));
        assert!(matches!(missing, Err(ScaffoldError::NoSdk { .. })));
        // Tests run in the folder of their package, so the SDK is the parent folder.
        let near = Sdk::find(Path::new(".."), Path::new("new/integration-acme")).unwrap();
        assert_eq!(near, Sdk { folder: "../../..".into() });
        assert_eq!(near.dependency("testing/kit"), "{ path = \"../../../testing/kit\" }");
    }
}
