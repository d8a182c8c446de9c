//! The power goes, and the disk did not keep all that it said was written: the database or its log is cut short, or a
//! bit of the log is another. What opens goes on with what the listing still shows, and calls nobody twice; what does
//! not open refuses, and the campaign is taken back.
//!
//! Not promised, so left out: calls that nothing tells of when the machine comes back.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use dialer::campaign::notice::StopReason;

use super::scene::{Dice, Scene, state_dir};
use super::seeds;

const KILOBYTE: usize = 1024;

/// What became of the two files.
#[derive(Clone, Copy, Debug)]
enum Tear {
    /// The log ends there.
    Log(usize),
    /// The database ends there, and its log is whole.
    Database(usize),
    /// The database ends there, and its log is gone.
    DatabaseAlone(usize),
    /// This bit of the log is another.
    Flip(usize),
}

/// The database and its log.
struct Files {
    database: Vec<u8>,
    log: Vec<u8>,
}

impl Files {
    fn torn(mut self, tear: Tear) -> Self {
        match tear {
            Tear::Log(length) => self.log.truncate(length),
            Tear::Database(length) => self.database.truncate(length),
            Tear::DatabaseAlone(length) => {
                self.database.truncate(length);
                self.log.clear();
            }
            Tear::Flip(bit) => self.log[bit / 8] ^= 1 << (bit % 8),
        }
        self
    }
}

/// A small campaign that is killed before that action, and what it left on the disk.
fn left(seed: u64, action: u64) -> (Scene, Files) {
    let mut scene = Scene::new(seed, 6, 8);
    scene.start();
    assert!(!scene.play(Some(action)), "seed {seed} has no action {action}");
    let file = |name: &str| fs::read(scene.dir.path().join(name)).unwrap();
    let files = Files { database: file("journal.db"), log: file("journal.db-wal") };
    scene.crash();
    scene.wait(Duration::from_mins(2));
    (scene, files)
}

/// Goes on after the tear. True if the journal was refused.
fn goes_on(seed: u64, action: u64, tear: Tear) -> bool {
    let whose = format!("seed {seed}, killed before action {action}, {tear:?}");
    let (mut scene, files) = left(seed, action);
    let mut excused: BTreeSet<String> = scene.excused();
    scene.dir = state_dir();
    let torn = files.torn(tear);
    fs::write(scene.dir.path().join("journal.db"), torn.database).unwrap();
    fs::write(scene.dir.path().join("journal.db-wal"), torn.log).unwrap();
    let refused = match scene.try_start() {
        Ok(()) => false,
        Err(error) => {
            let words = error.to_string();
            assert!(words.contains("journal.db") && words.contains("--adopt"), "{whose}: {words}");
            scene.dir = state_dir();
            scene.start();
            true
        }
    };
    scene.play(None);
    if matches!(scene.why(), StopReason::Strangers(..)) {
        scene.plan.adopt = true;
    } else {
        assert!(!refused || !scene.stage.world.calls().iter().any(|call| call.name.is_some()), "{whose}: not noticed");
    }
    scene.finish();
    excused.extend(scene.excused());
    scene.judge_all_but(&excused, &whose);
    refused
}

/// An action at which a small campaign has some calls behind it, and some up.
fn midway(seed: u64) -> u64 {
    60 + Dice::new(seed ^ 0x7042).below(60)
}

/// Every tear at a step of so many bytes, the first of them at a place that the seed gives.
fn every(seed: u64, step: usize) -> (u64, u64) {
    let action = midway(seed);
    let (_, files) = left(seed, action);
    let first = usize::try_from(Dice::new(seed).below(step as u64)).unwrap() / KILOBYTE * KILOBYTE;
    let places = |length: usize| (first..length).step_by(step);
    let tears = places(files.log.len())
        .map(Tear::Log)
        .chain(places(files.database.len()).flat_map(|length| [Tear::Database(length), Tear::DatabaseAlone(length)]))
        .chain(places(files.log.len()).map(|byte| Tear::Flip(byte * 8 + byte / KILOBYTE % 8)));
    let (mut tried, mut refused) = (0, 0);
    for tear in tears {
        tried += 1;
        refused += u64::from(goes_on(seed, action, tear));
    }
    (tried, refused)
}

fn sum(tears: impl Iterator<Item = (u64, u64)>) -> (u64, u64) {
    tears.fold((0, 0), |(tried, refused), (more, of_them)| (tried + more, refused + of_them))
}

#[test]
fn a_torn_journal_forgets_no_call_that_is_listed_or_refuses() {
    let (tried, refused) = sum(seeds(4).map(|seed| every(seed, 97 * KILOBYTE)));
    println!("{tried} tears, {refused} refused");
    assert!(refused > 0 && refused < tried, "{refused} of {tried}");
}

#[test]
#[ignore = "minutes: every kilobyte of one journal"]
fn a_journal_torn_at_every_kilobyte() {
    let (tried, refused) = every(1, KILOBYTE);
    println!("{tried} tears, {refused} refused");
    assert!(refused > 0 && refused < tried, "{refused} of {tried}");
}
