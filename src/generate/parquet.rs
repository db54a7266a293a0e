//! Parquet: each row as an object of JSON on a line of its own.
//!
//! In: a file. Out: JSON Lines, which [`super::json::Lines`] reads: line N is row N, and findings show it.
//! One page of each column is in memory. It is the only module that names the `parquet` crate.

mod footer;

use crate::text::hex;
use jiff::{SignedDuration, Timestamp, civil, tz};
use parquet::basic::{LogicalType, TimeUnit};
use parquet::data_type::Decimal;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use parquet::record::reader::RowIter;
use parquet::schema::types::{Type, TypePtr};
use serde::Serializer as _;
use serde_json::Value as Json;
use std::fs::File;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Bytes of lines that are made at a time.
const CHUNK: usize = 64 << 10;
/// Characters of an error of the crate that are shown.
const SHOWN: usize = 200;
/// Values within values.
const DEPTH: usize = 32;

/// The rows of a file, as lines of JSON.
pub(super) struct Rows {
    rows: RowIter<'static>,
    schema: TypePtr,
    /// True if they are those of an S3 Inventory.
    of_s3: bool,
    lines: Vec<u8>,
    at: usize,
    number: u64,
    ended: bool,
}

impl Rows {
    /// Returns the rows of `file`. Those of an S3 Inventory read as they do in CSV: with names such as
    /// `LastModifiedDate`, keys encoded as in URLs, and texts alone.
    ///
    /// # Errors
    /// If it is no Parquet file.
    pub(super) fn new(mut file: File, of_s3: bool) -> io::Result<Self> {
        footer::check(&mut file)?;
        let (rows, schema) = guarded("the end of the file", || {
            let reader = SerializedFileReader::new(file)?;
            let schema = reader.metadata().file_metadata().schema_descr().root_schema_ptr();
            Ok((RowIter::from_file_into(Box::new(reader)), schema))
        })?;
        Ok(Self { rows, schema, of_s3, lines: Vec::new(), at: 0, number: 0, ended: false })
    }

    /// Makes the next lines.
    fn fill(&mut self) -> io::Result<()> {
        self.lines.clear();
        self.at = 0;
        while self.lines.len() < CHUNK && !self.ended {
            self.number += 1;
            let place = format!("row {}", self.number);
            let Some(row) = guarded(&place, || self.rows.next().transpose())? else {
                self.ended = true;
                break;
            };
            let mut members = Vec::new();
            for (name, field) in row.into_columns() {
                let value = value(&field, member(&self.schema, &name), 0);
                // What a row does not have is left out, so that `default` provides for it.
                if value.is_null() {
                    continue;
                }
                if self.of_s3 {
                    let name = in_capitals(&name);
                    let value = in_csv(&name, &value);
                    members.push((name, value));
                } else {
                    members.push((name, value));
                }
            }
            // In the order of the columns.
            let mut line = serde_json::Serializer::new(&mut self.lines);
            line.collect_map(members)?;
            self.lines.push(b'\n');
        }
        Ok(())
    }
}

impl Read for Rows {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.lines.len() {
            self.fill()?;
        }
        let read = (&self.lines[self.at..]).read(buffer)?;
        self.at += read;
        Ok(read)
    }
}

/// Returns what `read` returns. The crate panics on some corrupt files and on a few types.
fn guarded<T>(
    place: &str,
    read: impl FnOnce() -> Result<T, parquet::errors::ParquetError>,
) -> io::Result<T> {
    let invalid = |what: &str| {
        // Some errors hold all bytes of a value.
        let what: String = what.chars().take(SHOWN).collect();
        let message = format!("cannot read the Parquet file at {place}: {what}");
        io::Error::new(io::ErrorKind::InvalidData, message)
    };
    match quietly(|| catch_unwind(AssertUnwindSafe(read))) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(invalid(&error.to_string())),
        Err(panic) => {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(invalid(said.unwrap_or("corrupt")))
        }
    }
}

/// Calls `read`, and lets no panic of it on this thread print anything.
fn quietly<T>(read: impl FnOnce() -> T) -> T {
    use std::cell::Cell;
    use std::sync::Once;
    thread_local! {
        static QUIET: Cell<bool> = const { Cell::new(false) };
    }
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                before(panic);
            }
        }));
    });
    QUIET.set(true);
    let result = read();
    QUIET.set(false);
    result
}

/// Returns the type of the member `name` of a group.
fn member<'t>(group: &'t Type, name: &str) -> Option<&'t Type> {
    if !group.is_group() {
        return None;
    }
    group.get_fields().iter().find(|field| field.name() == name).map(|field| &**field)
}

/// Returns the type of the items of a list, or of the values of a map, which are the last of a group in a
/// group.
fn last(of: Option<&Type>) -> Option<&Type> {
    let repeated = of.filter(|of| of.is_group())?.get_fields().last()?;
    if !repeated.is_group() {
        return Some(repeated);
    }
    repeated.get_fields().last().map(|field| &**field)
}

/// Returns a value as JSON. Decimals, dates, times, and floats that JSON cannot hold are strings.
fn value(field: &Field, of: Option<&Type>, depth: usize) -> Json {
    if depth > DEPTH {
        return Json::Null;
    }
    match field {
        Field::Null => Json::Null,
        Field::Bool(value) => Json::from(*value),
        Field::Byte(value) => Json::from(*value),
        Field::Short(value) => Json::from(*value),
        Field::Int(value) => Json::from(*value),
        Field::Long(value) => long(*value, of),
        Field::UByte(value) => Json::from(*value),
        Field::UShort(value) => Json::from(*value),
        Field::UInt(value) => Json::from(*value),
        Field::ULong(value) => Json::from(*value),
        Field::Float16(value) => float(f64::from(value.to_f32()), &value.to_string()),
        Field::Float(value) => {
            float(value.to_string().parse().unwrap_or(f64::NAN), &value.to_string())
        }
        Field::Double(value) => float(*value, &value.to_string()),
        Field::Decimal(value) => Json::from(decimal(value)),
        Field::Str(value) => Json::from(value.as_str()),
        Field::Bytes(value) => bytes(value.data(), of),
        Field::Date(days) => date(*days).map_or_else(|| Json::from(*days), Json::from),
        Field::TimeMillis(value) => time(i64::from(*value).saturating_mul(1_000_000)),
        Field::TimeMicros(value) => time(value.saturating_mul(1000)),
        Field::TimestampMillis(value) => {
            timestamp(Timestamp::from_millisecond(*value).ok(), *value, of)
        }
        Field::TimestampMicros(value) => {
            timestamp(Timestamp::from_microsecond(*value).ok(), *value, of)
        }
        Field::Group(row) => {
            let members = row.get_column_iter().map(|(name, field)| {
                let of = of.and_then(|of| member(of, name));
                (name.clone(), value(field, of, depth + 1))
            });
            Json::Object(members.filter(|(_, value)| !value.is_null()).collect())
        }
        Field::ListInternal(list) => {
            let of = last(of);
            list.elements().iter().map(|item| value(item, of, depth + 1)).collect()
        }
        Field::MapInternal(map) => {
            let of = last(of);
            let members = map.entries().iter().map(|(key, item)| {
                let key = match value(key, None, depth + 1) {
                    Json::String(key) => key,
                    key => key.to_string(),
                };
                (key, value(item, of, depth + 1))
            });
            Json::Object(members.collect())
        }
    }
}

/// Returns a number, or the time that it is: the crate knows none in nanoseconds.
fn long(number: i64, of: Option<&Type>) -> Json {
    match of.and_then(|of| of.get_basic_info().logical_type_ref()) {
        Some(LogicalType::Timestamp(kind)) if kind.unit == TimeUnit::NANOS => {
            timestamp(Timestamp::from_nanosecond(i128::from(number)).ok(), number, of)
        }
        Some(LogicalType::Time(kind)) if kind.unit == TimeUnit::NANOS => time(number),
        _ => Json::from(number),
    }
}

/// Returns a timestamp as RFC 3339 has it; without an offset if it is a local time.
fn timestamp(timestamp: Option<Timestamp>, number: i64, of: Option<&Type>) -> Json {
    let Some(timestamp) = timestamp else { return Json::from(number) };
    let is_local = match of.and_then(|of| of.get_basic_info().logical_type_ref()) {
        Some(LogicalType::Timestamp(kind)) => !kind.is_adjusted_to_u_t_c,
        _ => false,
    };
    Json::from(if is_local {
        tz::Offset::UTC.to_datetime(timestamp).to_string()
    } else {
        timestamp.to_string()
    })
}

fn date(days: i32) -> Option<String> {
    let hours = i64::from(days).checked_mul(24)?;
    let day = civil::date(1970, 1, 1).checked_add(SignedDuration::from_hours(hours)).ok()?;
    Some(day.to_string())
}

/// Returns the time of a day, so many nanoseconds behind midnight.
fn time(nanoseconds: i64) -> Json {
    let midnight = civil::Time::midnight();
    match midnight.checked_add(SignedDuration::from_nanos(nanoseconds)) {
        Ok(time) => Json::from(time.to_string()),
        Err(_) => Json::from(nanoseconds),
    }
}

/// Returns a number with a fraction; a text if JSON has none for it.
fn float(number: f64, text: &str) -> Json {
    serde_json::Number::from_f64(number).map_or_else(|| Json::from(text), Json::Number)
}

/// Returns a decimal number with all its digits.
fn decimal(decimal: &Decimal) -> String {
    let bytes = decimal.data();
    let is_negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    if bytes.len() > size_of::<i128>() {
        return hex(bytes);
    }
    let mut wide = [if is_negative { 0xFF } else { 0 }; size_of::<i128>()];
    wide[size_of::<i128>() - bytes.len()..].copy_from_slice(bytes);
    let number = i128::from_be_bytes(wide);
    let scale = usize::try_from(decimal.scale()).unwrap_or(0).min(100);
    let digits = format!("{:0width$}", number.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{}{whole}{point}{fraction}", if is_negative { "-" } else { "" })
}

/// Returns bytes as the text that they are, or else in hexadecimal digits.
fn bytes(bytes: &[u8], of: Option<&Type>) -> Json {
    let logical = of.and_then(|of| of.get_basic_info().logical_type_ref());
    if matches!(logical, Some(LogicalType::Uuid))
        && let Ok(id) = uuid::Uuid::from_slice(bytes)
    {
        return Json::from(id.to_string());
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains(|c: char| c.is_control()) => Json::from(text),
        _ => Json::from(hex(bytes)),
    }
}

/// Returns `last_modified_date` as `LastModifiedDate`.
fn in_capitals(name: &str) -> String {
    let mut out = String::new();
    for part in name.split('_') {
        let mut letters = part.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        out.extend(letters);
    }
    out
}

/// Returns a value of an S3 Inventory as one in CSV has it.
fn in_csv(name: &str, value: &Json) -> Json {
    match value {
        Json::String(text) if name == "Key" => {
            let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
            Json::from(encoded.replace("%2F", "/"))
        }
        // In CSV each has milliseconds.
        Json::String(text) if name.ends_with("Date") => match text.parse::<Timestamp>() {
            Ok(time) => Json::from(format!("{time:.3}")),
            Err(_) => value.clone(),
        },
        Json::String(_) => value.clone(),
        value => Json::from(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::data_type::ByteArray;

    #[test]
    fn decimals_keep_their_digits() {
        let of = |bytes: &[u8], scale| {
            decimal(&Decimal::from_bytes(ByteArray::from(bytes.to_vec()), 38, scale))
        };
        assert_eq!(of(&[0x04, 0xD2], 2), "12.34");
        assert_eq!(of(&[0xFB, 0x2E], 2), "-12.34");
        assert_eq!(of(&[0x05], 3), "0.005");
        assert_eq!(of(&[0xFB], 3), "-0.005");
        assert_eq!(of(&[0x05], 0), "5");
        assert_eq!(decimal(&Decimal::from_i64(123_456_789, 12, 4)), "12345.6789");
    }

    #[test]
    fn times_are_texts() {
        assert_eq!(date(20_454).as_deref(), Some("2026-01-01"));
        assert_eq!(date(-1).as_deref(), Some("1969-12-31"));
        assert_eq!(date(i32::MAX), None);
        assert_eq!(time(30_600_000_000_000), "08:30:00");
        assert_eq!(
            value(&Field::TimestampMillis(1_767_225_600_500), None, 0),
            "2026-01-01T00:00:00.5Z"
        );
        assert_eq!(value(&Field::TimestampMillis(i64::MAX), None, 0), i64::MAX);
    }

    #[test]
    fn an_s3_inventory_reads_as_one_in_csv() {
        assert_eq!(in_capitals("e_tag"), "ETag");
        assert_eq!(in_capitals("is_latest"), "IsLatest");
        assert_eq!(in_csv("Key", &Json::from("a b/+%41.csv")), "a+b/%2B%2541.csv");
        assert_eq!(in_csv("IsLatest", &Json::from(false)), "false");
        assert_eq!(in_csv("Size", &Json::from(12)), "12");
    }
}
