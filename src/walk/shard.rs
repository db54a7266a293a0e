//! Shards: the parts of a tree that are worked on apart, each on a machine of its own.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// The maximum number of shards.
const MOST: u32 = 100_000;

/// One of the shards of a tree. Which files are in it follows from their paths alone, so that the shards
/// need not know of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    number: u32,
    of: u32,
}

impl Shard {
    /// Returns the shard `number`, from 1, of so many.
    ///
    /// # Errors
    /// If there is no such shard, in words for people.
    pub fn new(number: u32, of: u32) -> Result<Self, String> {
        if !(1..=MOST).contains(&of) {
            return Err(format!("there are from 1 to {MOST} shards"));
        }
        if !(1..=of).contains(&number) {
            return Err(format!("shards have the numbers from 1 to {of}"));
        }
        Ok(Self { number, of })
    }

    /// Returns its number, from 1.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.number
    }

    /// Returns the number of shards.
    #[must_use]
    pub const fn of(self) -> u32 {
        self.of
    }

    /// Returns whether the file of this name, as it is shown, is in this shard.
    #[must_use]
    pub fn holds(self, name: &str) -> bool {
        // SHA-256, so that every version and every machine divides alike.
        let digest = Sha256::digest(name.replace('\\', "/"));
        let mut head = [0; 8];
        head.copy_from_slice(&digest[..8]);
        u64::from_be_bytes(head) % u64::from(self.of) == u64::from(self.number - 1)
    }

    /// Returns `file` with the shard in its name, behind what stands before its last dot.
    #[must_use]
    pub fn beside(self, file: &str) -> String {
        let Self { number, of } = self;
        match file.rsplit_once('.') {
            Some((stem, ending)) => format!("{stem}-{number}-of-{of}.{ending}"),
            None => format!("{file}-{number}-of-{of}"),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_is_in_one_shard_and_stays_there() {
        let shards: Vec<_> = (1..=16).map(|number| Shard::new(number, 16).unwrap()).collect();
        let mut counts = [0; 16];
        for at in 0..16_000 {
            let name = format!("manifests/{}/{at}.yaml", at % 7);
            let held: Vec<_> = (0..16).filter(|shard| shards[*shard].holds(&name)).collect();
            assert_eq!(held.len(), 1, "{name}");
            counts[held[0]] += 1;
        }
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
        // What one version divided, another must divide alike: `printf 'm/a.yaml' | sha256sum`.
        let in_three = |name| (1..=3).find(|number| Shard::new(*number, 3).unwrap().holds(name));
        assert_eq!(["m/a.yaml", "m/b.yaml", "m/c.yaml"].map(in_three), [Some(3), Some(3), Some(1)]);
        assert_eq!(in_three("m\\a.yaml"), in_three("m/a.yaml"));
    }

    #[test]
    fn a_shard_that_does_not_exist_is_none() {
        assert_eq!(Shard::new(0, 4).unwrap_err(), "shards have the numbers from 1 to 4");
        assert_eq!(Shard::new(5, 4).unwrap_err(), "shards have the numbers from 1 to 4");
        assert_eq!(Shard::new(1, 0).unwrap_err(), "there are from 1 to 100000 shards");
        let shard = Shard::new(3, 16).unwrap();
        assert_eq!(shard.beside(".lineload/journal.sqlite3"), ".lineload/journal-3-of-16.sqlite3");
    }
}
