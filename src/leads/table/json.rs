//! JSON to rows: one object a line, or an array of objects. Of a column is known what any object has, so the text is
//! gone through twice; it never holds more than one object.

use std::collections::HashMap;
use std::fmt;
use std::io::{BufReader, Read, Seek};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{MAX_CELLS, MAX_ROW, Row, TableError};

/// The objects of a text, as rows below a row of their names.
pub struct Json {
    objects: Objects<'static>,
    headers: Vec<String>,
    places: HashMap<String, usize>,
    has_begun: bool,
}

impl Json {
    /// Goes through it once, for the names.
    pub fn open(mut input: impl Read + Seek + Send + 'static) -> Result<Self, TableError> {
        let (mut headers, mut places) = (Vec::new(), HashMap::new());
        let mut objects = Objects::new(Box::new(&mut input));
        while let Some((line, object)) = objects.next()? {
            for (name, _) in pairs(line, &object)?.0 {
                if !places.contains_key(&name) {
                    places.insert(name.clone(), headers.len());
                    headers.push(name);
                }
            }
            if headers.len() > MAX_CELLS {
                return Err(TableError::Foreign("it is JSON whose objects have too many names for a list".to_owned()));
            }
        }
        drop(objects);
        input.rewind()?;
        Ok(Self { objects: Objects::new(Box::new(input)), headers, places, has_begun: false })
    }

    /// The names, then each object; `None` at the end.
    pub fn next_row(&mut self) -> Result<Option<Row>, TableError> {
        if !self.has_begun {
            self.has_begun = true;
            let headers = (!self.headers.is_empty()).then(|| self.headers.clone());
            return Ok(headers.map(|cells| Row { line: 1, cells, flaw: None }));
        }
        let Some((line, object)) = self.objects.next()? else { return Ok(None) };
        let mut cells = vec![String::new(); self.headers.len()];
        for (name, value) in pairs(line, &object)?.0 {
            // A name that came in between the two readings belongs to a file that has changed.
            let at = *self.places.get(&name).ok_or(TableError::Changed)?;
            cells[at] = text(&value);
        }
        Ok(Some(Row { line, cells, flaw: None }))
    }
}

/// Whether a text begins as JSON does, and no list in another form.
pub fn is_json(beginning: &[u8]) -> bool {
    let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning).trim_ascii_start();
    match text.strip_prefix(b"[") {
        Some(rest) => rest.trim_ascii_start().first().is_none_or(|byte| matches!(byte, b'{' | b']')),
        None => text.starts_with(b"{"),
    }
}

/// Parts a text into its outermost objects, whatever stands between them in an array or on lines.
struct Objects<'a> {
    bytes: std::io::Bytes<BufReader<Box<dyn Read + Send + 'a>>>,
    line: u64,
    /// Arrays that have begun and not ended.
    open: i32,
}

impl<'a> Objects<'a> {
    fn new(input: Box<dyn Read + Send + 'a>) -> Self {
        Self { bytes: BufReader::with_capacity(1 << 16, input).bytes(), line: 1, open: 0 }
    }

    fn byte(&mut self) -> Result<Option<u8>, TableError> {
        let byte = self.bytes.next().transpose()?;
        self.line += u64::from(byte == Some(b'\n'));
        Ok(byte)
    }

    /// The next object and its line; `None` at the end.
    fn next(&mut self) -> Result<Option<(u64, Vec<u8>)>, TableError> {
        loop {
            match self.byte()? {
                // An array that is not closed is a file that was not written to its end.
                None if self.open != 0 => return Err(broken(self.line)),
                None => return Ok(None),
                Some(b'{') => break,
                Some(b'[') => self.open += 1,
                Some(b']') => self.open -= 1,
                // A byte order mark, and what may stand around objects.
                Some(b' ' | b'\t' | b'\r' | b'\n' | b',' | 0xef | 0xbb | 0xbf) => {}
                Some(_) => return Err(broken(self.line)),
            }
        }
        let (line, mut object) = (self.line, vec![b'{']);
        let (mut depth, mut in_text, mut escaped) = (1_u32, false, false);
        while depth > 0 {
            let Some(byte) = self.byte()? else { return Err(broken(line)) };
            object.push(byte);
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_text => escaped = true,
                b'"' => in_text = !in_text,
                b'{' if !in_text => depth += 1,
                b'}' if !in_text => depth -= 1,
                _ => {}
            }
            if object.len() > MAX_ROW {
                return Err(TableError::Foreign(format!("line {line} begins an object larger than any lead")));
            }
        }
        Ok(Some((line, object)))
    }
}

fn broken(line: u64) -> TableError {
    let what = "it is JSON, but no array of objects and no object a line, or it breaks off: see line";
    TableError::Foreign(format!("{what} {line}"))
}

/// The names and values of an object, in order.
struct Pairs(Vec<(String, Box<RawValue>)>);

fn pairs(line: u64, object: &[u8]) -> Result<Pairs, TableError> {
    serde_json::from_slice(object).map_err(|_| broken(line))
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Pairs;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Pairs, M::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// A value as text: a number with all the digits that it was written with, nothing for null.
fn text(value: &RawValue) -> String {
    match value.get() {
        "null" => String::new(),
        quoted if quoted.starts_with('"') => serde_json::from_str(quoted).unwrap_or_default(),
        plain => plain.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn rows(text: &str) -> Vec<(u64, Vec<String>)> {
        let mut json = Json::open(Cursor::new(text.as_bytes().to_vec())).unwrap();
        let rows = std::iter::from_fn(|| json.next_row().unwrap());
        rows.map(|row| (row.line, row.cells)).collect()
    }

    #[test]
    fn lines_and_arrays_of_objects_are_rows() {
        let lines = "{\"phone\":\"+14155550100\",\"name\":\"A \\\"{B\"}\n\n{\"phone\":14155550101,\"dnc\":true,\"name\":null}\n";
        let array = format!("\u{feff}[\n{}]", lines.replace("}\n\n", "},\n"));
        for (text, first) in [(lines, 1), (array.as_str(), 2)] {
            let rows = rows(text);
            assert!(is_json(&text.as_bytes()[..8]), "{text}");
            assert_eq!(rows[0].1, ["phone", "name", "dnc"]);
            assert_eq!(rows[1], (first, ["+14155550100", "A \"{B", ""].map(str::to_owned).to_vec()));
            assert_eq!(rows[2].1, ["14155550101", "", "true"]);
            assert_eq!(rows.len(), 3);
        }
        assert_eq!(rows("[]"), []);
        assert_eq!(rows("{\"id\":12345678901234567890123}")[1].1, ["12345678901234567890123"]);
    }

    #[test]
    fn what_is_no_list_of_objects_is_an_error() {
        for text in ["{\"phone\":\"+14155550100\"", "[1,2]", "{\"a\":1} x", "{a:1}"] {
            assert!(Json::open(Cursor::new(text.as_bytes().to_vec())).is_err(), "{text}");
        }
        for text in ["phone,name", "[Leads] of", "+1415555", ""] {
            assert!(!is_json(text.as_bytes()), "{text}");
        }
    }
}
