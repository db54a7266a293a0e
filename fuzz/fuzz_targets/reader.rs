//! The reader of regular text makes the nodes that the parser makes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lineload::yaml::compare::difference;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(difference) = difference(text, "Artifacts") {
        panic!("{difference}");
    }
});
