//! The page: one file that holds the diagram, what draws it, and nothing from elsewhere.
//!
//! What a trace says is hostile text. It stands in the page as JSON in which no `<` is left, and the
//! script puts it on the screen as text only; the policy forbids everything that comes from outside.

mod chain;
mod data;

use super::weave::Weave;
use data::Data;
use std::fmt::Write;

#[cfg(test)]
mod tests;

/// The page's colours and shapes, for light and dark screens, wide and narrow ones.
const STYLE: &str = include_str!("page/page.css");

/// What draws it: the trace as the script knows it, its words, the canvas, the controls.
const SCRIPT: [&str; 6] = [
    include_str!("page/model.js"),
    include_str!("page/clock.js"),
    include_str!("page/words.js"),
    include_str!("page/draw.js"),
    include_str!("page/marks.js"),
    include_str!("page/page.js"),
];

/// What stands around the script.
const BODY: &str = include_str!("page/body.html");

/// Nothing is loaded, sent or framed.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                      base-uri 'none'; form-action 'none'";

/// Writes a page of one trace, or of two on one clock.
pub(super) fn page(weaves: &[(String, Weave)]) -> String {
    let title: Vec<_> = weaves.iter().map(|(name, _)| escape(name)).collect();
    let data: Vec<_> = weaves.iter().map(|(name, weave)| Data::of(name, weave)).collect();
    let mut page = String::new();
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n{BODY}\
         <script type=\"application/json\" id=\"data\">{}</script>\n<script>\n\"use strict\";\n(() => {{\n",
        title.join(" | "),
        json(&data)
    );
    SCRIPT.iter().for_each(|part| page.push_str(part));
    page.push_str("})();\n</script>\n</body>\n</html>\n");
    page
}

/// JSON that can stand in a page: a `<` is only ever in a string, where it can be written otherwise.
fn json(data: &[Data]) -> String {
    let text = serde_json::to_string(data).expect("it is plain data");
    text.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// As text in a page.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
