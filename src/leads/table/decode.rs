//! Bytes to UTF-8, block by block. The encoding is told by a byte order mark, by the NUL bytes of UTF-16, or, once the
//! first byte beyond ASCII turns up, by what follows it; until then there is nothing to tell.

use std::io::{self, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// Bytes read at a time.
const BLOCK: usize = 1 << 16;

/// A reader that turns whatever it reads into UTF-8. What cannot be read becomes U+FFFD.
pub struct Decode {
    input: Box<dyn Read + Send>,
    raw: Vec<u8>,
    ended: bool,
    mode: Mode,
}

enum Mode {
    /// Nothing read yet.
    Fresh,
    /// Nothing but ASCII so far.
    Ascii,
    Known(Decoder),
}

impl Decode {
    /// Reads nothing yet.
    pub fn new(input: Box<dyn Read + Send>) -> Self {
        Self { input, raw: Vec::new(), ended: false, mode: Mode::Fresh }
    }

    /// The encoding, as far as it is known: ASCII counts as UTF-8.
    pub fn encoding(&self) -> &'static Encoding {
        match &self.mode {
            Mode::Known(decoder) => decoder.encoding(),
            Mode::Fresh | Mode::Ascii => UTF_8,
        }
    }

    /// Appends the next block to `out`; false at the end. NUL bytes come out as U+FFFD.
    pub fn fill(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        self.read_block(BLOCK)?;
        if let Mode::Fresh = self.mode {
            self.begin();
        }
        if let Mode::Ascii = self.mode {
            if self.raw.is_ascii() {
                push_without_nul(out, &self.raw);
                self.raw.clear();
                return Ok(!self.ended);
            }
            self.read_block(2 * BLOCK)?;
            self.mode = Mode::Known(guess(&self.raw, self.ended).new_decoder_without_bom_handling());
        }
        if let Mode::Known(decoder) = &mut self.mode {
            let mut text = String::with_capacity(decoder.max_utf8_buffer_length(self.raw.len()).unwrap_or(4 * BLOCK));
            let (_, read, _) = decoder.decode_to_string(&self.raw, &mut text, self.ended);
            self.raw.drain(..read);
            push_without_nul(out, text.as_bytes());
        }
        Ok(!self.ended)
    }

    /// Tops the raw bytes up to `wanted`, unless the input ends first.
    fn read_block(&mut self, wanted: usize) -> io::Result<()> {
        if let Some(missing) = wanted.checked_sub(self.raw.len())
            && !self.ended
        {
            let got = (&mut self.input).take(missing as u64).read_to_end(&mut self.raw)?;
            self.ended = got < missing;
        }
        Ok(())
    }

    fn begin(&mut self) {
        self.mode = if let Some((encoding, mark)) = Encoding::for_bom(&self.raw) {
            self.raw.drain(..mark);
            Mode::Known(encoding.new_decoder_without_bom_handling())
        } else if let Some(encoding) = unmarked_utf16(&self.raw) {
            Mode::Known(encoding.new_decoder_without_bom_handling())
        } else {
            Mode::Ascii
        };
    }
}

fn push_without_nul(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == 0) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice("\u{fffd}".as_bytes());
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

/// UTF-16 without a mark: more than a fifth of the bytes are NUL, and nearly all of those on one side.
fn unmarked_utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = &bytes[..bytes.len().min(4_096)];
    let nul_at = |side: usize| sample.iter().skip(side).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (nul_at(0), nul_at(1));
    if (even + odd) * 5 <= sample.len() {
        None
    } else if odd >= 10 * even {
        Some(UTF_16LE)
    } else if even >= 10 * odd {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// UTF-8 if it is that, but for few places (a byte or two that went wrong does not make it Latin); else what
/// chardetng makes of it.
fn guess(bytes: &[u8], ended: bool) -> &'static Encoding {
    let (mut multi, mut broken) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        multi += chunk.valid().chars().filter(|letter| !letter.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    let cut_short = !ended && std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none());
    if broken - usize::from(cut_short) <= multi / 10 {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, ended);
    detector.guess(None, Utf8Detection::Deny)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> (String, &'static str) {
        let mut decode = Decode::new(Box::new(io::Cursor::new(bytes.to_vec())));
        let mut out = Vec::new();
        while decode.fill(&mut out).unwrap() {}
        (String::from_utf8(out).unwrap(), decode.encoding().name())
    }

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    const TEXT: &str = "Telefon;Kunde\r\n030 1234567;Jürgen Größe\r\n";

    #[test]
    fn text_comes_out_the_same_whatever_it_was_saved_as() {
        assert_eq!(decoded(TEXT.as_bytes()), (TEXT.to_owned(), "UTF-8"));
        assert_eq!(decoded(format!("\u{feff}{TEXT}").as_bytes()), (TEXT.to_owned(), "UTF-8"));
        for (big, name) in [(true, "UTF-16BE"), (false, "UTF-16LE")] {
            assert_eq!(decoded(&utf16(TEXT, big)), (TEXT.to_owned(), name));
            assert_eq!(decoded(&utf16(&format!("\u{feff}{TEXT}"), big)), (TEXT.to_owned(), name));
        }
        let (latin, ..) = encoding_rs::WINDOWS_1252.encode(TEXT);
        assert_eq!(decoded(&latin), (TEXT.to_owned(), "windows-1252"));
    }

    #[test]
    fn the_encoding_is_found_however_late_the_first_letter_comes() {
        let ascii = "+14155550100,Bob\n".repeat(20_000);
        for tail in ["Jürgen Größe, Zürich, 10 Uhr\n", "Jürgen Größe\n"] {
            let text = format!("{ascii}{tail}{ascii}");
            assert_eq!(decoded(text.as_bytes()), (text.clone(), "UTF-8"));
            let (latin, ..) = encoding_rs::WINDOWS_1252.encode(&text);
            assert_eq!(decoded(&latin), (text.clone(), "windows-1252"));
        }
    }

    #[test]
    fn one_broken_byte_does_not_turn_the_rest_into_latin() {
        let mut bytes = "Größe, Käse, Straße, Übung, Äpfel, ".repeat(4).into_bytes();
        bytes.push(0xff);
        let (text, name) = decoded(&bytes);
        assert_eq!(name, "UTF-8");
        assert!(text.starts_with("Größe") && text.ends_with('\u{fffd}'));
    }

    #[test]
    fn nul_bytes_do_not_pass() {
        assert_eq!(decoded(b"a\0b,cdefghij").0, "a\u{fffd}b,cdefghij");
        assert_eq!(decoded(b"").0, "");
    }
}
