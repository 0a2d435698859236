//! The database that receives the tables, and connections to it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use integration_graph::is_this_machine;
use integration_sink::TargetError;
use secrecy::{ExposeSecret, SecretString};
use tokio::task::JoinHandle;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config, NoTls};
use url::form_urlencoded;

use crate::tls::Tls;

/// The schema without another choice.
const SCHEMA: &str = "graph";
const PORT: u16 = 5432;

/// A database, a user, and a schema.
#[derive(Clone)]
pub struct PostgresTarget {
    config: Config,
    password: Option<SecretString>,
    schema: String,
}

/// A connection, which ends when the value is dropped.
pub(crate) struct Connection {
    pub(crate) client: Client,
    task: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl PostgresTarget {
    /// Parses an address such as `postgres://user@host:5432/database?sslmode=require&schema=heroku`.
    ///
    /// A connection to another machine is encrypted, and the certificate must be valid, unless `sslmode=disable` is given.
    /// `schema` is no parameter of PostgreSQL itself; see [`PostgresTarget::schema`].
    ///
    /// # Errors
    /// [`TargetError::Address`] if it is no address, and [`TargetError::Password`] if it contains a password.
    pub fn parse(address: &str) -> Result<Self, TargetError> {
        let (address, schema) = without_schema(address);
        let mut config = Config::from_str(&address).map_err(|error| TargetError::Address(reason(&error)))?;
        if config.get_password().is_some() {
            return Err(TargetError::Password { other_ways: "PGPASSWORD or PGPASSFILE" });
        }
        if config.get_hosts().is_empty() {
            return Err(TargetError::Address("it names no host".to_owned()));
        }
        if config.get_ssl_mode() == SslMode::Prefer {
            // A preference would fall back to a plain connection without a word.
            let is_here = config.get_hosts().iter().all(is_here);
            config.ssl_mode(if is_here { SslMode::Disable } else { SslMode::Require });
        }
        if config.get_application_name().is_none() {
            config.application_name("integration-sink-postgres");
        }
        Ok(Self { config, password: None, schema: schema.unwrap_or_else(|| SCHEMA.to_owned()) })
    }

    /// Sets the password.
    #[must_use]
    pub fn password(self, password: SecretString) -> Self {
        Self { password: Some(password), ..self }
    }

    /// Sets the schema of the tables, `graph` by default.
    #[must_use]
    pub fn schema(self, schema: impl Into<String>) -> Self {
        Self { schema: schema.into(), ..self }
    }

    /// The name of the schema.
    pub fn schema_name(&self) -> &str {
        &self.schema
    }

    /// The host, port, database, and user, for a search in a password file.
    pub fn names(&self) -> (String, u16, String, String) {
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) => name.clone(),
            _ => "localhost".to_owned(),
        };
        let user = self.config.get_user().unwrap_or_default().to_owned();
        let database = self.config.get_dbname().unwrap_or(&user).to_owned();
        (host, self.config.get_ports().first().copied().unwrap_or(PORT), database, user)
    }

    /// Connects to the server.
    pub(crate) async fn connect(&self) -> Result<Connection, TargetError> {
        let mut config = self.config.clone();
        if let Some(password) = &self.password {
            config.password(password.expose_secret());
        }
        let failed = |error| TargetError::Connect { target: self.to_string(), reason: reason(&error) };
        // A connection that breaks makes the client's requests fail, so its own error is not needed.
        let (client, task) = if config.get_ssl_mode() == SslMode::Disable {
            let (client, connection) = config.connect(NoTls).await.map_err(failed)?;
            (client, tokio::spawn(async move { drop(connection.await) }))
        } else {
            let tls = Tls::new().map_err(|error| TargetError::Tls(error.to_string()))?;
            let (client, connection) = config.connect(tls).await.map_err(failed)?;
            (client, tokio::spawn(async move { drop(connection.await) }))
        };
        Ok(Connection { client, task })
    }
}

/// Takes the parameter `schema` out of an address.
fn without_schema(address: &str) -> (Cow<'_, str>, Option<String>) {
    let Some((place, query)) = address.split_once('?') else { return (address.into(), None) };
    let (named, rest): (Vec<&str>, Vec<&str>) = query.split('&').partition(|part| part.starts_with("schema="));
    let schema = named.last().and_then(|part| form_urlencoded::parse(part.as_bytes()).next());
    let schema = schema.map(|(_, name)| name.into_owned()).filter(|name| !name.is_empty());
    let rest = if rest.is_empty() { String::new() } else { format!("?{}", rest.join("&")) };
    (format!("{place}{rest}").into(), schema)
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => is_this_machine(name),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// Describes an error with the message of the server, but without its details, which may quote data.
pub(crate) fn reason(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(server) => format!("{} ({})", server.message(), server.code().code()),
        None => {
            let cause = std::error::Error::source(error);
            cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
        }
    }
}

impl fmt::Display for PostgresTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port, database, _) = self.names();
        write!(f, "PostgreSQL at {host}:{port}, database {database}, schema {}", self.schema)
    }
}

impl fmt::Debug for PostgresTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresTarget({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_a_password_is_refused_and_not_shown() {
        for address in
            ["postgres://me:s3cret@h/db", "host=h user=me password=s3cret", "postgres://h/db?password=s3cret"]
        {
            let error = PostgresTarget::parse(address).expect_err("a password");
            assert!(matches!(error, TargetError::Password { .. }) && !format!("{error} {error:?}").contains("s3cret"));
        }
        let target = PostgresTarget::parse("postgres://me@h/db").expect("an address").password("s3cret".into());
        assert!(!format!("{target} {target:?}").contains("s3cret"));
        assert!(PostgresTarget::parse("postgres://").is_err() && PostgresTarget::parse("neo4j://x").is_err());
    }

    #[test]
    fn a_parameter_of_the_address_names_the_schema() {
        let schema = |address: &str| PostgresTarget::parse(address).expect("an address").schema_name().to_owned();
        assert_eq!(schema("postgres://me@h/db"), "graph");
        assert_eq!(schema("postgres://me@h/db?schema=a%20b"), "a b");
        assert_eq!(schema("postgres://me@h/db?sslmode=require&schema=heroku&connect_timeout=5"), "heroku");
        assert_eq!(schema("postgres://me@h/db?schema="), "graph");
        assert!(PostgresTarget::parse("postgres://me@h/db?schemas=x").is_err());
    }

    #[test]
    fn only_connections_to_this_machine_are_plain_without_a_choice() {
        let mode = |address: &str| PostgresTarget::parse(address).expect("an address").config.get_ssl_mode();
        assert_eq!(mode("postgres://me@127.0.0.1/db"), SslMode::Disable);
        assert_eq!(mode("postgres://me@localhost:5433/db"), SslMode::Disable);
        assert_eq!(mode("postgres://me@db.example.com/db"), SslMode::Require);
        assert_eq!(mode("postgres://me@db.example.com/db?sslmode=disable"), SslMode::Disable);
    }
}
