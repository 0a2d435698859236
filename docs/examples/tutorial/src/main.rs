//! The command-line program of the integration.

fn main() -> std::process::ExitCode {
    integration_cli::Program::new(integration_acme::integration())
        .version(env!("CARGO_PKG_VERSION"))
        .sample(integration_acme::sample::sample)
        .main()
}
