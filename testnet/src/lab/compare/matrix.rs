//! All cells, and how people and scripts read them.

use super::{
    super::{amount, milliseconds, time},
    Cell, Compare, Fault,
};
use serde_json::json;
use simulator::scenario::Outcome;
use std::fmt::Write;

/// How modules bore faults: a row for each fault, a column for each module.
#[derive(Debug)]
pub(super) struct Matrix<'a> {
    pub(super) order: &'a Compare,
    pub(super) modules: Vec<&'static str>,
    pub(super) faults: Vec<Fault>,
    /// Row by row. None where a module has no such fault.
    cells: Vec<Option<Cell>>,
}

impl<'a> Matrix<'a> {
    pub(super) fn new(
        order: &'a Compare,
        modules: &[&'static str],
        faults: Vec<Fault>,
    ) -> Matrix<'a> {
        let there = |fault: &Fault| modules.iter().any(|name| fault.modules.contains(name));
        let faults: Vec<_> = faults.into_iter().filter(there).collect();
        let row = |fault: &Fault| {
            let cell = |name: &&str| fault.modules.contains(name).then(Cell::default);
            modules.iter().map(cell).collect::<Vec<_>>()
        };
        let cells = faults.iter().flat_map(row).collect();
        Matrix { order, modules: modules.to_vec(), faults, cells }
    }

    /// The fault and the module of every cell there is, row by row.
    pub(super) fn places(&self) -> impl Iterator<Item = (&Fault, &'static str)> {
        let all = self
            .faults
            .iter()
            .flat_map(|fault| self.modules.iter().map(move |module| (fault, *module)));
        all.filter(|(fault, module)| fault.modules.contains(module))
    }

    /// Takes in a run of the cell at this place among those there are.
    pub(super) fn add(&mut self, place: usize, seed: u64, outcome: &Result<Outcome, String>) {
        let cell = self.cells.iter_mut().flatten().nth(place).expect("there is such a place");
        cell.add(seed, outcome);
    }

    pub(super) fn sort(&mut self) {
        self.cells.iter_mut().flatten().for_each(Cell::sort);
    }

    pub(super) fn panics(&self) -> u64 {
        self.cells.iter().flatten().map(|cell| cell.panics).sum()
    }

    /// The cells of a fault, by module.
    pub(super) fn row(&self, fault: usize) -> &[Option<Cell>] {
        &self.cells[fault * self.modules.len()..][..self.modules.len()]
    }

    /// What a module does without faults: the first row, always.
    pub(super) fn without(&self, module: usize) -> Option<&Cell> {
        self.row(0)[module].as_ref()
    }

    /// Every cell with its fault, its module and what that does without faults.
    pub(super) fn all(&self) -> Vec<(&Fault, &'static str, &Cell, Option<&Cell>)> {
        let mut all = Vec::new();
        for (at, fault) in self.faults.iter().enumerate() {
            for (column, cell) in self.row(at).iter().enumerate() {
                let without = self.without(column);
                all.extend(cell.iter().map(|cell| (fault, self.modules[column], cell, without)));
            }
        }
        all
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let (replicas, seeds, span) = (self.order.replicas, self.order.seeds(), self.order.span());
        let mut text = format!("{replicas} replicas, {seeds} seeds in each cell, {span}\n\n");
        self.overview(&mut text);
        self.figures(&mut text);
        self.witnesses(&mut text);
        text.trim_end().to_owned()
    }

    fn overview(&self, text: &mut String) {
        let _ = write!(text, "{:<23}", "fault");
        for module in &self.modules {
            let _ = write!(text, "{module:<18}");
        }
        text.push('\n');
        for (at, fault) in self.faults.iter().enumerate() {
            let _ = write!(text, "{:<23}", fault.name);
            for (column, cell) in self.row(at).iter().enumerate() {
                let shown = cell.as_ref().map_or_else(
                    || "-".to_owned(),
                    |cell| {
                        let (word, count) = cell.verdict(self.without(column));
                        format!("{} {count}", word.text())
                    },
                );
                let _ = write!(text, "{shown:<18}");
            }
            let _ = writeln!(text, "{}", fault.about);
        }
        text.push_str(LEGEND);
    }

    fn figures(&self, text: &mut String) {
        for module in &self.modules {
            let _ = writeln!(text, "\n{module}\n{}", FIGURES.join("\n"));
            for (fault, _, cell, without) in self.all().into_iter().filter(|each| each.1 == *module)
            {
                let yes = |bad: u64| if bad == 0 { "yes" } else { "no" };
                let number = |number: Option<f64>| number.map_or_else(|| "-".to_owned(), amount);
                let slower = without.and_then(|without| cell.slowdown(without));
                let slower = slower.map_or_else(|| "-".to_owned(), |times| format!("{times:.2}x"));
                let _ = writeln!(
                    text,
                    "{:<23}{:<5} {:<5} {:>10} {:>8} {:>8} {:>6} {:>9} {:>9} {:>9}",
                    fault.name,
                    yes(cell.unsafe_runs + cell.panics),
                    yes(cell.stalls + cell.panics),
                    format!("{}/{}", cell.unsafe_runs, cell.runs),
                    time(cell.latency(50)),
                    time(cell.latency(99)),
                    format!("{:.0} %", cell.served() * 100.0),
                    number(cell.messages()),
                    number(cell.bytes()),
                    slower,
                );
            }
        }
    }

    /// What went wrong, and how to see it again.
    fn witnesses(&self, text: &mut String) {
        let all = self.all();
        let bad = all.iter().filter(|each| !each.2.verdict(each.3).0.is_good());
        for (at, (fault, module, cell, _)) in bad.enumerate() {
            if at == 0 {
                text.push_str("\nTo see it again:\n");
            }
            let (seed, why) = cell.witness();
            let why: String = why.chars().take(150).collect();
            let again = self.order.again(fault, module, seed);
            let _ = writeln!(text, "{} of {module}, seed {seed}: {why}\n  {again}", fault.name);
        }
    }

    /// For scripts: a line of JSON for each cell.
    pub(super) fn lines(&self) -> Vec<String> {
        let line = |(fault, module, cell, without): (&Fault, &str, &Cell, Option<&Cell>)| {
            let mut line = cell.json(without);
            line["fault"] = json!(fault.name);
            line["consensus"] = json!(module);
            line["replicas"] = json!(self.order.replicas);
            line["again"] = json!(self.order.again(fault, module, cell.witness().0));
            line.to_string()
        };
        self.all().into_iter().map(line).collect()
    }

    /// For spreadsheets.
    pub(super) fn csv(&self) -> String {
        let mut text = String::from(
            "fault,consensus,replicas,runs,safe,live,violations,splits,reverts,stalls,height,\
             latency_p50_ms,latency_p99_ms,served,messages_per_decision,bytes_per_decision,\
             slowdown,witness_seed,again\n",
        );
        for (fault, module, cell, without) in self.all() {
            let number =
                |number: Option<f64>| number.map_or_else(String::new, |it| format!("{it:.3}"));
            let latency = |percent| number(cell.latency(percent).map(milliseconds));
            let seed = cell.witness().0;
            let _ = writeln!(
                text,
                "{},{module},{},{},{},{},{},{},{},{},{:.3},{},{},{:.4},{},{},{},{seed},\"{}\"",
                fault.name,
                self.order.replicas,
                cell.runs,
                cell.unsafe_runs == 0,
                cell.stalls == 0,
                cell.unsafe_runs,
                cell.splits,
                cell.reverts,
                cell.stalls,
                cell.height(),
                latency(50),
                latency(99),
                cell.served(),
                number(cell.messages()),
                number(cell.bytes()),
                number(without.and_then(|without| cell.slowdown(without))),
                self.order.again(fault, module, seed).replace('"', "\"\"")
            );
        }
        text
    }
}

pub(super) const LEGEND: &str = "\
ok: safe and live in every seed; slow: that, and a height takes so many times as long as without any
fault; stalls: safe, but in so many not every honest replica got on in the last third; REVERTS: a
block was taken back that was deep enough to be counted on; SPLITS: honest replicas hold different
final blocks. f is the most liars that a third leaves room for; they are the first replicas.
";

const FIGURES: [&str; 2] = [
    "                                   violations latency  latency        messages     bytes",
    "fault                  safe  live    of seeds      p50      p99 served  a height  a height  slowdown",
];
