//! Programs.

use std::path::Path;
use std::process::Stdio;

use integration_rules::CommandCall;
use integration_rules::delivery::{AttemptResult, OutboxEntry};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::Sender;

impl Sender {
    /// Runs a program of the settings, without a shell. It receives the occasion and the input as JSON on stdin.
    ///
    /// The time limit of the attempt ends it.
    pub(super) async fn command(
        &self,
        entry: &OutboxEntry,
        call: &CommandCall,
    ) -> Result<AttemptResult, AttemptResult> {
        let Some((program, arguments)) = call.command.split_first() else {
            return Err(AttemptResult::Refused("the command is empty".to_owned()));
        };
        if !self.permissions.commands {
            return Err(AttemptResult::Failed("programs run only with --allow-commands".to_owned()));
        }
        if !self.settings.commands.iter().any(|allowed| allowed == Path::new(program)) {
            return Err(AttemptResult::Failed(format!("`commands` of delivery.yaml does not contain {program}")));
        }
        let failed = |error: std::io::Error| AttemptResult::Failed(format!("cannot run {program}: {error}"));
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("INTEGRATION_DELIVERY_ID", &entry.id)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let input = json!({"id": entry.id, "occasion": entry.occasion, "input": call.input}).to_string();
        if let Some(mut pipe) = child.stdin.take() {
            // A program may end without reading its input.
            let _ = pipe.write_all(input.as_bytes()).await;
        }
        let status = child.wait().await.map_err(failed)?;
        Ok(match status.success() {
            true => AttemptResult::Accepted,
            false => AttemptResult::Failed(format!("{program} ended with {status}")),
        })
    }
}
