//! Opens an inventory: finds out how it is compressed and what form it has.
//!
//! In: a path. Out: a reader of its text, and what its first bytes say about it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Bytes that are looked at to find out what an inventory is.
const LOOKED_AT: usize = 4096;

/// The text of an inventory, not yet read.
pub struct Opened {
    /// The reader, from the first byte on.
    pub reader: Box<dyn Read + Send>,
    /// The first bytes.
    pub head: Vec<u8>,
    /// The name without the ending of a compression, in lower case.
    pub name: String,
    /// The size of the file, if it is not compressed.
    pub size: Option<u64>,
}

/// Opens the file at `path`, or standard input for `-`.
///
/// # Errors
/// If it cannot be read, or is compressed in a way that cannot be undone.
pub fn open(path: &Path) -> io::Result<Opened> {
    let is_stdin = path.as_os_str() == "-";
    let mut size = None;
    let raw: Box<dyn Read + Send> = if is_stdin {
        Box::new(io::stdin())
    } else {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        size = metadata.is_file().then_some(metadata.len());
        Box::new(file)
    };
    let mut name = path.display().to_string().to_lowercase();
    let (head, raw) = peeked(raw)?;
    let (head, reader) = match head.as_slice() {
        [0x1F, 0x8B, ..] => {
            size = None;
            peeked(Box::new(flate2::read::MultiGzDecoder::new(raw)))?
        }
        [0x28, 0xB5, 0x2F, 0xFD, ..] => {
            size = None;
            peeked(Box::new(Frames { raw: Some(raw), decoder: None }))?
        }
        _ => (head, raw),
    };
    for ending in [".gz", ".gzip", ".zst", ".zstd"] {
        if let Some(bare) = name.strip_suffix(ending) {
            name = bare.to_owned();
            break;
        }
    }
    Ok(Opened { reader, head, name, size })
}

/// A reader of any kind.
pub type Reader = Box<dyn Read + Send>;

/// The first bytes of a Parquet file.
pub const PARQUET: &[u8] = b"PAR1";

/// Returns the rows of a Parquet file as JSON Lines. Those of an S3 Inventory read as they do in CSV.
///
/// # Errors
/// If it cannot be read, or this build reads no Parquet.
#[cfg(feature = "parquet")]
pub fn parquet(path: &Path, mut opened: Opened, of_s3: bool) -> io::Result<Reader> {
    let file = if opened.size.is_some() {
        File::open(path)?
    } else {
        // Its end has to be read first.
        let mut file = tempfile::tempfile()?;
        io::copy(&mut opened.reader, &mut file)?;
        file
    };
    Ok(Box::new(super::parquet::Rows::new(file, of_s3)?))
}

/// Returns that this build reads no Parquet.
///
/// # Errors
/// Always.
#[cfg(not(feature = "parquet"))]
pub fn parquet(_: &Path, _: Opened, _: bool) -> io::Result<Reader> {
    let message = "Parquet, which this build of lineload does not read: install one with \
                   `--features parquet`";
    Err(io::Error::new(io::ErrorKind::Unsupported, message))
}

/// The first bytes of `reader`, and a reader that has them still before it.
fn peeked(mut reader: Reader) -> io::Result<(Vec<u8>, Reader)> {
    let mut head = Vec::with_capacity(LOOKED_AT);
    reader.by_ref().take(LOOKED_AT as u64).read_to_end(&mut head)?;
    let before = io::Cursor::new(head.clone());
    Ok((head, Box::new(before.chain(reader))))
}

/// Frames of zstd one behind the other, as `zstd` and many writers make them.
struct Frames {
    raw: Option<Reader>,
    decoder: Option<ruzstd::decoding::StreamingDecoder<Reader, ruzstd::decoding::FrameDecoder>>,
}

impl Read for Frames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(decoder) = &mut self.decoder {
                let read = decoder.read(buffer)?;
                if read > 0 || buffer.is_empty() {
                    return Ok(read);
                }
                self.raw = self.decoder.take().map(ruzstd::decoding::StreamingDecoder::into_inner);
            }
            let Some(raw) = self.raw.take() else { return Ok(0) };
            let (head, raw) = peeked(raw)?;
            if head.is_empty() {
                return Ok(0);
            }
            let decoder = ruzstd::decoding::StreamingDecoder::new(raw).map_err(io::Error::other)?;
            self.decoder = Some(decoder);
        }
    }
}
