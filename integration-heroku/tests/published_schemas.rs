//! The class schemas of the npm package `@jupiterone/data-model` accept the graph of the sample.
//!
//! All class schemas must compile. The sample's graph must be valid, except for the listed findings. If npm or its
//! registry is unavailable, the tests skip this check and print a note on stderr.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A version of the package, with the folder and the number of its class schemas.
struct Package {
    version: &'static str,
    folder: &'static str,
    classes: usize,
}

/// The last version with a single e-mail address, user name, and short login per `User`.
///
/// This integration models these properties in the same way.
const OF_ONE: Package = Package { version: "0.54.0", folder: "dist/schemas", classes: 99 };
/// The newest version. Since 0.62, these three properties are lists or null, and they are required, as are both names.
const OF_LISTS: Package = Package { version: "0.64.2", folder: "dist/class_schemas", classes: 102 };

/// The findings that [`OF_LISTS`] reports for a `User`.
///
/// They have two causes: properties that Heroku does not return, and types that differ from earlier versions.
const KNOWN: [(&str, &str); 5] = [
    // Heroku returns names only in the lists of team members, and not for all of them. The integration does not invent
    // names.
    ("", "\"firstName\" is a required property"),
    ("", "\"lastName\" is a required property"),
    // The integration emits a text, because `email` must equal `name`, which must be a text.
    ("/email", ONE_OF),
    ("/shortLoginId", ONE_OF),
    ("/username", ONE_OF),
];
const ONE_OF: &str = "value fits none of the alternatives: it is not of type \"array\"; it is not of type \"null\"";

#[test]
fn the_sample_keeps_every_schema_of_a_version_in_which_a_user_has_one_address() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    if let Some(classes) = OF_ONE.compiled(folder.path()) {
        assert_eq!(findings(folder.path(), &classes, 0), BTreeSet::new());
    }
}

#[test]
fn the_sample_keeps_every_schema_of_the_newest_version_but_for_what_heroku_does_not_tell_and_lists_of_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    if let Some(classes) = OF_LISTS.compiled(folder.path()) {
        let types = ["heroku_account_member", "heroku_user"];
        let known = types.into_iter().flat_map(|name| KNOWN.map(|(at, reason)| ["schema", name, "User", at, reason]));
        let known = known.map(|finding| finding.map(str::to_owned)).collect();
        assert_eq!(findings(folder.path(), &classes, 4), known);
        let users = ["--allow", "schema:heroku_account_member", "--allow", "schema:heroku_user"];
        let allowed = [["validate", "data", "--input", "out"].as_slice(), &users, &["--schemas"]].concat();
        let allowed = heroku(folder.path(), &[&allowed[..], &[text(&classes)]].concat());
        assert!(allowed.status.success(), "{}", String::from_utf8_lossy(&allowed.stdout));
    }
}

impl Package {
    /// The folder of compiled class schemas, or `None` if npm cannot provide them.
    fn compiled(&self, folder: &Path) -> Option<PathBuf> {
        let classes = match self.unpacked(folder) {
            Ok(classes) => classes,
            Err(reason) => {
                // The macro `eprintln!` would not work: the test harness captures its output and hides it if the test
                // passes.
                let _ = writeln!(std::io::stderr(), "SKIPPED: {} is not available from npm: {reason}", self.name());
                return None;
            }
        };
        let compiled =
            json(&heroku(folder, &["validate", "schemas", "--format", "json", "--schemas", text(&classes)]), 0);
        assert_eq!(compiled["schemas"]["problems"], serde_json::json!([]));
        assert!(compiled["schemas"]["classes"].as_u64() >= Some(self.classes as u64), "{compiled}");
        Some(classes)
    }

    fn unpacked(&self, folder: &Path) -> Result<PathBuf, String> {
        let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
        let name = self.name();
        let order = ["pack", &name, "--prefer-offline", "--fetch-retries=1", "--fetch-timeout=30000", "--silent"];
        let packed = run(Command::new(npm).args(order).current_dir(folder))?;
        let archive = String::from_utf8_lossy(&packed.stdout).trim().to_owned();
        run(Command::new("tar").args(["-xzf", &archive]).current_dir(folder))?;
        let classes = folder.join("package").join(self.folder);
        let files = std::fs::read_dir(&classes).map_err(|error| error.to_string())?;
        let is_schema = |path: &Path| path.extension().is_some_and(|extension| extension == "json");
        let count = files.filter(|file| file.as_ref().is_ok_and(|file| is_schema(&file.path()))).count();
        assert_eq!(count, self.classes, "{name} has changed its number of class schemas");
        Ok(classes)
    }

    fn name(&self) -> String {
        format!("@jupiterone/data-model@{}", self.version)
    }
}

/// The findings in the sample's graph: rule, type, schema, pointer, and reason of each kind.
fn findings(folder: &Path, classes: &Path, code: i32) -> BTreeSet<[String; 5]> {
    let collected = heroku(folder, &["collect", "--sample", "--quiet", "--output", "out"]);
    assert!(collected.status.success(), "{}", String::from_utf8_lossy(&collected.stderr));
    let order = ["validate", "data", "--input", "out", "--format", "json", "--schemas", text(classes)];
    let checked = json(&heroku(folder, &order), code);
    let found = checked["data"]["findings"].as_array().expect("findings");
    let column = |found: &Value, name: &str| found[name].as_str().unwrap_or_default().to_owned();
    let of = |found| ["rule", "type", "schema", "pointer", "reason"].map(|name| column(found, name));
    found.iter().map(of).collect()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn run(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if output.status.success() { Ok(output) } else { Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()) }
}

fn heroku(folder: &Path, order: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_integration-heroku");
    Command::new(program).args(order).current_dir(folder).output().expect("the program starts")
}

fn json(output: &Output, code: i32) -> Value {
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{said}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}
