//! The folder of `--output`: what an export may replace, and its contents after failures.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use integration_heroku::fake::{Fault, Organisation, Reply};
use serde_json::json;

use crate::expected::{graph_of, sizes};
use crate::harness::{Graph, Heroku, Place, Said, assert_same, undisturbed};

fn graph(place: &Place) -> Graph {
    Graph::read(&place.path("out/graph"))
}

fn error(status: u16, id: &str) -> Fault {
    Fault::Status(Reply::json(status, &json!({"id": id, "message": "Not this time."})))
}

/// All files and folders below a folder.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    found
        .flat_map(|path| {
            let inner = if path.is_dir() && !path.is_symlink() { entries(&path) } else { Vec::new() };
            [vec![path], inner].concat()
        })
        .collect()
}

#[test]
fn a_folder_with_anything_of_somebody_elses_is_refused_before_any_request() {
    let foreign = [
        "out/summary.json",
        "out/graph/mine/entities/thesis.txt",
        "out/graph/fetch-apps/entities/mine.json",
        "out/graph/note.json",
    ];
    for name in foreign {
        let heroku = Heroku::sample();
        let place = Place::before(&heroku);
        place.write(name, "{\"mine\":1}");
        let said = place.run("collect --output out");
        assert_eq!((said.code, heroku.requests(), place.states()), (1, 0, Vec::new()), "{name}: {}", said.all());
        let found = name.trim_start_matches("out/").split('/').take(2).collect::<Vec<_>>().join("/");
        assert!(said.err.contains(&found) && said.err.contains("choose another folder"), "{name}: {}", said.err);
        assert_eq!(place.read(name), "{\"mine\":1}");
        assert!(!place.path("out/.integration-export").exists(), "a refused folder must remain unchanged");
    }
}

#[test]
fn a_foreign_file_among_those_of_an_export_is_refused_and_the_rest_of_the_folder_is_left_alone() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    place.write("out/.graph.old/mine", "x");
    place.write("out/.graph.new/mine", "x");
    place.write("out/README.md", "x");
    assert_eq!(place.run("collect --output out").code, 0);
    assert_eq!(place.run("collect --output out").code, 0, "an export may replace its own files");
    for name in ["out/.graph.old/mine", "out/.graph.new/mine", "out/README.md"] {
        assert_eq!(place.read(name), "x", "{name}");
    }
    let before = heroku.requests();
    place.write("out/graph/fetch-apps/entities/mine.json", "x");
    let said = place.run("collect --output out");
    assert_eq!((said.code, heroku.requests()), (1, before), "{}", said.all());
    assert!(said.err.contains("graph/fetch-apps/entities/mine.json"), "{}", said.err);
    fs::remove_file(place.path("out/graph/fetch-apps/entities/mine.json")).expect("a file");
    assert_same(&graph(&place), undisturbed());
}

#[test]
fn nothing_is_written_through_a_symbolic_link() {
    let links = [
        ("out/graph", "victim"),
        ("out/summary.json", "victim/file"),
        ("out/.integration-export", "victim"),
        ("out/.integration-export/lock", "victim/file"),
        ("out/.integration-export/manifest.json", "victim/file"),
        ("out/.integration-export/journal.json", "victim/file"),
    ];
    for (link, target) in links {
        let heroku = Heroku::sample();
        let place = Place::before(&heroku);
        place.write("victim/file", "precious");
        fs::create_dir_all(place.path(link).parent().expect("a folder")).expect("a folder");
        symlink(place.path(target), place.path(link)).expect("a link");
        let said = place.run("collect --output out");
        assert_eq!((said.code, heroku.requests()), (1, 0), "{link}: {}", said.all());
        assert_eq!(entries(&place.path("victim")), [place.path("victim/file")], "{link}");
        assert_eq!(place.read("victim/file"), "precious", "{link}");
    }
    // The folder itself must not be a link either; an export must not touch unrelated links.
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    place.write("victim", "precious");
    fs::create_dir(place.path("real")).expect("a folder");
    symlink(place.path("real"), place.path("out")).expect("a link");
    symlink(place.path("victim"), place.path("real/.summary.json.new")).expect("a link");
    for folder in ["out", "out/"] {
        let said = place.run(&format!("collect --output {folder}"));
        assert_eq!((said.code, heroku.requests(), place.states()), (1, 0, Vec::new()), "{}", said.all());
        assert!(said.err.contains("out is a symbolic link"), "{}", said.err);
    }
    assert_eq!(place.run("collect --output real").code, 0);
    assert_eq!(place.read("victim"), "precious");
    assert_same(&Graph::read(&place.path("real/graph")), undisturbed());
}

#[test]
fn an_export_lies_neither_in_another_one_nor_in_the_data_directory() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    assert_eq!(place.run("collect --output out").code, 0);
    let requests = heroku.requests();
    let cases = [
        ("--output out/graph/fetch-apps", "out/graph, which the next export there replaces"),
        ("--output out/graph", "which the next export there replaces"),
        ("--output out/.integration-export/x", "which the next export there replaces"),
        ("--output .integration", "overlap"),
        ("--output .integration/x/y", "overlap"),
        ("--output new --data-dir new", "overlap"),
        ("--output new --data-dir new/graph/data", "overlap"),
    ];
    for command in ["collect", "export"] {
        for (options, reason) in cases {
            if command == "export" && options.contains("--data-dir") {
                continue;
            }
            let said = place.run(&format!("{command} {options}"));
            assert_eq!((said.code, heroku.requests()), (1, requests), "{command} {options}: {}", said.all());
            assert!(said.err.contains(reason), "{command} {options}: {}", said.err);
        }
    }
    assert!(!place.path("new").exists() && !place.path(".integration/x").exists());
    assert_eq!(place.states(), ["complete"]);
    assert_eq!(place.run("collect --output out/nested --data-dir out/data").code, 0, "the rest of the folder is free");
}

#[test]
fn a_folder_that_cannot_be_written_is_found_before_any_request() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    place.write("file", "x");
    for folder in ["file", "file/below"] {
        let said = place.run(&format!("collect --output {folder}"));
        assert_eq!((said.code, heroku.requests(), place.states()), (1, 0, Vec::new()), "{}", said.all());
        assert!(said.err.contains("file"), "{}", said.err);
    }
}

#[test]
fn two_processes_never_share_a_folder() {
    let heroku = Heroku::sample();
    heroku.fault(Fault::NoAnswer.on("/teams/{id}/addons"));
    let place = Place::before(&heroku);
    let mut first = place.start("collect --output out");
    first.tells(&["fetch-apps: "]);
    let other = Heroku::sample();
    let line = format!("collect --data-dir other --output {}", place.path("out").display());
    let second = Place::before(&other);
    let said = second.run(&line);
    assert_eq!((said.code, other.requests()), (1, 0), "{}", said.all());
    assert!(said.err.contains("another process uses") && said.err.contains("choose another folder"), "{}", said.err);
    first.kill();
    assert_eq!(second.run(&line).code, 0, "the lock must end with its process");
    assert_same(&graph(&place), undisturbed());
}

#[test]
fn a_job_that_failed_or_was_cancelled_leaves_the_folder_as_it_was_and_says_so() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    assert_eq!(place.run("collect --output out").code, 0);
    let summary = place.read("out/summary.json");

    let revoked = heroku.fault(error(401, "unauthorized").on("/teams/{id}/apps"));
    for format in ["text", "json"] {
        let said = place.run(&format!("collect --output out --format {format}"));
        assert_eq!((said.code, place.states()[0].as_str()), (1, "failed"), "{}", said.all());
        assert!(said.err.contains("out still contains the graph of job"), "{}", said.err);
        assert!(!said.out.contains("exported to"), "{}", said.out);
        assert_same(&graph(&place), undisturbed());
        assert_eq!(place.read("out/summary.json"), summary);
    }
    // The snapshot of the failed job is whole, because stale objects complete it.
    let said = place.run("export --output whole");
    assert_eq!(said.code, 1, "{}", said.all());
    assert_same(&Graph::read(&place.path("whole/graph")), undisturbed());
    assert_eq!(place.run("collect --output fresh").code, 1);
    assert!(!place.path("fresh").exists(), "a fragment must not be written, even to a new folder");

    heroku.server().lift(revoked);
    heroku.fault(Fault::NoAnswer.on("/teams/{id}/apps"));
    let mut running = place.start("collect --output out");
    running.tells(&["fetch-teams: "]);
    running.interrupt("INT");
    let said = running.end();
    assert_eq!((said.code, place.states()[0].as_str()), (3, "cancelled"), "{}", said.all());
    assert!(said.err.contains("out still contains the graph of job"), "{}", said.err);
    assert_same(&graph(&place), undisturbed());
    assert_eq!(place.read("out/summary.json"), summary);

    heroku.server().lift_all();
    let (_, resumed) = place.resume();
    assert_same(&resumed, undisturbed());
    assert_ne!(place.read("out/summary.json"), summary);
}

#[test]
fn a_wrong_key_leaves_the_folder_as_it_was() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    assert_eq!(place.run("collect --output out").code, 0);
    let place = place.with("HEROKU_API_KEY", "not-the-right-key");
    let said = place.run("collect --output out");
    assert_eq!(said.code, 1, "{}", said.all());
    assert!(said.err.contains("out still contains the graph of job"), "{}", said.err);
    assert_same(&graph(&place), undisturbed());
}

#[test]
fn a_partial_graph_replaces_an_older_one() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    assert_eq!(place.run("collect --output out").code, 0);
    heroku.fault(error(403, "forbidden").on("/teams/{id}/addons"));
    let (said, graph) = place.collect("--step fetch-addons --max-age 0s");
    assert_eq!(said.code, 3, "{}", said.all());
    assert!(graph.of_type("heroku_addon").len() < undisturbed().of_type("heroku_addon").len());
    let sentence = "Data is missing from job ";
    assert!(said.err.contains(sentence), "{}", said.err);
    let said = place.run("collect --step fetch-addons --max-age 0s --output out");
    assert!(said.out.contains(" --output out`"), "the proposal writes the same folder: {}", said.out);
    let said = place.run("export --output again");
    assert_eq!(said.code, 3, "{}", said.all());
    assert!(said.err.contains(sentence) && said.out.contains("to again: "), "{}", said.all());
    // An export contains the add-ons that the job could not confirm.
    assert_same(&Graph::read(&place.path("again/graph")), undisturbed());
    heroku.server().lift_all();
    assert_eq!(place.run("collect --step fetch-teams").code, 0);
    assert_eq!(place.run("export --output again").code, 0, "all that was asked for is there");
}

#[test]
fn a_finished_job_is_written_again() {
    let place = Place::alone();
    let (said, _) = place.collect("--sample");
    let job = said.summary().0["job"].as_str().expect("an id").to_owned();
    let summary = place.read("out/summary.json");
    let said = place.run("collect --resume --output out");
    assert_eq!(said.code, 2, "{}", said.all());
    assert!(said.err.contains(&format!("export {job} --output DIR")), "{}", said.err);
    for line in ["export --output again", &format!("export {job} --output again")] {
        let said = place.run(line);
        assert_eq!(said.code, 0, "{line}: {}", said.all());
        let (entities, relationships) = sizes(&graph_of(&Organisation::sample()));
        assert!(said.out.contains(&format!("{entities} entities and {relationships} relationships")), "{}", said.out);
        assert_same(&Graph::read(&place.path("again/graph")), undisturbed());
        assert_eq!(place.read("again/summary.json"), summary);
    }
    let said = place.run(&format!("export {job} --instance east --output again"));
    assert!(said.code == 2 && said.err.contains("\"sample\""), "{}", said.all());
    assert_eq!(place.run("export nothing --output again").code, 2);
    assert_eq!(place.run("export").code, 2, "the folder is required");
    assert_eq!(Place::alone().run("export --output x").code, 2);
}

#[test]
fn the_newest_job_of_an_instance_is_written() {
    let heroku = Heroku::sample();
    let place = Place::before(&heroku);
    let collected = |line: &str| place.run(line).summary().0["job"].clone();
    let first = collected("collect --format json");
    let east = collected("collect --format json --instance east");
    for (line, job) in [("", &east), ("--instance east", &east), ("--instance default", &first)] {
        let said = place.run(&format!("export {line} --output out"));
        assert_eq!(said.code, 0, "{line}: {}", said.all());
        let summary: serde_json::Value = serde_json::from_str(&place.read("out/summary.json")).expect("JSON");
        assert_eq!(&summary["job"], job, "{line}");
    }
    let said = place.run("export --instance west --output out");
    assert!(said.code == 2 && said.err.contains("there are no jobs"), "{}", said.all());
}

#[test]
fn an_export_that_was_killed_is_finished_or_undone_at_the_next_start() {
    // The cases are the stages of a switch. The last one occurs on file systems that cannot exchange two names
    // atomically.
    let stops =
        ["half written", "complete", "taken", "exchanged", "summary", "manifest", "removed", "between two renames"];
    // The next start exports again, or reads.
    let starts = [("collect --resume 0 --output out", 2), ("validate data --input out", 0)];
    for (stop, (start, code)) in stops.into_iter().flat_map(|stop| starts.map(|start| (stop, start))) {
        let place = Place::alone();
        assert_eq!(place.run("collect --sample --output out").code, 0);
        place.run("collect --sample --step fetch-teams --output next");
        let (earlier, next) = (graph(&place), Graph::read(&place.path("next/graph")));
        let summary = place.read(if stop == "half written" { "out/summary.json" } else { "next/summary.json" });
        leave_behind(&place, stop);
        if stop != "between two renames" {
            let there = graph(&place);
            assert!(
                there == earlier || there == next,
                "{stop}: one of the two graphs must be complete before the recovery"
            );
            let path = place.path("out/summary.json");
            assert!(there == earlier || !path.exists() || place.read("out/summary.json") == summary, "{stop}");
        }
        let said = place.run(start);
        assert_eq!(said.code, code, "{stop}: {}", said.all());
        assert_same(&graph(&place), if stop == "half written" { &earlier } else { &next });
        assert_eq!(place.read("out/summary.json"), summary, "{stop}");
        let left: Vec<PathBuf> = entries(&place.path("out/.integration-export"));
        assert_eq!(left.len(), 2, "{stop}: only the lock and the manifest may remain: {left:?}");
        assert_eq!(place.run("collect --sample --output out").code, 0, "{stop}");
        assert_same(&graph(&place), undisturbed());
    }
}

/// Reproduces the state in which a killed switch of two exports leaves the folder.
///
/// The switch goes from the export `out` to `next` and ends at the stage `stop`.
fn leave_behind(place: &Place, stop: &str) {
    let own = place.path("out/.integration-export");
    let staging = own.join("new-1");
    fs::create_dir(&staging).expect("a folder");
    let take = |from: &str, to: PathBuf| fs::rename(place.path(from), to).expect("the rename succeeds");
    let files = |manifest: &str| -> serde_json::Value {
        let manifest: serde_json::Value = serde_json::from_str(&place.read(manifest)).expect("JSON");
        manifest["files"].clone()
    };
    let inode = std::os::unix::fs::MetadataExt::ino(&fs::metadata(place.path("next/graph")).expect("a folder"));
    let stage = if stop == "half written" { "writing" } else { "switching" };
    let journal = json!({
        "format": "integration-export/1", "stage": stage, "staging": "new-1", "graph": inode,
        "files": files("next/.integration-export/manifest.json"),
        "earlier": files("out/.integration-export/manifest.json"),
    });
    fs::write(own.join("journal.json"), journal.to_string()).expect("a file");
    fs::write(own.join("journal.new"), "{").expect("a file");
    take("next/graph", staging.join("graph"));
    if stop == "half written" {
        return fs::remove_dir_all(staging.join("graph/fetch-teams/relationships")).expect("the folder exists");
    }
    take("next/summary.json", staging.join("summary.json"));
    take("next/.integration-export/manifest.json", staging.join("manifest.json"));
    if stop == "between two renames" {
        return take("out/graph", staging.join("earlier"));
    }
    let done =
        ["complete", "taken", "exchanged", "summary", "manifest", "removed"].iter().position(|name| *name == stop);
    let done = done.expect("a known stage");
    if done >= 1 {
        take("out/summary.json", staging.join("earlier.json"));
    }
    if done >= 2 {
        take("out/graph", place.path("aside"));
        fs::rename(staging.join("graph"), place.path("out/graph")).expect("the rename succeeds");
        take("aside", staging.join("graph"));
    }
    if done >= 3 {
        fs::rename(staging.join("summary.json"), place.path("out/summary.json")).expect("the rename succeeds");
    }
    if done >= 4 {
        fs::rename(staging.join("manifest.json"), own.join("manifest.json")).expect("the rename succeeds");
    }
    if done >= 5 {
        fs::remove_dir_all(&staging).expect("the folder exists");
    }
}

#[test]
fn a_full_disk_leaves_the_earlier_graph_and_the_job_is_written_later() {
    let place = Place::alone();
    assert_eq!(place.run("collect --sample --output out").code, 0);
    // The first export of the second job stores the order of its keys. The third export, on the full disk, then needs
    // no write to the store.
    assert_eq!(place.run("collect --sample --output other").code, 0);
    let summary = place.read("out/summary.json");
    // The limit is 50 KiB per file; the largest file of the sample has about 100 KiB.
    let said = place.shell("ulimit -f 100; exec \"$0\" \"$@\"", "export --output out");
    assert_eq!(said.code, 1, "{}", said.all());
    assert!(said.err.contains("cannot write") && said.err.contains("export"), "{}", said.err);
    assert_same(&graph(&place), undisturbed());
    assert_eq!(place.read("out/summary.json"), summary);
    let left: Vec<PathBuf> = entries(&place.path("out/.integration-export"));
    assert_eq!(left.len(), 2, "only the lock and the manifest may remain: {left:?}");
    assert_eq!(place.run("export --output out").code, 0);
    assert_ne!(place.read("out/summary.json"), summary);
    // A store that cannot be written must fail the job as well.
    let said = place.shell("ulimit -f 100; exec \"$0\" \"$@\"", "collect --sample --data-dir new --output out");
    assert_eq!(said.code, 1, "{}", said.all());
    assert!(said.err.contains("error"), "{}", said.err);
    assert_same(&graph(&place), undisturbed());
}

#[test]
fn what_holds_collected_data_is_for_its_owner_only_whatever_the_umask() {
    for umask in ["000", "022", "777"] {
        let place = Place::alone();
        let shell = format!("umask {umask}; exec \"$0\" \"$@\"");
        for line in [
            "collect --sample --output exports/out",
            "export --output again",
            "visualize graph --output pages/graph.html",
            "visualize graph --format dot --output pages/graph.dot",
            "visualize types --job --output pages/types.svg",
        ] {
            let said = place.shell(&shell, line);
            assert_eq!(said.code, 0, "{umask}, {line}: {}", said.all());
        }
        for path in ["exports", "again", "pages"]
            .iter()
            .flat_map(|name| [vec![place.path(name)], entries(&place.path(name))].concat())
        {
            let mode = fs::symlink_metadata(&path).expect("the file exists").permissions().mode() & 0o777;
            let wanted = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode, wanted, "umask {umask}: {} is {mode:o}", path.display());
        }
    }
}

#[test]
fn a_page_is_not_written_through_a_link_and_restricts_the_file_that_it_replaces() {
    let place = Place::alone();
    place.run("collect --sample");
    place.write("victim", "precious");
    symlink(place.path("victim"), place.path("graph.html")).expect("a link");
    let said = place.run("visualize graph");
    assert_eq!(said.code, 1, "{}", said.all());
    assert!(said.err.contains("symbolic link"), "{}", said.err);
    assert_eq!(place.read("victim"), "precious");
    place.write("page.html", "old");
    assert_eq!(place.run("visualize graph --output page.html").code, 0);
    assert_eq!(fs::metadata(place.path("page.html")).expect("a file").permissions().mode() & 0o777, 0o600);
    assert_eq!(place.run("visualize steps --format svg --output /dev/null").code, 0, "devices must not be replaced");
}

#[test]
fn arguments_of_the_user_steer_neither_a_terminal_nor_a_build_server() {
    let place = Place::alone();
    let odd = "x=$(printf 'd\\n::error::pwned\\033[31m\\302\\233\\342\\200\\256e'); ";
    let lines = [
        "collect --sample --data-dir \"$x\" --output \"o$x\"",
        "--log-format json collect --sample --data-dir \"$x\" --output .integration --step fetch-account",
        "jobs list --data-dir \"$x\"",
        "jobs list --data-dir \"none$x\"",
        "jobs prune --keep 0 --data-dir \"$x\"",
        "jobs show \"$x\" --data-dir \"$x\"",
        "jobs show --data-dir \"none$x\"",
        "jobs list --format \"$x\"",
        "collect --sample --instance=\"$x\"",
        "collect --sample --step \"fetch-account,$x\"",
        "collect --replay \"$x\"",
        "validate data --job \"$x\"",
        "validate data --input \"$x\"",
        "validate schemas --write \"w$x\"",
        "validate schemas --check \"w$x\"",
        "validate --schemas \"$x\"",
        "export \"$x\" --output \"$x\"",
        "visualize graph --job \"$x\"",
        "visualize steps --format svg --output \"s$x.svg\"",
        "visualize steps --format \"$x\"",
        "document --file \"$x.md\"",
        "new a-b --folder \"$x\"",
        "new \"$x\"",
        "\"$x\"",
        "--\"$x\"",
    ];
    for line in lines {
        let said = place.shell(&format!("{odd}eval exec '\"$0\"' --color always \"$*\""), line);
        assert_ne!(said.code, Said::KILLED);
        let all = said.out + &said.err;
        assert!(!all.contains("\u{1b}[31me") && !all.contains(['\u{9b}', '\u{202e}']), "{line}: {all:?}");
        assert!(!all.lines().any(|line| line.trim_start().starts_with("::")), "{line}: {all}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_whose_name_is_not_unicode_is_reported_in_every_format() {
    use std::os::unix::ffi::OsStrExt;
    let place = Place::alone();
    place.write("g/graph/s/entities/a.json", "{\"entities\":[{\"_key\":1}]}");
    let odd = place.path("g/graph/s/entities").join(std::ffi::OsStr::from_bytes(b"b\xff.json"));
    fs::rename(place.path("g/graph/s/entities/a.json"), odd).expect("a file");
    for format in ["text", "json", "sarif", "junit"] {
        let said = place.run(&format!("validate data --input g --format {format}"));
        assert_eq!(said.code, 4, "{format}: {}", said.all());
        let name = if format == "sarif" { "b%EF%BF%BD.json" } else { "b\u{fffd}.json" };
        assert!(said.out.contains(name), "{format}: {}", said.out);
    }
}

#[test]
fn names_of_foreign_files_steer_neither_a_terminal_nor_a_build_server() {
    let place = Place::alone();
    let name = "g/graph/s/entities/a\u{1b}]52;c;ZXZpbA==\u{7}\n::error::pwned\u{202e}.json";
    place.write(name, "{\"entities\":[{\"_class\":[\"Application\"],\"_type\":\"t\",\"_key\":\"k\u{ffff}\u{fffe}\"}]}");
    for format in ["text", "json", "sarif", "junit"] {
        let said = place.run(&format!("--color always validate data --input g --format {format}"));
        assert_eq!(said.code, 4, "{}", said.all());
        let all = said.out + &said.err;
        assert!(all.contains("pwned"), "{format}: {all}");
        assert!(!all.contains("\u{1b}]") && !all.contains(['\u{7}', '\u{202e}']), "{format}: {all:?}");
        assert!(!all.lines().any(|line| line.trim_start().starts_with("::")), "{format}: {all}");
        if format == "junit" {
            roxmltree::Document::parse(&all).expect("well-formed");
        }
    }
    // Error messages contain the file name as well.
    place.write("b/graph/s/\n::error::b\u{1b}[31m.json", "[");
    let said = place.run("--color always validate data --input b");
    assert_eq!(said.code, 1);
    assert!(!said.err.lines().any(|line| line.trim_start().starts_with("::")), "{}", said.err);
    assert!(!said.err.contains("\u{1b}[31m.json"), "{:?}", said.err);
}
