//! Small line charts as SVG, drawn with the page's own colours.

use std::fmt::Write;

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 40.0;

/// One line: its name, and its points from left to right.
pub(super) type Curve<'a> = (&'a str, Vec<(f64, f64)>);

/// Draws a chart whose vertical axis begins at zero. Points that are missing were never reached.
pub(super) fn chart(title: &str, across: &str, up: &str, curves: &[Curve<'_>]) -> String {
    let points = || curves.iter().flat_map(|(_, points)| points.iter());
    let mut columns: Vec<f64> = points().map(|(x, _)| *x).collect();
    columns.sort_by(f64::total_cmp);
    columns.dedup();
    let (Some(first), Some(last)) = (columns.first().copied(), columns.last().copied()) else {
        return format!("<figure><figcaption>{title}: nothing was decided</figcaption></figure>");
    };
    let step = step(points().map(|(_, y)| *y).fold(0.0, f64::max));
    let ticks = (points().map(|(_, y)| *y).fold(0.0, f64::max) / step).ceil().max(1.0);
    let x = |at: f64| LEFT + (at - first) / (last - first).max(1e-9) * (WIDTH - LEFT - RIGHT);
    let y = |at: f64| HEIGHT - BOTTOM - at / (step * ticks) * (HEIGHT - TOP - BOTTOM);
    let mut svg = format!(
        "<figure><figcaption>{title}</figcaption>\
         <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">\n"
    );
    for tick in 0..=ticks as u32 {
        let (value, at) = (f64::from(tick) * step, y(f64::from(tick) * step));
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            at + 4.0,
            round(value)
        );
    }
    for column in &columns {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{column}</text>",
            x(*column),
            HEIGHT - BOTTOM + 16.0
        );
    }
    let middle = (LEFT + WIDTH - RIGHT) / 2.0;
    let _ = writeln!(
        svg,
        "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{across}</text>\
         <text class=\"unit\" x=\"4\" y=\"10\">{up}</text>",
        HEIGHT - 6.0
    );
    for (number, (name, points)) in curves.iter().enumerate() {
        let class = number % 6;
        let path: Vec<_> =
            points.iter().map(|(across, up)| format!("{:.1},{:.1}", x(*across), y(*up))).collect();
        let _ = writeln!(svg, "<polyline class=\"c{class}\" points=\"{}\"/>", path.join(" "));
        for (across, up) in points {
            let (left, top, shown) = (x(*across), y(*up), round(*up));
            let _ = writeln!(
                svg,
                "<circle class=\"c{class}\" cx=\"{left:.1}\" cy=\"{top:.1}\" r=\"4\">\
                 <title>{name}, {across}: {shown} {up_unit}</title></circle>",
                up_unit = up
            );
        }
    }
    svg.push_str("</svg><p class=\"key\">");
    for (number, (name, _)) in curves.iter().enumerate() {
        let _ = write!(svg, "<span class=\"c{}\">{name}</span> ", number % 6);
    }
    svg.push_str("</p></figure>\n");
    svg
}

/// A round distance between lines, of which four or five reach the top.
fn step(most: f64) -> f64 {
    let rough = (most / 4.0).max(1e-9);
    let power = 10_f64.powf(rough.log10().floor());
    let digit = rough / power;
    power * [1.0, 2.0, 5.0, 10.0].into_iter().find(|round| digit <= *round).unwrap_or(10.0)
}

/// Three figures or so.
fn round(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{:.1}M", v / 1e6),
        v if v >= 10_000.0 => format!("{:.0}k", v / 1e3),
        v if v >= 10.0 || v == 0.0 => format!("{v:.0}"),
        v => format!("{v:.2}").trim_end_matches('0').trim_end_matches('.').to_owned(),
    }
}
