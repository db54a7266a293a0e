//! `lineload config`

use std::io::Write;

use serde_json::{Value, json};

use super::failure::Failure;
use super::settings::{Settings, file};
use crate::cli::environment::set_variables;
use crate::cli::{Config as Args, ConfigFormat, Global};
use crate::config::{Written, written};
use crate::diagnostic::{Code, Severity};
use crate::exit::Exit;
use crate::report::output::{Output, OutputError};
use crate::text::{escaped, redacted};

/// The settings that a file may hold besides rules, with what holds without one, as TOML.
const DEFAULTS: [(&str, Option<&str>); 6] = [
    ("exclude", Some("[]")),
    ("format", Some("\"human\"")),
    ("fail-on", Some("\"error\"")),
    ("pace.max-rate", None),
    ("guard.expect-account", None),
    ("guard.expect-region", None),
];

/// A setting in force.
struct Setting {
    name: String,
    /// `None` if there is no value, as of a ceiling.
    value: Option<String>,
    from: From,
}

/// The origin of a setting.
enum From {
    Default,
    /// A line of the configuration file.
    Line(u32),
    /// An environment variable.
    Variable(&'static str),
}

pub(super) fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    // A file with a fault is reported as by every other command.
    Settings::load(global)?;
    let source = if global.isolated { None } else { file(global)? };
    let lines = source.as_deref().map(written).unwrap_or_default();
    let name = source.as_ref().map(|source| source.name().to_string());
    let settings = settings(lines, args.all);
    let mut out = Output::stdout(global.color.into());
    match args.format {
        ConfigFormat::Human => human(global, name.as_deref(), &settings, &mut out),
        ConfigFormat::Json => {
            let settings = settings.iter().map(|one| one.json(name.as_deref()));
            let document = json!({
                "version": 1,
                "file": name,
                "isolated": global.isolated,
                "settings": settings.collect::<Vec<_>>(),
            });
            writeln!(out, "{document:#}")
        }
    }
    .and_then(|()| out.flush())
    .map_err(OutputError)?;
    Ok(Exit::Success)
}

/// Returns the settings in force: those of the file, of variables, and the defaults; with `all` also
/// every rule that has its default severity.
fn settings(lines: Vec<Written>, all: bool) -> Vec<Setting> {
    let is_set = |name: &str| lines.iter().any(|line| line.key == name);
    let mut settings = Vec::new();
    for (name, value) in DEFAULTS.into_iter().filter(|(name, _)| !is_set(name)) {
        let value = value.map(str::to_owned);
        settings.push(Setting { name: name.to_owned(), value, from: From::Default });
    }
    if all {
        for code in Code::ALL {
            let name = format!("rules.{code}");
            if !is_set(&name) {
                let level = match code.severity() {
                    Severity::Error => "error",
                    Severity::Warning => "warn",
                };
                let value = Some(format!("\"{level}\""));
                settings.push(Setting { name, value, from: From::Default });
            }
        }
    }
    let of_file = lines.into_iter().map(|line| Setting {
        name: line.key,
        value: Some(line.value),
        from: From::Line(line.line),
    });
    let of_variables = set_variables().into_iter().map(|variable| Setting {
        name: match variable.command {
            Some(command) => format!("{command} --{}", variable.option),
            None => format!("--{}", variable.option),
        },
        value: Some(variable.value),
        from: From::Variable(variable.name),
    });
    of_file.chain(of_variables).chain(settings).collect()
}

impl Setting {
    fn json(&self, file: Option<&str>) -> Value {
        let from = match self.from {
            From::Default => json!({ "kind": "default" }),
            From::Line(line) => json!({ "kind": "file", "file": file, "line": line }),
            From::Variable(name) => json!({ "kind": "variable", "name": name }),
        };
        json!({ "name": self.name, "value": self.value.as_deref().map(redacted), "from": from })
    }
}

fn human(
    global: &Global,
    file: Option<&str>,
    settings: &[Setting],
    out: &mut impl Write,
) -> std::io::Result<()> {
    match file {
        Some(file) => writeln!(out, "configuration file: {}", escaped(file))?,
        None if global.isolated => writeln!(out, "configuration file: ignored (`--isolated`)")?,
        None => writeln!(out, "configuration file: none")?,
    }
    writeln!(out)?;
    let width = settings.iter().map(|one| one.name.len()).max().unwrap_or_default();
    for Setting { name, value, from } in settings {
        let value = value.as_deref().map_or("none".into(), |value| escaped(&redacted(value)));
        let from = match from {
            From::Default => "\x1b[2mdefault\x1b[0m".to_owned(),
            From::Line(line) => format!("{}:{line}", escaped(file.unwrap_or_default())),
            From::Variable(name) => (*name).to_owned(),
        };
        writeln!(out, "{:width$}  {value}  {from}", escaped(name))?;
    }
    Ok(())
}
