use crate::space::Space;

#[test]
fn unknown_names_are_wrong_usage_with_the_nearest_name() {
    let space = Space::new();
    let cases = [
        ("collect --step fetch-moon", "did you mean `fetch-moons`?"),
        ("collect --step Fetch", "not a valid step id"),
        ("collect --enable-source planets", "there are: comets"),
        ("collect --enable-source comets --disable-source comets", "both enabled and disabled"),
        ("plan --enable-source comets --disable-source comets", "both enabled and disabled"),
        ("collect --instance ../x", "letters, digits"),
        ("collect --max-age 1h", "--step"),
        ("collect --concurrency 0", "1..=1000"),
        ("colect", "'collect'"),
        ("visualize grph", "unrecognized subcommand"),
        ("visualize steps --job 0198", "there are no jobs"),
    ];
    for (line, expected) in cases {
        let said = space.run(line);
        assert_eq!(said.code, 2, "{line}: {}", said.all());
        assert!(said.err.contains(expected), "{line}: {}", said.err);
        assert_eq!(said.out, "", "{line}");
    }
}

#[test]
fn help_and_version_go_to_stdout() {
    let space = Space::new();
    for line in ["--help", "collect --help", "jobs show -h", "--version"] {
        let said = space.run(line);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{line}");
    }
    assert_eq!(space.run("--version").out, "integration-space 1.2.3\n");
}

#[test]
fn colours_follow_the_option_and_the_environment() {
    let space = Space::new();
    assert!(!space.run("collect").all().contains('\u{1b}'));
    assert!(space.run("jobs show --color always").out.contains('\u{1b}'));
    let space = space.with("NO_COLOR", "1").with("CLICOLOR_FORCE", "1");
    assert!(!space.run("jobs show").out.contains('\u{1b}'));
}

#[test]
fn completions_name_the_program() {
    let said = Space::new().run("completions bash");
    assert_eq!(said.code, 0);
    assert!(said.out.contains("integration-space") && said.out.contains("--disable-source"), "{}", said.out);
}
