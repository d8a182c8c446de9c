//! One campaign, killed and gone on with.

use std::time::Duration;

use dialer::campaign::event::Stop;

use super::place::is_there;
use super::scene::{Dice, Kept, Scene};
use super::{a_tenth, seeds};

/// Kills a small campaign before that action. False if it has no such action.
fn killed_before(kept: Kept, seed: u64, action: u64) -> bool {
    let mut scene = Scene::kept(kept, seed, 6, 8);
    scene.start();
    if scene.play(Some(action)) {
        scene.judge_or_go_on(seed, action);
        return false;
    }
    scene.crash();
    scene.judge_or_go_on(seed, action);
    true
}

impl Scene {
    fn judge_or_go_on(&mut self, seed: u64, action: u64) {
        self.finish();
        self.judge(&format!("seed {seed}, killed before action {action}"));
    }
}

fn every_action(kept: Kept, seed: u64, step: u64) -> u64 {
    let mut crashes = 0;
    while killed_before(kept, seed, crashes * step) {
        crashes += 1;
    }
    crashes
}

#[test]
fn a_small_campaign_survives_a_crash_at_every_action() {
    let crashes: u64 = seeds(2).map(|seed| every_action(Kept::InFile, seed, 1)).sum();
    println!("{crashes} crashes");
    assert!(crashes > 100);
}

#[test]
fn a_small_campaign_on_a_server_survives_crashes_at_its_actions() {
    if is_there() {
        let crashes: u64 = a_tenth(2).map(|seed| every_action(Kept::OnServer, seed, 10)).sum();
        println!("{crashes} crashes");
        assert!(crashes > 10);
    }
}

/// Kills a larger campaign at random actions and times, again and again.
fn killed_at_random(kept: Kept, seed: u64) -> u64 {
    let mut dice = Dice::new(seed);
    let mut scene = Scene::kept(kept, seed, 10, 20 + dice.below(60));
    let crashes = 1 + dice.below(8);
    for _ in 0..crashes {
        if dice.below(6) == 0 {
            scene.start_in_vain(dice.below(2) == 0);
        }
        scene.start();
        let over = if dice.below(2) == 0 {
            let action = 1 << dice.below(11);
            scene.play(Some(dice.below(action)))
        } else {
            let length = 1_000 << dice.below(12);
            scene.play_for(Duration::from_millis(dice.below(length)))
        };
        if over {
            break;
        }
        scene.crash();
        if dice.below(4) == 0 {
            let pause = 1_000 << dice.below(12);
            scene.wait(Duration::from_millis(dice.below(pause)));
        }
    }
    scene.finish();
    scene.judge(&format!("seed {seed}"));
    scene.crashes
}

#[test]
fn larger_campaigns_survive_crashes_at_random() {
    let crashes: u64 = seeds(20).map(|seed| killed_at_random(Kept::InFile, seed)).sum();
    println!("{crashes} crashes");
}

#[test]
fn larger_campaigns_on_a_server_survive_crashes_at_random() {
    if is_there() {
        let crashes: u64 = a_tenth(20).map(|seed| killed_at_random(Kept::OnServer, seed)).sum();
        println!("{crashes} crashes");
    }
}

#[test]
fn a_run_that_only_follows_its_last_calls_sleeps_between_polls() {
    let mut scene = Scene::new(1, 10, 40);
    scene.start();
    let (place, began) = (scene.place, scene.stage.world.now());
    scene.stage.order(place, began + Duration::from_secs(50), Stop::Drain);
    for second in 0.. {
        scene.stage.play(began + Duration::from_secs(second), None).unwrap();
        let now = scene.stage.now();
        let run = scene.stage.runs[place].as_ref().unwrap();
        let Some(wakeup) = run.campaign.next_wakeup(now) else { break };
        assert!(wakeup.since(now.at) > Duration::from_micros(1), "it spins after {second} s");
        assert!(second < 3_600, "it never ends");
    }
}
