//! `.dvc/config`: the remotes of a repository.
//!
//! In: the text of the file, in the dialect of Python's `configobj`, whose names of sections have quotes
//! of their own: `['remote "storage"']`. Out: remotes by name. Of the other settings, and of the
//! configurations of users and machines, nothing is used: what is generated would depend on them.

use std::collections::BTreeMap;
use std::path::Path;

/// A remote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remote {
    /// Its URL, without a `/` at the end. What was a path below the repository is a `file://` URL.
    pub url: String,
    /// True if it keeps files under their own names, with versions of the store.
    pub versioned: bool,
}

/// The remotes of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    remotes: BTreeMap<String, Remote>,
    default: Option<String>,
}

impl Config {
    /// Reads the text of `.dvc/config`, a file in `directory`.
    #[must_use]
    pub fn read(text: &str, directory: &Path) -> Self {
        let mut config = Self::default();
        let mut remote: Option<String> = None;
        let mut in_core = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
                let section = unquoted(section);
                in_core = section == "core";
                remote = section.strip_prefix("remote ").map(|name| unquoted(name).to_owned());
                continue;
            }
            let Some((key, value)) = line.split_once('=') else { continue };
            let (key, value) = (key.trim(), setting(value));
            match &remote {
                None if in_core && key == "remote" => config.default = Some(value.to_owned()),
                None => {}
                Some(name) => {
                    let remote = config.remotes.entry(name.clone()).or_default();
                    match key {
                        "url" => remote.url = url(value, directory),
                        "version_aware" | "worktree" => {
                            remote.versioned |= matches!(
                                value.to_ascii_lowercase().as_str(),
                                "true" | "1" | "yes" | "on"
                            );
                        }
                        _ => {}
                    }
                }
            }
        }
        // `url = remote://other/path` stands below the URL of another one.
        let urls: BTreeMap<String, String> = config
            .remotes
            .iter()
            .map(|(name, remote)| (name.clone(), remote.url.clone()))
            .collect();
        for remote in config.remotes.values_mut() {
            if let Some(rest) = remote.url.strip_prefix("remote://") {
                let (name, path) = rest.split_once('/').unwrap_or((rest, ""));
                if let Some(base) = urls.get(name) {
                    remote.url = format!("{base}/{path}").trim_end_matches('/').to_owned();
                }
            }
        }
        config
    }

    /// Returns whether no remote is configured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.remotes.is_empty()
    }

    /// Returns the remote `name`, or the default one.
    #[must_use]
    pub fn remote(&self, name: Option<&str>) -> Option<(&str, &Remote)> {
        let name = name.or(self.default.as_deref())?;
        self.remotes.get_key_value(name).map(|(name, remote)| (name.as_str(), remote))
    }
}

/// A value without quotes, or up to a comment.
fn setting(value: &str) -> &str {
    let value = value.trim();
    match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value[1..].split(quote).next().unwrap_or_default(),
        _ => value.split(" #").next().unwrap_or(value).trim_end(),
    }
}

fn unquoted(name: &str) -> &str {
    name.trim().trim_matches('\'').trim_matches('"')
}

/// Returns the URL of a remote. A path is one below `directory`.
fn url(value: &str, directory: &Path) -> String {
    let value = value.trim_end_matches('/');
    if value.contains("://") {
        return value.to_owned();
    }
    let path = crate::generate::slashed(&directory.join(value));
    let path = super::path::joined("", &path);
    format!("file:///{}", path.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::read(text, Path::new("/work/repo/.dvc"))
    }

    #[test]
    fn the_default_remote_and_others_are_read() {
        let config = config(
            "[core]\n    remote = storage\n    autostage = true\n['remote \"storage\"']\n    \
             url = s3://lake/dvc/ # the lake\n    endpointurl = http://x\n['remote \"versions\"']\n    \
             url = \"s3://lake/own names\"\n    version_aware = true\n",
        );
        let remote = |url: &str, versioned| Remote { url: url.to_owned(), versioned };
        assert_eq!(config.remote(None), Some(("storage", &remote("s3://lake/dvc", false))));
        let versions = remote("s3://lake/own names", true);
        assert_eq!(config.remote(Some("versions")), Some(("versions", &versions)));
        assert_eq!(config.remote(Some("none")), None);
    }

    #[test]
    fn paths_stand_below_the_directory_of_the_file_and_remotes_below_one_another() {
        let config = config(
            "[core]\nremote = local\n['remote \"local\"']\nurl = ../../storage\n\
             ['remote \"base\"']\nurl = s3://lake\n['remote \"below\"']\nurl = remote://base/team/x\n",
        );
        let url = |name| config.remote(name).map(|(_, remote)| remote.url.as_str());
        assert_eq!(url(None), Some("file:///work/storage"));
        assert_eq!(url(Some("below")), Some("s3://lake/team/x"));
    }
}
