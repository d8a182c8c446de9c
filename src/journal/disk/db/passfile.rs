//! A password from a passfile, as `psql` has it (<https://www.postgresql.org/docs/current/libpq-pgpass.html>).

use std::path::PathBuf;

use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::private_file::read_whole;

/// No passfile is larger.
const LARGEST: u64 = 1 << 20;

/// The password for a database: of the first line that fits.
pub(super) fn find(config: &Config) -> Option<String> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".pgpass"));
    let file = std::env::var_os("PGPASSFILE").map(PathBuf::from).or_else(home)?;
    let text = read_whole(&file, LARGEST).ok()?;
    let host = match config.get_hosts().first()? {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(_) => "localhost".to_owned(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432).to_string();
    let user = config.get_user()?;
    in_text(&text, [&host, &port, config.get_dbname().unwrap_or(user), user])
}

fn in_text(text: &str, wanted: [&str; 4]) -> Option<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(fields).find_map(|fields| {
        let (password, place) = fields.split_last()?;
        let fits = place.len() == 4 && place.iter().zip(wanted).all(|(field, wanted)| field == "*" || field == wanted);
        fits.then(|| password.clone())
    })
}

/// The fields of a line, of which a backslash takes the meaning from the next letter.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ':' if fields.len() < 5 => fields.push(String::new()),
            '\\' => fields.last_mut().into_iter().for_each(|field| field.extend(letters.next())),
            letter => fields.last_mut().into_iter().for_each(|field| field.push(letter)),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_fits_counts() {
        let text = "# db:5432:d:me:no\nother:*:*:*:no\ndb:5432:*:me:se\\:cr:et\n*:*:*:*:no\n";
        assert_eq!(in_text(text, ["db", "5432", "d", "me"]).as_deref(), Some("se:cr:et"));
        assert_eq!(in_text("db:1:d:me:x", ["db", "5432", "d", "me"]), None);
    }
}
