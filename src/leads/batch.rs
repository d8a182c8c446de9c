//! How many leads the next batch takes. It knows nothing of who they are.

/// The fewest leads of a batch, as long as that many wait.
pub const SMALLEST: usize = 50;
/// The most leads of a batch.
pub const LARGEST: usize = 100;

/// How many of the `waiting` leads the next batch takes, for a `--batch-size` of 50 to 100: all of them if they are
/// at most that; else that many, if 50 are left; else all, if they are at most 100; else half, rounded up.
pub const fn cut(waiting: usize, batch_size: usize) -> usize {
    if waiting <= batch_size {
        waiting
    } else if waiting - batch_size >= SMALLEST {
        batch_size
    } else if waiting <= LARGEST {
        waiting
    } else {
        waiting.div_ceil(2)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_batch_holds_50_to_100_as_long_as_50_wait(leads in 0_usize..5_000, size in SMALLEST..=LARGEST) {
            let mut waiting = leads;
            let mut taken = 0;
            while waiting > 0 {
                let batch = cut(waiting, size);
                prop_assert!(batch > 0 && batch <= waiting && batch <= LARGEST);
                prop_assert!(batch >= SMALLEST || leads < SMALLEST, "{batch} of {waiting}");
                taken += batch;
                waiting -= batch;
            }
            prop_assert_eq!(taken, leads);
        }
    }

    #[test]
    fn batches_as_people_meet_them() {
        assert_eq!(cut(120, 50), 50);
        assert_eq!(cut(70, 50), 70);
        assert_eq!(cut(99, 50), 99);
        assert_eq!(cut(149, 100), 75);
        assert_eq!(cut(49, 50), 49);
        assert_eq!(cut(usize::MAX, 50), 50);
    }
}
