use insta::assert_snapshot;

use crate::space::Space;

#[test]
fn the_data_model_is_written_between_markers_and_a_check_reports_an_outdated_file() {
    let space = Space::new();
    space.write("README.md", "# Space\n\n<!-- data-model:begin -->\nold\n<!-- data-model:end -->\n\nMore.\n");
    let check = "document --file README.md --check";
    let said = space.run(check);
    assert_eq!(said.code, 4);
    assert!(said.out.contains("README.md is out of date:\n@@ line 4 @@\n-old\n+"), "{}", said.out);
    assert_eq!(space.run("document --file README.md").out, "README.md was updated.\n");
    assert_eq!((space.run(check).code, space.run(check).out.as_str()), (0, "README.md is up to date.\n"));
    let page = space.read("README.md");
    assert!(page.starts_with("# Space\n\n<!--") && page.ends_with("-->\n\nMore.\n"), "{page}");
    assert!(page.contains("| `space_planet` | **HAS** | `space_moon` | `space_planet_has_moon` |"), "{page}");
}

#[test]
fn a_missing_file_is_created_or_reported() {
    let space = Space::new();
    assert_eq!(space.run("document --file MODEL.md --check").code, 4);
    assert_eq!(space.run("document --file MODEL.md").out, "MODEL.md was created.\n");
    assert_eq!(space.run("document --file MODEL.md --check").code, 0);
}

#[test]
fn unpaired_markers_are_an_error_and_the_file_is_unchanged() {
    let space = Space::new();
    space.write("README.md", "<!-- data-model:begin -->\nmine\n");
    let said = space.run("document --file README.md");
    assert_eq!(said.code, 1);
    assert!(said.err.contains("README.md") && said.err.contains("help: "), "{}", said.err);
    assert_eq!(space.read("README.md"), "<!-- data-model:begin -->\nmine\n");
}

#[test]
fn the_extension_of_a_picture_selects_its_format() {
    let space = Space::new();
    assert_eq!(space.run("visualize steps --output pictures/steps.svg").out, "Wrote pictures/steps.svg.\n");
    assert!(space.read("pictures/steps.svg").starts_with("<svg"));
    space.run("visualize types --output types.mmd");
    assert!(space.read("types.mmd").contains("space_planet"));
    let said = space.run("visualize steps --output steps.pdf");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("--format"), "{}", said.err);
}

#[test]
fn a_picture_can_show_the_results_of_a_job() {
    let space = Space::new().with("SPACE_TROUBLE", "moons");
    assert_eq!(space.run("visualize steps --job").code, 2);
    space.run("collect");
    let steps = space.run("visualize steps --job").out;
    assert!(steps.contains("2 partial") && steps.contains("critical path"), "{steps}");
    let types = space.run("visualize types --job --format text").out;
    assert!(types.contains("3 entities"), "{types}");
}

#[test]
fn a_collected_graph_is_drawn_object_by_object_or_counted() {
    let space = Space::new();
    space.run("collect");
    for format in ["text", "dot", "mermaid"] {
        let said = space.run(&format!("visualize graph --format {format}"));
        assert_eq!((said.code, said.err.as_str()), (0, ""));
        // The id and the time of a job differ between runs.
        let drawn: Vec<&str> = said.out.lines().filter(|line| !line.contains("job 01")).collect();
        assert_snapshot!(format!("graph_{format}"), drawn.join("\n"));
    }
    assert_eq!(space.run("visualize graph --output p/graph.gv").out, "Wrote p/graph.gv.\n");
    assert!(space.read("p/graph.gv").starts_with("digraph"));
}

#[test]
fn a_collected_graph_is_counted_against_an_earlier_one() {
    let space = Space::new();
    let newest = || space.run("jobs list --format json").json()[0]["id"].as_str().expect("an id").to_owned();
    space.run("collect --step fetch-planets");
    let fewer = newest();
    space.run("collect");
    let more = newest();
    let since = |job: &str, against: &str| {
        let said = space.run(&format!("visualize graph --format text --job {job} --against {against}"));
        assert_eq!(said.code, 0, "{}", said.all());
        said.out.lines().filter(|line| !line.contains("job 01")).map(|line| format!("{line}\n")).collect::<String>()
    };
    assert_snapshot!("graph_with_more", since(&more, &fewer));
    assert_snapshot!("graph_with_less", since(&fewer, &more));
    assert!(![" added", " removed", " changed"].iter().any(|word| since(&more, &more).contains(word)));
}

#[test]
fn a_collected_graph_is_not_drawn_as_an_svg() {
    let space = Space::new();
    for line in ["visualize graph --output graph.svg", "visualize graph --format svg"] {
        let said = space.run(line);
        assert_eq!(said.code, 2);
        assert!(said.err.contains("html, dot, mermaid"), "{}", said.err);
    }
    assert!(space.run("visualize graph --output graph.pdf").err.contains(".html, .dot, .mmd or .txt"));
}
