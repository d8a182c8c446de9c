//! Accounts: which organisation a key belongs to, so that a finished list needs no connection.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::super::Error;
use super::Disk;
use super::db::values;
use super::settings;
use crate::leads::lead::Phone;

/// The account of the built-in stand-in: the calls of rehearsals, which called nobody, say nothing of the same numbers
/// elsewhere.
pub const REHEARSAL: &str = "sandbox";

/// An account of this journal: everything else is kept per account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Its number in this journal.
    pub id: i64,
    /// Its name: the organisation's id, on loopback the base URL with it.
    pub name: String,
}

impl Account {
    /// Whether it is that of the built-in stand-in.
    pub fn is_rehearsal(&self) -> bool {
        self.name == REHEARSAL
    }
}

impl Disk {
    /// The account that a key was last seen to belong to.
    pub fn account_of_key(&self, base_url: &str, key: &str) -> Result<Option<Account>, Error> {
        let hash = self.hash(&[b"key", base_url.as_bytes(), key.as_bytes()]);
        self.read(|db| {
            db.maybe(
                "SELECT accounts.id, accounts.name FROM keys JOIN accounts ON accounts.id = keys.account WHERE hash = ?1",
                values![&hash],
                |row| Ok(Account { id: row.get(0)?, name: row.get(1)? }),
            )
        })
    }

    /// The account of that name, and that this key belongs to it.
    pub fn remember_account(&mut self, name: &str, base_url: &str, key: &str) -> Result<Account, Error> {
        let hash = self.hash(&[b"key", base_url.as_bytes(), key.as_bytes()]);
        self.within(|tx| {
            tx.write("INSERT INTO accounts (name) VALUES (?1) ON CONFLICT DO NOTHING", values![name])?;
            let id: i64 = tx.get("SELECT id FROM accounts WHERE name = ?1", values![name])?;
            tx.write(
                "INSERT INTO keys (hash, account) VALUES (?1, ?2) ON CONFLICT (hash) DO UPDATE SET account = excluded.account",
                values![&hash, id],
            )?;
            Ok(Account { id, name: name.to_owned() })
        })
    }

    /// The variables that the prompt of an assistant, squad or workflow was last known to use.
    pub fn variables(&self, account: &Account, target: &str) -> Result<Vec<String>, Error> {
        let name = variables_of(account, target);
        let found = self.read(|db| settings::get(db, &name))?;
        let known = found.map(|text| serde_json::from_slice(&text)).transpose();
        known.map(Option::unwrap_or_default).map_err(|error| Error::damaged(error.to_string()))
    }

    /// Remembers the variables that the prompt of an assistant, squad or workflow uses.
    pub fn remember_variables(&mut self, account: &Account, target: &str, used: &[String]) -> Result<(), Error> {
        let (name, text) = (variables_of(account, target), serde_json::to_vec(used).unwrap_or_default());
        self.within(|tx| settings::put(tx, &name, &text))
    }

    fn hash(&self, parts: &[&[u8]]) -> Vec<u8> {
        keyed_hash(&self.salt, parts)
    }
}

fn variables_of(account: &Account, target: &str) -> String {
    format!("variables of {target} at {}", account.name)
}

/// What a number is known by once its person is forgotten.
pub(super) fn phone_hash(salt: &[u8], phone: Phone) -> Vec<u8> {
    keyed_hash(salt, &[b"phone", &phone.digits().to_le_bytes()])
}

fn keyed_hash(salt: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(salt).expect("a key of any length will do");
    for part in parts {
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}
