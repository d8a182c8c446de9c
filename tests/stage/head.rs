//! The list that campaigns in a journal on disk are begun with.

use dialer::journal::disk::accounts::Account;
use dialer::journal::disk::import::Head;

/// One list of a campaign that was named.
pub(crate) fn head(account: &Account, campaign: &str) -> Head {
    Head {
        account: account.clone(),
        campaign: campaign.to_owned(),
        explicit: true,
        lists: vec!["/lists/leads.csv".to_owned()],
        kept: Vec::new(),
        target: "assistant".to_owned(),
        replace: false,
        ask_others: true,
    }
}
