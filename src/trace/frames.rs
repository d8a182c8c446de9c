//! A trace under zstd: pieces that are compressed each for itself (frames, RFC 8878), so that what is written can be
//! read whatever becomes of the rest.

use std::io::{self, BufRead, Read, Write};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// How a file begins that zstd has compressed.
pub const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Bytes that are compressed together: a run that is killed loses no more.
const FRAME: usize = 64 << 10;
/// Bytes that are decompressed at a time.
const STEP: usize = 64 << 10;
/// What a frame may ask to be kept in memory while it is read.
const WINDOW: u64 = 128 << 20;

/// Compresses what is written.
pub struct Compressor<W> {
    out: W,
    text: Vec<u8>,
}

impl<W: Write> Compressor<W> {
    /// Compresses into that.
    pub fn new(out: W) -> Self {
        Self { out, text: Vec::new() }
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        if self.text.len() >= FRAME {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.text.is_empty() {
            let frame = compress_to_vec(&self.text[..], CompressionLevel::Fastest);
            self.text.clear();
            self.out.write_all(&frame)?;
        }
        self.out.flush()
    }
}

/// Decompresses frame after frame. A last one that is torn is the end.
pub struct Decompressor<R> {
    source: R,
    decoder: FrameDecoder,
}

impl<R: BufRead> Decompressor<R> {
    /// Decompresses what stands there.
    pub fn new(source: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW);
        Self { source, decoder }
    }

    fn is_at_end(&mut self) -> io::Result<bool> {
        Ok(self.source.fill_buf()?.is_empty())
    }
}

impl<R: BufRead> Read for Decompressor<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.decoder.can_collect() == 0 {
            if self.is_at_end()? {
                return Ok(0);
            }
            let decoded = if self.decoder.is_finished() {
                self.decoder.reset(&mut self.source)
            } else {
                self.decoder.decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBytes(STEP)).map(|_| ())
            };
            if let Err(error) = decoded {
                let torn = self.is_at_end()?;
                return if torn { Ok(0) } else { Err(io::Error::new(io::ErrorKind::InvalidData, error.to_string())) };
            }
        }
        self.decoder.read(into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_compressed_is_read_again_as_far_as_it_is_whole() {
        let mut compressed = Vec::new();
        let mut writer = Compressor::new(&mut compressed);
        let lines: Vec<_> = (0..20_000).map(|n| format!("{{\"n\":{n},\"at\":\"2026-01-01T00:00:00Z\"}}\n")).collect();
        let text = lines.concat();
        text.as_bytes().chunks(1000).for_each(|piece| writer.write_all(piece).unwrap());
        writer.flush().unwrap();
        assert!(compressed.len() < text.len() / 4 && compressed.starts_with(&MAGIC), "{}", compressed.len());
        let read = |bytes: &[u8]| {
            let mut read = String::new();
            Decompressor::new(bytes).read_to_string(&mut read).map(|_| read)
        };
        assert_eq!(read(&compressed).unwrap(), text);
        let torn = read(&compressed[..compressed.len() - 100]).unwrap();
        assert!(text.starts_with(&torn) && torn.len() > text.len() / 2);
        compressed[1000] ^= 1;
        assert!(read(&compressed).is_err() || read(&compressed).unwrap() != text);
        assert!(read(b"no frame, but long enough to be one of those that are").is_err());
    }
}
