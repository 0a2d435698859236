//! Messages to Slack through incoming webhooks.

use integration_rules::delivery::{AttemptResult, OutboxEntry};
use integration_rules::{AlertLevel, SlackMessage};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::json;

use super::Sender;

impl Sender {
    pub(super) async fn slack(
        &self,
        entry: &OutboxEntry,
        message: &SlackMessage,
    ) -> Result<AttemptResult, AttemptResult> {
        let channel = message.channels.first().map_or("default", String::as_str);
        let url = self.settings.slack_url(channel).ok_or_else(|| {
            AttemptResult::Failed(format!("delivery.yaml has no `slack` entry for {channel}, and no default"))
        })?;
        let url = self.read(url).await?;
        let level = message.severity.as_deref().and_then(|text| text.parse().ok()).unwrap_or(entry.occasion.level);
        // An incoming webhook belongs to one channel, so the message names none.
        let body = json!({"attachments": [{"color": colour(level), "text": message.body, "fallback": message.body}]});
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        self.request(Method::POST, &url, headers, body.to_string().into_bytes()).await
    }
}

fn colour(level: AlertLevel) -> &'static str {
    match level {
        AlertLevel::Critical => "#7b1e3b",
        AlertLevel::High => "#c0392b",
        AlertLevel::Medium => "#d68910",
        AlertLevel::Low => "#b7950b",
        AlertLevel::Info => "#2e86c1",
    }
}
