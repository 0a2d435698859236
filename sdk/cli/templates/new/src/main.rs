//! The command-line program of the integration.

fn main() -> std::process::ExitCode {
    integration_cli::Program::new(integration_{{snake}}::integration())
        .version(env!("CARGO_PKG_VERSION"))
        .sample(integration_{{snake}}::sample::sample)
        .main()
}
