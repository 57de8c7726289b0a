//! A lab over the range of one of its parameters: where to measure, and the pages that show it.

use super::{PapersError, Wish};
use crate::lab::plot::{self, Chart, Curve, Point, STYLE, Style, escape};
use simulator::labs::{Finding, Parameter, Part, Range, Value};
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

/// How many points are measured, and of how many the theory's curves are made.
const MEASURED: u64 = 11;
const DRAWN: u64 = 121;

/// From what ratio of its ends on a range is gone through by equal factors.
const WIDE: f64 = 50.0;

/// What came out along a range.
#[derive(Debug)]
pub(super) struct Along {
    parameter: &'static Parameter,
    /// What theory says by itself, at many values.
    theory: Vec<(Value, Vec<Finding>)>,
    /// What was measured, at some.
    pub(super) measured: Vec<(Value, Vec<Finding>)>,
}

/// Makes the directory, and finds out whether a page can be written there: before anything is measured.
pub(super) fn make(wish: &Wish, directory: &Path) -> Result<(), PapersError> {
    let failed = |path: &Path, reason| PapersError::Write { path: path.to_owned(), reason };
    fs::create_dir_all(directory).map_err(|reason| failed(directory, reason))?;
    let page = directory.join(format!("{}.html", wish.lab.name));
    let is_new = !page.exists();
    let opened = fs::OpenOptions::new().create(true).append(true).open(&page);
    let opened = opened.and_then(|_| if is_new { fs::remove_file(&page) } else { Ok(()) });
    opened.map_err(|reason| failed(&page, reason))
}

/// Goes through the range of the lab's parameter; the others stay as they were chosen. Values that
/// do not go with these are left out.
pub(super) fn along(wish: &Wish, stop: &AtomicBool) -> Result<Along, PapersError> {
    let parameters = wish.lab.parameters.iter();
    let parameter = parameters.into_iter().find(|one| one.name == wish.lab.over);
    let parameter = parameter.expect("a lab names one of its parameters");
    let at = |value: Value| {
        let mut values = wish.values.clone();
        values.set(parameter.name, value);
        // A single point is measured again without the range.
        Wish { values, out: None, ..wish.clone() }
    };
    let prepared = |wish: &Wish| (wish.lab.prepare)(&wish.values).ok();
    let fits = |value: &Value| prepared(&at(*value)).is_some();
    let all: Vec<_> = values(&parameter.range, u64::MAX).into_iter().filter(fits).collect();
    // A formula can take a while, too.
    let theory = thinned(&all, DRAWN)
        .into_iter()
        .take_while(|_| !stop.load(Ordering::Relaxed))
        .filter_map(|value| Some((value, prepared(&at(value))?.findings(&[]))))
        .collect();
    if stop.load(Ordering::Relaxed) {
        return Err(PapersError::Interrupted);
    }
    let mut measured = Vec::new();
    for value in thinned(&all, MEASURED) {
        if stop.load(Ordering::Relaxed) {
            return Err(PapersError::Interrupted);
        }
        let wish = at(value);
        let experiment = prepared(&wish).expect("it fits");
        let samples = wish.measure(experiment.as_ref(), stop)?;
        measured.push((value, experiment.findings(&samples)));
    }
    Ok(Along { parameter, theory, measured })
}

/// The values of a range from one end to the other, evenly or by equal factors; of a range of whole
/// numbers all that are not too many.
fn values(range: &Range, most: u64) -> Vec<Value> {
    match *range {
        Range::Word(words) => words.iter().map(|word| Value::Word(word)).collect(),
        // A list has no order to go through.
        Range::List(..) => Vec::new(),
        Range::Part(most) => {
            let all = most.min(DRAWN - 1);
            (1..=all).map(|some| Value::Part(Part { some, all })).collect()
        }
        Range::Whole(from, to) => {
            let count = (to - from + 1).min(most).min(DRAWN);
            let mut all: Vec<_> = (0..count)
                .map(|at| between(from as f64, to as f64, share(at, count)).round() as u64)
                .collect();
            all.dedup();
            all.into_iter().map(Value::Whole).collect()
        }
        Range::Real { from, with_from, to, with_to } => {
            // An end that is excluded is approached, not reached.
            let cell = (to - from) / (2 * DRAWN) as f64;
            let from = if with_from { from } else { from + cell };
            let to = if with_to { to } else { to - cell };
            (0..DRAWN).map(|at| Value::Real(between(from, to, share(at, DRAWN)))).collect()
        }
    }
}

fn share(at: u64, count: u64) -> f64 {
    at as f64 / (count - 1).max(1) as f64
}

/// Part of the way.
fn between(from: f64, to: f64, share: f64) -> f64 {
    match from > 0.0 && to / from > WIDE {
        true => from * (to / from).powf(share),
        false => from + (to - from) * share,
    }
}

/// So many of them, from the first to the last.
fn thinned(all: &[Value], count: u64) -> Vec<Value> {
    let (last, count) = (all.len().saturating_sub(1), count.min(all.len() as u64));
    let at = |number| (share(number, count) * last as f64).round() as usize;
    (0..count).map(|number| all[at(number)]).collect()
}

impl Along {
    /// How many of the measured points agree in all their figures, of how many.
    pub(super) fn agreeing(&self) -> (usize, usize) {
        let agrees = |found: &[Finding]| found.iter().all(|one| one.agrees() != Some(false));
        let good = self.measured.iter().filter(|(_, found)| agrees(found)).count();
        (good, self.measured.len())
    }

    /// Writes the page, its charts as files of their own, and all figures; where the page is.
    pub(super) fn write(&self, wish: &Wish, directory: &Path) -> Result<PathBuf, PapersError> {
        let failed = |path: &Path, reason| PapersError::Write { path: path.to_owned(), reason };
        fs::create_dir_all(directory).map_err(|reason| failed(directory, reason))?;
        let charts = self.charts(wish);
        let name = wish.lab.name;
        let mut files = vec![
            (format!("{name}.html"), self.page(wish, &charts)),
            (format!("{name}.csv"), self.csv()),
        ];
        for (figure, chart) in &charts {
            let drawing = plot::alone(chart);
            files.extend(drawing.map(|svg| (format!("{name}-{figure}.svg"), svg)));
        }
        for (file, text) in files {
            let path = directory.join(file);
            fs::write(&path, text).map_err(|reason| failed(&path, reason))?;
        }
        Ok(directory.join(format!("{name}.html")))
    }

    /// A chart for each figure, with those whose names begin with its own.
    fn charts(&self, wish: &Wish) -> Vec<(&'static str, Chart)> {
        let mut names: Vec<&'static str> = Vec::new();
        for found in self.theory.iter().chain(&self.measured).flat_map(|(_, found)| found) {
            if !names.contains(&found.name) {
                names.push(found.name);
            }
        }
        let belongs = |name: &str, to: &str| {
            name.strip_prefix(to).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        };
        let heads = names
            .iter()
            .filter(|name| !names.iter().any(|other| other != *name && belongs(name, other)));
        let chart = |head: &&'static str| {
            let members = names.iter().filter(|name| belongs(name, head));
            let numbered = members.enumerate();
            let curves: Vec<_> = numbered
                .flat_map(|(colour, name)| self.curves(name, name != head, colour))
                .collect();
            // What is zero everywhere is a condition, and no curve.
            let shows = curves.iter().flat_map(|curve| &curve.points).any(|point| point.up != 0.0);
            let title = format!("{}: {}", wish.lab.name, self.about(head));
            let words = match self.parameter.range {
                Range::Word(words) => words.to_vec(),
                _ => Vec::new(),
            };
            let across = format!("--{}", self.parameter.name);
            shows.then(|| (*head, Chart { title, across, up: (*head).to_owned(), curves, words }))
        };
        heads.filter_map(chart).collect()
    }

    /// What theory says of a figure, and what was measured of it. Whether it is told what the figure
    /// is: of the chart's first the title tells it.
    fn curves(&self, name: &str, is_told: bool, colour: usize) -> Vec<Curve> {
        let find = |found: &[Finding]| found.iter().find(|one| one.name == name).cloned();
        let point = |value: &Value, up, off| Point { across: self.across(*value), up, off };
        let theory: Vec<_> = self
            .theory
            .iter()
            .filter_map(|(value, found)| Some(point(value, find(found)?.theory?, 0.0)))
            .collect();
        let measured: Vec<_> = self
            .measured
            .iter()
            .filter_map(|(value, found)| {
                let found = find(found)?;
                Some(point(value, found.measured?, found.tolerance))
            })
            .collect();
        let style = if measured.is_empty() { Style::Dashes } else { Style::Line };
        let told = match is_told {
            true => format!("{name}: {}", self.about(name)),
            false => name.to_owned(),
        };
        let theory = Curve { name: told, colour, style, points: theory };
        let name = format!("{name}, measured");
        let measured = Curve { name, colour, style: Style::Dots, points: measured };
        [theory, measured].into_iter().filter(|curve| !curve.points.is_empty()).collect()
    }

    /// What a figure is.
    fn about(&self, name: &str) -> &'static str {
        let mut all = self.theory.iter().chain(&self.measured).flat_map(|(_, found)| found);
        all.find(|found| found.name == name).map_or("", |found| found.about)
    }

    /// Where a value is drawn: a word by its place among the words.
    fn across(&self, value: Value) -> f64 {
        match (value, self.parameter.range) {
            (Value::Real(number), _) => number,
            (Value::Whole(number), _) => number as f64,
            (Value::Word(word), Range::Word(words)) => {
                words.iter().position(|known| *known == word).unwrap_or(0) as f64
            }
            (Value::Part(part), _) => part.share(),
            (Value::Word(_) | Value::List(_), _) => 0.0,
        }
    }

    fn page(&self, wish: &Wish, charts: &[(&'static str, Chart)]) -> String {
        let (name, about) = (wish.lab.name, escape(wish.lab.about));
        let others: Vec<_> = wish
            .values
            .iter()
            .filter(|(name, _)| *name != self.parameter.name)
            .map(|(name, value)| format!("--{name} {value}"))
            .collect();
        let (good, all) = self.agreeing();
        let mut page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{name}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{name}</h1>\n\
             <p>{about}. {} {} at each point, seed {}. {}</p>\n\
             <p>--{}: {}. Curves are theory, dots what was measured, with their tolerance. {good} of {all} points \
             agree. Again: <code>{}</code></p>\n<div class=\"charts\">\n",
            wish.trials,
            escape(wish.lab.trials),
            wish.seed,
            escape(&others.join(" ")),
            self.parameter.name,
            escape(self.parameter.about),
            escape(&wish.again()),
        );
        charts.iter().for_each(|(_, chart)| page.push_str(&plot::figure(chart)));
        page.push_str("</div>\n<ul>\n");
        for paper in wish.lab.papers {
            let _ = writeln!(page, "<li>{}</li>", escape(paper));
        }
        page + "</ul>\n</body>\n</html>\n"
    }

    /// Every figure that was measured.
    fn csv(&self) -> String {
        let mut text = format!("{},figure,theory,measured,tolerance,agrees\n", self.parameter.name);
        for (value, found) in &self.measured {
            for one in found {
                let shown =
                    |figure: Option<f64>| figure.map_or_else(String::new, |it| it.to_string());
                let (theory, measured) = (shown(one.theory), shown(one.measured));
                let tolerance = shown(one.agrees().map(|_| one.tolerance));
                let agrees = one.agrees().map_or_else(String::new, |agrees| agrees.to_string());
                let name = one.name;
                let _ = writeln!(text, "{value},{name},{theory},{measured},{tolerance},{agrees}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests;
