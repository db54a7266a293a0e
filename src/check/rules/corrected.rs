//! The name and the source that an artifact has after every fix of them.

use std::borrow::Cow;
use std::sync::Arc;

use super::{name, source, uri};
use crate::artifact::Key;
use crate::check::claims::{name_claim, source_claim, source_key, source_types};
use crate::diagnostic::{Becomes, Unique};
use crate::manifest::RawMapping;
use crate::model::{ARTIFACT_NAME, Sense};

/// Returns what fixes of a field with this sense make of the name or the source that `raw` has, if
/// it is another one then.
pub(super) fn becomes(raw: &RawMapping<'_>, sense: Sense) -> Option<Becomes> {
    let (what, claim, to, text) = match sense {
        Sense::Name => {
            let (name, claim) = (raw.text(Sense::Name)?.value, name_claim(raw)?);
            let is_valid = ARTIFACT_NAME.violations(name).is_empty();
            let name = if is_valid { return None } else { name::corrected(name)? };
            (Unique::Name, claim, Key::of_name(&name), name)
        }
        Sense::Uri | Sense::SourceIds => {
            let (uri, claim) = (raw.text(Sense::Uri)?.value, source_claim(raw)?);
            let uri = uri::corrected(uri);
            let types = source_types(raw)?;
            let types: Vec<(&str, Cow<'_, str>)> =
                types.into_iter().map(|(id, value)| source::corrected(id, value)).collect();
            let types = types.iter().map(|(id, value)| (*id, &**value)).collect();
            (Unique::Source, claim, source_key(&uri, types), uri)
        }
        _ => return None,
    };
    (to != claim.key).then(|| Becomes {
        what,
        from: claim.key.0,
        to: to.0,
        text: Arc::from(text),
        span: claim.span,
    })
}
