//! Proxies and certificates of the machine.
//!
//! This module reads no environment: a program passes its variables to [`Network::from_variables`]. A variable with an
//! unusable value is an error that names it. If the client ignored the variable, it would send credentials over a path
//! that the user has not chosen.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use reqwest::{Certificate, ClientBuilder, NoProxy, Proxy};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use url::Url;

use super::endpoint_error::EndpointError;

/// The maximum size of a certificate bundle.
///
/// A larger file does not contain certificates.
const LARGEST_BUNDLE: u64 = 16 << 20;

/// The proxies and certificates for connections.
///
/// By default there is no proxy, and the operating system supplies the certificates.
#[derive(Clone, Default)]
pub struct Network {
    http: Option<Setting>,
    https: Option<Setting>,
    all: Option<Setting>,
    no_proxy: Option<String>,
    /// The certificates that replace those of the operating system.
    roots: Vec<Setting>,
    /// The certificates in addition to the others.
    more_roots: Vec<Setting>,
}

/// The value of an environment variable.
#[derive(Clone)]
struct Setting {
    variable: &'static str,
    value: OsString,
}

impl Network {
    /// Reads the settings from the variables of a program.
    ///
    /// `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, and `NO_PROXY` (upper or lower case) control the proxies.
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the certificates of the operating system. `REQUESTS_CA_BUNDLE`,
    /// `CURL_CA_BUNDLE`, and `NODE_EXTRA_CA_CERTS` add to them.
    ///
    /// ```
    /// use integration_http::Network;
    /// let network = Network::from_variables(|name| std::env::var_os(name));
    /// ```
    pub fn from_variables(read: impl Fn(&str) -> Option<OsString>) -> Self {
        let setting = |variable: &'static str| {
            let value = read(variable).filter(|value| !value.to_string_lossy().trim().is_empty())?;
            Some(Setting { variable, value })
        };
        // In a CGI program, HTTP_PROXY is the `Proxy` header of the incoming request and must not be trusted.
        let http = if read("REQUEST_METHOD").is_some() { None } else { setting("HTTP_PROXY") };
        Self {
            http: http.or_else(|| setting("http_proxy")),
            https: setting("HTTPS_PROXY").or_else(|| setting("https_proxy")),
            all: setting("ALL_PROXY").or_else(|| setting("all_proxy")),
            no_proxy: setting("NO_PROXY")
                .or_else(|| setting("no_proxy"))
                .map(|setting| setting.value.to_string_lossy().into_owned()),
            roots: ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().filter_map(setting).collect(),
            more_roots: ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"]
                .into_iter()
                .filter_map(setting)
                .collect(),
        }
    }

    /// Returns the name of the variable that sets the proxy for a scheme.
    pub(super) fn proxy_for(&self, scheme: &str) -> Option<&'static str> {
        let own = if scheme == "http" { &self.http } else { &self.https };
        own.as_ref().or(self.all.as_ref()).map(|setting| setting.variable)
    }

    /// Applies the settings to the connections of a client.
    ///
    /// # Errors
    /// [`EndpointError::Variable`] for an unusable setting, even if this client does not need it.
    pub(super) fn apply(&self, builder: ClientBuilder, to: To) -> Result<ClientBuilder, EndpointError> {
        let proxies = self.proxies()?;
        let (roots, more_roots) = (certificates(&self.roots)?, certificates(&self.more_roots)?);
        let mut builder = builder.no_proxy();
        if !to.loopback {
            builder = proxies.into_iter().fold(builder, ClientBuilder::proxy);
        }
        Ok(match (to.secure, self.roots.is_empty()) {
            // Plain HTTP also works on a machine without root certificates.
            (false, _) => builder.tls_certs_only([]),
            (true, true) => builder.tls_certs_merge(more_roots),
            (true, false) => builder.tls_certs_only(roots.into_iter().chain(more_roots)),
        })
    }

    fn proxies(&self) -> Result<Vec<Proxy>, EndpointError> {
        type Make = fn(Url) -> reqwest::Result<Proxy>;
        let makes: [(&Option<Setting>, Make); 3] =
            [(&self.http, Proxy::http), (&self.https, Proxy::https), (&self.all, Proxy::all)];
        let except = self.no_proxy.as_deref().and_then(NoProxy::from_string);
        let set = makes.into_iter().filter_map(|(setting, make)| Some((setting.as_ref()?, make)));
        set.map(|(setting, make)| {
            let proxy = proxy_url(&setting.value).and_then(|url| make(url).map_err(|_| NO_ADDRESS.to_owned()));
            Ok(proxy.map_err(|reason| setting.unusable(reason))?.no_proxy(except.clone()))
        })
        .collect()
    }
}

/// The destination of a client.
#[derive(Debug, Clone, Copy)]
pub(super) struct To {
    /// Whether connections use TLS.
    pub(super) secure: bool,
    /// Whether the destination is this machine, which needs no proxy.
    pub(super) loopback: bool,
}

/// Prints no values, because the address of a proxy may contain a password.
impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = [&self.http, &self.https, &self.all].into_iter().flatten().chain(&self.roots).chain(&self.more_roots);
        f.debug_list().entries(set.map(|setting| setting.variable)).finish()
    }
}

impl Setting {
    fn unusable(&self, reason: String) -> EndpointError {
        EndpointError::Variable { variable: self.variable, reason }
    }
}

const NO_ADDRESS: &str = "it is not the address of a proxy, such as http://proxy.example.com:8080";

/// Parses the address of a proxy; the scheme is optional.
///
/// Errors do not repeat the value, because it may contain a password.
fn proxy_url(value: &OsStr) -> Result<Url, String> {
    let value = value.to_str().ok_or("it is not UTF-8")?.trim();
    let url = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let url: Url = url.parse().map_err(|error| format!("{NO_ADDRESS} ({error})"))?;
    match url.scheme() {
        "http" | "https" if url.host().is_some() => Ok(url),
        "http" | "https" => Err(NO_ADDRESS.to_owned()),
        scheme => Err(format!("proxies of the scheme `{scheme}` are not supported, only http and https")),
    }
}

fn certificates(settings: &[Setting]) -> Result<Vec<Certificate>, EndpointError> {
    let mut found = Vec::new();
    for setting in settings {
        found.extend(setting.certificates().map_err(|reason| setting.unusable(reason))?);
    }
    Ok(found)
}

impl Setting {
    /// Returns the certificates of a file or of folders, at least one.
    fn certificates(&self) -> Result<Vec<Certificate>, String> {
        let found = if self.variable == "SSL_CERT_DIR" {
            let folders: Vec<_> =
                std::env::split_paths(&self.value).filter(|path| !path.as_os_str().is_empty()).collect();
            in_folders(&folders)?
        } else {
            let path = Path::new(&self.value);
            if path.is_dir() { in_folders(&[path.to_owned()])? } else { in_file(path)? }
        };
        let usable = usable(&found);
        if usable.is_empty() {
            let shown = Path::new(&self.value).display();
            return Err(format!("there is no usable certificate in PEM form in {shown}"));
        }
        Ok(usable)
    }
}

/// Reads the certificates in all files of folders.
///
/// A file without certificates is ignored, but an unreadable folder is an error.
fn in_folders(folders: &[PathBuf]) -> Result<Vec<CertificateDer<'static>>, String> {
    let mut found = Vec::new();
    for folder in folders {
        let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
        let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.sort();
        files.iter().for_each(|file| found.extend(in_file(file).unwrap_or_default()));
    }
    Ok(found)
}

fn in_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if !metadata.is_file() {
        return Err(format!("{} is not a file", path.display()));
    }
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST_BUNDLE + 1).read_to_end(&mut text));
    read.map_err(|error| unreadable(path, &error))?;
    if text.len() as u64 > LARGEST_BUNDLE {
        return Err(format!("{} is larger than {} MiB", path.display(), LARGEST_BUNDLE >> 20));
    }
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    found.map_err(|error| format!("{} is not in PEM form ({error})", path.display()))
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("{} cannot be read ({error})", path.display())
}

/// Returns the certificates that can be trusted.
///
/// The bundles of operating systems contain old certificates that current parsers reject.
fn usable(found: &[CertificateDer<'static>]) -> Vec<Certificate> {
    let is_usable = |der: &&CertificateDer<'static>| RootCertStore::empty().add((*der).clone()).is_ok();
    found.iter().filter(is_usable).filter_map(|der| Certificate::from_der(der).ok()).collect()
}
