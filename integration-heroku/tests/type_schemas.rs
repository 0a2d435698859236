//! The committed type schemas in `schemas/types` match the types of the integration.

use std::process::Command;

#[test]
fn the_type_schemas_on_disk_are_those_of_the_types() {
    for (integration, folder) in [("heroku", "schemas/types"), ("directory", "sdk/directory/schemas")] {
        check(integration, folder);
    }
}

fn check(integration: &str, folder: &str) {
    let path = format!("{}/../{folder}", env!("CARGO_MANIFEST_DIR"));
    let program = env!("CARGO_BIN_EXE_integration-heroku");
    let arguments = ["--integration", integration, "validate", "schemas", "--check", &path];
    let checked = Command::new(program).args(arguments).output();
    let checked = checked.expect("the program starts");
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(
        checked.status.success(),
        "{said}after changing a type, run `integration-heroku --integration {integration} validate schemas --write {folder}`"
    );
}
