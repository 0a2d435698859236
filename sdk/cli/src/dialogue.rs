//! Questions to a person at a terminal. Prompts go to stderr, because stdout is for results.

use std::io::{self, BufRead, IsTerminal, Write};
use std::pin::pin;

use integration_secrets::SecretString;

use crate::failure::Failure;
use crate::visible::visible;

/// The exit code of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Returns whether a person can answer questions.
pub(crate) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a line of text. An empty line is the default.
pub(crate) fn line(question: &str, default: Option<&str>) -> Result<String, Failure> {
    let shown = default.filter(|text| !text.is_empty()).map(|text| format!(" [{}]", visible(text)));
    prompt(&format!("{question}{}: ", shown.unwrap_or_default()))?;
    let mut answer = String::new();
    let read = tokio::task::block_in_place(|| io::stdin().lock().read_line(&mut answer));
    if read.map_err(Failure::file("read", "stdin"))? == 0 {
        return Err(Failure::Usage("the input ended before the last question; nothing was changed".to_owned()));
    }
    let answer = answer.trim();
    Ok(if answer.is_empty() { default.unwrap_or_default() } else { answer }.to_owned())
}

/// Asks a question that only `y` or `yes` confirms.
pub(crate) fn is_confirmed(question: &str) -> Result<bool, Failure> {
    let answer = line(&format!("{question} [y/N]"), None)?;
    Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
}

/// Asks for a secret, which the terminal does not show.
pub(crate) async fn secret(question: &str) -> Result<SecretString, Failure> {
    let mut interrupted = pin!(tokio::signal::ctrl_c());
    // The first poll installs the handler, which must be there before the terminal is changed.
    let _ = futures::poll!(interrupted.as_mut());
    let hidden = Hidden::begin();
    prompt(&format!("{question} (hidden): "))?;
    let read = tokio::task::spawn_blocking(read_hidden);
    let read = tokio::select! {
        read = read => read,
        // The thread waits for the terminal and cannot be stopped, so the process ends here, with a readable terminal.
        _ = interrupted => {
            drop(hidden);
            std::process::exit(INTERRUPTED);
        }
    };
    let text = read.map_err(|error| Failure::Start(error.into()))?.map_err(Failure::file("read", "the terminal"))?;
    Ok(SecretString::from(text.trim()))
}

#[cfg(unix)]
fn read_hidden() -> io::Result<String> {
    let mut text = String::new();
    match io::stdin().lock().read_line(&mut text)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(text),
    }
}

#[cfg(not(unix))]
fn read_hidden() -> io::Result<String> {
    rpassword::read_password()
}

fn prompt(text: &str) -> Result<(), Failure> {
    let mut out = anstream::stderr();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Failure::file("write", "stderr"))
}

/// A terminal that does not show what is typed. It is restored when the value is dropped.
///
/// It begins before the prompt, so that not even a pasted secret is shown.
struct Hidden {
    #[cfg(unix)]
    former: Option<rustix::termios::Termios>,
}

impl Hidden {
    #[cfg(unix)]
    fn begin() -> Self {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

        let former = tcgetattr(io::stdin()).ok();
        if let Some(mut settings) = former.clone() {
            settings.local_modes.remove(LocalModes::ECHO);
            settings.local_modes.insert(LocalModes::ECHONL);
            // The caller has checked that this is a terminal, which always has these modes.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &settings);
        }
        Self { former }
    }

    #[cfg(not(unix))]
    fn begin() -> Self {
        Self {}
    }
}

#[cfg(unix)]
impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(settings) = &self.former {
            // There is no way to report that a terminal is gone.
            let _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, settings);
        }
    }
}
