//! The password file of PostgreSQL's own clients.

use secrecy::SecretString;

/// Returns the first password in the text of a password file that fits a connection.
///
/// A line has the form `host:port:database:user:password`. A field can be `*`, and `\` escapes a colon.
pub fn password_in(file: &str, host: &str, port: u16, database: &str, user: &str) -> Option<SecretString> {
    let port = port.to_string();
    let wanted = [host, &port, database, user];
    let lines = file.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.map(fields).find_map(|fields| {
        let [named @ .., password] = fields.as_slice() else { return None };
        let fits = named.len() == wanted.len()
            && named.iter().zip(wanted).all(|(field, wanted)| field == "*" || field == wanted);
        (fits && !password.is_empty()).then(|| SecretString::from(password.as_str()))
    })
}

/// Splits a line at its colons. The password is the fifth field.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        let last = fields.len() - 1;
        match letter {
            '\\' => fields[last].extend(letters.next()),
            ':' if fields.len() < 5 => fields.push(String::new()),
            letter => fields[last].push(letter),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn the_first_line_that_fits_counts() {
        let file = "# db:5432:*:*:no\nother:5432:*:*:no\ndb:*:a\\:b:me:pass\\:wo\\\\rd:1\n*:*:*:*:last\n";
        let found = |host, database, user| {
            password_in(file, host, 5432, database, user).map(|password| password.expose_secret().to_owned())
        };
        assert_eq!(found("db", "a:b", "me").as_deref(), Some("pass:wo\\rd:1"));
        assert_eq!(found("db", "x", "you").as_deref(), Some("last"));
        assert!(password_in("db:5432:x", "db", 5432, "x", "me").is_none());
    }
}
