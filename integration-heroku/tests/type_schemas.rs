//! The type schemas in `schemas/types` are generated from this plugin's types, and committed with them.

use std::process::Command;

#[test]
fn the_type_schemas_on_disk_are_those_of_the_types() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/types");
    let program = env!("CARGO_BIN_EXE_integration-heroku");
    let checked = Command::new(program).args(["validate", "schemas", "--check", folder]).output();
    let checked = checked.expect("the program starts");
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(
        checked.status.success(),
        "{said}after a change of the types: `integration-heroku validate schemas --write`"
    );
}
