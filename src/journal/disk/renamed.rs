//! The same people under another name: a list that was renamed would be called once more.

use super::super::{Error, Imported, LATELY};
use super::db::{Db, values};
use super::import::Head;
use crate::time::Now;

/// Looks whether another campaign of this account has just called more than half of the staged leads. Its calls of the
/// last hours are gone through and looked up in the staged list. Without a name that was given explicitly that is
/// refused.
pub(super) fn look(tx: &Db, head: &Head, campaign: i64, imported: &mut Imported, now: Now) -> Result<(), Error> {
    let find = "SELECT campaigns.name, count(DISTINCT staged.id) AS called FROM campaigns \
                CROSS JOIN attempts INDEXED BY attempts_of ON attempts.campaign = campaigns.id AND attempts.began >= ?3 \
                CROSS JOIN temp.staged AS staged INDEXED BY staged_order ON staged.phone = attempts.phone \
                WHERE campaigns.account = ?1 AND campaigns.id <> ?2 AND campaigns.name IS NOT NULL \
                AND attempts.state IN ('placed', 'ended', 'in-doubt', 'parked') \
                GROUP BY campaigns.id ORDER BY called DESC LIMIT 1";
    let since = now.wall.saturating_sub(LATELY).map_or(i64::MIN, jiff::Timestamp::as_microsecond);
    let values = values![head.account.id, campaign, since];
    let most: Option<(String, u64)> = tx.maybe(find, values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some((by, leads)) = most.filter(|(_, leads)| leads * 2 > imported.leads) else { return Ok(()) };
    if !head.explicit {
        return Err(Error::CalledLately { by, leads, of: imported.leads });
    }
    imported.called_by = Some((by, leads));
    Ok(())
}
