//! The place where DVC keeps the data of an output.

use super::config::Remote;

/// An output, as far as its place in a remote follows from it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Location<'l> {
    /// Its path below the root of the repository, or its URL outside of it.
    pub(super) path: &'l str,
    /// Its hash, which ends in `.dir` if it is a directory.
    pub(super) md5: Option<&'l str>,
    /// The kind of its hash; none before DVC 3.
    pub(super) hash: Option<&'l str>,
    /// True if the file says that a remote has it under its own name.
    pub(super) versioned: bool,
}

impl Location<'_> {
    /// Returns whether it is outside of the repository, where DVC only looks at it.
    pub(super) fn is_external(&self) -> bool {
        self.path.contains("://")
    }

    /// Returns the URI of the data; `None` without a remote, or without a hash in one that goes by hashes.
    pub(super) fn uri(&self, remote: Option<&Remote>) -> Option<String> {
        if self.is_external() {
            return Some(self.path.to_owned());
        }
        let remote = remote?;
        let url = &remote.url;
        if remote.versioned || self.versioned {
            return Some(format!("{url}/{}", self.path));
        }
        let md5 = self.md5.filter(|md5| md5.is_ascii() && md5.len() > 2)?;
        let (first, rest) = md5.split_at(2);
        // Before DVC 3 hashes stood at the root of the remote, and were those of texts with other line
        // ends.
        let below = match self.hash {
            Some(hash) => format!("files/{hash}/"),
            None => String::new(),
        };
        Some(format!("{url}/{below}{first}/{rest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_found_by_its_hash_or_by_its_name() {
        let remote = |versioned| Remote { url: "s3://lake/dvc".to_owned(), versioned };
        let md5 = Some("a304afb96060aad90176268345e10355");
        let new = Location { path: "data/x.csv", md5, hash: Some("md5"), versioned: false };
        let at = "s3://lake/dvc/files/md5/a3/04afb96060aad90176268345e10355";
        assert_eq!(new.uri(Some(&remote(false))).as_deref(), Some(at));
        let old = Location { hash: None, ..new };
        let at = "s3://lake/dvc/a3/04afb96060aad90176268345e10355";
        assert_eq!(old.uri(Some(&remote(false))).as_deref(), Some(at));
        assert_eq!(old.uri(Some(&remote(true))).as_deref(), Some("s3://lake/dvc/data/x.csv"));
        assert_eq!(old.uri(None), None);
        let outside = Location { path: "s3://other/x.csv", ..old };
        assert_eq!(outside.uri(None).as_deref(), Some("s3://other/x.csv"));
        let hashless = Location { md5: None, ..new };
        assert_eq!(hashless.uri(Some(&remote(false))), None);
    }
}
