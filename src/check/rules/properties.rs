//! `Properties`.

use super::limit::{Rule, plain};
use super::repeated::Repeated;
use crate::check::defaults::Unsound;
use crate::diagnostic::{Findings, Pointer};
use crate::manifest::RawProperty;
use crate::model::{Field, Kind};

pub(super) fn check(
    field: &'static Field,
    properties: &[RawProperty<'_>],
    path: &Pointer<'_>,
    unsound: &mut Unsound,
    findings: &mut Findings<'_>,
) {
    let Kind::Map { key: key_limit, value: value_limit, .. } = field.kind else { return };
    let keys = properties.iter().filter_map(|property| property.key.given());
    let corrected = Repeated::new(keys.map(|key| plain(key.value)));
    for (at, property) in properties.iter().enumerate() {
        let mut ok = true;
        let name = property.key.given().map_or("", |key| key.value);
        let path = &path.field(name);
        if let Some(key) = property.key.given() {
            let repeated = corrected.has(&plain(key.value));
            let rule = Rule::new("a `Properties` key", key_limit).colliding(repeated);
            ok &= rule.check(key, path, findings);
        }
        if let Some(value) = property.value.given() {
            let rule = Rule::new(name, value_limit).of(name);
            ok &= rule.check(value, path, findings);
        }
        unsound.note(field, at, ok);
    }
}
