//! All lists of a campaign: a run that names one of them goes on with those that earlier runs named beside it.

use std::fs;
use std::path::{Path, PathBuf};

use super::plan::RunPlan;
use crate::journal::Error;
use crate::journal::disk::accounts::Account;
use crate::journal::disk::import::Head;
use crate::leads::options::Source;
use crate::leads::shown::file;
use crate::report::failure::Failure;

/// A list of a campaign. Its place among them is that of its leads in the journal.
#[derive(Clone, Debug)]
pub struct CampaignList {
    /// Where it really is: what tells one list from another.
    pub path: String,
    /// As it was named.
    pub input: Source,
    /// Where it is read; none where it is gone, which leaves its leads as they are.
    pub source: Option<Source>,
    /// An earlier run named it, and this one did not.
    pub is_earlier: bool,
}

impl CampaignList {
    /// One that this run names.
    pub fn named(input: &Source, source: Source) -> Self {
        let path = if let Source::File(path) = input { real(path) } else { "-".into() };
        Self { path, input: input.clone(), source: Some(source), is_earlier: false }
    }

    /// One that the campaign knows. What is no file any more cannot be read a second time.
    fn known(path: String) -> Self {
        let input = if path == "-" { Source::Stdin } else { Source::File(PathBuf::from(&path)) };
        let source = Some(input.clone()).filter(|input| input.path().is_some_and(Path::is_file));
        Self { path, input, source, is_earlier: true }
    }

    /// What it is called on a screen.
    pub fn shown(&self) -> String {
        match &self.input {
            Source::File(path) => file(Path::new(path.file_name().unwrap_or(path.as_os_str()))),
            Source::Stdin | Source::Copied(_) => "stdin".to_owned(),
        }
    }
}

/// The lists that are named with those that the campaign knows, where it knows one of them: in its order, new ones last.
pub fn with_known(named: Vec<CampaignList>, known: Vec<String>) -> Vec<CampaignList> {
    if !named.iter().any(|list| known.contains(&list.path)) {
        return named;
    }
    let mut lists: Vec<_> = known.into_iter().map(CampaignList::known).collect();
    for list in named {
        match lists.iter_mut().find(|known| known.path == list.path && known.is_earlier) {
            Some(known) => *known = list,
            None => lists.push(list),
        }
    }
    lists
}

/// What the journal is told of a campaign's lists.
pub fn head(planned: &RunPlan, account: &Account, lists: &[CampaignList]) -> Head {
    Head {
        account: account.clone(),
        campaign: planned.plan.campaign.clone(),
        explicit: planned.name_given,
        lists: lists.iter().map(|list| list.path.clone()).collect(),
        kept: (0..lists.len()).filter(|at| lists[*at].source.is_none()).collect(),
        target: planned.account.target.id().to_owned(),
        replace: planned.replace,
        // A rehearsal calls nobody, and where it was said how long whom others called is put off, that holds.
        ask_others: !account.is_rehearsal() && planned.plan.not_if_called_within.is_none(),
    }
}

/// The journal does not take the list.
pub fn refused(planned: &RunPlan, error: Error) -> Failure {
    let other = if let Error::CalledLately { by, .. } = &error { Some(by.clone()) } else { None };
    let failure = Failure::from(error);
    let Some(other) = other else { return failure };
    let go_on = |campaign: &str| planned.command.with(&["--campaign", campaign]);
    failure
        .advise(format!("go on with {other}, calling nobody twice:   {}", go_on(&other)))
        .advise(format!("call them all again:   {}", go_on(&planned.plan.campaign)))
        .advise("nobody was called")
}

fn real(path: &Path) -> String {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str) -> CampaignList {
        let input = Source::new(Path::new(path));
        CampaignList::named(&input, input.clone())
    }

    #[test]
    fn a_known_list_brings_the_others_in_their_order_and_a_new_one_is_last() {
        let known = || vec!["/gone/a.csv".to_owned(), "-".to_owned(), "/gone/c.csv".to_owned()];
        let paths = |lists: &[CampaignList]| lists.iter().map(|list| list.path.clone()).collect::<Vec<_>>();
        let lists = with_known(vec![named("/gone/d.csv"), named("/gone/c.csv")], known());
        assert_eq!(paths(&lists), ["/gone/a.csv", "-", "/gone/c.csv", "/gone/d.csv"]);
        assert!(lists[0].source.is_none() && lists[1].source.is_none() && lists[2].source.is_some());
        assert_eq!(lists.iter().map(|list| list.is_earlier).collect::<Vec<_>>(), [true, true, false, false]);
        assert_eq!(paths(&with_known(vec![named("/gone/d.csv")], known())), ["/gone/d.csv"], "it is none of them");
    }
}
