//! One campaign, killed and gone on with.

use std::time::Duration;

use dialer::campaign::event::Stop;

use super::scene::{Dice, Scene};
use super::seeds;

/// Kills a small campaign before that action. False if it has no such action.
fn killed_before(seed: u64, action: u64) -> bool {
    let mut scene = Scene::new(seed, 6, 8);
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

fn every_action(seed: u64, step: u64) -> u64 {
    let mut crashes = 0;
    while killed_before(seed, crashes * step) {
        crashes += 1;
    }
    crashes
}

#[test]
fn a_small_campaign_survives_a_crash_at_every_action() {
    let crashes: u64 = seeds(2).map(|seed| every_action(seed, 1)).sum();
    println!("{crashes} crashes");
    assert!(crashes > 100);
}

/// Kills a larger campaign at random actions and times, again and again.
fn killed_at_random(seed: u64) -> u64 {
    let mut dice = Dice::new(seed);
    let mut scene = Scene::new(seed, 10, 20 + dice.below(60));
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
    let crashes: u64 = seeds(20).map(killed_at_random).sum();
    println!("{crashes} crashes");
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
