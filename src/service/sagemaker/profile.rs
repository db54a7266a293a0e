//! The AWS configuration files, as the AWS CLI reads them.
//!
//! In: the files, the environment and the name of a profile. Out: the selected profile, and its
//! settings for certificates, MFA and the Region. The SDK resolves the credentials of a profile.

use std::borrow::Cow;
use std::path::Path;

use aws_config::profile::{Profile, ProfileSet};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};

use super::ConnectError;
use super::http::Trust;

/// Profiles that are followed by `source_profile`.
const HOPS: usize = 8;

/// The configuration files, and the selected profile.
#[derive(Debug)]
pub(super) struct Profiles {
    all: ProfileSet,
    /// The profile from the command line or AWS_PROFILE.
    named: Option<String>,
}

impl Profiles {
    /// Reads the files. A named profile has to exist, as with the AWS CLI.
    pub(super) async fn read(asked: Option<&str>) -> Result<Self, ConnectError> {
        let by_environment = || set("AWS_PROFILE");
        let named = asked.map(str::to_owned).or_else(by_environment);
        let (files, name) = (EnvConfigFiles::default(), named.clone().map(Cow::Owned));
        let all = aws_config::profile::load(&Fs::default(), &Env::default(), &files, name)
            .await
            .map_err(|error| ConnectError::BadFiles(super::error::chain(&error)))?;
        let profiles = Self { all, named };
        match &profiles.named {
            Some(name) if profiles.all.get_profile(name).is_none() => {
                Err(ConnectError::NoProfile {
                    name: name.clone(),
                    by_environment: asked.is_none(),
                    near: profiles.near(name),
                })
            }
            _ => Ok(profiles),
        }
    }

    /// Returns the profile in force, if there is one.
    fn selected(&self) -> Option<&Profile> {
        self.all.get_profile(self.name())
    }

    /// Returns the name of the profile in force.
    pub(super) fn name(&self) -> &str {
        self.named.as_deref().unwrap_or_else(|| self.all.selected_profile())
    }

    /// Returns the Region that the profile names.
    pub(super) fn region(&self) -> Option<&str> {
        self.selected()?.get("region").filter(|region| !region.is_empty())
    }

    /// Reads the certificates to trust. As with the AWS CLI, AWS_CA_BUNDLE wins over the profile's
    /// `ca_bundle`, and that over REQUESTS_CA_BUNDLE; without any, those of the system are trusted,
    /// where SSL_CERT_FILE is respected.
    pub(super) fn trust(&self) -> Result<Trust, ConnectError> {
        let by_profile = || {
            let file = self.selected()?.get("ca_bundle").filter(|file| !file.is_empty())?;
            Some((file.to_owned(), "`ca_bundle` in the profile"))
        };
        let bundle = set("AWS_CA_BUNDLE")
            .map(|file| (file, "AWS_CA_BUNDLE"))
            .or_else(by_profile)
            .or_else(|| set("REQUESTS_CA_BUNDLE").map(|file| (file, "REQUESTS_CA_BUNDLE")));
        match bundle {
            Some((file, source)) => Ok(Trust::read(Path::new(&file), source)?),
            None => Ok(Trust::default()),
        }
    }

    /// Returns the profile that requires MFA: the one in force, or one that its role is assumed
    /// from. The SDK ignores `mfa_serial` and assumes the role without it.
    pub(super) fn wants_mfa(&self) -> Option<&str> {
        let mut name = self.name();
        for _ in 0..HOPS {
            let profile = self.all.get_profile(name)?;
            if profile.get("role_arn").is_some() && profile.get("mfa_serial").is_some() {
                return Some(profile.name());
            }
            name = profile.get("source_profile").filter(|next| *next != name)?;
        }
        None
    }

    /// Returns the names of profiles that are similar to `name`, the most similar first; all of
    /// them if they are few.
    fn near(&self, name: &str) -> Vec<String> {
        near(name, self.all.profiles())
    }
}

/// The number of names that are shown if none is similar to the requested one.
const MAX_SUGGESTIONS: usize = 5;

fn near<'n>(name: &str, all: impl Iterator<Item = &'n str>) -> Vec<String> {
    let lower = name.to_lowercase();
    let mut all: Vec<(usize, &str)> =
        all.map(|one| (strsim::damerau_levenshtein(&one.to_lowercase(), &lower), one)).collect();
    all.sort_unstable();
    let like = |(distance, one): &(usize, &str)| {
        *distance <= (name.chars().count() / 3).max(1) || one.to_lowercase().contains(&lower)
    };
    let likest: Vec<_> = all.iter().copied().filter(like).collect();
    let chosen = if likest.is_empty() { all } else { likest };
    chosen.into_iter().take(MAX_SUGGESTIONS).map(|(_, one)| one.to_owned()).collect()
}

/// Returns the environment variable `name`, unless it is empty.
pub(super) fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_that_are_like_the_one_asked_for_are_named() {
        let all = ["default", "prod", "prod-eu", "staging", "dev"];
        assert_eq!(near("prd", all.into_iter()), ["prod"]);
        assert_eq!(near("PROD", all.into_iter()), ["prod", "prod-eu"]);
        assert_eq!(near("zzzzzzzz", all.into_iter()).len(), 5);
        assert_eq!(near("x", std::iter::empty()), [""; 0]);
    }
}
