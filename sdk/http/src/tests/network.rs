//! Proxies and certificates from environment variables.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::super::testing_server::{Server, answer, ok};
use super::super::{Endpoint, EndpointError, Http, Network, ProviderError, ProviderErrorKind, RetryPolicy};
use super::TOKEN;
use integration_graph::run::ErrorCode;

fn network(variables: &[(&str, &str)]) -> Network {
    let variables: BTreeMap<String, OsString> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value))).collect();
    Network::from_variables(|name| variables.get(name).cloned())
}

fn connect(base: &str, variables: &[(&str, &str)]) -> Result<Http, EndpointError> {
    let policy =
        RetryPolicy { attempts: 3, first_pause: std::time::Duration::from_millis(1), ..RetryPolicy::default() };
    let endpoint = Endpoint::new(base.parse().unwrap()).bearer(&secrecy::SecretString::from(TOKEN)).retry(policy);
    Http::connect(endpoint.allow_plain_http().network(network(variables)))
}

/// Returns the unusable variable and the complete message.
fn refusal(base: &str, variables: &[(&str, &str)]) -> (&'static str, String) {
    match connect(base, variables).unwrap_err() {
        error @ EndpointError::Variable { variable, .. } => {
            assert_eq!(error.code(), ErrorCode::ConfigValidation);
            (variable, error.to_string())
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_an_error_that_names_its_variable_and_not_its_value() {
    for variable in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        for value in ["http://pro xy:quokka", "http://", "socks5://quokka:1", "ftp://quokka", "http://quokka:99999"] {
            for base in ["http://api.example.com", "https://api.example.com", "http://127.0.0.1:1"] {
                let (named, message) = refusal(base, &[(variable, value)]);
                assert_eq!(named, variable, "{value}");
                assert!(message.starts_with(variable) && !message.contains("quokka"), "{message}");
            }
        }
    }
    assert!(connect("http://api.example.com", &[("HTTP_PROXY", " "), ("NO_PROXY", "*")]).is_ok());
    assert!(connect("http://api.example.com", &[("HTTP_PROXY", "proxy.example.com:8080")]).is_ok());
    let shown = format!("{:?}", network(&[("HTTP_PROXY", "http://me:quokka@proxy")]));
    assert!(shown.contains("HTTP_PROXY") && !shown.contains("quokka"), "{shown}");
}

#[tokio::test]
async fn requests_go_through_the_proxy_of_their_scheme_unless_they_are_excepted() {
    let proxy = Server::answering(|_, _| ok("7")).await;
    let address = proxy.url("").to_string().replace("http://", "http://me:pass@");
    let ask = async |base: &str, variables: &[(&str, &str)]| {
        connect(base, variables).unwrap().get("/x", &[]).json::<u8>().await
    };
    let base = "http://api.example.invalid";
    assert_eq!(ask(base, &[("HTTP_PROXY", &address)]).await.unwrap(), 7);
    assert_eq!(ask(base, &[("all_proxy", &address), ("HTTPS_PROXY", "http://127.0.0.1:1")]).await.unwrap(), 7);
    let received = proxy.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].path, "http://api.example.invalid/x");
    assert_eq!(received[0].header("proxy-authorization"), "Basic bWU6cGFzcw==");
    assert!(ask(base, &[("HTTP_PROXY", &address), ("NO_PROXY", "example.invalid")]).await.is_err());
    // In a CGI program, any client could set the variable.
    assert!(ask(base, &[("HTTP_PROXY", &address), ("REQUEST_METHOD", "GET")]).await.is_err());
    let here = Server::answering(|_, _| answer("200 OK", &[], "8")).await;
    let base = here.url("").to_string();
    assert_eq!(ask(base.trim_end_matches('/'), &[("HTTP_PROXY", &address)]).await.unwrap(), 8);
    assert_eq!(proxy.received().len(), 2);
}

#[tokio::test]
async fn a_proxy_that_does_not_answer_is_named_by_its_variable() {
    let http = connect("http://api.example.invalid", &[("ALL_PROXY", "http://me:quokka@127.0.0.1:1")]).unwrap();
    let error = http.get("/x", &[]).json::<u8>().await.unwrap_err().to_string();
    assert!(error.contains("ALL_PROXY is set") && !error.contains("quokka"), "{error}");
}

fn tls(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/tests/tls").join(name);
    path.to_str().unwrap().to_owned()
}

#[test]
fn certificates_that_cannot_be_used_are_an_error_that_names_their_variable() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let broken = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    let unusable = [
        write("empty.pem", ""),
        write("text.pem", "no certificate"),
        write("broken.pem", broken),
        write("cut.pem", "-----BEGIN CERTIFICATE-----\nMAA=\n"),
        folder.path().join("missing.pem").to_str().unwrap().to_owned(),
        "/dev/null".to_owned(),
    ];
    let variables = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"];
    for variable in variables {
        for path in &unusable {
            for base in ["https://api.example.com", "http://127.0.0.1:1"] {
                let (named, message) = refusal(base, &[(variable, path)]);
                assert_eq!(named, variable, "{path}");
                assert!(message.contains(path), "{message}");
            }
        }
        assert!(connect("https://api.example.com", &[("SSL_CERT_FILE", &tls("authority.pem"))]).is_ok());
    }
    let empty = tempfile::tempdir().unwrap();
    for path in [empty.path(), Path::new("/nowhere/at/all")] {
        assert_eq!(refusal("https://api.example.com", &[("SSL_CERT_DIR", path.to_str().unwrap())]).0, "SSL_CERT_DIR");
    }
}

/// Starts a TLS server with the certificate of `authority.pem`, and counts its connections.
fn secure_server() -> (String, Arc<AtomicUsize>) {
    let chain = CertificateDer::pem_file_iter(tls("server.pem")).unwrap().collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(tls("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&connections);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            seen.fetch_add(1, Ordering::SeqCst);
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream.unwrap());
            // A client that does not trust the certificate disconnects.
            if stream.read(&mut [0; 4_096]).is_ok() {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\n7");
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    (base, connections)
}

async fn asked(base: &str, variables: &[(&str, &str)]) -> Result<u8, ProviderError> {
    connect(base, variables).unwrap().get("/x", &[]).json().await
}

#[tokio::test]
async fn certificates_are_trusted_that_a_variable_names_in_the_place_of_others_or_beside_them() {
    let (base, _) = secure_server();
    let (authority, other) = (tls("authority.pem"), tls("other-authority.pem"));
    assert_eq!(asked(&base, &[("SSL_CERT_FILE", &authority)]).await.unwrap(), 7);
    assert_eq!(asked(&base, &[("SSL_CERT_DIR", &tls(""))]).await.unwrap(), 7);
    for variable in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
        let beside = [("SSL_CERT_FILE", other.as_str()), (variable, authority.as_str())];
        assert_eq!(asked(&base, &beside).await.unwrap(), 7, "{variable}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_met_once() {
    let (base, connections) = secure_server();
    let error = asked(&base, &[("SSL_CERT_FILE", &tls("other-authority.pem"))]).await.unwrap_err();
    assert_eq!((error.kind, error.attempts()), (ProviderErrorKind::Unexpected, 1));
    assert!(error.to_string().contains("no secure connection (invalid peer certificate"), "{error}");
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_server_without_tls_is_met_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4_096]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let error = asked(&base, &[("SSL_CERT_FILE", &tls("authority.pem"))]).await.unwrap_err();
    assert_eq!((error.kind, error.attempts()), (ProviderErrorKind::Unexpected, 1), "{error}");
}
