//! `run --dry-run`: everything but the dialing. It opens no connection, unless by `--online`, and writes nothing; what an existing
//! journal knows of the campaign is taken into account.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::args::RehearseArgs;
use super::assumed::beliefs;
use super::display::stdout_width;
use super::dry_online::Online;
use super::environment::Environment;
use super::print;
use crate::campaign::DEFAULT_SLOTS;
use crate::campaign::callers::{InboundHistory, first_reserve};
use crate::campaign::plan::Plan;
use crate::drive::talk::{say, say_unless};
use crate::exit::Exit;
use crate::journal::Error;
use crate::journal::disk::Disk;
use crate::journal::disk::accounts::Account;
use crate::journal::disk::import::Head;
use crate::journal::disk::renamed::is_its_list;
use crate::leads::batch::cut;
use crate::leads::lead::{Lead, Phone};
use crate::leads::list::ListError;
use crate::leads::options::{ListOptions, Source};
use crate::leads::shown::file;
use crate::leads::suppress::Suppression;
use crate::rehearsal::forecast::belief::Beliefs;
use crate::rehearsal::forecast::{Impossible, Question, sample};
use crate::report::dry_run::{batches, first_request};
use crate::report::failure::Failure;
use crate::report::findings::Checked;
use crate::report::forecast::Outlook;
use crate::report::notice::{one_at_a_time, reserve_begins};
use crate::report::style::{Glyphs, dollars, moment};
use crate::run::check::{CheckError, Request, check_with, list_failure, mending, with_unreadable};
use crate::run::known::{CampaignList, head, refused, with_known};
use crate::run::only::absent;
use crate::run::past::{Before, before};
use crate::run::plan::RunPlan;
use crate::run::reserve_fits;
use crate::vapi::request::shown_body;

/// What stands where a request has the id of its attempt.
const ATTEMPT: &str = "ATTEMPT_ID";
/// Different sets of zones that are looked at, at most.
const MOST_ZONES: usize = 24;
/// A sum that buys at least one more call.
const LEAST_MORE_USD: f64 = 1.0;

/// Shows what a run would do.
pub(super) fn dry_run(planned: &RunPlan, asked: &RehearseArgs, around: &Environment<'_>) -> Result<Exit, Failure> {
    let all_wrong =
        |error: &ListError| with_unreadable(list_failure(error), &planned.inputs, &planned.list, &planned.dnc);
    let suppression = Suppression::open(&planned.dnc, planned.list.region).map_err(|error| all_wrong(&error))?;
    let known = known(planned)?;
    let online = asked.online.then(|| Online::read(planned, around)).transpose()?;
    let online = online.as_ref();
    let list = list_options(planned, online);
    let (settled, limit) = (&known.settled, known.limit);
    reserve_fits(&planned.plan, limit)?;
    let lists = with_earlier(planned, &known.lists);
    let mut others = Others::asked(planned, &lists, around)?;
    let lists: Vec<Source> = lists.into_iter().filter_map(|list| list.source).collect();
    let request = Request {
        sources: &lists,
        options: &list,
        calling: &planned.plan.calling,
        suppression: Some(&suppression),
        suppressed: &known.suppressed,
        rejects: planned.rejects.as_deref(),
        strict: planned.strict,
        now: around.now,
    };
    let most = sample(asked.runs, planned.plan.retries.attempts());
    let mut left = Left { most, sample: Vec::new(), total: 0, zones: HashSet::new() };
    let checked = check_with(&request, &mut |_| {}, &mut |lead| {
        others.count(lead.phone);
        let is_meant = planned.only.as_ref().is_none_or(|only| left.total == 0 && only.is(&lead));
        if is_meant && !request.suppresses(lead.phone) && !settled.contains(&lead.phone) {
            left.take(lead);
        }
    });
    let mut checked = checked.map_err(|error| match error {
        CheckError::List(error) => all_wrong(&error),
        other => Failure::new(other.exit(), other.to_string()),
    })?;
    let campaign = &planned.plan.campaign;
    checked.mending = Some(mending(&planned.inputs, campaign, &planned.list, planned.sandbox));
    let mut text = checked.text(&around.zone);
    let has_passed = planned.plan.until.is_some_and(|until| until <= around.now);
    for (what, cure) in &planned.missing {
        let _infallible = writeln!(text, "{what}, which a real run needs\n  {cure}");
    }
    if !settled.is_empty() {
        let _infallible = writeln!(text, "{} settled earlier, {} to call", settled.len(), left.total);
    }
    if let Some(failure) = why_refused(planned, &checked, others, left.total) {
        say(text.trim_end());
        return Err(failure);
    }
    if has_passed {
        text.push_str("nobody is called: --until has passed\n");
    }
    text.push_str(&online.map_or(String::new(), |online| online.text(left.total)));
    left.show(&mut text, planned, around);
    let slots = planned.plan.slots.or(limit).unwrap_or(DEFAULT_SLOTS);
    let beliefs = beliefs(&asked.assume, &known.before, online, planned.sandbox, around);
    let plan = with_callers(&planned.plan, &beliefs, online, planned.sandbox);
    text.push_str(&reserve_text(&plan, slots, around));
    let question = left.question(&plan, asked.runs, &beliefs, slots, known.before.spent_usd, around);
    let forecast = match question.filter(|_| !has_passed).map(|question| question.foresee()) {
        None => None,
        Some(foreseen) => Some(foreseen?.map_err(|why| {
            say_unless(planned.quiet, text.trim_end());
            impossible(&why, &planned.plan, slots, known.before.spent_usd, around)
        })?),
    };
    let outlook = forecast.as_ref().map(|forecast| Outlook {
        campaign,
        forecast,
        beliefs: &beliefs,
        leads: left.total,
        slots,
        reserve: first_reserve(&plan, slots, forecast.starts),
        now: around.now,
        zone: &around.zone,
    });
    if let Some(outlook) = &outlook {
        let unicode = Glyphs::of_locale(|name| around.var(name)) == Glyphs::UNICODE;
        let _infallible = writeln!(text, "{}", outlook.text(stdout_width(), unicode));
        asked.html.as_deref().map_or(Ok(()), |path| write_page(path, &outlook.html()))?;
    }
    if planned.json {
        say_unless(planned.quiet, text.trim_end());
        let object = serde_json::json!({
            "campaign": planned.plan.campaign,
            "exit": Exit::Settled.code(),
            "dry_run": true,
            "list": checked,
            "to_ring": left.total,
            "batches": left.batches(planned).len(),
            "forecast_s": forecast.as_ref().map(|forecast| forecast.seconds.spans().map(|took| took.as_secs())),
            "forecast": outlook.map(|outlook| outlook.json()),
        });
        print(&format!("{object}\n"))?;
    } else if !planned.quiet {
        print(&text)?;
    }
    Ok(Exit::Settled)
}

/// Why a run would be refused that finds this.
fn why_refused(planned: &RunPlan, checked: &Checked, others: Others, to_call: u64) -> Option<Failure> {
    if let Some(error) = &checked.error {
        return Some(Failure::usage(error.clone()));
    }
    match others.refusal(checked.counts.leads).filter(|_| !planned.name_given) {
        Some(error) => Some(refused(planned, error)),
        None => planned.only.as_ref().filter(|_| to_call == 0).map(absent),
    }
}

/// What the reserve deserves to have said of it.
fn reserve_text(plan: &Plan, slots: u32, around: &Environment<'_>) -> String {
    let mut text = String::new();
    if plan.leaves_one(slots) {
        let _infallible = writeln!(text, "{}", one_at_a_time(slots - 1, slots));
    }
    if let Some(auto) = &plan.reserve.auto {
        let first = first_reserve(plan, slots, around.now);
        let known = auto.history.as_ref().map(|history| (history.from.clone(), by_hour(history, plan, slots, around)));
        let _infallible = writeln!(text, "{}", reserve_begins(first, known.as_ref()));
    }
    text
}

/// The list's options, with what the assistant's prompt uses required of it.
fn list_options(planned: &RunPlan, online: Option<&Online>) -> ListOptions {
    let mut options = planned.list.clone();
    options.needed.extend(online.map_or(&[][..], Online::variables).iter().cloned());
    options
}

/// The reserves of today.
fn by_hour(history: &InboundHistory, plan: &Plan, slots: u32, around: &Environment<'_>) -> String {
    let Some(target) = plan.reserve.auto.as_ref().map(|auto| auto.target) else { return String::new() };
    let today = around.now.to_zoned(around.zone.clone()).date();
    history.timetable(today, &around.zone, slots, plan.caution, target).to_string()
}

/// A run that chooses its reserve reads past callers of the account first; here they are what is believed of them, unless
/// that is a guess. The sandbox has no past.
fn with_callers(plan: &Plan, beliefs: &Beliefs, online: Option<&Online>, sandbox: bool) -> Plan {
    let mut plan = plan.clone();
    let known = !sandbox && !beliefs.inbound_per_hour.is_guess();
    if let Some(auto) = plan.reserve.auto.as_mut().filter(|_| known) {
        let shown = online.and_then(|online| online.callers.clone()).filter(|_| beliefs.by_hour.is_some());
        auto.history = Some(shown.unwrap_or_else(|| beliefs.inbound_history()));
    }
    plan
}

fn write_page(path: &Path, page: &str) -> Result<(), Failure> {
    let failed = |error| Failure::machine(format!("--html: {} cannot be written: {error}", file(path)));
    std::fs::write(path, page).map_err(failed)
}

/// A plan that cannot work, with the smallest change that would make it work.
fn impossible(why: &Impossible, plan: &Plan, slots: u32, spent_usd: f64, around: &Environment<'_>) -> Failure {
    let told = |at: Timestamp| moment(at, around.now, &around.zone);
    let written = |at: Timestamp| at.to_zoned(around.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    match *why {
        Impossible::Until(opens) => {
            let until = plan.until.map(told).unwrap_or_default();
            let later = opens.checked_add(SignedDuration::from_mins(1)).unwrap_or(opens);
            Failure::usage(format!("--until {until} is before anybody may be called, which is at {}", told(opens)))
                .advise(format!("end later than that, as in   --until {}", written(later)))
                .advise("or call earlier:   --hours HH:MM-HH:MM")
        }
        Impossible::Reserve(opens) => {
            let most = slots.saturating_sub(plan.caution + 1);
            Failure::usage(format!(
                "the reserve keeps every one of {slots} slots whenever anybody may be called, from {} on",
                told(opens)
            ))
            .advise(format!(
                "reserve {most} or fewer from then on, as in   --reserve {}",
                plan.reserve.at_most(most, opens)
            ))
        }
        Impossible::Spent => {
            let most = plan.max_cost.unwrap_or(0.0);
            Failure::usage(format!("--max-cost {most} has been spent: the campaign has cost {}", dollars(spent_usd)))
                .advise(format!("allow more than that, as in   --max-cost {:.2}", spent_usd + LEAST_MORE_USD))
        }
        Impossible::Hours => Failure::usage("the hours and days let nobody on the list be called")
            .advise("widen them:   --hours, --days, --holidays"),
    }
}

/// What an existing journal knows.
struct Known {
    /// The numbers that are settled.
    settled: HashSet<Phone>,
    /// The pool's limit.
    limit: Option<u32>,
    /// Whom it suppresses.
    suppressed: Box<dyn Fn(Phone) -> bool>,
    /// Its calls of the past.
    before: Before,
    /// Its lists, canonical paths.
    lists: Vec<String>,
}

/// The lists with those that the campaign has from earlier runs.
fn with_earlier(planned: &RunPlan, known: &[String]) -> Vec<CampaignList> {
    let named = planned.inputs.iter().map(|input| CampaignList::named(input, input.clone())).collect();
    let known = if planned.replace { &[] } else { known };
    with_known(named, known.to_vec())
}

/// Other campaigns whose list under another name this may be: whom they have called lately, and how many leads those are.
struct Others(Vec<(String, HashSet<Phone>, u64)>);

impl Others {
    /// Those that a run would ask about. What it would be refused for at once is an error.
    fn asked(planned: &RunPlan, lists: &[CampaignList], around: &Environment<'_>) -> Result<Self, Failure> {
        let mut others = Vec::new();
        if let Some(disk) = planned.state.journal().map_or(Ok(None), Disk::look)? {
            for account in accounts(&disk, planned)? {
                let head = head(planned, &account, lists);
                // Of an assistant that was not said nothing is compared.
                let head = Head { explicit: head.explicit || !planned.missing.is_empty(), ..head };
                let called = disk.called_lately(&head, around.now)?;
                others.extend(called.into_iter().map(|(by, phones)| (by, phones.into_iter().collect(), 0)));
            }
        }
        Ok(Self(others))
    }

    fn count(&mut self, phone: Phone) {
        for (_, phones, leads) in &mut self.0 {
            *leads += u64::from(phones.contains(&phone));
        }
    }

    /// Why the run would be refused that takes so many leads.
    fn refusal(self, of: u64) -> Option<Error> {
        let (by, _, leads) = self.0.into_iter().max_by_key(|(.., leads)| *leads)?;
        is_its_list(leads, of).then_some(Error::CalledLately { by, leads, of })
    }
}

/// The accounts that a run may be of.
fn accounts(disk: &Disk, planned: &RunPlan) -> Result<Vec<Account>, Failure> {
    let all = disk.accounts()?.into_iter();
    Ok(all.filter(|account| account.is_rehearsal() == planned.sandbox).collect())
}

fn known(planned: &RunPlan) -> Result<Known, Failure> {
    let disk = planned.state.journal().map_or(Ok(None), Disk::look)?;
    let Some(disk) = disk else {
        let suppressed = Box::new(|_| false);
        return Ok(Known {
            settled: HashSet::new(),
            limit: None,
            suppressed,
            before: Before::default(),
            lists: Vec::new(),
        });
    };
    let (settled, limit) = disk.known(&planned.plan.campaign, planned.sandbox)?;
    let suppressed = Box::new(disk.suppressions()?);
    let before = before(&disk, &planned.plan.campaign, planned.sandbox)?;
    let lists = accounts(&disk, planned)?.into_iter().map(|account| disk.lists(&account, &planned.plan.campaign));
    let lists = lists.collect::<Result<Vec<_>, _>>()?.concat();
    Ok(Known { settled: settled.into_iter().collect(), limit, suppressed, before, lists })
}

/// Who would be called.
struct Left {
    /// How many are rehearsed at most.
    most: u64,
    sample: Vec<Lead>,
    total: u64,
    /// The different sets of zones.
    zones: HashSet<Vec<String>>,
}

impl Left {
    fn take(&mut self, lead: Lead) {
        self.total += 1;
        if self.zones.len() < MOST_ZONES && !self.zones.contains(&lead.zones) {
            self.zones.insert(lead.zones.clone());
        }
        if (self.sample.len() as u64) < self.most {
            self.sample.push(lead);
        }
    }

    /// The sizes of the batches, if everybody could be called at once.
    fn batches(&self, planned: &RunPlan) -> Vec<usize> {
        let mut left = usize::try_from(self.total).unwrap_or(usize::MAX);
        let mut sizes = Vec::new();
        while left > 0 {
            let size = cut(left, planned.plan.batch_size);
            sizes.push(size);
            left -= size;
        }
        sizes
    }

    fn question<'a>(
        &'a self,
        plan: &'a Plan,
        runs: u32,
        beliefs: &'a Beliefs,
        slots: u32,
        spent_usd: f64,
        around: &Environment<'_>,
    ) -> Option<Question<'a>> {
        let zones = self.zones.iter().cloned().collect();
        let (leads, total, now) = (&self.sample[..], self.total, around.now);
        (total > 0).then_some(Question { plan, leads, total, zones, slots, now, runs, beliefs, spent_usd })
    }

    fn show(&self, text: &mut String, planned: &RunPlan, around: &Environment<'_>) {
        let first = self.first(planned, around);
        let first = first.as_ref().map(|(at, zone)| (*at, zone));
        let _infallible = writeln!(text, "\n{}", batches(&self.batches(planned), first, around.now));
        let Some(lead) = self.sample.first() else { return };
        let line = &planned.account.lines[0];
        let body = shown_body(&planned.account.target, line, ATTEMPT, lead, planned.server.as_ref());
        let base = if planned.sandbox { "http://127.0.0.1 (the sandbox)" } else { &planned.account.base_url };
        let _infallible = writeln!(text, "{}\n", first_request(base, &body));
    }

    /// When the first of them may be called, and in which zone that is so.
    fn first(&self, planned: &RunPlan, around: &Environment<'_>) -> Option<(Timestamp, TimeZone)> {
        let calling = &planned.plan.calling;
        let opens = |lead: &Lead| Some((calling.next_open(&lead.zones, around.now)?, lead.zones.first().cloned()));
        let (at, zone) = self.sample.iter().filter_map(opens).min_by_key(|(at, _)| *at)?;
        let zone = zone.and_then(|name| TimeZone::get(&name).ok()).unwrap_or_else(|| around.zone.clone());
        Some((at, zone))
    }
}
