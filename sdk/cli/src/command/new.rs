//! `new`: creates the crate of a new integration.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use integration_sdk::input;

use crate::context::Context;
use crate::exit;
use crate::failure::Failure;
use crate::scaffold::{self, Name, ScaffoldError, Sdk};
use crate::style::printable_path;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} new acme                          create the crate integration-acme
  {name} new acme --sdk ../integrations    use the SDK of that checkout

The crate contains a client, a step with an entity, a fake provider, a recording and tests.
`cargo test` and `cargo run -- collect --sample` work immediately.")]
pub(crate) struct New {
    /// Name of the provider, in lowercase letters, digits and dashes
    #[arg(value_name = "NAME")]
    name: String,
    /// Checkout of the SDK to use [default: the one that contains this folder or this program]
    #[arg(long, value_name = "DIR")]
    sdk: Option<PathBuf>,
    /// Folder to create [default: integration-NAME]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(crate) fn run(context: &Context<'_>, args: &New) -> Result<u8, Failure> {
    let name = Name::parse(&args.name)?;
    let folder = args.folder.clone().unwrap_or_else(|| name.package().into());
    let sdk = match &args.sdk {
        Some(path) => Sdk::find(path, &folder)?,
        None => {
            let current = std::env::current_dir().map_err(Failure::file("read", Path::new(".")))?;
            Sdk::around(&current, std::env::current_exe().ok().as_deref(), &folder)?
        }
    };
    let files = scaffold::files(&name, &sdk);
    make(&folder)?;
    if let Err(failure) = write(&folder, &files) {
        // A partial crate would block the next attempt.
        let _ = fs::remove_dir_all(&folder);
        return Err(failure);
    }
    context.print(&format!("Created {} with {} files. Next:\n", printable_path(&folder), files.len()))?;
    if let Some(workspace) = workspace_of(&folder) {
        context.print(&format!("  add it to `members` in {}\n", printable_path(&workspace)))?;
    }
    context.print(&format!("  cd {}\n  cargo test\n  cargo run -- collect --sample\n", printable_path(&folder)))?;
    Ok(exit::SUCCESS)
}

/// Creates the folder, which must not exist.
fn make(folder: &Path) -> Result<(), Failure> {
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent).map_err(Failure::file("make", parent))?;
    }
    fs::create_dir(folder).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => ScaffoldError::Occupied { folder: folder.to_owned() }.into(),
        _ => Failure::file("make", folder)(error),
    })
}

fn write(folder: &Path, files: &[(String, String)]) -> Result<(), Failure> {
    for (name, text) in files {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(Failure::file("make", parent))?;
        fs::write(&path, text).map_err(Failure::file("write", &path))?;
    }
    Ok(())
}

/// The manifest of the Cargo workspace that contains a folder.
fn workspace_of(folder: &Path) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    let manifests = folder.ancestors().skip(1).map(|folder| folder.join("Cargo.toml"));
    let is_workspace = |path: &PathBuf| {
        input::read_to_string(path, input::SETTINGS)
            .is_ok_and(|text| text.lines().any(|line| line.trim() == "[workspace]"))
    };
    manifests.into_iter().find(is_workspace)
}
