//! The server that receives the graph, and connections to it.

use std::fmt;
use std::time::Duration;

use integration_graph::is_this_machine;
use integration_sink::TargetError;
use neo4rs::{ConfigBuilder, Graph};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::row::Layout;
use crate::server::{Server, ServerError};

const PORT: u16 = 7687;
/// The user without another choice.
const USER: &str = "neo4j";
/// The time for one statement.
const LIMIT: Duration = Duration::from_secs(600);
/// The time for the first answer of a server.
const CONNECT: Duration = Duration::from_secs(30);
/// The schemes of addresses. Those with `+s` are encrypted, those with `+ssc` with any certificate.
const SCHEMES: [&str; 6] = ["neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc"];

/// A server, a database, a user, and the layout of objects.
#[derive(Clone)]
pub struct Neo4jTarget {
    address: Url,
    user: Option<String>,
    password: Option<SecretString>,
    database: Option<String>,
    pub(crate) layout: Layout,
}

impl Neo4jTarget {
    /// Parses an address such as `neo4j+s://user@host:7687?database=graph`.
    ///
    /// A connection to another machine must be encrypted (`neo4j+s` or `bolt+s`), unless `encryption=none` is given.
    ///
    /// # Errors
    /// [`TargetError`] if it is no address, if it contains a password, or if the connection would not be encrypted.
    pub fn parse(address: &str) -> Result<Self, TargetError> {
        let mut url = Url::parse(address).map_err(|error| TargetError::Address(error.to_string()))?;
        if url.password().is_some() {
            return Err(TargetError::Password { other_ways: "NEO4J_PASSWORD" });
        }
        if !SCHEMES.contains(&url.scheme()) {
            return Err(TargetError::Address(format!("{} is none of {}", url.scheme(), SCHEMES.join(", "))));
        }
        let host = url.host_str().filter(|host| !host.is_empty()).map(str::to_owned);
        let host = host.ok_or_else(|| TargetError::Address("it names no host".to_owned()))?;
        if !matches!(url.path(), "" | "/") {
            return Err(TargetError::Address("name the database as ?database=NAME".to_owned()));
        }
        let (mut database, mut is_plain) = (None, false);
        for (name, value) in url.query_pairs() {
            match (name.as_ref(), value.as_ref()) {
                ("database", value) => database = Some(value.to_owned()).filter(|name| !name.is_empty()),
                ("encryption", "none") => is_plain = true,
                _ => return Err(TargetError::Address(format!("{name}={value} is not known"))),
            }
        }
        if !url.scheme().contains('+') && !is_plain && !is_this_machine(&host) {
            return Err(TargetError::Plain { host, scheme: url.scheme().to_owned() });
        }
        let user = percent_decode_str(url.username()).decode_utf8_lossy();
        let user = Some(user.into_owned()).filter(|user| !user.is_empty());
        url.set_query(None);
        // The user is passed apart from the address. An address with a host can have a user.
        let _ = url.set_username("");
        Ok(Self { address: url, user, password: None, database, layout: Layout::default() })
    }

    /// Sets the user, `neo4j` by default. A user in the address takes precedence.
    #[must_use]
    pub fn user(self, user: impl Into<String>) -> Self {
        Self { user: Some(self.user.unwrap_or_else(|| user.into())), ..self }
    }

    /// Sets the password.
    #[must_use]
    pub fn password(self, password: SecretString) -> Self {
        Self { password: Some(password), ..self }
    }

    /// Sets the database, by default that of the user. A database in the address takes precedence.
    #[must_use]
    pub fn database(self, name: impl Into<String>) -> Self {
        Self { database: Some(self.database.unwrap_or_else(|| name.into())), ..self }
    }

    /// Sets the layout of objects.
    #[must_use]
    pub fn layout(self, layout: Layout) -> Self {
        Self { layout, ..self }
    }

    /// Connects to the server.
    pub(crate) async fn connect(&self) -> Result<Server, TargetError> {
        let failed = |reason: String| TargetError::Connect { target: self.to_string(), reason };
        let password = self.password.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default();
        let config = ConfigBuilder::default()
            .uri(self.address.as_str())
            .user(self.user.as_deref().unwrap_or(USER))
            .password(password)
            .connection_timeout(LIMIT)
            .max_connections(1)
            .fetch_size(10_000);
        let config = match &self.database {
            Some(name) => config.db(name.as_str()),
            None => config,
        };
        let graph = config.build().and_then(Graph::connect);
        let server = Server::new(graph.map_err(|error| failed(ServerError::from(error).to_string()))?);
        // The library connects at the first statement.
        match tokio::time::timeout(CONNECT, server.run("RETURN 1".to_owned(), [])).await {
            Ok(Ok(())) => Ok(server),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(_) => Err(failed(format!("no answer in {} seconds", CONNECT.as_secs()))),
        }
    }
}

impl fmt::Display for Neo4jTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, port) = (self.address.host_str().unwrap_or_default(), self.address.port().unwrap_or(PORT));
        write!(f, "Neo4j at {host}:{port}")?;
        match &self.database {
            Some(database) => write!(f, ", database {database}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Neo4jTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Neo4jTarget({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_server_a_user_and_a_database() {
        let target = Neo4jTarget::parse("neo4j+s://me@db.example.com?database=graph").expect("an address");
        assert_eq!(target.to_string(), "Neo4j at db.example.com:7687, database graph");
        assert_eq!(target.user.as_deref(), Some("me"));
        assert_eq!(target.address.as_str(), "neo4j+s://db.example.com");
        let target = Neo4jTarget::parse("bolt://a&b+c%40d@localhost").expect("an address");
        assert_eq!(target.user.as_deref(), Some("a&b+c@d"));
        assert!(Neo4jTarget::parse("bolt://127.0.0.1:1").is_ok() && Neo4jTarget::parse("bolt://[::1]:1").is_ok());
        for (address, expected) in [
            ("neo4j://db.example.com", "would not be encrypted: use neo4j+s://"),
            ("bolt://", "names no host"),
            ("bolt://localhost/graph", "?database=NAME"),
            ("bolt://localhost?x=1", "x=1 is not known"),
            ("http://localhost", "http is none of neo4j"),
        ] {
            let error = Neo4jTarget::parse(address).expect_err("no address").to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert!(Neo4jTarget::parse("neo4j://db.example.com?encryption=none").is_ok());
    }

    #[test]
    fn an_address_with_a_password_is_refused_and_not_shown() {
        let error = Neo4jTarget::parse("bolt://me:s3cret@localhost").expect_err("a password");
        assert!(!format!("{error} {error:?}").contains("s3cret"));
        let target = Neo4jTarget::parse("bolt://localhost").expect("an address").password("s3cret".into());
        assert!(!format!("{target} {target:?}").contains("s3cret"));
    }
}
