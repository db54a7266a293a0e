//! The severity of each rule in a run.

use super::{Code, Severity};

/// The severity of a rule in a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The entry is not sent.
    Error,
    /// Worth a look; the entry is sent.
    Warn,
    /// Nothing is said.
    Off,
}

impl Level {
    /// Every level, as it is written.
    pub const NAMES: [&'static str; 3] = ["error", "warn", "off"];

    /// Returns the level of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "error" => Some(Self::Error),
            "warn" => Some(Self::Warn),
            "off" => Some(Self::Off),
            _ => None,
        }
    }
}

/// The level of every rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Levels([Option<Severity>; Code::ALL.len()]);

impl Default for Levels {
    fn default() -> Self {
        let mut levels = [None; Code::ALL.len()];
        for code in Code::ALL {
            levels[*code as usize] = Some(code.severity());
        }
        Self(levels)
    }
}

impl Levels {
    /// Returns the severity of `code`; `None` if it is off.
    #[must_use]
    pub const fn severity(&self, code: Code) -> Option<Severity> {
        self.0[code as usize]
    }

    /// Sets the level of a rule. Returns false, and changes nothing, if its severity cannot be
    /// lowered.
    pub fn set(&mut self, code: Code, level: Level) -> bool {
        if !code.can_be_changed() && level != Level::Error {
            return false;
        }
        self.0[code as usize] = match level {
            Level::Error => Some(Severity::Error),
            Level::Warn => Some(Severity::Warning),
            Level::Off => None,
        };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_service_refuses_stays_an_error() {
        let mut levels = Levels::default();
        for code in Code::ALL {
            assert_eq!(levels.severity(*code), Some(code.severity()));
            assert_eq!(levels.set(*code, Level::Off), code.can_be_changed(), "{code}");
        }
        assert_eq!(levels.severity(Code::NamePattern), Some(Severity::Error));
        assert_eq!(levels.severity(Code::LineBreak), None);
        assert!(levels.set(Code::LineBreak, Level::Warn));
        assert_eq!(levels.severity(Code::LineBreak), Some(Severity::Warning));
    }
}
