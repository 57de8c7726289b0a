//! What came out, for people and for scripts.

use super::Wish;
use serde_json::{Map, json};
use simulator::labs::{self, Finding, Lab, Parameter, Value};
use std::{collections::BTreeMap, fmt::Write as _};

/// Lists what can be measured.
pub(super) fn list(json: bool) {
    crate::lies::show(json, &labs::all().iter().map(entry).collect::<Vec<_>>(), |_| told());
}

/// All labs, for people.
fn told() -> String {
    let mut text = String::new();
    let width = labs::all().iter().map(|lab| lab.name.len()).max().unwrap_or(0);
    for Lab { name, about, papers, parameters, .. } in labs::all() {
        let flags: Vec<_> = parameters.iter().map(|one| format!("--{}", one.name)).collect();
        let _ = writeln!(text, "{name:<width$}  {about}\n{:<width$}  {}", "", flags.join(" "));
        for paper in *papers {
            let _ = writeln!(text, "{:<width$}    {paper}", "");
        }
    }
    text
}

/// One lab, for scripts.
fn entry(lab: &Lab) -> serde_json::Value {
    let parameter = |one: &Parameter| {
        let range = one.range.to_string();
        json!({ "name": one.name, "about": one.about, "range": range, "default": value(one.usual) })
    };
    let parameters: Vec<_> = lab.parameters.iter().map(parameter).collect();
    json!({
        "lab": lab.name, "about": lab.about, "papers": lab.papers, "parameters": parameters,
        "trials": lab.trials, "default_trials": lab.usual,
    })
}

/// What came out, for scripts; with how many of how many points agree along the range, if it was
/// measured.
pub(super) fn line(
    wish: &Wish,
    words: &[(&str, String)],
    findings: &[Finding],
    along: Option<(usize, usize)>,
) -> String {
    let Wish { lab, values, trials, seed, .. } = wish;
    let params: Map<_, _> =
        values.iter().map(|(name, chosen)| (name.to_owned(), value(chosen))).collect();
    let of = |figure: fn(&Finding) -> Option<f64>| -> Map<_, _> {
        findings.iter().map(|found| (found.name.to_owned(), json!(figure(found)))).collect()
    };
    json!({
        "lab": lab.name,
        "params": params,
        "trials": trials,
        "seed": seed,
        "words": words.iter().cloned().collect::<BTreeMap<_, _>>(),
        "theory": of(|found| found.theory),
        "measured": of(|found| found.measured),
        "tolerance": of(|found| found.agrees().map(|_| found.tolerance)),
        "along": along.map(|(agree, points)| json!({ "agree": agree, "points": points })),
        "agrees": all_agree(findings) && along.is_none_or(|(agree, points)| agree == points),
    })
    .to_string()
}

/// Whether something was compared, and all that was agrees.
fn all_agree(findings: &[Finding]) -> bool {
    let mut judged = findings.iter().filter_map(Finding::agrees).peekable();
    judged.peek().is_some() && judged.all(|agrees| agrees)
}

/// What came out, for people.
pub(super) fn text(wish: &Wish, words: &[(&str, String)], findings: &[Finding]) -> String {
    let Wish { lab, values, trials, seed, .. } = wish;
    let values: Vec<_> = values.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let head = ["figure", "theory", "measured", "tolerance", "agrees", "what it is"];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(findings.iter().map(row));
    let widths: Vec<_> = (0..head.len())
        .map(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = format!(
        "{}: {}\n{}; {trials} {}, seed {seed}\n\n",
        lab.name,
        lab.about,
        values.join(", "),
        lab.trials
    );
    for (name, told) in words {
        let _ = writeln!(text, "{name}: {told}\n");
    }
    for [name, theory, measured, tolerance, agrees, about] in &rows {
        let _ = writeln!(
            text,
            "{name:<w0$}  {theory:>w1$}  {measured:>w2$}  {tolerance:>w3$}  {agrees:<w4$}  {about}",
            w0 = widths[0],
            w1 = widths[1],
            w2 = widths[2],
            w3 = widths[3],
            w4 = widths[4],
        );
    }
    text.push('\n');
    for paper in lab.papers {
        let _ = writeln!(text, "{paper}");
    }
    text + if all_agree(findings) { "theory and measurement agree" } else { "THEY DO NOT AGREE" }
}

fn row(found: &Finding) -> [String; 6] {
    let shown = |figure: Option<f64>| figure.map_or_else(|| "-".to_owned(), figure_text);
    let (tolerance, agrees) = match found.agrees() {
        None => ("-".to_owned(), "-"),
        Some(agrees) => {
            let exact = found.tolerance == 0.0;
            let tolerance = if exact { "exact".into() } else { figure_text(found.tolerance) };
            (tolerance, if agrees { "yes" } else { "NO" })
        }
    };
    let (theory, measured) = (shown(found.theory), shown(found.measured));
    [found.name.into(), theory, measured, tolerance, agrees.into(), found.about.into()]
}

/// Five figures or so, and whole numbers whole.
pub(super) fn figure_text(figure: f64) -> String {
    if figure == figure.trunc() && figure.abs() < 1e15 {
        return format!("{figure}");
    }
    match figure.abs() {
        size if size < 1e-3 => format!("{figure:.3e}"),
        size if size < 10.0 => format!("{figure:.5}"),
        size if size < 1e4 => format!("{figure:.2}"),
        _ => format!("{figure:.0}"),
    }
}

fn value(value: Value) -> serde_json::Value {
    match value {
        Value::Real(number) => json!(number),
        Value::Whole(number) => json!(number),
        Value::Word(word) => json!(word),
        Value::List(numbers) => json!(numbers.as_slice()),
        Value::Part(_) => json!(value.to_string()),
    }
}
