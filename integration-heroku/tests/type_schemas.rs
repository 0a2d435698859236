//! The committed type schemas in `schemas/types` match the types of the integration.

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
        "{said}after changing a type, run `integration-heroku validate schemas --write schemas/types`"
    );
}
