//! The start of a provider, and the handle of a running one.

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::options::ProviderOptions;
use crate::{FaultId, FaultRule, LoggedRequest, Route, connection, exchange::Exchange};

/// The provider could not listen.
#[derive(Debug, thiserror::Error)]
#[error("the fake provider cannot listen on 127.0.0.1: {source}; check that loopback is up and sockets are free")]
pub struct StartError {
    #[from]
    source: io::Error,
}

/// The entry point that starts a fake provider.
#[derive(Debug, Clone, Copy)]
pub struct FakeProvider;

impl FakeProvider {
    /// Starts a provider without access control on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// Returns an error if no socket is available.
    pub async fn start(routes: impl IntoIterator<Item = Route>) -> Result<Running, StartError> {
        Self::start_with(routes, ProviderOptions::default()).await
    }

    /// Starts a provider with options on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// Returns an error if no socket is available.
    pub async fn start_with(
        routes: impl IntoIterator<Item = Route>,
        options: ProviderOptions,
    ) -> Result<Running, StartError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let exchange = Arc::new(Exchange::new(routes.into_iter().collect(), options));
        let accepted = Arc::new(AtomicUsize::new(0));
        let stop = CancellationToken::new();
        let server = connection::accept(listener, exchange.clone(), accepted.clone(), stop.clone());
        Ok(Running { address, exchange, accepted, stop, server: Some(tokio::spawn(server)) })
    }
}

/// A running provider. It stops on drop.
pub struct Running {
    address: SocketAddr,
    exchange: Arc<Exchange>,
    accepted: Arc<AtomicUsize>,
    stop: CancellationToken,
    server: Option<JoinHandle<()>>,
}

impl Running {
    /// Returns the base address, such as `http://127.0.0.1:40123`, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns all requests since the start, in order of arrival.
    pub fn log(&self) -> Vec<LoggedRequest> {
        self.exchange.log().entries().to_vec()
    }

    /// Returns the number of requests since the start.
    pub fn requests(&self) -> usize {
        self.exchange.log().entries().len()
    }

    /// Returns the number of connections since the start.
    pub fn connections(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Returns the maximum number of concurrent requests since the start.
    pub fn peak_in_flight(&self) -> usize {
        self.exchange.log().peak_in_flight()
    }

    /// Returns the remaining requests of the rate bucket, if there is one.
    pub fn remaining(&self) -> Option<u32> {
        self.exchange.remaining()
    }

    /// Activates a fault.
    pub fn fault(&self, rule: impl Into<FaultRule>) -> FaultId {
        self.exchange.faults().add(rule.into())
    }

    /// Removes a fault.
    pub fn lift(&self, fault: FaultId) {
        self.exchange.faults().lift(fault);
    }

    /// Removes all faults.
    pub fn lift_all(&self) {
        self.exchange.faults().lift_all();
    }

    /// Stops the provider and waits until the port is free and all connections are closed.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        if let Some(server) = self.server.take() {
            // The task can fail only by panicking, which has been printed already.
            let _ = server.await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("address", &self.address).finish_non_exhaustive()
    }
}
