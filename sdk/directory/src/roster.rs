//! The people of all files: one description for each person, keys, and managers.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::people::Person;
use integration_sdk::Timestamp;

/// A person with the file that describes it.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) file: String,
    pub(crate) person: Person,
}

impl Listed {
    /// The place of the person in messages.
    pub(crate) fn place(&self) -> String {
        format!("{}, line {}", self.file, self.person.line)
    }
}

/// The people of all files.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    pub(crate) people: Vec<Listed>,
    /// The places of further descriptions of a person.
    pub(crate) repeated: Vec<String>,
    /// The key of each person.
    keys: Vec<String>,
    by_address: HashMap<String, usize>,
    by_id: HashMap<String, usize>,
    by_dn: HashMap<String, usize>,
    /// The people by full name; `None` if several have the name.
    by_name: HashMap<String, Option<usize>>,
}

impl Roster {
    /// Chooses one description for each e-mail address: a person who works again has an earlier line that says otherwise.
    ///
    /// An active person is preferred, then the latest start, then the first line.
    pub(crate) fn of(all: Vec<Listed>, today: Timestamp) -> Self {
        let mut chosen: BTreeMap<usize, Listed> = BTreeMap::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut repeated = Vec::new();
        for (number, listed) in all.into_iter().enumerate() {
            let rank = |of: &Listed| (of.person.is_active_on(today) == Some(true), of.person.start_on);
            let place = *places.entry(listed.person.email.clone()).or_insert(number);
            match chosen.get_mut(&place) {
                None => drop(chosen.insert(place, listed)),
                Some(earlier) if rank(&listed) > rank(earlier) => {
                    repeated.push(std::mem::replace(earlier, listed).place());
                }
                Some(_) => repeated.push(listed.place()),
            }
        }
        let mut roster = Self { people: chosen.into_values().collect(), repeated, ..Self::default() };
        roster.index();
        roster
    }

    fn index(&mut self) {
        let mut ids: HashMap<&str, u32> = HashMap::new();
        for id in self.people.iter().filter_map(|listed| listed.person.id.as_deref()) {
            *ids.entry(id).or_default() += 1;
        }
        let key = |person: &Person| match &person.id {
            Some(id) if ids[id.as_str()] == 1 => format!("directory_person:{id}"),
            _ => format!("directory_person:{}", person.email),
        };
        // An id can be the address of another person.
        let mut taken = BTreeSet::new();
        let keys = self.people.iter().map(|listed| {
            let key = key(&listed.person);
            match taken.insert(key.clone()) {
                true => key,
                false => format!("directory_person:email:{}", listed.person.email),
            }
        });
        self.keys = keys.collect();
        for (number, Listed { person, .. }) in self.people.iter().enumerate() {
            self.by_address.insert(person.email.clone(), number);
            if let Some(id) = person.id.as_ref().filter(|id| ids[id.as_str()] == 1) {
                self.by_id.insert(id.clone(), number);
            }
            if let Some(dn) = &person.dn {
                self.by_dn.insert(plain_dn(dn), number);
            }
            if let Some(name) = &person.name {
                self.by_name.entry(name.to_lowercase()).and_modify(|of| *of = None).or_insert(Some(number));
            }
        }
        for (number, Listed { person, .. }) in self.people.iter().enumerate() {
            for alias in &person.aliases {
                self.by_address.entry(alias.clone()).or_insert(number);
            }
        }
    }

    pub(crate) fn key(&self, number: usize) -> &str {
        &self.keys[number]
    }

    /// The person that a text of a manager column means.
    pub(crate) fn find(&self, text: &str) -> Option<usize> {
        let address = crate::address::normalised(text);
        let by_address = || self.by_address.get(&address?);
        let by_name = || self.by_name.get(&text.to_lowercase()).and_then(Option::as_ref);
        self.by_id.get(text).or_else(by_address).or_else(|| self.by_dn.get(&plain_dn(text))).or_else(by_name).copied()
    }

    /// The addresses that belong to a person and to no other one.
    pub(crate) fn addresses(&self, number: usize, with_aliases: bool) -> impl Iterator<Item = &str> {
        let person = &self.people[number].person;
        let aliases = person.aliases.iter().filter(move |_| with_aliases);
        let own = move |alias: &&String| self.by_address.get(*alias) == Some(&number);
        std::iter::once(&person.email).chain(aliases.filter(own)).map(String::as_str)
    }
}

/// A distinguished name in a form for comparisons.
fn plain_dn(dn: &str) -> String {
    dn.split(',').map(str::trim).collect::<Vec<_>>().join(",").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::{Options, read};

    fn roster(csv: &str) -> Roster {
        let list = read("p.csv", csv.as_bytes(), &Options::default()).expect("people");
        let listed = list.people.into_iter().map(|person| Listed { file: "p.csv".to_owned(), person });
        Roster::of(listed.collect(), crate::date::day("2024-06-01", None).expect("a day"))
    }

    #[test]
    fn a_person_who_came_back_is_active() {
        let roster = roster(
            "email,id,status,start date\na@x,1,terminated,2019-01-01\nb@x,2,active,\nA@x,3,active,2023-01-01\na@x,4,active,2020-01-01\n",
        );
        assert_eq!(roster.people.iter().map(|of| of.person.line).collect::<Vec<_>>(), [4, 3]);
        assert_eq!(roster.repeated, ["p.csv, line 2", "p.csv, line 5"]);
        assert_eq!((roster.key(0), roster.key(1)), ("directory_person:3", "directory_person:2"));
    }

    #[test]
    fn ids_that_are_not_unique_are_no_keys() {
        let roster = roster("email,id\na@x,0\nb@x,0\nc@x,\nd@x,c@x\n");
        let keys: Vec<&str> = (0..4).map(|number| roster.key(number)).collect();
        let expected =
            ["directory_person:a@x", "directory_person:b@x", "directory_person:c@x", "directory_person:email:d@x"];
        assert_eq!(keys, expected);
        assert_eq!(roster.find("0"), None);
    }

    #[test]
    fn a_manager_is_found_by_id_address_alias_or_unique_name() {
        let roster = roster("email,id,name,aliases\na@x,1,Ada,ada@y b@x\nb@x,2,Bob,\nc@x,3,Bob,\n");
        let found = ["1", "A@X", "ada@y", "ADA", "bob", "b@x", "nobody"].map(|text| roster.find(text));
        assert_eq!(found, [Some(0), Some(0), Some(0), Some(0), None, Some(1), None]);
        assert_eq!(roster.addresses(0, true).collect::<Vec<_>>(), ["a@x", "ada@y"], "b@x is the address of Bob");
        assert_eq!(roster.addresses(0, false).collect::<Vec<_>>(), ["a@x"]);
        assert_eq!(plain_dn("CN=Ada, DC=x"), plain_dn("cn=ada,dc=X"));
    }
}
