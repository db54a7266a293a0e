//! Beginnings of `SourceUri` that are replaced before anything looks at it: the same tree for another
//! account, Region or bucket.

use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

/// One beginning, and the text in its place, as `--rewrite-uri` has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UriRewrite {
    /// The beginning that is replaced.
    pub old: String,
    /// The text that replaces it.
    pub new: String,
}

impl FromStr for UriRewrite {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (old, new) = text
            .split_once('=')
            .ok_or("write it as OLD=NEW, such as `s3://old-lake/=s3://new-lake/`")?;
        if old.is_empty() {
            return Err("add the beginning to replace before the `=`".to_owned());
        }
        Ok(Self { old: old.to_owned(), new: new.to_owned() })
    }
}

/// All rewrites of a run. Of those whose beginning a URI has, the longest is applied, once.
#[derive(Debug, Default)]
pub struct Rewrites {
    /// The longest beginning first, and whether a URI had it.
    list: Vec<(UriRewrite, AtomicBool)>,
}

/// A beginning that has two replacements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ambiguous(pub String);

impl Rewrites {
    /// Returns these rewrites, in any order.
    ///
    /// # Errors
    /// If two have the same beginning.
    pub fn new(rewrites: &[UriRewrite]) -> Result<Self, Ambiguous> {
        let mut list: Vec<_> = rewrites.to_vec();
        list.sort_by(|one, other| {
            (other.old.len(), &one.old, &one.new).cmp(&(one.old.len(), &other.old, &other.new))
        });
        list.dedup();
        match list.windows(2).find(|two| two[0].old == two[1].old) {
            Some(two) => Err(Ambiguous(two[0].old.clone())),
            None => Ok(Self {
                list: list.into_iter().map(|one| (one, AtomicBool::new(false))).collect(),
            }),
        }
    }

    /// Returns whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Returns `uri` rewritten; `None` if it has none of the beginnings.
    #[must_use]
    pub fn apply(&self, uri: &str) -> Option<String> {
        let fits = |(one, _): &&(UriRewrite, AtomicBool)| uri.starts_with(one.old.as_str());
        let (UriRewrite { old, new }, matched) = self.list.iter().find(fits)?;
        // Threads share it, and write it once.
        if !matched.load(Ordering::Relaxed) {
            matched.store(true, Ordering::Relaxed);
        }
        Some(format!("{new}{}", &uri[old.len()..]))
    }

    /// Returns the rewrites that were applied to no URI.
    pub fn unused(&self) -> impl Iterator<Item = &UriRewrite> {
        let unused = |(_, matched): &&(UriRewrite, AtomicBool)| !matched.load(Ordering::Relaxed);
        self.list.iter().filter(unused).map(|(one, _)| one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewrites(list: &[&str]) -> Result<Rewrites, Ambiguous> {
        let list: Vec<UriRewrite> = list.iter().map(|one| one.parse().unwrap()).collect();
        Rewrites::new(&list)
    }

    #[test]
    fn the_longest_beginning_is_replaced_once() {
        let all = rewrites(&["s3://a=s3://a/b", "s3://a/b/=s3://c/", "s3://x/=", "s3://y/=z"]);
        let all = all.unwrap();
        assert_eq!(all.apply("s3://a/b/k").as_deref(), Some("s3://c/k"));
        assert_eq!(all.apply("s3://a/bk").as_deref(), Some("s3://a/b/bk"));
        assert_eq!(all.apply("s3://ab").as_deref(), Some("s3://a/bb"));
        assert_eq!(all.apply("s3://x/=k").as_deref(), Some("=k"));
        assert_eq!(all.apply("S3://a/b/k"), None);
        let unused: Vec<_> = all.unused().map(|one| one.old.as_str()).collect();
        assert_eq!(unused, ["s3://y/"]);
        assert!(Rewrites::default().apply("s3://a").is_none());
    }

    #[test]
    fn what_has_two_meanings_is_refused() {
        assert_eq!(rewrites(&["a=b", "c=d", "a=e"]).unwrap_err(), Ambiguous("a".to_owned()));
        assert!(rewrites(&["a=b", "a=b"]).is_ok());
        assert!("s3://a".parse::<UriRewrite>().unwrap_err().contains("OLD=NEW"));
        assert!("=s3://a".parse::<UriRewrite>().is_err());
        let one: UriRewrite = "s3://a/=s3://b/dt=1/".parse().unwrap();
        assert_eq!((one.old.as_str(), one.new.as_str()), ("s3://a/", "s3://b/dt=1/"));
    }
}
