//! The README shows the output of `collect --sample`.

use std::fs;

use integration_testing_kit::Collected;

use crate::workspace;

#[tokio::test]
async fn the_readme_shows_every_type_of_the_sample_with_its_count() {
    let heroku = integration_heroku::integration();
    let sample = integration_heroku::sample().await.expect("a socket on loopback");
    let collected = Collected::run(&heroku, sample.values).await;

    let readme = fs::read_to_string(workspace().join("README.md")).expect("the README");
    let words: Vec<Vec<&str>> = readme.lines().map(|line| line.split_whitespace().collect()).collect();
    for step in &collected.summary.integration_step_results {
        for (object_type, count) in &step.encountered_type_counts {
            let ends = [count.to_string(), object_type.to_string()];
            assert!(words.iter().any(|line| line.ends_with(&ends.each_ref().map(String::as_str))), "{ends:?}");
        }
    }
    let totals =
        format!("Complete: {} entities, {} relationships", collected.summary.entities, collected.summary.relationships);
    assert!(readme.contains(&totals), "{totals}");
}
