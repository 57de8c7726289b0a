//! The same as one page, without anything from elsewhere.

use super::{
    super::{
        amount,
        plot::{self, Chart, Curve, Point, STYLE, Style, escape},
        time,
    },
    Cell, Fault,
    matrix::{LEGEND, Matrix},
    series::{Line, Series, among},
};
use std::fmt::Write;

/// Writes it.
pub(super) fn page(matrix: &Matrix<'_>, series: &Series) -> String {
    let order = matrix.order;
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Consensus under faults</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>Consensus under faults</h1>\n\
         <p>{} replicas, {} seeds in each cell, 40 seconds of virtual time in each run, two transfers \
         a second. Written by <code>testnet compare</code>.</p>\n",
        order.replicas,
        order.seeds()
    );
    survival(&mut page, matrix);
    page.push_str("<h2>How it grows</h2>\n<div class=\"charts\">\n");
    page.push_str(&charts(series));
    page.push_str("</div>\n");
    figures(&mut page, matrix);
    witnesses(&mut page, matrix);
    page.push_str("</body>\n</html>\n");
    page
}

/// The heat map.
fn survival(page: &mut String, matrix: &Matrix<'_>) {
    page.push_str("<h2>Who survives what</h2>\n<div class=\"wide\"><table class=\"heat\">\n<thead><tr><th>fault</th>");
    for module in &matrix.modules {
        let _ = write!(page, "<th>{module}</th>");
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for (at, fault) in matrix.faults.iter().enumerate() {
        let (name, about) = (escape(&fault.name), escape(&fault.about));
        let _ = write!(page, "<tr><th title=\"{about}\">{name}<small>{about}</small></th>");
        for (column, cell) in matrix.row(at).iter().enumerate() {
            match cell {
                None => page.push_str("<td class=\"none\">-</td>"),
                Some(cell) => heat(page, cell, matrix.without(column)),
            }
        }
        page.push_str("</tr>\n");
    }
    let _ = writeln!(page, "</tbody></table></div>\n<p class=\"legend\">{}</p>", escape(LEGEND));
}

fn heat(page: &mut String, cell: &Cell, without: Option<&Cell>) {
    let (word, count) = cell.verdict(without);
    let slower = without.and_then(|without| cell.slowdown(without));
    let figures = match slower {
        Some(times) => format!("{} · slowdown {times:.2}", time(cell.latency(50))),
        None => "nothing was decided".to_owned(),
    };
    let _ = write!(
        page,
        "<td class=\"{}\"><b>{}</b> {count}<small>{figures}</small></td>",
        word.class(),
        word.text(),
    );
}

fn figures(page: &mut String, matrix: &Matrix<'_>) {
    page.push_str("<h2>All figures</h2>\n");
    for module in &matrix.modules {
        let _ = write!(
            page,
            "<h3>{module}</h3>\n<div class=\"wide\"><table class=\"figures\"><thead><tr><th>fault</th>\
             <th>safe</th><th>live</th><th>violations</th><th>latency p50</th><th>p99</th>\
             <th>served</th><th>messages a height</th><th>bytes a height</th><th>slowdown</th></tr>\
             </thead>\n<tbody>\n"
        );
        for (fault, _, cell, without) in matrix.all().into_iter().filter(|each| each.1 == *module) {
            figure(page, fault, cell, without);
        }
        page.push_str("</tbody></table></div>\n");
    }
}

fn figure(page: &mut String, fault: &Fault, cell: &Cell, without: Option<&Cell>) {
    let yes = |bad: u64| if bad == 0 { "yes" } else { "no" };
    let number = |number: Option<f64>| number.map_or_else(|| "-".to_owned(), amount);
    let slower = without.and_then(|without| cell.slowdown(without));
    let _ = writeln!(
        page,
        "<tr><th>{}</th><td>{}</td><td>{}</td><td>{} of {}</td><td>{}</td><td>{}</td>\
         <td>{:.0} %</td><td>{}</td><td>{}</td><td>{}</td></tr>",
        escape(&fault.name),
        yes(cell.unsafe_runs + cell.panics),
        yes(cell.stalls + cell.panics),
        cell.unsafe_runs,
        cell.runs,
        time(cell.latency(50)),
        time(cell.latency(99)),
        cell.served() * 100.0,
        number(cell.messages()),
        number(cell.bytes()),
        slower.map_or_else(|| "-".to_owned(), |times| format!("{times:.2}×")),
    );
}

fn witnesses(page: &mut String, matrix: &Matrix<'_>) {
    page.push_str(
        "<h2>See it again</h2>\n<p>The worst seed of each cell that did not survive.</p>\n<dl>\n",
    );
    for (fault, module, cell, without) in matrix.all() {
        if cell.verdict(without).0.is_good() {
            continue;
        }
        let (seed, why) = cell.witness();
        let why: String = why.chars().take(300).collect();
        let _ = writeln!(
            page,
            "<dt>{} of {module}, seed {seed}</dt><dd>{}<pre>{}</pre></dd>",
            escape(&fault.name),
            escape(&why),
            escape(&matrix.order.again(fault, module, seed))
        );
    }
    page.push_str("</dl>\n");
}

fn charts(series: &Series) -> String {
    let latency = |cell: &Cell| cell.latency(50).map(|span| span.as_secs_f64());
    let messages = Cell::messages;
    let silent = format!("silent replicas among {}", among());
    let (seconds, cost) = ("seconds", "messages");
    let chart = |title: &str, across: &str, up: &str, curves| {
        let [title, across, up] = [title, across, up].map(str::to_owned);
        plot::figure(&Chart { title, across, up, curves, words: Vec::new() })
    };
    [
        chart("Latency of a transfer", "replicas", seconds, curves(&series.sizes, latency)),
        chart("Messages for each height", "replicas", cost, curves(&series.sizes, messages)),
        chart("Latency of a transfer", &silent, seconds, curves(&series.silent, latency)),
        chart("Messages for each height", &silent, cost, curves(&series.silent, messages)),
    ]
    .concat()
}

fn curves(lines: &[Line], value: impl Fn(&Cell) -> Option<f64>) -> Vec<Curve> {
    let point =
        |(x, cell): &(u32, Cell)| Some(Point { across: f64::from(*x), up: value(cell)?, off: 0.0 });
    let curve = |line: &Line| line.points.iter().filter_map(point).collect();
    let numbered = lines.iter().enumerate();
    numbered
        .map(|(colour, line)| {
            let (name, points) = (line.module.to_owned(), curve(line));
            Curve { name, colour, style: Style::Joined, points }
        })
        .collect()
}
