//! Attempts of deliveries against receivers on this machine.

use integration_delivery::{Permissions, Sender, Settings};
use integration_fake_receivers::{Mails, Reply, Webhooks};
use integration_rules::delivery::{AttemptResult, Occasion, OutboxEntry, delivery_id};
use integration_rules::{AlertLevel, CommandCall, Effect, Email, SlackMessage, WebhookCall};
use integration_secrets::Resolver;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn sender(settings: &str) -> Sender {
    let resolver = Resolver::new().variables(|name| match name {
        "SIGNING" => Some(SECRET.into()),
        "TOKEN" => Some("t0ken".into()),
        "PASSWORD" => Some("s3cret".into()),
        _ => None,
    });
    Sender::new(Settings::parse(settings).expect("settings"), resolver, Permissions { commands: true }, "test/1")
}

fn entry(effect: Effect) -> OutboxEntry {
    let occasion = Occasion {
        rule: "Public hosts".to_owned(),
        action: "operations[0].actions[0]".to_owned(),
        level: AlertLevel::High,
        alert: Some("alert-1".to_owned()),
        change: None,
    };
    OutboxEntry::new(delivery_id("evaluation", "action"), effect, occasion, Timestamp::now())
}

fn webhook(url: &str) -> Effect {
    Effect::Webhook(WebhookCall {
        method: "POST".to_owned(),
        url: url.to_owned(),
        headers: [("X-Team".to_owned(), "platform".to_owned())].into(),
        body: Some(json!({"hosts": ["a"]})),
    })
}

async fn send(sender: &Sender, effect: Effect) -> AttemptResult {
    sender.send(&entry(effect), Timestamp::now()).await
}

fn reason(result: &AttemptResult) -> &str {
    match result {
        AttemptResult::Failed(reason) | AttemptResult::Refused(reason) => reason,
        other => panic!("{other:?}"),
    }
}

fn receiver(hooks: &Webhooks) -> String {
    format!(
        "privateTargets: ['{}']
receivers:
  hook:
    url: '{}'
    headers: {{Authorization: 'Bearer ${{env:TOKEN}}'}}
    body: {{routing_key: 'env:TOKEN'}}
    signingSecret: env:SIGNING
",
        hooks.address(),
        hooks.url("/alerts")
    )
}

#[tokio::test]
async fn a_signed_webhook_has_the_headers_and_members_of_its_receiver() {
    let hooks = Webhooks::start(Some(SECRET), []).expect("a receiver");
    let result = send(&sender(&receiver(&hooks)), webhook("receiver:hook")).await;
    assert_eq!(result, AttemptResult::Answered { status: 204, retry_after: None });
    let received = hooks.processed().remove(0);
    assert_eq!((received.method.as_str(), received.path.as_str()), ("POST", "/alerts"));
    assert_eq!(received.body, r#"{"hosts":["a"],"routing_key":"t0ken"}"#);
    for (name, value) in [
        ("authorization", "Bearer t0ken"),
        ("x-team", "platform"),
        ("content-type", "application/json"),
        ("user-agent", "test/1"),
        ("idempotency-key", received.headers["webhook-id"].as_str()),
    ] {
        assert_eq!(received.headers[name], value, "{name}");
    }
}

#[tokio::test]
async fn answers_and_broken_connections_are_results() {
    let script = [
        Reply::Status(503),
        Reply::Later(120),
        Reply::Redirect("http://169.254.169.254/".to_owned()),
        Reply::Cut,
        Reply::CutAfter,
    ];
    let hooks = Webhooks::start(Some(SECRET), script).expect("a receiver");
    let sender = sender(&receiver(&hooks));
    let again = || send(&sender, webhook("receiver:hook"));
    assert_eq!(again().await, AttemptResult::Answered { status: 503, retry_after: None });
    let later = Some(SignedDuration::from_secs(120));
    assert_eq!(again().await, AttemptResult::Answered { status: 429, retry_after: later });
    assert!(reason(&again().await).contains("redirect"));
    assert!(matches!(again().await, AttemptResult::Failed(_)));
    assert!(matches!(again().await, AttemptResult::Failed(_)));
    assert_eq!(again().await, AttemptResult::Answered { status: 204, retry_after: None });
    assert_eq!((hooks.processed().len(), hooks.repeated()), (1, 1), "the same identifier is processed once");
    assert_eq!(hooks.refused(), [""; 0]);
}

#[tokio::test]
async fn targets_that_are_not_public_are_refused_by_address_and_by_name() {
    let hooks = Webhooks::start(None, []).expect("a receiver");
    let (address, port) = hooks.address().split_once(':').expect("a port");
    let refused = async |settings: &str, url: String| {
        let result = send(&sender(settings), webhook(&url)).await;
        assert!(matches!(result, AttemptResult::Refused(_)), "{url}: {result:?}");
    };
    refused("", hooks.url("/")).await;
    refused("", format!("https://localhost:{port}/")).await;
    refused("", "https://169.254.169.254/latest/meta-data".to_owned()).await;
    refused("", "http://example.com/".to_owned()).await;
    refused("privateTargets: ['127.0.0.1:1']", hooks.url("/")).await;
    refused("receivers: {hook: {url: 'http://127.0.0.1/'}}", "receiver:hook".to_owned()).await;
    let result = send(&sender(&format!("privateTargets: ['{address}']")), webhook(&hooks.url("/"))).await;
    assert_eq!(result, AttemptResult::Answered { status: 204, retry_after: None });
    assert_eq!(hooks.requests(), 1);
}

#[tokio::test]
async fn errors_contain_no_secret() {
    // Nobody listens on port 1.
    let settings =
        "privateTargets: ['127.0.0.1:1']\nslack: {default: 'http://127.0.0.1:1/${env:TOKEN}', '#x': 'env:MISSING'}";
    let message = |channel: &str| {
        let channels = vec![channel.to_owned()];
        Effect::Slack(SlackMessage { channels, body: "text".to_owned(), webhook_url: None, severity: None })
    };
    let result = send(&sender(settings), message("#a")).await;
    assert!(reason(&result).contains("cannot be reached") && !reason(&result).contains("t0ken"), "{result:?}");
    let result = send(&sender(settings), message("#x")).await;
    assert!(reason(&result).contains("MISSING"), "{result:?}");
    let settings =
        "privateTargets: ['127.0.0.1:1']\nreceivers: {hook: {url: 'http://127.0.0.1:1/', signingSecret: 'env:TOKEN'}}";
    let result = send(&sender(settings), webhook("receiver:hook")).await;
    assert!(reason(&result).contains("signing secret") && !reason(&result).contains("t0ken"), "{result:?}");
}

#[tokio::test]
async fn slack_receives_a_message_of_the_level() {
    let hooks = Webhooks::start(None, [Reply::Status(200)]).expect("a receiver");
    let settings =
        format!("privateTargets: ['127.0.0.1']\nslack: {{'#ops': '{}'}}", hooks.url("/services/${env:TOKEN}"));
    let channels = vec!["#ops".to_owned()];
    let message = SlackMessage { channels, body: "2 hosts".to_owned(), webhook_url: None, severity: None };
    let result = send(&sender(&settings), Effect::Slack(message)).await;
    assert_eq!(result, AttemptResult::Answered { status: 200, retry_after: None });
}

fn mail_settings(mails: &Mails, encryption: &str) -> String {
    let (port, certificates) = (mails.port(), Mails::certificate());
    format!(
        "email: {{host: 127.0.0.1, port: {port}, encryption: {encryption}, from: 'Alerts <alerts@example.com>', \
         user: alerts, password: 'env:PASSWORD', certificates: '{}'}}",
        certificates.display()
    )
}

fn email(recipients: &[&str], body: Option<&str>) -> Effect {
    let recipients = recipients.iter().map(|&recipient| recipient.to_owned()).collect();
    let is_html = body.is_some_and(|body| body.starts_with("<b>"));
    Effect::Email(Email { recipients, body: body.map(str::to_owned), is_html })
}

#[tokio::test]
async fn an_email_is_sent_over_tls_to_all_recipients() {
    let mails = Mails::start(Some(("alerts", "s3cret")), []).expect("a server");
    let sender = sender(&mail_settings(&mails, "starttls"));
    let result = send(&sender, email(&["a@example.com", "Bo <b@example.com>"], Some("<b>2 hosts</b>\n.\n"))).await;
    assert_eq!(result, AttemptResult::Accepted, "{:?}", mails.errors());
    let mail = mails.received().remove(0);
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("alerts@example.com", ["a@example.com", "b@example.com"].map(str::to_owned).as_slice())
    );
    assert!(mail.is_encrypted);
    for text in
        ["Subject: [HIGH] Public hosts\n", "Message-ID: <msg_", "@example.com>", "text/html", "<b>2 hosts</b>\n.\n"]
    {
        assert!(mail.text.contains(text), "{text}: {}", mail.text);
    }
    assert_eq!(send(&sender, email(&["a@example.com"], None)).await, AttemptResult::Accepted);
    assert!(mails.received()[1].text.contains("Rule: Public hosts"));
}

#[tokio::test]
async fn answers_of_the_mail_server_decide_about_a_repetition() {
    let mails = Mails::start(None, ["451 try again", "550 no such user"]).expect("a server");
    let settings = format!("email: {{host: 127.0.0.1, port: {}, encryption: none, from: a@example.com}}", mails.port());
    let sender = sender(&settings);
    let again = || send(&sender, email(&["a@example.com"], None));
    assert!(matches!(again().await, AttemptResult::Failed(_)));
    assert!(matches!(again().await, AttemptResult::Refused(_)));
    assert_eq!(again().await, AttemptResult::Accepted);
    let result = send(&sender, email(&["nobody"], None)).await;
    assert!(matches!(&result, AttemptResult::Refused(reason) if reason.contains("nobody")), "{result:?}");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_certificate_fail_without_a_secret() {
    let mails = Mails::start(Some(("alerts", "other")), []).expect("a server");
    let result = send(&sender(&mail_settings(&mails, "starttls")), email(&["a@example.com"], None)).await;
    assert!(matches!(&result, AttemptResult::Failed(reason) if !reason.contains("s3cret")), "{result:?}");
    let settings = mail_settings(&mails, "starttls");
    let settings = settings.split(", certificates").next().expect("settings").to_owned() + "}";
    let result = send(&sender(&settings), email(&["a@example.com"], None)).await;
    assert!(matches!(result, AttemptResult::Failed(_)), "{result:?}");
    assert_eq!(mails.received().len(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn a_program_receives_the_occasion_and_runs_without_a_shell() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let (program, output) = (folder.path().join("page"), folder.path().join("output"));
    std::fs::write(
        &program,
        format!("#!/bin/sh\ncat > '{0}'\necho \"$1 $INTEGRATION_DELIVERY_ID\" >> '{0}'\n", output.display()),
    )
    .expect("a file");
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).expect("a mode");
    let call = |program: &str, argument: &str| {
        let command = vec![program.to_owned(), argument.to_owned()];
        Effect::Command(CommandCall { command, input: Some("2 hosts".to_owned()) })
    };
    let path = program.display().to_string();
    let sender = sender(&format!("commands: ['{path}', /bin/false]"));
    assert_eq!(send(&sender, call(&path, "$(id)")).await, AttemptResult::Accepted);
    let written = std::fs::read_to_string(&output).expect("a file");
    assert!(written.contains(r#""input":"2 hosts""#) && written.contains("$(id) msg_"), "{written}");
    assert!(matches!(send(&sender, call("/bin/false", "")).await, AttemptResult::Failed(_)));
    let unlisted = send(&sender, call("/bin/true", "")).await;
    assert!(matches!(unlisted, AttemptResult::Failed(_)), "the user can add it: {unlisted:?}");
    let settings = Settings::parse(&format!("commands: ['{path}']")).expect("settings");
    let forbidden = Sender::new(settings, Resolver::new(), Permissions::default(), "test/1");
    assert!(reason(&send(&forbidden, call(&path, "")).await).contains("--allow-commands"));
}
