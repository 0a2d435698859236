//! Passwords of databases.
//!
//! ```text
//!   strongest:  --password REFERENCE
//!               PGPASSWORD in the environment or in .env
//!   weakest:    PGPASSFILE, or ~/.pgpass
//! ```
//!
//! A password on the command line is refused, because other users see the arguments of a process.

use std::env::var_os;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use integration_sdk::input;
use integration_secrets::{ExposeSecret, SecretReference, SecretString};
use integration_sink_postgres::{PostgresTarget, password_in};

use crate::context::Context;
use crate::failure::Failure;
use crate::secrets;
use crate::style::printable_path;
use crate::variables::Variables;

/// Reads the password that a reference names.
pub(super) async fn given(
    context: &Context<'_>,
    reference: Option<&SecretString>,
) -> Result<Option<SecretString>, Failure> {
    let Some(reference) = reference else { return Ok(None) };
    let reference: SecretReference = reference.expose_secret().parse().map_err(|_| {
        Failure::Usage(
            "`--password` needs the place of the password: env:NAME, file:PATH, vault:NAME or command:PROGRAM. A \
             password on the command line is visible in the list of processes and in the history of the shell, so it is refused"
                .to_owned(),
        )
    })?;
    Ok(Some(secrets::resolver(&context.globals.data_dir).resolve(&reference).await?))
}

/// Finds a password where the programs of PostgreSQL look for it.
pub(super) fn of_postgres(context: &Context<'_>, target: &PostgresTarget) -> Result<Option<SecretString>, Failure> {
    let variables = Variables::read(Path::new(""), None, context.integration)?;
    if let Some(password) = variables.value(&["PGPASSWORD"]) {
        return Ok(Some(password.into()));
    }
    let (named, home) = (var_os("PGPASSFILE"), var_os("HOME"));
    let Some(path) = named.map(PathBuf::from).or_else(|| Some(PathBuf::from(home?).join(".pgpass"))) else {
        return Ok(None);
    };
    let file = match input::read_to_string(&path, input::DOCUMENT) {
        Ok(text) => SecretString::from(text),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::file("read", path)(error)),
    };
    if is_exposed(&path) {
        context.console.note(&format!("{} is ignored, because other users can read it.", printable_path(&path)));
        return Ok(None);
    }
    let (host, port, database, user) = target.names();
    Ok(password_in(file.expose_secret(), &host, port, &database, &user))
}

/// Returns whether other users can access a file.
#[cfg(unix)]
fn is_exposed(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|of| of.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_exposed(_: &Path) -> bool {
    false
}
