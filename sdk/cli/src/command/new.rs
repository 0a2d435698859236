//! `new`: a crate in which another integration begins.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use integration_sdk::input;

use crate::context::Context;
use crate::exit;
use crate::failure::Failure;
use crate::scaffold::{self, Name, ScaffoldError, Sdk};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} new acme                          an integration for Acme, in integration-acme
  {name} new acme --sdk ../integrations    on the SDK of that checkout

It has a client, a step with an entity, an imitation of the provider, a recording and tests.
`cargo test` and `cargo run -- collect --sample` work from the beginning.")]
pub(crate) struct New {
    /// The provider, in lower-case letters, digits and dashes
    #[arg(value_name = "NAME")]
    name: String,
    /// A checkout of the SDK to depend on [default: the one around this folder or this program]
    #[arg(long, value_name = "DIR")]
    sdk: Option<PathBuf>,
    /// The folder to make [default: integration-NAME]
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
        // Half a crate would be in the way of the next try.
        let _ = fs::remove_dir_all(&folder);
        return Err(failure);
    }
    context.print(&format!("{} is made, {} files; next:\n", folder.display(), files.len()))?;
    if let Some(workspace) = workspace_of(&folder) {
        context.print(&format!("  add it to `members` in {}\n", workspace.display()))?;
    }
    context.print(&format!("  cd {}\n  cargo test\n  cargo run -- collect --sample\n", folder.display()))?;
    Ok(exit::SUCCESS)
}

/// Makes the folder, which must not be there.
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

/// The manifest of the workspace around a folder: Cargo wants each crate in it to be a member.
fn workspace_of(folder: &Path) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    let manifests = folder.ancestors().skip(1).map(|folder| folder.join("Cargo.toml"));
    let is_workspace = |path: &PathBuf| {
        input::read_to_string(path, input::SETTINGS)
            .is_ok_and(|text| text.lines().any(|line| line.trim() == "[workspace]"))
    };
    manifests.into_iter().find(is_workspace)
}
