//! A person of a record.

use std::collections::BTreeSet;

use integration_sdk::Timestamp;

use crate::columns::Field;
use crate::options::Options;
use crate::record::{BadLine, Record, quoted};
use crate::{address, date, status};

/// A person as described by one line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Person {
    /// The line, from 1.
    pub line: u64,
    /// The e-mail address in lower case.
    pub email: String,
    /// The further e-mail addresses in lower case.
    pub aliases: BTreeSet<String>,
    /// The full name.
    pub name: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The id in the system that exported the file.
    pub id: Option<String>,
    /// The manager as written in the file.
    pub manager: Option<String>,
    /// The department.
    pub department: Option<String>,
    /// The job title.
    pub title: Option<String>,
    /// The status as written in the file.
    pub status: Option<String>,
    /// Whether the person belongs to the organisation, as far as the status tells.
    pub is_active: Option<bool>,
    /// The first day, at its begin in UTC.
    pub start_on: Option<Timestamp>,
    /// The last day, at its begin in UTC.
    pub end_on: Option<Timestamp>,
    /// Whether the file names a last day that cannot be read.
    pub has_unread_end: bool,
    /// The distinguished name of an LDAP entry.
    pub dn: Option<String>,
}

impl Person {
    /// Reads a person. The second result is values that cannot be read, which the person lacks.
    pub(crate) fn of(record: &Record, options: &Options) -> Result<(Self, Vec<BadLine>), BadLine> {
        let columns = &options.columns;
        let text = |field| columns.first(field, record).map(|(_, value)| value.to_owned());
        let email = match columns.first(Field::Email, record) {
            None => return Err(BadLine::new(record.line, "no e-mail address")),
            Some((_, written)) => address::normalised(written)
                .ok_or_else(|| BadLine::new(record.line, format!("{} is not an e-mail address", quoted(written))))?,
        };
        let day = |field: Field, name: &str, unread: &mut Vec<BadLine>| {
            let (written, format) = (columns.first(field, record)?.1, options.date_format.as_deref());
            if field == Field::End && date::means_never(written, format) {
                return None;
            }
            let day = date::day(written, format);
            if day.is_none() {
                let reason = format!("the {name} date {} cannot be read; set DIRECTORY_DATE_FORMAT", quoted(written));
                unread.push(BadLine::new(record.line, reason));
            }
            day
        };
        let mut unread = Vec::new();
        let end_on = day(Field::End, "end", &mut unread);
        let has_unread_end = !unread.is_empty();
        let start_on = day(Field::Start, "start", &mut unread);
        let status = columns.first(Field::Status, record);
        let status = status.map(|(column, value)| status::read(column, value, &options.inactive));
        let (first_name, last_name) = (text(Field::FirstName), text(Field::LastName));
        let parts = || {
            let parts: Vec<&str> = [&first_name, &last_name].into_iter().flatten().map(String::as_str).collect();
            (!parts.is_empty()).then(|| parts.join(" "))
        };
        let mut aliases: BTreeSet<String> = address::all(columns.all(Field::Aliases, record)).collect();
        // Systems with several addresses list them in one column as well, the main one first.
        aliases.extend(address::all(columns.all(Field::Email, record)).skip(1));
        aliases.remove(&email);
        let person = Self {
            line: record.line,
            aliases,
            name: text(Field::Name).or_else(parts),
            id: text(Field::Id),
            manager: text(Field::Manager),
            department: text(Field::Department),
            title: text(Field::Title),
            is_active: status.as_ref().and_then(|status| status.is_active),
            status: status.map(|status| status.text),
            start_on,
            end_on,
            has_unread_end,
            dn: record.values("dn").and_then(|values| values.first().cloned()),
            email,
            first_name,
            last_name,
        };
        Ok((person, unread))
    }

    /// Whether the person belongs to the organisation on a day; `None` if the status or the last day is unknown.
    ///
    /// A person without a status belongs to it until the end date.
    pub fn is_active_on(&self, day: Timestamp) -> Option<bool> {
        match (self.end_on, self.is_active) {
            (Some(end), _) if end.millis() < day.millis() => Some(false),
            (_, known) if self.has_unread_end => known.filter(|is_active| !is_active),
            (_, None) if self.status.is_none() => Some(true),
            (_, known) => known,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cells: &[(&str, &str)]) -> Result<(Person, Vec<BadLine>), BadLine> {
        let mut record = Record::on(5);
        cells.iter().for_each(|(name, value)| record.add(name, value));
        Person::of(&record, &Options::default())
    }

    #[test]
    fn a_person_has_an_address() {
        let (ada, unread) =
            read(&[("email", "Ada@X.com"), ("givenname", "Ada"), ("sn", "Lovelace")]).expect("a person");
        assert_eq!((ada.email.as_str(), ada.name.as_deref()), ("ada@x.com", Some("Ada Lovelace")));
        assert_eq!((unread, ada.is_active_on(date::today())), (Vec::new(), Some(true)));
        assert_eq!(read(&[("name", "Ada")]), Err(BadLine::new(5, "no e-mail address")));
        assert_eq!(read(&[("email", "Ada")]), Err(BadLine::new(5, "\"Ada\" is not an e-mail address")));
    }

    #[test]
    fn a_date_that_cannot_be_read_does_not_lose_the_person() {
        let (ada, unread) = read(&[("email", "a@x"), ("enddate", "05/06/2024")]).expect("a person");
        assert_eq!((ada.end_on, ada.has_unread_end), (None, true));
        assert_eq!(unread[0].reason, "the end date \"05/06/2024\" cannot be read; set DIRECTORY_DATE_FORMAT");
        let (bob, unread) = read(&[("email", "b@x"), ("enddate", "9999-12-31")]).expect("a person");
        assert_eq!((bob.end_on, bob.has_unread_end, unread), (None, false, Vec::new()));
    }

    #[test]
    fn a_person_is_active_until_the_end_of_the_last_day() {
        let today = date::day("2024-05-31", None).expect("a day");
        let active = |cells: &[(&str, &str)]| {
            let cells = [&[("email", "a@x")], cells].concat();
            read(&cells).expect("a person").0.is_active_on(today)
        };
        assert_eq!(active(&[("enddate", "2024-05-31")]), Some(true));
        assert_eq!(active(&[("enddate", "2024-05-30"), ("status", "active")]), Some(false));
        assert_eq!(active(&[("status", "terminated"), ("enddate", "2024-06-30")]), Some(false));
        assert_eq!(active(&[("status", "Sabbatical")]), None);
        assert_eq!(active(&[("enddate", "soon")]), None, "the last day may be past");
        assert_eq!(active(&[("enddate", "soon"), ("status", "active")]), None);
        assert_eq!(active(&[("enddate", "soon"), ("status", "terminated")]), Some(false));
    }

    #[test]
    fn aliases_are_the_other_addresses_of_all_columns() {
        let cells = [("mail", "a@x"), ("mail", "b@x"), ("proxyaddresses", "SMTP:A@x"), ("proxyaddresses", "smtp:c@x")];
        let (ada, _) = read(&cells).expect("a person");
        assert_eq!(ada.aliases, BTreeSet::from(["b@x".to_owned(), "c@x".to_owned()]));
    }
}
