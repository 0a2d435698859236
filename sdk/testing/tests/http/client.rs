//! A plain HTTP client: it does not retry and does not follow pages or redirects.

use std::{sync::Once, time::Duration};

use integration_testing::Running;
use reqwest::RequestBuilder;
use serde_json::Value;

static CRYPTO: Once = Once::new();

/// A client of one provider.
pub struct Client {
    http: reqwest::Client,
    url: String,
}

impl Client {
    pub fn of(provider: &Running) -> Self {
        CRYPTO.call_once(|| rustls::crypto::ring::default_provider().install_default().unwrap());
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap();
        Self { http, url: provider.url() }
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.url))
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.url))
    }
}

/// A complete response.
pub struct Answered {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Vec<u8>,
}

impl Answered {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn rows(&self) -> usize {
        self.json().as_array().unwrap().len()
    }
}

pub async fn answered(request: RequestBuilder) -> Answered {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answered { status, headers, body: response.bytes().await.unwrap().to_vec() }
}
