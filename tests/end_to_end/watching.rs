//! The commands of `docs/watching.md` and their output.
//!
//! `UPDATE_DOCS=1 cargo test -p integration-heroku --test end_to_end watching` writes the actual output into the guide.

use std::path::{Path, PathBuf};

use crate::harness::Place;

fn guide() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/watching.md")
}

/// The guide with the output that its commands print now. A block of YAML that begins with a name is written as this file.
fn current(text: &str, place: &Place) -> (String, usize) {
    let (mut out, mut lines, mut commands) = (String::new(), text.lines().peekable(), 0);
    while let Some(line) = lines.next() {
        out += &format!("{line}\n");
        if line != "```sh" && line != "```yaml" {
            continue;
        }
        let mut block = String::new();
        for line in lines.by_ref() {
            out += &format!("{line}\n");
            if line == "```" {
                break;
            }
            block += &format!("{line}\n");
        }
        if line == "```yaml" {
            let name = block.lines().next().and_then(|first| first.strip_prefix("# "));
            // The guide explains deliveries, and the test has no receiver.
            if let Some(name) = name.filter(|name| !name.contains("delivery")) {
                place.write(name, &block);
            }
            continue;
        }
        let said = place.shell(&block.replace("integration-heroku", "\"$0\""), "");
        if block.contains("collect") || block.contains("deliver") {
            continue;
        }
        commands += 1;
        assert_eq!(said.code, 0, "{block}{}", said.all());
        out += &format!("\n```text\n{}```\n", (said.out + &said.err).replace('\r', ""));
        // The recorded output of the command is replaced.
        let mut rest = lines.clone();
        if (rest.next(), rest.next()) == (Some(""), Some("```text")) {
            lines.by_ref().skip(1).find(|line| *line == "```");
        }
    }
    (out, commands)
}

#[test]
fn the_commands_of_the_guide_print_what_it_shows() {
    let text = std::fs::read_to_string(guide()).expect("the guide");
    let place = Place::alone().with("NO_COLOR", "1");
    let (now, commands) = current(&text, &place);
    assert!(commands >= 5, "{commands} commands");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(guide(), &now).expect("the guide");
    }
    assert!(now == text, "docs/watching.md is out of date; run this test with UPDATE_DOCS=1:\n{now}");
}
