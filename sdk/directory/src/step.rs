//! The step that reads the files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use integration_sdk::prelude::*;
use integration_sdk::step::{StepContext, StepError};

use crate::config::DirectoryConfig;
use crate::people::{self, FileError, Options, Problem};
use crate::roster::{Listed, Roster};
use crate::types::{DirectoryPerson, PersonIsUser, PersonManagesPerson};
use crate::{address, date, files};

/// The reason under which lines are reported.
const UNREAD: &str = "lines that could not be read, or not completely";

/// The contents of all files.
#[derive(Default)]
struct Contents {
    people: Vec<Listed>,
    problems: Vec<Problem>,
    /// The files of which nothing could be read.
    errors: Vec<FileError>,
}

/// Reads the people of all files, their managers, and the logins that belong to them.
#[step(id = "fetch-people", name = "Read people")]
pub(crate) async fn fetch_people(
    context: StepContext,
    config: ConfigOf<DirectoryConfig>,
    people: Emit<DirectoryPerson>,
    manages: Emit<PersonManagesPerson>,
    is: Emit<PersonIsUser>,
) -> StepResult {
    let (path, options) = (PathBuf::from(&config.people_file), config.options());
    let read = tokio::task::spawn_blocking(move || contents(&path, &options)).await;
    let contents = read.map_err(|error| other(&error))?.map_err(|error| other(&error))?;
    if contents.people.is_empty()
        && let Some(error) = contents.errors.first()
    {
        return Err(other(error));
    }
    for error in &contents.errors {
        context.declaration().emits().iter().for_each(|missing| context.missing(missing, &other(error)));
    }
    // The person of a line that cannot be read is unknown, and so are the relationships of that person.
    for problem in &contents.problems {
        people.miss(UNREAD, problem);
        manages.miss(UNREAD, problem);
        is.miss(UNREAD, problem);
    }

    let today = date::today();
    let roster = Roster::of(contents.people, today);
    roster.repeated.iter().for_each(|place| people.skip_named("another line has the same e-mail address", place));
    warn_of_unknown_status(&roster);
    for (number, listed) in roster.people.iter().enumerate() {
        let manager = listed.person.manager.as_deref().and_then(|manager| roster.find(manager));
        let person = entity(&roster, number, manager, today);
        let person = people.add(person).await?;
        match (manager, &listed.person.manager) {
            (Some(manager), _) if manager != number => {
                manages.add(&EntityRef::new(roster.key(manager)), &person).await?;
            }
            (None, Some(written)) => {
                manages.skip_named("the manager is not in the directory", format!("{written} ({})", listed.place()));
            }
            _ => {}
        }
        for address in roster.addresses(number, config.match_aliases) {
            connect(&is, &person, address, config.match_plus_addresses).await?;
        }
    }
    Ok(())
}

/// Connects a person with all logins of an address, if there are any.
async fn connect(is: &Emit<PersonIsUser>, person: &DirectoryPerson, address: &str, with_tags: bool) -> StepResult {
    let mut filters = vec![vec!["email"]];
    let mut target = vec![("email", address.to_owned())];
    if with_tags {
        filters.push(vec!["untaggedEmail"]);
        target.push(("untaggedEmail", address.to_owned()));
    }
    is.add_to_existing(person, filters, target).await
}

/// Reads all files. An unreadable file is an error of its own, so that it does not lose the others.
fn contents(path: &Path, options: &Options) -> Result<Contents, FileError> {
    let mut contents = Contents::default();
    for path in files::of(path)? {
        let name = files::name(&path);
        match files::bytes(&path).and_then(|bytes| people::read(&name, &bytes, options)) {
            Ok(list) => {
                contents.problems.extend(list.problems);
                let listed = list.people.into_iter().map(|person| Listed { file: name.clone(), person });
                contents.people.extend(listed);
            }
            Err(error) => contents.errors.push(error),
        }
    }
    Ok(contents)
}

fn other(error: &dyn std::fmt::Display) -> StepError {
    StepError::Other(error.to_string())
}

fn entity(roster: &Roster, number: usize, manager: Option<usize>, today: Timestamp) -> DirectoryPerson {
    let person = &roster.people[number].person;
    let domains = std::iter::once(&person.email).chain(&person.aliases).filter_map(|text| address::domain(text));
    let manager = manager.map(|manager| roster.people[manager].person.email.clone());
    DirectoryPerson {
        key: roster.key(number).to_owned(),
        name: person.name.clone().unwrap_or_else(|| person.email.clone()),
        email: person.email.clone(),
        aliases: person.aliases.clone(),
        email_domain: domains.map(str::to_owned).collect(),
        first_name: person.first_name.clone(),
        last_name: person.last_name.clone(),
        employee_id: person.id.clone(),
        manager: manager.or_else(|| person.manager.clone()),
        department: person.department.clone(),
        title: person.title.clone(),
        status: person.status.clone(),
        active: person.is_active_on(today),
        start_on: person.start_on,
        end_on: person.end_on,
    }
}

/// Names the status values whose meaning is unknown, once each.
fn warn_of_unknown_status(roster: &Roster) {
    let unknown = roster.people.iter().filter(|listed| listed.person.is_active.is_none());
    let values: BTreeSet<&str> = unknown.filter_map(|listed| listed.person.status.as_deref()).collect();
    if !values.is_empty() {
        let shown: Vec<&str> = values.iter().take(10).copied().collect();
        tracing::warn!(
            "the meaning of {} status value(s) is unknown, such as {}; set DIRECTORY_INACTIVE_STATUS to those of leavers",
            values.len(),
            shown.join(", ")
        );
    }
}
