//! Pictures for the documents, drawn by the tests that make their tables: `DIALER_PICTURE=FILE` says where to.

use std::fmt::Write as _;

/// Writes a picture of that size, if one was asked for.
pub(crate) fn picture(width: u32, height: u32, title: &str, shapes: &str) {
    let Ok(path) = std::env::var("DIALER_PICTURE") else { return };
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" role=\"img\" \
         aria-label=\"{title}\" font-family=\"sans-serif\" font-size=\"13\"><title>{title}</title>\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n{shapes}</svg>\n"
    );
    std::fs::write(&path, svg).unwrap_or_else(|error| panic!("{path}: {error}"));
}

/// A text, beginning (`start`), ending (`end`) or lying about (`middle`) that place.
pub(crate) fn text(into: &mut String, (x, y): (f64, f64), anchor: &str, words: &str) {
    let _ = writeln!(into, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"#222\">{words}</text>");
}

pub(crate) fn line(into: &mut String, (x, y): (f64, f64), (to_x, to_y): (f64, f64), color: &str, wide: f64) {
    let _ =
        writeln!(into, "<path d=\"M{x:.1} {y:.1}L{to_x:.1} {to_y:.1}\" stroke=\"{color}\" stroke-width=\"{wide}\"/>");
}

pub(crate) fn dot(into: &mut String, (x, y): (f64, f64), color: &str) {
    let _ = writeln!(into, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\" fill=\"{color}\"/>");
}
