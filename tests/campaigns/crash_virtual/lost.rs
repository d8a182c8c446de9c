//! The journal is lost with the process, and the campaign is taken back from the provider's listing.
//!
//! Not promised, so left out: calls that were not listed when the journal was lost and of which nothing else tells
//! (so the second machine comes when something is listed), and calls that are never listed at all.

use std::collections::BTreeSet;
use std::time::Duration;

use dialer::campaign::notice::StopReason;
use dialer::rehearsal::world::Filter;
use dialer::rehearsal::world::call::Kind;

use super::scene::{Dice, Scene, state_dir};
use super::seeds;

/// A campaign whose journal will be lost. Under `--in-doubt never` the second search comes after 20 polls already, and a
/// call may be left out of listings for longer: then nothing tells of it.
fn to_be_lost(seed: u64, slots: u32, count: u64) -> Scene {
    let mut scene = Scene::new(seed, slots, count);
    scene.plan.in_doubt.get_or_insert(Duration::from_mins(10));
    scene
}

impl Scene {
    /// The ids of calls that are listed now.
    fn listed(&mut self) -> BTreeSet<String> {
        let now = self.stage.world.now();
        let everything = Filter { limit: usize::MAX, ..Filter::default() };
        let calls = self.stage.world.list(now, 0, &everything).into_iter();
        calls.filter(|call| call.kind == Kind::Outbound).map(|call| call.id.as_str().to_owned()).collect()
    }

    /// The process dies, and the disk with it. Somebody notices when the account shows what was done, or much later.
    fn lose(&mut self) {
        self.crash();
        self.dir = state_dir();
        for _ in 0..60 {
            if !self.listed().is_empty() {
                return;
            }
            self.wait(Duration::from_secs(5));
        }
    }

    /// Without `--adopt` a journal that knows nothing stops at once, where there is anything to be known.
    fn is_refused(&mut self, whose: &str) {
        let (before, known) = (self.stage.world.calls().len(), !self.listed().is_empty());
        if !known {
            return;
        }
        self.start();
        assert!(self.play(None));
        assert!(
            matches!(self.why(), StopReason::Strangers(..) | StopReason::SearchFailed(_)),
            "{whose}: {:?}",
            self.outcomes
        );
        let outbound = self.stage.world.calls()[before..].iter().filter(|call| call.kind == Kind::Outbound);
        let own = outbound.filter(|call| call.created > self.stage.world.began()).count();
        assert!(own <= 1, "{whose}: {own} calls were created by a run that was to be refused");
    }

    /// Numbers with a call that is never listed.
    pub(crate) fn excused(&mut self) -> BTreeSet<String> {
        let listed = self.listed();
        let calls = self.stage.world.calls().iter().filter(|call| call.kind == Kind::Outbound);
        let hidden = calls.filter(|call| !listed.contains(call.id.as_str()));
        hidden.map(|call| call.request.number.clone()).collect()
    }

    fn judge_after_a_loss(&mut self, whose: &str) {
        let excused = self.excused();
        self.judge_all_but(&excused, whose);
    }
}

/// Loses the journal of a small campaign before that action. False if it has no such action.
fn lost_before(seed: u64, action: u64) -> bool {
    let whose = format!("seed {seed}, journal lost before action {action}");
    let mut scene = to_be_lost(seed, 6, 8);
    scene.start();
    if scene.play(Some(action)) {
        return false;
    }
    scene.lose();
    scene.plan.adopt = true;
    scene.finish();
    scene.judge_after_a_loss(&whose);
    true
}

#[test]
fn a_small_campaign_is_taken_back_wherever_its_journal_was_lost() {
    let mut losses = 0;
    for seed in seeds(2) {
        losses += (0..100_000).take_while(|action| lost_before(seed, *action)).count();
    }
    println!("{losses} journals lost");
    assert!(losses > 100);
}

/// Crashes and losses in any order.
fn lost_at_random(seed: u64) -> u64 {
    let whose = format!("seed {seed}");
    let mut dice = Dice::new(seed ^ 0xd15c);
    let mut scene = to_be_lost(seed, 10, 20 + dice.below(40));
    let mut losses = 0;
    for _ in 0..=dice.below(6) {
        scene.start();
        let action = 1 << dice.below(11);
        if scene.play(Some(dice.below(action))) {
            break;
        }
        if dice.below(2) == 0 {
            scene.crash();
            continue;
        }
        scene.lose();
        losses += 1;
        if dice.below(2) == 0 {
            scene.plan.adopt = false;
            scene.is_refused(&whose);
        }
        scene.plan.adopt = true;
    }
    scene.finish();
    scene.judge_after_a_loss(&whose);
    losses
}

#[test]
fn larger_campaigns_are_taken_back_again_and_again() {
    let losses: u64 = seeds(20).map(lost_at_random).sum();
    println!("{losses} journals lost");
}
