//! `serve`: runs the configured instances at their times, unattended.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use integration_delivery::Settings as DeliverySettings;
use integration_instances::FILE;
use integration_sdk::graph::InstanceId;
use integration_sdk::owner_only;
use integration_server::{AllowedHosts, Endpoint, Options, Server, SystemClock, request_run, scheduling_process};
use integration_watch::WatchError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::context::Context;
use crate::failure::Failure;
use crate::serving::{self, RulePlaces, Settings, signals};
use crate::style::printable_path;
use crate::{exit, instances, options};

/// The address of the endpoint, unless another one is given.
const LISTEN: &str = "127.0.0.1:9464";

/// The time limit of an evaluation of all rules. Each rule has its own, smaller limit.
const OBSERVE: Duration = Duration::from_secs(3_600);

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} serve
      run the instances of instances.yaml at their times, until Ctrl-C
  {name} serve --log-format json --listen 127.0.0.1:9464
      as a service: logs as JSON on stderr, health and metrics on a port of this machine
  {name} serve --jobs 8 --stop-within 1m
  {name} serve --run-now production
      let the running program collect an instance now, whatever its times are
  curl http://127.0.0.1:9464/metrics

The instances and the rules are read again when their files change, and so are the secrets. SIGHUP makes that immediate, \
SIGTERM and Ctrl-C stop the program: jobs are cancelled, and the next start resumes them. Only one `serve` works on a data directory.

Exit codes: 0 stopped on request, 1 failed, 2 wrong usage.")]
pub(crate) struct Serve {
    /// Maximum number of jobs at once
    #[arg(long, value_name = "N", default_value = "4", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    jobs: u16,
    /// Rule file in YAML, JSON or Terraform; may be repeated [default: the added rules and those of the integrations]
    #[arg(long = "rules", value_name = "FILE")]
    rules: Vec<PathBuf>,
    /// Allow RUN_COMMAND to run the programs that delivery.yaml lists
    #[arg(long)]
    allow_commands: bool,
    /// Address for GET /healthz, /readyz and /metrics, or `none`
    #[arg(long, value_name = "ADDRESS", default_value = LISTEN, value_parser = listen)]
    listen: Listen,
    /// Host name under which the address may be requested, besides localhost and IP addresses. May be repeated
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
    /// Maximum time for jobs to end after the request to stop
    #[arg(long, value_name = "DURATION", default_value = "25s", value_parser = options::age)]
    stop_within: Duration,
    /// Request a run of this instance from the `serve` that works on the data directory, and end
    #[arg(long, value_name = "NAME", value_parser = options::instance, conflicts_with_all = ["jobs", "rules", "allow_commands", "listen", "allow_host", "stop_within"])]
    run_now: Option<InstanceId>,
}

/// The place of the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listen {
    Nowhere,
    At(SocketAddr),
}

fn listen(text: &str) -> Result<Listen, String> {
    if text == "none" {
        return Ok(Listen::Nowhere);
    }
    let address = text.parse().map_err(|_| format!("use an IP address with a port such as {LISTEN}, or `none`"))?;
    Ok(Listen::At(address))
}

pub(crate) async fn run(context: &Context<'_>, args: &Serve) -> Result<u8, Failure> {
    let data_dir = &context.globals.data_dir;
    if let Some(instance) = &args.run_now {
        return request(context, instance);
    }
    owner_only::create_folder(data_dir).map_err(Failure::file("create", data_dir))?;
    let options = Options {
        jobs: args.jobs.into(),
        stop_within: args.stop_within,
        observe_within: OBSERVE,
        ..Options::default()
    };
    let server = serving::open(&settings(context, args)?, options)?;
    let stop = CancellationToken::new();
    let _endpoint = endpoint(args, &server).await?;
    let _signals = signals::handle(stop.clone(), server.reload(), context.console.clone())?;
    #[cfg(unix)]
    let _manager = AbortOnDropHandle::new(tokio::spawn(serving::service_manager::inform(server.health())));
    tracing::info!(data_dir = %printable_path(data_dir), jobs = args.jobs, "serving");
    let stopped = server.run(stop).await?;
    let (interrupted, aborted) = (stopped.interrupted.len(), stopped.aborted.len());
    tracing::info!(interrupted, aborted, "stopped; interrupted and aborted jobs are resumed at the next start");
    Ok(exit::SUCCESS)
}

/// Requests a run from the running scheduler.
fn request(context: &Context<'_>, name: &InstanceId) -> Result<u8, Failure> {
    let data_dir = &context.globals.data_dir;
    let instance = instances::find(data_dir, context.integration, name)?.ok_or_else(|| {
        Failure::Usage(format!("there is no instance {name} in {}", printable_path(&data_dir.join(FILE))))
    })?;
    let Some(process) = scheduling_process(data_dir) else {
        let place = printable_path(data_dir);
        return Err(Failure::Usage(format!(
            "no `serve` works on {place}; start it, or use `collect --instance {name}`"
        )));
    };
    request_run(data_dir, &serving::key_of(&instance)).map_err(Failure::file("write", data_dir))?;
    context.console.note(&format!("Requested a run of {name} from process {process}."));
    Ok(exit::SUCCESS)
}

fn settings(context: &Context<'_>, args: &Serve) -> Result<Settings, Failure> {
    let rules = match args.rules.is_empty() {
        true => RulePlaces::Store { packs: context.offers.iter().filter_map(|offer| offer.rules).collect() },
        false => RulePlaces::Files(args.rules.clone()),
    };
    // A mistake ends the program at the start. Later ones leave the earlier rules and settings in force.
    rules.read(&context.globals.data_dir)?;
    DeliverySettings::read(&context.globals.data_dir).map_err(WatchError::from)?;
    Ok(Settings {
        rules,
        allow_commands: args.allow_commands,
        agent: context.agent(),
        data_dir: context.globals.data_dir.clone(),
        integrations: context.offers.iter().map(|offer| offer.integration.clone()).collect(),
        network: context.network(),
        allow_http: context.globals.allow_http,
        clock: Arc::new(SystemClock),
    })
}

/// Starts the endpoint, which ends with the result.
async fn endpoint(args: &Serve, server: &Server) -> Result<Option<AbortOnDropHandle<()>>, Failure> {
    let Listen::At(address) = args.listen else { return Ok(None) };
    let hosts = AllowedHosts::new(args.allow_host.iter().cloned());
    let endpoint = Endpoint::bind(address, hosts, server.health(), server.metrics()).await?;
    let address = endpoint.address();
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "other machines can read the health and the metrics, which contain names of instances");
    }
    tracing::info!(%address, "health and metrics");
    // It answers until the program ends, so that a service manager sees the phase `stopping`.
    Ok(Some(AbortOnDropHandle::new(tokio::spawn(endpoint.serve(CancellationToken::new())))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_port_and_can_be_left_out() {
        assert_eq!(listen("none"), Ok(Listen::Nowhere));
        assert!(matches!(listen("[::1]:80"), Ok(Listen::At(_))) && matches!(listen(LISTEN), Ok(Listen::At(_))));
        for text in ["127.0.0.1", "localhost:80", ":80", ""] {
            assert!(listen(text).expect_err(text).contains(LISTEN), "{text}");
        }
    }
}
