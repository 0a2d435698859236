use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::space::Space;

/// The folder of the workspace.
fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

#[test]
fn a_new_integration_is_a_crate_on_the_sdk_of_a_checkout() {
    let space = Space::new();
    // The manifest of the CLI crate identifies a checkout.
    space.write("sdk/cli/Cargo.toml", "[package]\nname = \"integration-cli\"\n");
    let said = space.run("new acme-cloud");
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let next = "  cd integration-acme-cloud\n  cargo test\n  cargo run -- collect --sample\n";
    assert_eq!(said.out, format!("Created integration-acme-cloud with 13 files. Next:\n{next}"));
    let manifest = space.read("integration-acme-cloud/Cargo.toml");
    assert!(manifest.contains("integration-cli = { path = \"../sdk/cli\" }\n"), "{manifest}");
    assert!(space.read("integration-acme-cloud/.gitignore").contains("\n.env\n"));

    space.write("checkout/sdk/cli/Cargo.toml", "");
    assert_eq!(space.run("new acme --sdk checkout --folder crates/acme").code, 0);
    let manifest = space.read("crates/acme/Cargo.toml");
    assert!(manifest.contains("integration-sdk = { path = \"../../checkout/sdk\" }\n"), "{manifest}");
}

#[test]
fn without_a_checkout_the_error_names_the_option_and_nothing_is_created() {
    let space = Space::new();
    // The compiled program is inside this checkout, so the test uses a copy outside.
    let program = space.path("program");
    fs::copy(env!("CARGO_BIN_EXE_integration-space"), &program).expect("a copy");
    let output = Command::new(&program).args(["new", "acme"]).current_dir(space.path("")).output().expect("it starts");
    let err = String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &b""[..]), "{err}");
    assert!(err.contains("cannot find the SDK") && err.contains("new NAME --sdk DIR"), "{err}");
    assert!(!space.path("integration-acme").exists());
}

#[test]
fn invalid_names_and_folders_are_wrong_usage_and_nothing_is_changed() {
    let space = Space::new();
    space.write("integration-acme/notes.txt", "mine");
    space.write("sdk/cli/Cargo.toml", "[package]\nname = \"integration-cli\"\n");
    let cases = [
        ("new acme", "integration-acme already exists"),
        ("new Acme", "\"Acme\" is not a valid name"),
        ("new ../acme", "beginning with a letter"),
        ("new other --sdk nowhere", "nowhere does not contain the SDK"),
        ("new", "NAME"),
    ];
    for (line, expected) in cases {
        let said = space.run(line);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{line}: {}", said.all());
        assert!(said.err.contains(expected), "{line}: {}", said.err);
        assert!(line == "new" || said.err.contains("help: "), "{line}: {}", said.err);
    }
    let found = fs::read_dir(space.path("")).expect("a folder").count();
    assert_eq!((found, space.read("integration-acme/notes.txt").as_str()), (2, "mine"));
}

#[test]
fn inside_a_workspace_the_output_suggests_a_member() {
    let space = Space::new();
    space.write("Cargo.toml", "[workspace]\nmembers = []\n");
    space.write("sdk/cli/Cargo.toml", "[package]\nname = \"integration-cli\"\n");
    let said = space.run("new acme");
    assert!(said.out.contains("  add it to `members` in ") && said.out.contains("Cargo.toml\n"), "{}", said.out);
}

/// Compiles a crate and all its dependencies.
#[test]
#[ignore = "compiles a crate: SCAFFOLD_TEST=1 cargo test -p integration-cli -- --ignored"]
fn a_new_integration_passes_its_tests_and_every_check() {
    if std::env::var_os("SCAFFOLD_TEST").is_none() {
        return;
    }
    let space = Space::new();
    // Formatting must be stable for the longest and the shortest name.
    for name in ["demo", "z", "a-name-as-long-as-can-be"] {
        let said = space.run(&format!("new {name} --sdk {}", checkout().display()));
        assert_eq!(said.code, 0, "{}", said.all());
        let folder = space.path(&format!("integration-{name}"));
        cargo(&folder, &["fmt", "--check"]);
    }
    let demo = space.path("integration-demo");
    // The lock file of the workspace avoids downloads.
    fs::copy(checkout().join("Cargo.lock"), demo.join("Cargo.lock")).expect("the lock file");
    cargo(&demo, &["clippy", "--offline", "--all-targets", "--", "-D", "warnings"]);
    cargo(&demo, &["test", "--offline"]);
    cargo(&demo, &["run", "--offline", "--", "validate", "schemas", "--check"]);
    cargo(&demo, &["run", "--offline", "--", "collect", "--sample", "--output", "graph"]);
    cargo(&demo, &["run", "--offline", "--", "validate", "data", "--input", "graph"]);
    cargo(&demo, &["run", "--offline", "--", "document", "--file", "README.md"]);
    assert!(space.read("integration-demo/README.md").contains("`demo_user`"));
}

fn cargo(folder: &Path, arguments: &[&str]) {
    // Reuses the compiled dependencies of the workspace.
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| checkout().join("target").into());
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(folder).env("CARGO_TARGET_DIR", target).env("CARGO_PROFILE_DEV_DEBUG", "0");
    let output = command.output().expect("cargo");
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    assert!(output.status.success(), "cargo {}:\n{}\n{}", arguments.join(" "), said[0], said[1]);
}
