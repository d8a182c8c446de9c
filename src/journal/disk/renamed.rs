//! The same people under another name: a list that was renamed would be called once more.

use jiff::Timestamp;

use super::super::imported::Imported;
use super::super::{Error, LATELY};
use super::Disk;
use super::attempts::phone;
use super::db::{Db, values};
use super::import::{Head, check_head};
use crate::leads::lead::Phone;
use crate::pool::attempt_id::Mark;
use crate::time::Now;

impl Disk {
    /// Whom other campaigns have called lately whose list this may be, each campaign with its people: for a run that
    /// imports nothing. None where the run would not be asked, an error where it would be refused at once.
    pub fn called_lately(&self, head: &Head, now: Timestamp) -> Result<Vec<(String, Vec<Phone>)>, Error> {
        self.read(|db| {
            if check_head(db, head)? || !head.ask_others {
                return Ok(Vec::new());
            }
            let find = format!(
                "SELECT campaigns.name, attempts.phone FROM {CALLS} WHERE {COUNT} AND campaigns.mark <> ?2 \
                 AND attempts.phone > 0 GROUP BY campaigns.name, attempts.phone ORDER BY campaigns.name"
            );
            let mark = Mark::of(&head.campaign);
            let values = values![head.account.id, mark.as_str(), lately(now)];
            let called = db.all(&find, values, |row| Ok((row.get::<String>(0)?, phone(row.get(1)?)?)))?;
            let mut campaigns: Vec<(String, Vec<Phone>)> = Vec::new();
            for (name, phone) in called {
                match campaigns.last_mut().filter(|(last, _)| *last == name) {
                    Some((_, phones)) => phones.push(phone),
                    None => campaigns.push((name, vec![phone])),
                }
            }
            Ok(campaigns)
        })
    }
}

/// Calls of an account's campaigns that were made lately.
const CALLS: &str =
    "campaigns CROSS JOIN attempts INDEXED BY attempts_of ON attempts.campaign = campaigns.id AND attempts.began >= ?3";
/// Those of them that may have reached somebody.
const COUNT: &str = "campaigns.account = ?1 AND campaigns.name IS NOT NULL \
    AND attempts.state IN ('placed', 'ended', 'in-doubt', 'parked')";

/// Whether a list of so many leads is taken for that of another campaign, which has called so many of them.
pub const fn is_its_list(called: u64, of: u64) -> bool {
    called * 2 > of
}

/// From when on a call was made lately.
fn lately(now: Timestamp) -> i64 {
    now.saturating_sub(LATELY).map_or(i64::MIN, Timestamp::as_microsecond)
}

/// Looks whether another campaign of this account has just called more than half of the staged leads. Its calls of the
/// last hours are gone through and looked up in the staged list. Without a name that was given explicitly that is
/// refused.
pub(super) fn look(tx: &Db, head: &Head, campaign: i64, imported: &mut Imported, now: Now) -> Result<(), Error> {
    let find = format!(
        "SELECT campaigns.name, count(DISTINCT staged.id) AS called FROM {CALLS} \
         CROSS JOIN temp.staged AS staged INDEXED BY staged_order ON staged.phone = attempts.phone \
         WHERE {COUNT} AND campaigns.id <> ?2 GROUP BY campaigns.id ORDER BY called DESC LIMIT 1"
    );
    let values = values![head.account.id, campaign, lately(now.wall)];
    let most: Option<(String, u64)> = tx.maybe(&find, values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some((by, leads)) = most.filter(|(_, leads)| is_its_list(*leads, imported.leads)) else { return Ok(()) };
    if !head.explicit {
        return Err(Error::CalledLately { by, leads, of: imported.leads });
    }
    imported.called_by = Some((by, leads));
    Ok(())
}
