//! The columns of a file: those of the configuration, or the common names of each.

use std::collections::BTreeMap;

use crate::record::{Record, simplified};

/// A property of a person that a file can contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Field {
    Email,
    Name,
    FirstName,
    LastName,
    Id,
    Manager,
    Department,
    Title,
    Status,
    Start,
    End,
    Aliases,
}

impl Field {
    pub(crate) const ALL: [Self; 12] = [
        Self::Email,
        Self::Name,
        Self::FirstName,
        Self::LastName,
        Self::Id,
        Self::Manager,
        Self::Department,
        Self::Title,
        Self::Status,
        Self::Start,
        Self::End,
        Self::Aliases,
    ];

    /// The simplified names in exports of directories and personnel systems, the most specific ones first.
    fn common_names(self) -> &'static [&'static str] {
        match self {
            Self::Email => &[
                "workemail",
                "workemailaddress",
                "primaryworkemail",
                "emailprimarywork",
                "businessemail",
                "companyemail",
                "primaryemail",
                "primaryemailaddress",
                "email",
                "emailaddress",
                "emailadresse",
                "mail",
                "emails",
                "emailsvalue",
                "userprincipalname",
                "upn",
            ],
            Self::Name => &[
                "displayname",
                "fullname",
                "employeename",
                "workername",
                "nameformatted",
                "namefullname",
                "name",
                "cn",
            ],
            Self::FirstName => {
                &["firstname", "preferredfirstname", "givenname", "forename", "vorname", "namegivenname"]
            }
            Self::LastName => &["lastname", "surname", "familyname", "sn", "nachname", "namefamilyname"],
            Self::Id => &[
                "employeeid",
                "employeenumber",
                "personnelnumber",
                "personid",
                "workerid",
                "staffid",
                "empid",
                "employeecode",
                "personalnummer",
                "externalid",
                "id",
                "uid",
            ],
            Self::Manager => &[
                "manageremail",
                "managersemail",
                "managerworkemail",
                "manageremailaddress",
                "supervisoremail",
                "reportstoemail",
                "managerid",
                "manageremployeeid",
                "managervalue",
                "supervisorid",
                "reportsto",
                "manager",
                "supervisor",
                "linemanager",
                "managername",
                "managerdisplayname",
                "vorgesetzter",
            ],
            Self::Department => &[
                "department",
                "departmentname",
                "dept",
                "abteilung",
                "organizationalunit",
                "orgunit",
                "division",
                "ou",
                "departmentnumber",
            ],
            Self::Title => &[
                "jobtitle",
                "businesstitle",
                "positiontitle",
                "employeetitle",
                "title",
                "position",
                "jobname",
                "funktion",
                "stellenbezeichnung",
            ],
            Self::Status => &[
                "employmentstatus",
                "employeestatus",
                "workerstatus",
                "userstatus",
                "accountstatus",
                "status",
                "accountenabled",
                "useraccountcontrol",
                "active",
                "isactive",
                "enabled",
                "suspended",
                "disabled",
                "terminated",
                "archived",
                "deactivated",
            ],
            Self::Start => &[
                "startdate",
                "hiredate",
                "employeehiredate",
                "dateofhire",
                "hiredon",
                "employmentstartdate",
                "joindate",
                "joiningdate",
                "datejoined",
                "originalhiredate",
                "eintrittsdatum",
                "startdatum",
                "starton",
            ],
            Self::End => &[
                "enddate",
                "terminationdate",
                "employmentenddate",
                "lastworkingday",
                "lastdayofwork",
                "lastday",
                "leavingdate",
                "leavedate",
                "exitdate",
                "separationdate",
                "dateleft",
                "leftdate",
                "employeeleavedatetime",
                "austrittsdatum",
                "enddatum",
                "endon",
            ],
            Self::Aliases => &[
                "aliases",
                "alias",
                "emailaliases",
                "othermails",
                "otheremails",
                "secondaryemail",
                "secondaryemails",
                "alternateemail",
                "alternateemails",
                "proxyaddresses",
                "mailalternateaddress",
                "personalemail",
                "homeemail",
            ],
        }
    }

    /// The contents of the column, and the variable of the configuration that sets it.
    pub(crate) fn described(self) -> (&'static str, &'static str) {
        match self {
            Self::Email => ("e-mail addresses", "DIRECTORY_EMAIL_COLUMN"),
            Self::Name => ("full names", "DIRECTORY_NAME_COLUMN"),
            Self::FirstName => ("first names", "DIRECTORY_FIRST_NAME_COLUMN"),
            Self::LastName => ("last names", "DIRECTORY_LAST_NAME_COLUMN"),
            Self::Id => ("ids", "DIRECTORY_ID_COLUMN"),
            Self::Manager => ("managers", "DIRECTORY_MANAGER_COLUMN"),
            Self::Department => ("departments", "DIRECTORY_DEPARTMENT_COLUMN"),
            Self::Title => ("job titles", "DIRECTORY_TITLE_COLUMN"),
            Self::Status => ("status values", "DIRECTORY_STATUS_COLUMN"),
            Self::Start => ("start dates", "DIRECTORY_START_COLUMN"),
            Self::End => ("end dates", "DIRECTORY_END_COLUMN"),
            Self::Aliases => ("further addresses", "DIRECTORY_ALIASES_COLUMN"),
        }
    }
}

/// The columns in which each property is looked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns {
    /// The simplified names of the configured columns.
    configured: BTreeMap<Field, String>,
}

impl Columns {
    /// Uses the configured names instead of the common ones.
    pub(crate) fn new(configured: impl IntoIterator<Item = (Field, Option<String>)>) -> Self {
        let named = configured.into_iter().filter_map(|(field, name)| Some((field, simplified(&name?))));
        Self { configured: named.collect() }
    }

    fn names(&self, field: Field) -> impl Iterator<Item = &str> {
        let configured = self.configured.get(&field).map(String::as_str);
        let common = if configured.is_some() { &[] } else { field.common_names() };
        configured.into_iter().chain(common.iter().copied())
    }

    /// Whether one of the simplified names is a column of the field.
    pub(crate) fn has(&self, field: Field, names: &[String]) -> bool {
        self.names(field).any(|wanted| names.iter().any(|name| name == wanted))
    }

    /// The configured columns that are not among the simplified names.
    pub(crate) fn absent(&self, names: &[String]) -> impl Iterator<Item = Field> {
        self.configured.iter().filter(|(_, name)| !names.contains(name)).map(|(field, _)| *field)
    }

    /// The first value of a field, with the simplified name of its column.
    pub(crate) fn first<'a>(&'a self, field: Field, record: &'a Record) -> Option<(&'a str, &'a str)> {
        self.names(field).find_map(|name| Some((name, record.values(name)?.first()?.as_str())))
    }

    /// All values of a field, of all its columns.
    pub(crate) fn all<'a>(&'a self, field: Field, record: &'a Record) -> impl Iterator<Item = &'a str> {
        self.names(field).filter_map(|name| record.values(name)).flatten().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn record(cells: &[(&str, &str)]) -> Record {
        let mut record = Record::on(1);
        cells.iter().for_each(|(name, value)| record.add(&simplified(name), value));
        record
    }

    #[test]
    fn common_names_are_simplified_and_belong_to_one_field() {
        let mut seen = BTreeSet::new();
        for field in Field::ALL {
            for name in field.common_names() {
                assert_eq!(&simplified(name), name);
                assert!(seen.insert(*name), "{name} has two meanings");
            }
        }
    }

    #[test]
    fn the_most_specific_column_with_a_value_counts() {
        let columns = Columns::default();
        let both = record(&[("UPN", "login@x"), ("Mail", "mail@x"), ("Manager", "Ada"), ("Manager ID", "")]);
        assert_eq!(columns.first(Field::Email, &both), Some(("mail", "mail@x")));
        assert_eq!(columns.first(Field::Manager, &both), Some(("manager", "Ada")));
        assert_eq!(columns.first(Field::Title, &both), None);
        let aliases = record(&[("Alias", "a@x"), ("Other Mails", "b@x")]);
        assert_eq!(columns.all(Field::Aliases, &aliases).collect::<Vec<_>>(), ["a@x", "b@x"]);
    }

    #[test]
    fn a_configured_column_replaces_the_common_ones() {
        let columns = Columns::new([(Field::Email, Some("Login Mail".to_owned())), (Field::Title, None)]);
        assert_eq!(columns.first(Field::Email, &record(&[("email", "a@x")])), None);
        assert_eq!(columns.first(Field::Email, &record(&[("login-mail", "a@x")])), Some(("loginmail", "a@x")));
        assert!(columns.has(Field::Title, &["title".to_owned()]));
        assert_eq!(columns.absent(&["title".to_owned()]).collect::<Vec<_>>(), [Field::Email]);
    }
}
