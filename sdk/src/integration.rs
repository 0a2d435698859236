//! The description of an integration: its name, configuration, provider, steps, sources, and hooks.
//!
//! It is plain data. Nothing runs here.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;

use crate::account_kind::AccountKind;
use crate::clock::{self, ClockError};
use crate::config::{Config, ConfigError, Field, SecretString, Values};
use crate::graph::run::{ErrorCode, Summary};
use crate::graph::{Entity, Relationship, StepId, Timestamp};
use crate::http::{
    Connector, Endpoint, EndpointError, Http, Network, NetworkConnector, Provider, ProviderError, ProviderErrorKind,
    VerifiedAccount,
};
use crate::redact::Redaction;
use crate::schema::{SchemaError, Schemas};
use crate::step::{DisabledReason, EntityHook, IngestionSource, RelationshipHook, Step};

type ReadSetup = Arc<dyn Fn(&Values) -> Result<Setup, ConfigError> + Send + Sync>;
type Verify = Arc<dyn Fn(Http) -> BoxFuture<'static, Result<VerifiedAccount, ProviderError>> + Send + Sync>;
type ProbeScopes =
    Arc<dyn Fn(Http) -> BoxFuture<'static, Result<Option<BTreeSet<String>>, ProviderError>> + Send + Sync>;
type StartRule = Arc<dyn Fn(&(dyn Any + Send + Sync)) -> Vec<(StepId, DisabledReason)> + Send + Sync>;
type AfterJob = Arc<dyn Fn(Arc<Summary>) -> BoxFuture<'static, ()> + Send + Sync>;

/// A configuration that has been read, with the endpoint that it leads to.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) config: Arc<dyn Any + Send + Sync>,
    pub(crate) endpoint: Option<Endpoint>,
}

/// An integration, as described by its author.
///
/// ```
/// use integration_sdk::prelude::*;
/// use integration_sdk::Integration;
///
/// /// A planet.
/// #[derive(EntityKind)]
/// #[entity(type = "space_planet", class = "Site", resource = "Planet")]
/// struct Planet { #[entity(key)] id: String, name: String }
///
/// #[step(id = "fetch-planets", name = "Fetch planets")]
/// async fn fetch_planets(planets: Emit<Planet>) -> StepResult {
///     planets.add(Planet { id: "planet:earth".into(), name: "Earth".into() }).await?;
///     Ok(())
/// }
///
/// let space = Integration::without_provider::<()>("space", "Space").step(fetch_planets());
/// assert_eq!(space.steps().len(), 1);
/// ```
#[derive(Clone)]
pub struct Integration {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) steps: Vec<Step>,
    pub(crate) sources: Vec<IngestionSource>,
    pub(crate) account_kinds: Vec<AccountKind>,
    pub(crate) read_setup: ReadSetup,
    pub(crate) verify: Option<Verify>,
    pub(crate) probe_scopes: Option<ProbeScopes>,
    pub(crate) start_rules: Vec<StartRule>,
    pub(crate) on_entity: Vec<EntityHook>,
    pub(crate) on_relationship: Vec<RelationshipHook>,
    pub(crate) after_job: Vec<AfterJob>,
    pub(crate) redaction: Redaction,
    fields: Vec<Field>,
}

impl fmt::Debug for Integration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Integration").field("id", &self.id).field("steps", &self.steps).finish_non_exhaustive()
    }
}

impl Integration {
    /// Creates an integration with a provider.
    pub fn of<P: Provider>(id: impl Into<String>, title: impl Into<String>) -> Self {
        let read_setup = |values: &Values| {
            let config = P::Config::read(values)?;
            let endpoint = P::endpoint(&config);
            Ok(Setup { config: Arc::new(config), endpoint: Some(endpoint) })
        };
        let verify: Verify = Arc::new(|http| Box::pin(async move { P::new(http).verify().await }));
        let probe_scopes: ProbeScopes = Arc::new(|http| Box::pin(async move { P::new(http).probe_scopes().await }));
        let new = Self::new(id.into(), title.into(), P::Config::fields(), Arc::new(read_setup), Some(verify));
        Self { probe_scopes: Some(probe_scopes), ..new }
    }

    /// Creates an integration without a provider, such as one that reads files.
    pub fn without_provider<C: Config>(id: impl Into<String>, title: impl Into<String>) -> Self {
        let read_setup = |values: &Values| Ok(Setup { config: Arc::new(C::read(values)?), endpoint: None });
        Self::new(id.into(), title.into(), C::fields(), Arc::new(read_setup), None)
    }

    fn new(id: String, title: String, fields: Vec<Field>, read_setup: ReadSetup, verify: Option<Verify>) -> Self {
        Self {
            id,
            title,
            steps: Vec::new(),
            sources: Vec::new(),
            account_kinds: Vec::new(),
            read_setup,
            verify,
            probe_scopes: None,
            start_rules: Vec::new(),
            on_entity: Vec::new(),
            on_relationship: Vec::new(),
            after_job: Vec::new(),
            redaction: Redaction::default(),
            fields,
        }
    }

    /// Adds a step. The order of steps matters only for ties in the plan and in lists.
    #[must_use]
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Adds an ingestion source, which users can switch off. Steps refer to it by its id.
    #[must_use]
    pub fn source(mut self, source: IngestionSource) -> Self {
        self.sources.push(source);
        self
    }

    /// Adds a kind of account, whose coverage the plan and the summary of each job name.
    #[must_use]
    pub fn account_kind(mut self, kind: AccountKind) -> Self {
        self.account_kinds.push(kind);
        self
    }

    /// Adds a rule that disables steps depending on the configuration.
    #[must_use]
    pub fn disable_steps<C: Config>(mut self, rule: fn(&C) -> Vec<(StepId, DisabledReason)>) -> Self {
        self.start_rules.push(Arc::new(move |config| config.downcast_ref::<C>().map(rule).unwrap_or_default()));
        self
    }

    /// Adds a hook that changes every entity before it is added.
    #[must_use]
    pub fn on_entity(mut self, hook: impl Fn(&StepId, &mut Entity) + Send + Sync + 'static) -> Self {
        self.on_entity.push(Arc::new(hook));
        self
    }

    /// Adds a hook that changes every relationship before it is added.
    #[must_use]
    pub fn on_relationship(mut self, hook: impl Fn(&StepId, &mut Relationship) + Send + Sync + 'static) -> Self {
        self.on_relationship.push(Arc::new(hook));
        self
    }

    /// Adds a hook that runs after a job has ended and its summary was written.
    #[must_use]
    pub fn after_job<F, Fut>(mut self, hook: F) -> Self
    where
        F: Fn(Arc<Summary>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.after_job.push(Arc::new(move |summary| Box::pin(hook(summary))));
        self
    }

    /// Marks fields of the provider's JSON as secret. Raw data is stored without them.
    #[must_use]
    pub fn secret_fields<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        names.into_iter().for_each(|name| self.redaction.field(name));
        self
    }

    /// The id, such as `heroku`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The display name.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The steps, in the order in which they were added.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The ingestion sources that users can switch off.
    pub fn sources(&self) -> &[IngestionSource] {
        &self.sources
    }

    /// The kinds of accounts, in the order in which they were added.
    pub fn account_kinds(&self) -> &[AccountKind] {
        &self.account_kinds
    }

    /// The fields of the configuration.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Whether the integration has a provider.
    pub fn has_provider(&self) -> bool {
        self.verify.is_some()
    }

    /// Reads the configuration and verifies the credentials, as a job does before its first step.
    ///
    /// Returns the account of the credentials, or `None` if the integration has no provider. If the owner is unknown,
    /// the scopes are probed as well: credentials are confirmed only by a request that the provider accepts.
    ///
    /// # Errors
    /// [`SetupError`] if the configuration is not valid, or the provider refuses the credentials or accepts no request.
    pub async fn verify(&self, values: &Values, network: &Network) -> Result<Option<VerifiedAccount>, SetupError> {
        let Connection { access, http, .. } = self.connect(values, None, &NetworkConnector, network).await?;
        let unknown = access.as_ref().filter(|access| access.subject.is_none() && access.scopes.is_none());
        let unknown = unknown.and_then(|access| access.subject_unknown.clone());
        if let (Some(account), Some(probe), Some(http)) = (unknown, &self.probe_scopes, http) {
            match probe(http).await {
                Ok(_) => {}
                Err(error) if error.kind == ProviderErrorKind::Authentication => return Err(error.into()),
                Err(source) => return Err(SetupError::Unconfirmed { account, source }),
            }
        }
        Ok(access)
    }

    pub(crate) async fn connect(
        &self,
        values: &Values,
        in_flight: Option<usize>,
        connector: &dyn Connector,
        network: &Network,
    ) -> Result<Connection, SetupError> {
        let Setup { config, endpoint } = match connector.is_offline() {
            true => (self.read_setup)(&self.without_credentials(values))?,
            false => (self.read_setup)(values)?,
        };
        clock::check(Timestamp::now())?;
        let (Some(endpoint), Some(verify)) = (endpoint, &self.verify) else {
            return Ok(Connection { config, http: None, access: None });
        };
        let endpoint = if values.allows_plain_http() { endpoint.allow_plain_http() } else { endpoint };
        let endpoint = match in_flight {
            Some(limit) => endpoint.in_flight(limit),
            None => endpoint,
        };
        let endpoint = self.secret_settings(values).fold(endpoint, Endpoint::secret_setting);
        let http = Http::connect_with(endpoint.network(network.clone()), connector, &self.redaction)?;
        let access = verify(http.clone()).await?;
        Ok(Connection { config, http: Some(http), access: Some(access) })
    }

    /// Returns the values of masked fields. They may occur in no header, but must be removed from responses all the
    /// same.
    fn secret_settings(&self, values: &Values) -> impl Iterator<Item = SecretString> {
        let masked = self.fields.iter().filter(|field| field.masked);
        masked.filter_map(|field| values.read::<SecretString>(field.name, None).ok())
    }

    /// Replaces missing secrets by placeholders, because an offline transport needs none.
    fn without_credentials(&self, values: &Values) -> Values {
        let mut values = values.clone();
        for field in self.fields.iter().filter(|field| field.masked && !field.optional) {
            if let Err(ConfigError::Missing { variables, .. }) = values.read::<SecretString>(field.name, None) {
                variables.into_iter().take(1).for_each(|variable| values.set(variable, "not-needed-in-a-replay"));
            }
        }
        values
    }

    /// Returns the schemas of all declared types, together with the class schemas.
    ///
    /// # Errors
    /// [`SchemaError`] if a class schema cannot be used.
    pub fn schemas(&self, others: BTreeMap<String, serde_json::Value>) -> Result<Schemas, SchemaError> {
        let mut schemas = Schemas::new(others)?;
        for step in &self.steps {
            let declaration = step.declaration();
            declaration.entities.iter().for_each(|declared| schemas.entity(declared));
            declaration.relationships.iter().for_each(|declared| schemas.relationship(declared));
            declaration.mapped_relationships.iter().for_each(|declared| schemas.mapped_relationship(declared));
        }
        Ok(schemas)
    }
}

/// A connection to a provider that has accepted the credentials.
pub(crate) struct Connection {
    pub(crate) config: Arc<dyn Any + Send + Sync>,
    pub(crate) http: Option<Http>,
    pub(crate) access: Option<VerifiedAccount>,
}

/// The reason why a job ended before its first step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The configuration is not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The clock of the machine is certainly wrong.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The endpoint of the provider cannot be used.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The provider does not respond or refuses the credentials.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The provider neither refused the credentials nor accepted a request.
    #[error("the credentials could not be confirmed, because no request was accepted: {account}; {source}")]
    Unconfirmed {
        /// The reason why the owner of the credentials is unknown.
        account: String,
        /// The error of the next request.
        source: ProviderError,
    },
}

impl SetupError {
    /// The code of the error in summaries.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Config(_) => ErrorCode::ConfigValidation,
            Self::Clock(_) => ErrorCode::Clock,
            Self::Endpoint(error) => error.code(),
            Self::Provider(error) | Self::Unconfirmed { source: error, .. } => error.code(),
        }
    }
}
