use std::fs;
use std::process::Command;

use integration_testing_kit::{Collected, RunError, assert_complete, assert_graph, assert_no_secrets};

use crate::acme::{integration, provider, provider_of, team, values};
use crate::message;

#[tokio::test]
async fn a_run_is_recorded_and_replayed_without_the_provider_and_without_values() {
    let folder = tempfile::tempdir().expect("a folder");
    let recordings = folder.path().join("tests/recordings/teams");
    let (acme, provider) = (integration(), provider().await);
    let live = Collected::run(&acme, values(&provider)).record_to(&recordings).await;
    let url = provider.url();
    provider.shutdown().await;
    // The address must be configured, because the integration has no default. Its server has stopped.
    let again = Collected::run(&acme, [("ACME_API_URL", url)]).replay_from(&recordings).await;
    assert_complete!(again);
    assert_eq!(again.counts(), live.counts());
    assert_no_secrets(&recordings);
    let text = fs::read_to_string(recordings.join("recording-00001.har")).expect("a recording");
    assert!(!text.contains("a-token-of-nobody") && !text.contains("ada@acme.example"));
}

#[tokio::test]
async fn a_new_recording_takes_the_place_of_the_old_one_and_pseudonyms_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    let recordings = folder.path().join("teams");
    let (acme, two) = (integration(), provider().await);
    Collected::run(&acme, values(&two)).record_to(&recordings).await;
    let before = Collected::run(&acme, values(&two)).replay_from(&recordings).await;
    let one = provider_of([team("team-0001", "Only", "2024-01-01T00:00:00Z")]).await;
    Collected::run(&acme, values(&one)).record_to(&recordings).await;
    let after = Collected::run(&acme, values(&one)).replay_from(&recordings).await;
    assert_graph!(after, { acme_team: 1, acme_user: 2, acme_team_has_user: 2 });
    let email = |collected: &Collected| collected.entity("user-ada-1815")["email"].clone();
    assert_eq!(email(&after), email(&before));
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "only the recordings may remain");
}

#[tokio::test]
async fn what_is_not_recorded_says_how_to_record_it() {
    let acme = integration();
    let error = Collected::recorded(&acme, "nothing-of-this-name").attempt().await.expect_err("no recordings");
    assert!(
        matches!(&error, RunError::NotRecorded { folder } if folder.ends_with("tests/recordings/nothing-of-this-name"))
    );
    assert!(error.to_string().contains("RECORD=1"), "{error}");
}

#[tokio::test]
async fn a_recording_with_a_secret_is_not_replayed_and_fails_the_assertion() {
    let folder = tempfile::tempdir().expect("a folder");
    let (acme, provider) = (integration(), provider().await);
    let path = folder.path().join("recordings");
    Collected::run(&acme, values(&provider)).record_to(&path).await;
    let har = path.join("recording-00001.har");
    let text = fs::read_to_string(&har).expect("a recording");
    let leaked = text.replacen(
        "\"headers\":[",
        "\"headers\":[{\"name\":\"Authorization\",\"value\":\"Bearer 8f3a9c1e77b24d60a5\"},",
        1,
    );
    assert_ne!(text, leaked);
    fs::write(&har, leaked).expect("a recording");
    let told = message(|| assert_no_secrets(&path));
    assert!(told.contains("recording-00001.har, exchange 1") && !told.contains("8f3a9c1e77b24d60a5"), "{told}");
    let error = Collected::run(&acme, values(&provider)).replay_from(&path).attempt().await.expect_err("a secret");
    assert!(matches!(error, RunError::Secrets(_)));
}

/// Each case runs in a child process, because environment variables belong to the process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_environment_decides_between_recording_and_replaying() {
    const URL: &str = "ACME_API_URL";
    if let Some(url) = std::env::var_os("KIT_TEST_PROVIDER") {
        let acme = integration();
        let collected = match url.to_str().filter(|url| !url.is_empty()) {
            Some(_) => Collected::recorded(&acme, "teams").await,
            None => Collected::run(&acme, [(URL, "http://127.0.0.1:9")]).recorded("teams").await,
        };
        assert_graph!(collected, { acme_team: 2, acme_user: 2, acme_team_has_user: 4 });
        return;
    }
    let (folder, provider) = (tempfile::tempdir().expect("a folder"), provider().await);
    let child = |variables: &[(&str, &str)]| {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["--exact", "recordings::the_environment_decides_between_recording_and_replaying"]);
        command.env_remove("RECORD").env("CARGO_MANIFEST_DIR", folder.path());
        command.envs(variables.iter().copied()).output().expect("a process").status.success()
    };
    let url = provider.url();
    let recording = [("KIT_TEST_PROVIDER", url.as_str()), (URL, &url), ("API_TOKEN", "any"), ("RECORD", "1")];
    let replaying = [("KIT_TEST_PROVIDER", "")];
    assert!(!tokio::task::block_in_place(|| child(&replaying)), "there must be no recordings yet");
    assert_eq!(provider.requests(), 0);
    assert!(tokio::task::block_in_place(|| child(&recording)));
    let asked = provider.requests();
    assert!(asked > 0 && folder.path().join("tests/recordings/teams/recording-00001.har").exists());
    assert!(tokio::task::block_in_place(|| child(&replaying)));
    assert_eq!(provider.requests(), asked);
}
