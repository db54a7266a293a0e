//! The reader of regular text makes the nodes that the parser makes, also section by section.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lineload::yaml::compare::{difference, section_difference};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let found = difference(text, "Artifacts").or_else(|| section_difference(text, "Artifacts"));
    if let Some(difference) = found {
        panic!("{difference}");
    }
});
