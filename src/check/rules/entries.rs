//! The number of entries of a field: `Properties` and `Tags`.

use crate::check::defaults::Taken;
use crate::diagnostic::{Code, Draft, Findings, Pointer, ROOT};
use crate::manifest::{RawMapping, RawValue};
use crate::model::Field;
use crate::text::counted;

/// Checks that the field itself has no more than the service takes.
pub(super) fn check(
    field: &Field,
    value: &RawValue<'_>,
    path: &Pointer<'_>,
    findings: &mut Findings<'_>,
) {
    let (count, Some(max)) = (value.len(), field.max()) else { return };
    if count <= max {
        return;
    }
    let Some(code) = Code::from_name(field.entry.rule) else { return };
    let first = match value {
        RawValue::List(items) => items.get(max).map(|item| item.head),
        RawValue::Map(entries) => {
            entries.iter().skip(max).find_map(|one| one.key.given()).map(|key| key.span)
        }
        RawValue::Text(_) | RawValue::Mapping(_) => None,
    };
    let many = field.entry.many;
    let message = format!("{count} {many}; an artifact can have at most {max}");
    let draft = Draft::new(code, first.unwrap_or_default(), message)
        .label(format!("{} number {}", field.entry.one, max + 1))
        .help(help(field, value, count - max));
    findings.push(draft.at(path));
}

/// Checks that it has no more with those that it takes from the defaults.
pub(super) fn with_defaults(raw: &RawMapping<'_>, taken: &Taken<'_>, findings: &mut Findings<'_>) {
    for (field, entries) in &taken.entries {
        let (Some(max), Some(first)) = (field.max(), entries.first()) else { continue };
        let own = raw.slot(field).given().map_or(0, RawValue::len);
        let count = own + entries.len();
        if count > max
            && own <= max
            && let Some(code) = Code::from_name(field.entry.rule)
        {
            let message = format!(
                "{count} {} including `Defaults`; an artifact can have at most {max}",
                field.entry.many
            );
            let draft = Draft::new(code, raw.head, message)
                .help(format!("remove {}", counted(count - max, field.entry.one)))
                .related(first.span, format!("{} come from here", entries.len()));
            findings.push(draft.at(&ROOT.field(field.name)));
        }
    }
}

fn help(field: &Field, value: &RawValue<'_>, extra: usize) -> String {
    let remove = format!("remove {}", counted(extra, field.entry.one));
    match value {
        RawValue::Map(_) => format!("{remove}, or combine some into one value"),
        _ => remove,
    }
}
