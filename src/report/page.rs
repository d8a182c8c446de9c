//! A page that stands alone: nothing of it comes from elsewhere. Its pictures are inline SVG, in dark and light.

use std::fmt::Write as _;

/// Horizontal bars as a picture, with their words as text.
pub fn bars(title: &str, unit: &str, rows: &[(String, u64, String)]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let most = rows.iter().map(|row| row.1).max().unwrap_or(1).max(1);
    let high = rows.len() * 26;
    let mut svg = format!(
        "<h2>{} <small>{}</small></h2><svg viewBox=\"0 0 640 {high}\" role=\"img\" aria-label=\"{}\">",
        escape(title),
        escape(unit),
        escape(title)
    );
    for (nth, (label, value, words)) in rows.iter().enumerate() {
        let (top, long) = (nth * 26, value * 300 / most);
        let _ = write!(
            svg,
            "<text x=\"180\" y=\"{}\" text-anchor=\"end\">{}</text><rect x=\"190\" y=\"{}\" width=\"{}\" height=\"16\" \
             rx=\"2\"/><text x=\"{}\" y=\"{}\">{}</text>",
            top + 16,
            escape(label),
            top + 3,
            long.max(1),
            200 + long,
            top + 16,
            escape(words),
        );
    }
    svg.push_str("</svg>");
    svg
}

/// A text as it stands in a page.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}

/// The beginning of a page of that title, up to its body.
pub fn head(title: &str) -> String {
    HEAD.replace("TITLE", &escape(title))
}

/// The end of a page.
pub const END: &str = "</main></body></html>";

const HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
content=\"width=device-width,initial-scale=1\"><title>TITLE</title><style>:root{color-scheme:light dark;--ink:#1c1c1e;\
--bar:#2f6fdb;--other:#c58a2b;--dim:#6b6b70;--paper:#fff}@media(prefers-color-scheme:dark){:root{--ink:#ececee;--bar:#6aa3ff;--other:#e0ad5c;--dim:#9a9aa0;\
--paper:#161618}}body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:0}main{max-width:\
44rem;margin:0 auto;padding:1rem}h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}small,.dim{color:var(--dim);\
font-weight:normal}svg{width:100%;height:auto}text{fill:var(--ink);font-size:14px}rect{fill:var(--bar)}ul{padding-left:\
1.2rem}.ours{fill:var(--bar)}.others{fill:var(--other)}.line{stroke:var(--ink);stroke-dasharray:5 4;fill:none}.axis{stroke:\
var(--dim);fill:none}</style></head><body><main>";
