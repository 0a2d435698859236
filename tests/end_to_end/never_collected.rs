//! Values that are never collected, planted in the bodies of all endpoints.

use integration_heroku::fake::{
    Attachment, FakeOptions, IdentityProvider, Organisation, ProviderCertificate, Space, Team, VpnConnection,
};
use serde_json::{Value, json};

use crate::credentials::files_with;
use crate::harness::{Heroku, Place};

/// The part that all planted values share.
const PLANTED: &str = "quokka-";

/// Fields that the documentation of the data model excludes, each with its own value. The fake adds them to all
/// objects of its bodies.
///
/// The values are ordinary words with a number, so only the names of the fields mark them as secret.
fn fields() -> Vec<(String, Value)> {
    let text = |number: u32| Value::from(format!("{PLANTED}{number}"));
    let url = |number: u32| Value::from(format!("https://{PLANTED}{number}:{PLANTED}{number}@logs.example.com/in"));
    let fields = [
        ("access_token", text(1)),
        ("refresh_token", json!({"id": "01", "token": text(2)})),
        ("grant", json!({"code": text(3)})),
        ("session", json!({"id": text(4)})),
        ("token", text(5)),
        ("exporter", json!({"endpoint": url(6), "headers": {"x-honeycomb-team": text(7)}})),
        ("pre_shared_key", text(8)),
        ("certificate", text(9)),
        ("certificate_chain", text(10)),
        ("body", text(11)),
        ("config_vars", json!({"DATABASE_URL": text(12), "PLAIN": text(13)})),
        ("sms_number", text(14)),
        ("drain", json!({"token": text(15), "url": url(16)})),
        ("webhook", json!({"url": url(17), "secret": text(18), "authorization": format!("Bearer {PLANTED}19")})),
        ("log_input_url", Value::from(format!("https://logs.example.com/in?customer={PLANTED}20"))),
        ("slo_target_url", Value::from(format!("https://idp.example.com/out?customer={PLANTED}21"))),
        ("password", text(22)),
        ("private_key", text(23)),
        ("invoices", json!([{"number": text(24)}])),
        ("payment_method", json!({"card_last4": text(25)})),
    ];
    fields.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The sample with planted values in its own fields of these names.
fn planted() -> (Organisation, String) {
    let mut organisation = Organisation::sample();
    let certificate = ProviderCertificate::new("planted", jiff::Timestamp::UNIX_EPOCH);
    let pem = certificate.pem.clone();
    let provider = IdentityProvider {
        sso_target_url: format!("https://{PLANTED}30:{PLANTED}31@idp.example.com/sso?idpid={PLANTED}32#{PLANTED}33"),
        certificates: vec![certificate],
        ..IdentityProvider::new("Planted", "planted")
    };
    let team = organisation.add_team(Team { identity_provider: Some(provider), ..Team::new("planted", None) });
    let vpn = VpnConnection {
        name: "planted".into(),
        public_ip: "198.51.100.1".into(),
        pre_shared_key: format!("{PLANTED}34").into(),
    };
    organisation.add_space(Space { vpn_connections: vec![vpn], ..Space::new("planted", team) });
    let (addon, app) = (organisation.addons().next().cloned(), organisation.apps().last().map(|app| app.id));
    let (addon, app) = addon.zip(app).expect("the sample has add-ons and applications");
    let url = format!("https://{PLANTED}35:{PLANTED}36@logs.example.com/in?customer={PLANTED}37");
    organisation.add_attachment(Attachment { log_input_url: Some(url), ..Attachment::new(app, &addon, "PLANTED") });
    (organisation, pem)
}

#[test]
fn no_planted_value_is_in_the_store_the_export_a_recording_or_the_log() {
    let (organisation, pem) = planted();
    let options = FakeOptions { extra_fields: fields(), ..FakeOptions::default() };
    let heroku = Heroku::of(organisation, options);
    let place = Place::before(&heroku);
    let said = place.run("collect -vv --output out --record recordings");
    assert_eq!(said.code, 0, "{}", said.all());
    // A line of the certificate has no line break, however it is written.
    let line = pem.lines().nth(1).expect("a line of base64");
    for secret in [PLANTED, line] {
        assert!(!said.all().contains(secret), "{secret} is in the log: {}", said.all());
        assert_eq!(files_with(secret, place.root()), Vec::<String>::new(), "{secret}");
    }
    let paths: std::collections::BTreeSet<String> = heroku.log().into_iter().map(|request| request.path).collect();
    for list in
        ["/apps", "/addon-attachments", "/addon-services", "/pipelines", "/pipeline-couplings", "/spaces", "/addons"]
    {
        assert!(paths.contains(list), "{list} was not requested, so nothing was planted there");
    }
    for part in ["/identity-providers/", "/inbound-ruleset", "/vpn-connections", "/preferences", "/members"] {
        assert!(paths.iter().any(|path| path.contains(part)), "{part} was not requested");
    }
    let query = "exec \"$0\" query \"FIND heroku_identity_provider WITH name = 'Planted' AS it RETURN it.ssoUrl\"";
    let kept = place.shell(query, "");
    assert!(kept.out.contains("https://idp.example.com/sso"), "{}", kept.all());
}
