//! LDIF (RFC 2849): the entries of an LDAP directory.
//!
//! Values that refer to files or other addresses (`name:< file:///...`) are never read.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::record::{BadLine, Record, simplified};

/// The object classes of people and their accounts.
const PEOPLE: [&str; 6] = ["person", "inetorgperson", "organizationalperson", "user", "posixaccount", "account"];
/// The lines of `ldapsearch` that are not entries.
const TRAILERS: [&str; 4] = ["version", "search", "result", "ref"];

/// The entries of people in an LDIF text.
pub(super) struct Ldif<'a> {
    lines: std::iter::Peekable<Box<dyn Iterator<Item = (u64, &'a str)> + 'a>>,
}

/// A line with its continuations.
struct Attribute {
    line: u64,
    text: String,
}

impl<'a> Ldif<'a> {
    pub(super) fn open(text: &'a str) -> Self {
        let numbered: Box<dyn Iterator<Item = _>> = Box::new((1..).zip(text.trim_start_matches('\u{feff}').lines()));
        Self { lines: numbered.peekable() }
    }

    /// Returns the next line of an entry; `None` at the blank line behind it.
    fn attribute(&mut self) -> Option<Attribute> {
        loop {
            let (line, first) = self.lines.next_if(|(_, line)| !line.trim().is_empty())?;
            let mut text = first.to_owned();
            while let Some((_, more)) = self.lines.next_if(|(_, line)| line.starts_with(' ')) {
                text += &more[1..];
            }
            if !text.starts_with('#') {
                return Some(Attribute { line, text });
            }
        }
    }

    /// Reads the entry at the position; `None` if it is not a person.
    fn entry(&mut self, line: u64) -> Option<Result<Record, BadLine>> {
        let (mut record, mut bad) = (Record::on(line), None);
        while let Some(Attribute { line, text }) = self.attribute() {
            match parse(&text) {
                Ok((name, value)) => value.iter().for_each(|value| record.add(&name, value)),
                Err(reason) => drop(bad.get_or_insert(BadLine::new(line, reason))),
            }
        }
        let words = |name: &str| record.values(name).unwrap_or_default().iter().map(|value| value.to_lowercase());
        let classes: Vec<String> = words("objectclass").collect();
        let is_person = classes.iter().any(|class| PEOPLE.contains(&class.as_str()));
        if classes.iter().any(|class| class == "computer") || !(classes.is_empty() || is_person) {
            return None;
        }
        if let Some(bad) = bad {
            return Some(Err(bad));
        }
        if let Some(change) = words("changetype").find(|change| change != "add") {
            return Some(Err(BadLine::new(line, format!("a change of type {change} is not an entry"))));
        }
        let has_name = record.values("dn").is_some();
        let is_trailer = record.is_empty() || TRAILERS.iter().any(|name| record.values(name).is_some());
        match has_name {
            false if is_trailer => None,
            false => Some(Err(BadLine::new(line, "the entry has no dn"))),
            true => Some(Ok(record)),
        }
    }
}

impl Iterator for Ldif<'_> {
    type Item = Result<Record, BadLine>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            while self.lines.next_if(|(_, line)| line.trim().is_empty()).is_some() {}
            let (line, _) = *self.lines.peek()?;
            if let Some(entry) = self.entry(line) {
                return Some(entry);
            }
        }
    }
}

/// Parses `name: value`. Binary values and references have no text.
fn parse(text: &str) -> Result<(String, Option<String>), &'static str> {
    let (name, value) = text.split_once(':').ok_or("not in the form `name: value`")?;
    let name = simplified(name.split(';').next().unwrap_or(name));
    if let Some(encoded) = value.strip_prefix(':') {
        let bytes = BASE64_STANDARD.decode(encoded.trim()).map_err(|_| "the value is not base64")?;
        return Ok((name, String::from_utf8(bytes).ok()));
    }
    if value.starts_with('<') {
        return Ok((name, None));
    }
    Ok((name, Some(value.trim_start().to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let one = |result: Result<Record, BadLine>| match result {
            Ok(record) => {
                format!("{}: {}", record.line, record.values("mail").map_or_else(String::new, |v| v.join(" ")))
            }
            Err(bad) => format!("{}: {}", bad.line, bad.reason),
        };
        Ldif::open(text).map(one).collect()
    }

    #[test]
    fn entries_of_people_are_records() {
        let text = "version: 1\n\n# comment\n of two lines\ndn: ou=people,dc=x\nobjectClass: organizationalUnit\n\n\
            dn: cn=Ada,ou=people,\n dc=x\nobjectClass: top\nobjectClass: inetOrgPerson\nmail;lang-en: a@x\nmail: b@x\n\n\
            dn: cn=pc\nobjectClass: user\nobjectClass: computer\n\n\
            dn:: Y249Qm9i\r\nmail:: Y0B4\r\njpegPhoto:: //8=\r\nnote:< file:///etc/passwd\r\n\r\n\
            # search result\nsearch: 2\nresult: 0 Success\n";
        assert_eq!(read(text), ["8: a@x b@x", "19: c@x"]);
        let record = Ldif::open(text).nth(1).expect("an entry").expect("a person");
        assert_eq!(record.values("dn"), Some(&["cn=Bob".to_owned()][..]));
        assert_eq!((record.values("jpegphoto"), record.values("note")), (None, None));
    }

    #[test]
    fn a_bad_entry_is_lost_alone() {
        let text = "dn: cn=a\nmail a@x\n\ndn: cn=b\nmail:: %%\n\nmail: c@x\n\ndn: cn=d\nchangetype: delete\n\n\
            dn: cn=e\nchangetype: add\nmail: e@x\n";
        assert_eq!(
            read(text),
            [
                "2: not in the form `name: value`",
                "5: the value is not base64",
                "7: the entry has no dn",
                "9: a change of type delete is not an entry",
                "12: e@x",
            ]
        );
        assert_eq!(read(""), Vec::<String>::new());
        assert_eq!(read("\n \n#\n"), Vec::<String>::new());
    }
}
