//! Small charts as SVG: in a page, with the page's own colours, or alone, with their own.

use std::fmt::Write;

#[cfg(test)]
mod tests;

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 40.0;

/// How high a line of the key is in a chart of its own, and how high its title.
const KEY: f64 = 18.0;
const TITLE: f64 = 24.0;

/// The most distances that are marked across where each is marked by itself.
const MOST_COLUMNS: usize = 12;

/// How far apart the least and the most may be before an axis counts powers of ten.
const DECADES: f64 = 1_000.0;

/// The page's colours and shapes, for light and dark screens, wide and narrow ones.
pub(super) const STYLE: &str = include_str!("page.css");

/// A chart.
#[derive(Clone, Debug, Default)]
pub(super) struct Chart {
    pub(super) title: String,
    /// What goes across, and what up, each with its unit.
    pub(super) across: String,
    pub(super) up: String,
    pub(super) curves: Vec<Curve>,
    /// The words that stand for 0, 1, 2 … across, if it is words that go there.
    pub(super) words: Vec<&'static str>,
}

/// What belongs together, from left to right. Points that are missing were never reached.
#[derive(Clone, Debug)]
pub(super) struct Curve {
    pub(super) name: String,
    pub(super) style: Style,
    pub(super) points: Vec<Point>,
}

/// How a curve is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Style {
    /// Points, and lines from one to the next.
    Joined,
    /// A line.
    Line,
    /// A line of dashes.
    Dashes,
    /// Points, with how far off they may be.
    Dots,
}

/// A point, and how far off it may be, up and down.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Point {
    pub(super) across: f64,
    pub(super) up: f64,
    pub(super) off: f64,
}

/// Where values are drawn along an axis.
#[derive(Clone, Copy, Debug)]
struct Axis {
    least: f64,
    most: f64,
    is_logarithmic: bool,
    /// Where the least and the most are drawn.
    from: f64,
    to: f64,
}

impl Axis {
    fn at(&self, value: f64) -> f64 {
        let scale = |value: f64| if self.is_logarithmic { value.log10() } else { value };
        // Zero has no logarithm: it is drawn where the axis begins.
        let value = if self.is_logarithmic { value.max(self.least) } else { value };
        let span = (scale(self.most) - scale(self.least)).max(1e-9);
        self.from + (scale(value) - scale(self.least)) / span * (self.to - self.from)
    }

    /// Round values between the least and the most.
    fn ticks(&self) -> Vec<f64> {
        if !self.is_logarithmic {
            let step = step(self.most - self.least);
            let first = (self.least / step - 1e-9).ceil();
            let last = (self.most / step + 1e-9).floor();
            return (0..=(last - first) as u32)
                .map(|tick| (first + f64::from(tick)) * step)
                .collect();
        }
        let (low, high) = (self.least.log10().ceil() as i32, self.most.log10().floor() as i32);
        let apart = ((high - low) / 6 + 1).max(1) as usize;
        (low..=high).step_by(apart).map(|power| 10_f64.powi(power)).collect()
    }
}

/// A chart in a page that has [`STYLE`].
pub(super) fn figure(chart: &Chart) -> String {
    let title = escape(&chart.title);
    let Some(body) = body(chart) else {
        return format!("<figure><figcaption>{title}: nothing was decided</figcaption></figure>");
    };
    let mut text = format!(
        "<figure><figcaption>{title}</figcaption>\
         <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">\n{body}</svg>\
         <p class=\"key\">"
    );
    for (number, curve) in chart.curves.iter().enumerate() {
        let _ = write!(text, "<span class=\"c{}\">{}</span> ", number % 6, escape(&curve.name));
    }
    text + "</p></figure>\n"
}

/// A chart in a file of its own; none if it has no points.
pub(super) fn alone(chart: &Chart) -> Option<String> {
    let body = body(chart)?;
    let height = TITLE + HEIGHT + KEY * chart.curves.len() as f64 + 6.0;
    let title = escape(&chart.title);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{}\" \
         height=\"{}\">\n<style>\n{}</style>\n<rect width=\"100%\" height=\"100%\" \
         style=\"fill: var(--page)\"/>\n<text x=\"4\" y=\"17\" style=\"fill: var(--ink); font-weight: 600\">{title}</text>\n\
         <g transform=\"translate(0 {TITLE})\">\n{body}</g>\n",
        2.0 * WIDTH,
        2.0 * height,
        colours(),
    );
    for (number, curve) in chart.curves.iter().enumerate() {
        let at = TITLE + HEIGHT + KEY * (number as f64 + 0.7);
        let _ = writeln!(
            text,
            "<text x=\"{LEFT}\" y=\"{at:.1}\" style=\"fill: var(--c{}); font-weight: 600\">{}</text>",
            number % 6,
            escape(&curve.name)
        );
    }
    Some(text + "</svg>\n")
}

/// Of the page's style, the colours and what concerns drawings.
fn colours() -> String {
    let colours = STYLE.split_once("* {").map_or("", |(colours, _)| colours);
    let shapes = STYLE
        .lines()
        .filter(|line| ["svg ", "polyline", "circle"].iter().any(|begin| line.starts_with(begin)));
    shapes.fold(colours.to_owned(), |style, line| style + line + "\n")
}

/// Axes and curves. The vertical axis begins at zero, unless it counts powers of ten.
fn body(chart: &Chart) -> Option<String> {
    let points = || chart.curves.iter().flat_map(|curve| curve.points.iter());
    let mut columns: Vec<f64> = points().map(|point| point.across).collect();
    columns.sort_by(f64::total_cmp);
    columns.dedup();
    let (first, last) = (columns.first().copied()?, columns.last().copied()?);
    let is_wide = chart.words.is_empty() && first > 0.0 && last / first > 50.0;
    let x =
        Axis { least: first, most: last, is_logarithmic: is_wide, from: LEFT, to: WIDTH - RIGHT };
    let y = upright(chart);
    let mut svg = String::new();
    for value in y.ticks() {
        let at = y.at(value);
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
    let marked = if columns.len() > MOST_COLUMNS || is_wide { x.ticks() } else { columns };
    for column in marked {
        let word = chart.words.get(column as usize).map(|word| escape(word));
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            x.at(column),
            HEIGHT - BOTTOM + 16.0,
            word.unwrap_or_else(|| round(column))
        );
    }
    let middle = (LEFT + WIDTH - RIGHT) / 2.0;
    let _ = writeln!(
        svg,
        "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>\
         <text class=\"unit\" x=\"4\" y=\"10\">{}</text>",
        HEIGHT - 6.0,
        escape(&chart.across),
        escape(&chart.up)
    );
    for (number, curve) in chart.curves.iter().enumerate() {
        draw(&mut svg, number % 6, curve, (&x, &y), &chart.up);
    }
    Some(svg)
}

/// The vertical axis: in powers of ten where all is positive and lies far apart.
fn upright(chart: &Chart) -> Axis {
    let (from, to) = (HEIGHT - BOTTOM, TOP);
    let values = || chart.curves.iter().flat_map(|curve| curve.points.iter()).map(|point| point.up);
    let most = values().fold(0.0, f64::max);
    // What was measured may be zero by chance.
    let lines = chart.curves.iter().filter(|curve| curve.style != Style::Dots);
    let lines = lines.flat_map(|curve| curve.points.iter()).map(|point| point.up);
    let least = lines.fold(f64::INFINITY, f64::min);
    if least > 0.0 && most / least > DECADES && least.is_finite() {
        let (least, most) = (least.max(most * 1e-12), most);
        let power = |value: f64| 10_f64.powf(value);
        let (least, most) = (power(least.log10().floor()), power(most.log10().ceil()));
        return Axis { least, most, is_logarithmic: true, from, to };
    }
    let step = step(most);
    let most = (most / step).ceil().max(1.0) * step;
    Axis { least: 0.0, most, is_logarithmic: false, from, to }
}

fn draw(svg: &mut String, class: usize, curve: &Curve, (x, y): (&Axis, &Axis), unit: &str) {
    if curve.style != Style::Dots {
        let points = curve.points.iter();
        let path: Vec<_> = points
            .map(|point| format!("{:.1},{:.1}", x.at(point.across), y.at(point.up)))
            .collect();
        let dashes = if curve.style == Style::Dashes { " stroke-dasharray=\"5 4\"" } else { "" };
        let _ =
            writeln!(svg, "<polyline class=\"c{class}\"{dashes} points=\"{}\"/>", path.join(" "));
    }
    if matches!(curve.style, Style::Line | Style::Dashes) {
        return;
    }
    for Point { across, up, off } in &curve.points {
        let (left, top, shown) = (x.at(*across), y.at(*up), round(*up));
        if *off > 0.0 {
            let [low, high] = [up - off, up + off].map(|end| y.at(end.clamp(y.least, y.most)));
            let _ = writeln!(
                svg,
                "<polyline class=\"c{class}\" points=\"{left:.1},{low:.1} {left:.1},{high:.1}\"/>"
            );
        }
        let (name, across, unit) = (escape(&curve.name), round(*across), escape(unit));
        let _ = writeln!(
            svg,
            "<circle class=\"c{class}\" cx=\"{left:.1}\" cy=\"{top:.1}\" r=\"4\">\
             <title>{name}, {across}: {shown} {unit}</title></circle>"
        );
    }
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
        v if v == v.trunc() => format!("{v}"),
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}").trim_end_matches(".0").to_owned(),
        v if v.abs() < 1e-3 => format!("{v:e}").split_once('e').map_or_else(String::new, short),
        v => format!("{v:.3}").trim_end_matches('0').trim_end_matches('.').to_owned(),
    }
}

/// A small number with its power of ten.
fn short((digits, power): (&str, &str)) -> String {
    format!("{}e{power}", digits.get(..4).unwrap_or(digits))
}

/// As text in a page.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
