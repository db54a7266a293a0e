//! Decodes the text of a configuration, and reports every fault with its place.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Config, FailOn, Format, Override};
use crate::diagnostic::{self, Allowances, Code, Diagnostic, Draft, Findings, Level, Levels};
use crate::source::{Base, Pattern, SourceFile, Span};
use crate::text::{either, quoted};

/// The tables and keys that there are.
const ROOT: [&str; 7] = ["exclude", "fail-on", "format", "guard", "overrides", "pace", "rules"];
const OVERRIDE: [&str; 2] = ["paths", "rules"];
const PACE: [&str; 1] = ["max-rate"];
const GUARD: [&str; 2] = ["expect-account", "expect-region"];
/// The options that may only be set on the command line: a file may come from a pull request.
const COMMAND_LINE_ONLY: [&str; 13] = [
    "endpoint-url",
    "profile",
    "region",
    "credentials",
    "yes",
    "set",
    "on-exists",
    "report",
    "output",
    "journal",
    "local",
    "rate",
    "follow-links",
];

type Value<'t> = Spanned<DeValue<'t>>;

/// Reads the configuration in `source`; its patterns are relative to `base`. Settings with a fault
/// are ignored, and each fault is a finding.
#[must_use]
pub fn decode(source: &SourceFile, base: &Arc<Base>) -> (Config, Vec<Diagnostic>) {
    let levels = Levels::default();
    let mut decoder = Decoder {
        findings: Findings::new(source, &levels, Allowances::default()),
        base,
        config: Config::default(),
    };
    if source.fault().is_some() {
        decoder.fault(0..0, "the file is not UTF-8", "save it as UTF-8");
    } else {
        let (root, errors) = DeTable::parse_recoverable(source.text());
        for error in &errors {
            let message = error.message().lines().next().unwrap_or("invalid TOML").to_owned();
            decoder.fault(
                error.span().unwrap_or(0..0),
                message,
                "see https://toml.io for the syntax",
            );
        }
        if errors.is_empty() {
            decoder.root(root.get_ref());
        }
    }
    let (mut findings, _) = decoder.findings.take();
    diagnostic::sort(&mut findings);
    (decoder.config, findings)
}

struct Decoder<'s> {
    findings: Findings<'s>,
    base: &'s Arc<Base>,
    config: Config,
}

impl Decoder<'_> {
    fn fault(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.findings.push(Draft::new(Code::Config, Span::new(span), message).help(help));
    }

    fn root(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "rules" => {
                    for (code, level) in self.levels(value) {
                        self.config.rules.everywhere.set(code, level);
                    }
                }
                "exclude" => self.config.exclude = self.patterns(value),
                "format" => {
                    let names = Format::ALL.map(Format::as_str);
                    self.config.format = self.one_of(value, &names, Format::from_name);
                }
                "fail-on" => {
                    self.config.fail_on = self.one_of(value, &FailOn::NAMES, FailOn::from_name);
                }
                "overrides" => self.overrides(value),
                "pace" => self.pace(value),
                "guard" => self.guard(value),
                _ => self.unknown(key, &ROOT, "`lineload.toml`"),
            }
        }
    }

    fn unknown(&mut self, key: &Spanned<Cow<'_, str>>, known: &[&str], place: &str) {
        let name = key.get_ref();
        if COMMAND_LINE_ONLY.contains(&name.as_ref()) {
            let message = format!("{} cannot be set in a configuration file", quoted(name));
            let help = format!(
                "pass it as `--{name}`: a file in a pull request must not decide where requests \
                 go or what is written"
            );
            self.fault(key.span(), message, help);
            return;
        }
        let near = known
            .iter()
            .map(|known| (strsim::damerau_levenshtein(known, name), known))
            .min()
            .filter(|(distance, _)| *distance <= 2);
        let help = match near {
            Some((_, near)) => format!("did you mean `{near}`?"),
            None => format!("expected {}", either(known.iter().copied())),
        };
        self.fault(key.span(), format!("unknown key {} in {place}", quoted(name)), help);
    }

    fn text<'v>(&mut self, value: &'v Value<'_>) -> Option<&'v str> {
        if let DeValue::String(text) = value.get_ref() {
            return Some(text);
        }
        self.fault(value.span(), "expected a string", "write it in double quotes");
        None
    }

    fn table<'v, 't>(&mut self, value: &'v Value<'t>) -> Option<&'v DeTable<'t>> {
        if let DeValue::Table(table) = value.get_ref() {
            return Some(table);
        }
        self.fault(value.span(), "expected a table", "write `{ key = value }`, or `[key]`");
        None
    }

    fn one_of<T>(
        &mut self,
        value: &Value<'_>,
        names: &[&str],
        from_name: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(value)?;
        let found = from_name(text);
        if found.is_none() {
            let message = format!("invalid value {}", quoted(text));
            self.fault(
                value.span(),
                message,
                format!("expected {}", either(names.iter().copied())),
            );
        }
        found
    }

    fn levels(&mut self, value: &Value<'_>) -> Vec<(Code, Level)> {
        let mut levels = Vec::new();
        for (key, value) in self.table(value).into_iter().flatten() {
            let name = key.get_ref();
            let Some(code) = Code::from_name(name) else {
                let help = match diagnostic::nearest(name) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "`lineload explain` lists the rules".to_owned(),
                };
                self.fault(key.span(), format!("unknown rule {}", quoted(name)), help);
                continue;
            };
            let Some(level) = self.one_of(value, &Level::NAMES, Level::from_name) else { continue };
            if Levels::default().set(code, level) {
                levels.push((code, level));
            } else {
                let message = format!("the severity of `{code}` cannot be lowered");
                let help = format!("remove the line; `lineload explain {code}` explains why");
                self.fault(value.span(), message, help);
            }
        }
        levels
    }

    fn patterns(&mut self, value: &Value<'_>) -> Vec<Pattern> {
        let DeValue::Array(items) = value.get_ref() else {
            self.fault(value.span(), "expected an array of globs", "write `[\"legacy/**\"]`");
            return Vec::new();
        };
        let mut patterns = Vec::new();
        for item in items {
            let Some(text) = self.text(item) else { continue };
            match text.parse::<Pattern>() {
                Ok(pattern) => patterns.push(pattern.relative_to(self.base)),
                Err(error) => {
                    self.fault(item.span(), error.to_string(), "write a glob, such as `legacy/**`");
                }
            }
        }
        patterns
    }

    fn overrides(&mut self, value: &Value<'_>) {
        let DeValue::Array(items) = value.get_ref() else {
            self.fault(value.span(), "expected an array of tables", "write `[[overrides]]`");
            return;
        };
        for item in items {
            let Some(table) = self.table(item) else { continue };
            let mut one = Override { paths: Vec::new(), levels: Vec::new() };
            let mut has_paths = false;
            for (key, value) in table {
                match key.get_ref().as_ref() {
                    "paths" => {
                        has_paths = true;
                        one.paths = self.patterns(value);
                    }
                    "rules" => one.levels = self.levels(value),
                    _ => self.unknown(key, &OVERRIDE, "an override"),
                }
            }
            if !has_paths {
                let help = "add `paths = [\"…\"]`; rules for all paths belong in `[rules]`";
                self.fault(item.span(), "an override without `paths`", help);
            }
            self.config.rules.overrides.push(one);
        }
    }

    fn pace(&mut self, value: &Value<'_>) {
        for (key, value) in self.table(value).into_iter().flatten() {
            if key.get_ref() != "max-rate" {
                self.unknown(key, &PACE, "`pace`");
                continue;
            }
            let number = match value.get_ref() {
                DeValue::Integer(number) => number.as_str().parse::<f64>().ok(),
                DeValue::Float(number) => number.as_str().parse::<f64>().ok(),
                _ => None,
            };
            match number.filter(|number| number.is_finite() && *number > 0.0) {
                Some(number) => self.config.max_rate = Some(number),
                None => {
                    let help = "write the maximum rate of an import in creates per second, such \
                                as `20`";
                    self.fault(value.span(), "expected a number above 0", help);
                }
            }
        }
    }

    fn guard(&mut self, value: &Value<'_>) {
        for (key, value) in self.table(value).into_iter().flatten() {
            match key.get_ref().as_ref() {
                "expect-account" => {
                    let account = self.text(value);
                    let is_account =
                        |text: &&str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
                    if let Some(text) = account
                        && !is_account(&text)
                    {
                        let message = format!("invalid account id {}", quoted(text));
                        self.fault(value.span(), message, "write the 12 digits of the account id");
                    }
                    self.config.expect_account = account.map(str::to_owned);
                }
                "expect-region" => {
                    self.config.expect_region = self.text(value).map(str::to_owned);
                }
                _ => self.unknown(key, &GUARD, "`guard`"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::diagnostic::Severity;
    use crate::source::FileId;

    fn read(text: &str) -> (Config, Vec<(String, String)>) {
        let source = SourceFile::new(FileId(0), Arc::from("lineload.toml"), text.into());
        let folder = PathBuf::from("/work");
        let base = Arc::new(Base { working: folder.clone(), root: folder });
        let (config, findings) = decode(&source, &base);
        let shown = |finding: Diagnostic| {
            let place = finding.region.map_or("", |region| source.slice(region.span()));
            (place.to_owned(), finding.message)
        };
        (config, findings.into_iter().map(shown).collect())
    }

    #[test]
    fn everything_that_it_can_hold() {
        let (config, findings) = read(
            "exclude = ['vendor']\nformat = 'short'\nfail-on = 'warning'\n\
             [rules]\nline-break = 'warn'\ncredential = 'off'\n\
             [[overrides]]\npaths = ['legacy/**']\nrules = { line-break = 'off', uri-blank = 'error' }\n\
             [pace]\nmax-rate = 2.5\n[guard]\nexpect-account = '123456789012'\nexpect-region = 'eu-west-1'\n",
        );
        assert_eq!(findings, []);
        assert_eq!(config.format, Some(Format::Short));
        assert_eq!(config.fail_on, Some(FailOn::Warning));
        assert_eq!(config.max_rate, Some(2.5));
        assert_eq!(config.exclude.len(), 1);
        let level = |path, code| config.rules.levels(path).severity(code);
        assert_eq!(level("a.yaml", Code::LineBreak), Some(Severity::Warning));
        assert_eq!(level("a.yaml", Code::Credential), None);
        assert_eq!(level("legacy/a.yaml", Code::LineBreak), None);
        assert_eq!(level("legacy/a.yaml", Code::UriBlank), Some(Severity::Error));
        assert_eq!(level("a.yaml", Code::UriBlank), Some(Severity::Warning));
    }

    #[test]
    fn every_fault_has_its_place() {
        let (config, findings) = read(
            "profile = 'prod'\nexcludes = []\n[rules]\nname-pattern = 'off'\nline-brake = 'warn'\n\
             line-break = 'loud'\n[pace]\nmax-rate = 0\n[guard]\nexpect-account = '12'\n",
        );
        let places: Vec<_> = findings.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(places, ["profile", "excludes", "'off'", "line-brake", "'loud'", "0", "'12'"]);
        assert!(findings[0].1.contains("cannot be set in a configuration file"), "{findings:?}");
        assert_eq!(config.max_rate, None);
        let (_, findings) = read("a = \n[");
        assert!(!findings.is_empty());
    }
}
