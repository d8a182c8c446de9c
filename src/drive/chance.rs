//! Where the randomness of attempt ids comes from.

use rand::TryRng;

use crate::journal::Chance;

/// Randomness from the operating system, for ids that nobody can guess.
pub fn chance() -> Chance {
    Box::new(|| {
        let mut bytes = [0; 16];
        rand::rngs::SysRng.try_fill_bytes(&mut bytes).expect("the operating system has randomness");
        u128::from_le_bytes(bytes)
    })
}
