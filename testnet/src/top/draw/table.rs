//! The nodes, one a row.

use super::{Rates, State, dim, tone, words};
use crate::{
    live::sight::{NodeView, Sight},
    top::{figures::Samples, state::Tone},
};
use ratatui::{
    Frame,
    layout::Rect,
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::Paragraph,
};
use std::time::Duration;

/// What can be told of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Column {
    Id,
    State,
    Height,
    Round,
    Final,
    Head,
    Pool,
    Peers,
    Transactions,
    In,
    Out,
    Memory,
    Processor,
    Open,
    Sync,
}

/// From left to right.
const COLUMNS: [Column; 15] = [
    Column::Id,
    Column::State,
    Column::Height,
    Column::Round,
    Column::Final,
    Column::Head,
    Column::Pool,
    Column::Peers,
    Column::Transactions,
    Column::In,
    Column::Out,
    Column::Memory,
    Column::Processor,
    Column::Open,
    Column::Sync,
];

/// Those that go when there is no room, the first ones first.
const SPARE: [Column; 12] = [
    Column::Open,
    Column::Sync,
    Column::Out,
    Column::In,
    Column::Processor,
    Column::Memory,
    Column::Head,
    Column::Pool,
    Column::Peers,
    Column::Transactions,
    Column::Round,
    Column::Final,
];

impl Column {
    /// What it is called.
    fn title(self) -> &'static str {
        match self {
            Column::Id => "node",
            Column::State => "state",
            Column::Height => "height",
            Column::Round => "rnd",
            Column::Final => "final",
            Column::Head => "head",
            Column::Pool => "pool",
            Column::Peers => "prs",
            Column::Transactions => "tx/s",
            Column::In => "in/s",
            Column::Out => "out/s",
            Column::Memory => "mem",
            Column::Processor => "cpu",
            Column::Open => "open",
            Column::Sync => "sync",
        }
    }

    fn width(self) -> usize {
        match self {
            Column::Round | Column::Peers => 3,
            Column::Id | Column::Pool | Column::Processor => 4,
            Column::State | Column::Height | Column::Final | Column::Head => 6,
            _ => 5,
        }
    }

    fn is_text(self) -> bool {
        matches!(self, Column::Id | Column::State | Column::Head)
    }

    /// What it holds; nothing if that is not known.
    fn value(
        self,
        node: &NodeView,
        rates: Option<&Rates>,
        samples: Option<&Samples>,
    ) -> Option<String> {
        let sight = || node.sight.as_ref().filter(|_| node.up);
        let rate = |of: fn(&Rates) -> f64| rates.map(|rates| words::count(of(rates)));
        match self {
            Column::Id => {
                Some(format!("{:>2}{}", node.id, if node.lie.is_some() { "*" } else { "" }))
            }
            Column::State => Some(state(node).0.to_owned()),
            Column::Height => Some(whole(sight()?.head_height)),
            Column::Round => Some(words::count(sight()?.round as f64)),
            Column::Final => Some(whole(sight()?.height)),
            Column::Head => Some(sight()?.head.chars().take(self.width()).collect()),
            Column::Pool => Some(words::count(sight()?.pool as f64)),
            Column::Peers => Some(sight()?.peers.to_string()),
            Column::Transactions => rate(|rates| rates.transactions),
            Column::In => rate(|rates| rates.received),
            Column::Out => rate(|rates| rates.sent),
            Column::Memory => Some(words::count(samples?.last()?.resident? as f64)),
            Column::Processor => rates?.cpu.map(words::percent),
            Column::Open => rates?.open.map(words::seconds),
            Column::Sync => rates?.sync.map(words::seconds),
        }
    }
}

/// A height in six columns.
fn whole(height: u64) -> String {
    if height < 1_000_000 { height.to_string() } else { words::count(height as f64) }
}

/// In one word, and how it is meant.
fn state(node: &NodeView) -> (&'static str, Tone) {
    match &node.sight {
        _ if !node.up => ("down", Tone::Bad),
        None => ("mute", Tone::Bad),
        Some(Sight { state, .. }) if state != "running" => ("halted", Tone::Bad),
        Some(_) => ("up", Tone::Good),
    }
}

/// A title, and as many nodes as there are lines, the chosen one among them.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, all: &State, now: Duration) {
    let by_depth = all.view.as_ref().is_some_and(|view| view.depths.is_some());
    let columns = columns(usize::from(area.width), by_depth);
    let titles = columns.iter().map(|column| cell(*column, column.title()));
    let mut lines = vec![Line::styled(format!(" {}", titles.collect::<Vec<_>>().join(" ")), dim())];
    let room = usize::from(area.height).saturating_sub(1);
    let chosen = all.chosen as usize;
    let first = (chosen + 1).saturating_sub(room);
    for node in all.nodes().iter().skip(first).take(room) {
        lines.push(row(node, &columns, all, now));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

/// Those that there is room for.
fn columns(width: usize, by_depth: bool) -> Vec<Column> {
    let other = if by_depth { Column::Round } else { Column::Final };
    let mut columns: Vec<_> = COLUMNS.into_iter().filter(|column| *column != other).collect();
    let needed =
        |columns: &[Column]| columns.iter().map(|column| column.width() + 1).sum::<usize>();
    for spare in SPARE {
        if needed(&columns) <= width {
            break;
        }
        columns.retain(|column| *column != spare);
    }
    columns
}

fn row(node: &NodeView, columns: &[Column], all: &State, now: Duration) -> Line<'static> {
    let is_chosen = node.id == all.chosen;
    let samples = all.samples(node.id, now).filter(|_| node.up);
    let rates = samples.and_then(Samples::rates);
    let mut spans = vec![Span::raw(if is_chosen { ">" } else { " " })];
    for (at, column) in columns.iter().enumerate() {
        let value = column.value(node, rates.as_ref(), samples);
        let style = match column {
            Column::State => tone(state(node).1),
            Column::Id if node.lie.is_some() => tone(Tone::Bad),
            _ => Style::new(),
        };
        let gap = if at + 1 < columns.len() { " " } else { "" };
        let text = cell(*column, value.as_deref().unwrap_or("-"));
        spans.push(Span::styled(format!("{text}{gap}"), style));
    }
    let style =
        if is_chosen { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() };
    Line::from(spans).style(style)
}

fn cell(column: Column, text: &str) -> String {
    let width = column.width();
    if column.is_text() { format!("{text:<width$}") } else { format!("{text:>width$}") }
}
