//! What is on the screen: the net, a table of its nodes, the chosen one, history, events, keys.
//!
//! When there is little room, the table gets it first, then the last events and the history; when there
//! are few columns, the table leaves out the last ones.

mod table;
mod words;

use super::{
    figures::Rates,
    state::{Mode, State, Tone, name},
};
use crate::live::control::NetView;
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::{Block, Clear, Paragraph, Sparkline, Wrap},
};
use std::{collections::VecDeque, time::Duration};

#[cfg(test)]
mod tests;

/// The smallest terminal that shows anything useful.
const SMALLEST: (u16, u16) = (40, 8);

/// The lines that the history and the events want at least, with their titles.
const CHART: u16 = 3;
const EVENTS: u16 = 2;

/// The lines that the history takes where there is room.
const TALL_CHART: u16 = 6;

const KEYS: &str = "↑↓  k kill  s start  t stop  c cut off  p partition  h heal  ? help  q quit";
const FEW_KEYS: &str = "↑↓ k s t c p h  ? help  q quit";

/// Draws everything, as it is at `now`.
pub fn draw(frame: &mut Frame<'_>, state: &State, now: Duration) {
    let area = frame.area();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        return draw_tiny(frame, area, state);
    }
    let head = head(state, now);
    let nodes = u16::try_from(state.nodes().len()).unwrap_or(u16::MAX).max(1);
    let above = u16::try_from(head.len()).unwrap_or(u16::MAX).saturating_add(1);
    // The chosen node, what is said, the keys.
    let room = area.height.saturating_sub(above.saturating_add(3));
    let rows = nodes.min(room);
    let (chart, events) = share(room - rows);
    let [top, table, chosen, charts, happened, message, keys] = Layout::vertical([
        Constraint::Length(above - 1),
        Constraint::Length(rows + 1),
        Constraint::Length(1),
        Constraint::Length(chart),
        Constraint::Fill(events.min(1)),
        Constraint::Length(1),
        Constraint::Length(1),
    ])
    .areas(area);
    frame.render_widget(Paragraph::new(head), top);
    table::draw(frame, table, state, now);
    frame.render_widget(chosen_line(state), chosen);
    draw_charts(frame, charts, state);
    if events > 0 {
        frame.render_widget(happenings(state, now, happened), happened);
    }
    frame.render_widget(message_line(state), message);
    let text = if KEYS.chars().count() <= usize::from(area.width) { KEYS } else { FEW_KEYS };
    frame.render_widget(Line::styled(text, dim()), keys);
    if state.mode == Mode::Help {
        draw_help(frame, area);
    }
}

/// What the history and the events get of so many lines.
fn share(left: u16) -> (u16, u16) {
    match left {
        0..EVENTS => (0, 0),
        EVENTS..6 => (0, left),
        6..12 => (CHART, left - CHART),
        _ => (TALL_CHART, left - TALL_CHART),
    }
}

/// The net: what it is, and how it is.
fn head(state: &State, now: Duration) -> Vec<Line<'static>> {
    let Some(view) = &state.view else {
        let text = match &state.gone {
            Some(why) => Line::styled(why.clone(), tone(Tone::Bad)),
            None => Line::from("the net is being asked …"),
        };
        return vec![text];
    };
    let mut lines = vec![title(view)];
    if let Some(why) = &state.gone {
        lines.push(Line::styled(words::first_line(why), tone(Tone::Bad)));
    } else if let Some(silent) = state.silent(now) {
        let text = format!("the net has not answered for {} s", silent.as_secs());
        lines.push(Line::styled(text, tone(Tone::Bad)));
    }
    lines.extend(pulse(view));
    if let Some(groups) = &view.partition {
        lines.push(Line::styled(format!("nothing passes between {groups}"), tone(Tone::Bad)));
    }
    lines
}

fn title(view: &NetView) -> Line<'static> {
    let up = view.nodes.iter().filter(|node| node.up).count();
    let chain = view.chain_id.get(..8).unwrap_or(&view.chain_id);
    let nodes = view.nodes.len();
    let mut spans = vec![
        Span::styled(view.consensus.clone(), Style::new().add_modifier(Modifier::BOLD)),
        Span::raw(format!(" · chain {chain} · ")),
        Span::styled(
            format!("{up} of {nodes} up"),
            tone(if up == nodes { Tone::Plain } else { Tone::Bad }),
        ),
    ];
    let liars = view.byzantine.0.len();
    if liars > 0 {
        spans.push(Span::raw(format!(" · {liars} lying (*)")));
    }
    spans.push(Span::styled(format!(" · {}", view.dir), dim()));
    Line::from(spans)
}

fn pulse(view: &NetView) -> Vec<Line<'static>> {
    let Some(pulse) = &view.finality else {
        let deep = view.depths.map(|depths| {
            let (counted, last) = (depths.confirmations, depths.irreversible);
            Line::from(format!("counted on {counted} deep, final {last} deep"))
        });
        return deep.into_iter().collect();
    };
    let how = tone(if pulse.is_usual() { Tone::Good } else { Tone::Bad });
    match pulse.lines() {
        usual if usual.is_empty() => {
            let text = format!("height {} final · round {}", pulse.height, pulse.round);
            vec![Line::styled(text, how)]
        }
        lines => lines.into_iter().map(|line| Line::styled(line, how)).collect(),
    }
}

/// What the table has no room for.
fn chosen_line(state: &State) -> Line<'static> {
    let Some(node) = state.node() else { return Line::default() };
    let mut parts = vec![format!("node {}", node.id)];
    match (node.up, node.pid, node.exit) {
        (true, Some(pid), _) => parts.push(format!("process {pid} · {}", node.rpc)),
        (false, _, Some(exit)) => parts.push(format!("down ({exit})")),
        (up, _, _) => parts.push(if up { "up" } else { "down" }.to_owned()),
    }
    parts.extend(node.lie.as_ref().map(|lie| format!("lies: {lie}")));
    let sight = node.sight.as_ref().filter(|_| node.up);
    parts.extend(sight.map(|sight| sight.state.clone()).filter(|state| state != "running"));
    Line::styled(parts.join(" · "), Style::new().add_modifier(Modifier::BOLD))
}

fn draw_charts(frame: &mut Frame<'_>, area: Rect, state: &State) {
    if area.height < CHART {
        return;
    }
    let [left, right] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).spacing(2).areas(area);
    let seconds = |bar: u64| words::seconds(Duration::from_millis(bar));
    chart(frame, left, "block time", &state.block_times, Color::Cyan, seconds);
    chart(frame, right, "tx/s", &state.transactions, Color::Green, |bar| words::count(bar as f64));
}

/// A history: its name, the newest value and the highest shown, and a bar a second.
fn chart(
    frame: &mut Frame<'_>,
    area: Rect,
    title: &str,
    bars: &VecDeque<u64>,
    color: Color,
    say: impl Fn(u64) -> String,
) {
    let shown = usize::from(area.width).min(bars.len());
    let bars: Vec<u64> = bars.iter().skip(bars.len() - shown).copied().collect();
    let text = match (bars.last(), bars.iter().max()) {
        (Some(last), Some(most)) => format!("{title} {} · most {}", say(*last), say(*most)),
        _ => title.to_owned(),
    };
    let [name, rest] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    frame.render_widget(Line::styled(text, dim()), name);
    frame.render_widget(Sparkline::default().data(&bars).style(Style::new().fg(color)), rest);
}

fn happenings(state: &State, now: Duration, area: Rect) -> Paragraph<'static> {
    let room = usize::from(area.height).saturating_sub(1);
    let events = state.events.iter().take(room).map(|event| {
        let ago = now.saturating_sub(event.at);
        let text = Span::styled(words::first_line(&event.text), tone(event.tone));
        Line::from(vec![Span::styled(format!("{:>6} ago  ", words::ago(ago)), dim()), text])
    });
    let title = match state.events.is_empty() {
        true => "nothing has happened yet",
        false => "what happened",
    };
    let lines: Vec<_> = [Line::styled(title, dim())].into_iter().chain(events).collect();
    Paragraph::new(lines)
}

/// What is written, what is being done, or what came of the last key.
fn message_line(state: &State) -> Line<'static> {
    match (&state.mode, &state.busy, &state.message) {
        (Mode::Groups { text, error }, ..) => {
            let mut spans = vec![Span::raw("partition: "), Span::raw(text.clone()), Span::raw("▏")];
            spans.push(match error {
                Some(error) => Span::styled(format!("  {error}"), tone(Tone::Bad)),
                None => Span::styled("  groups as 0,1/2,3; Enter does it, Esc does not", dim()),
            });
            Line::from(spans)
        }
        (_, Some(order), _) => Line::styled(format!("{} …", name(order)), tone(Tone::Plain)),
        (_, None, Some((how, text))) => Line::styled(words::first_line(text), tone(*how)),
        _ => Line::default(),
    }
}

fn draw_tiny(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let up = state.nodes().iter().filter(|node| node.up).count();
    let height = state.nodes().iter().filter_map(|node| Some(node.sight.as_ref()?.height)).max();
    let (width, lines) = SMALLEST;
    let text = format!(
        "{up} of {} up, height {}\n{width}x{lines} shows more\nq quits",
        state.nodes().len(),
        height.unwrap_or(0)
    );
    frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), area);
}

const HELP: &str = "\
↑ ↓ Home End, digits   choose a node (1 then 2 soon after: node 12)
k   kill it (SIGKILL)       s   start it again
t   stop it (SIGTERM)       c   cut it off from all others
p   partition: groups as 0,1/2,3      h   heal: everything passes
q, Ctrl-C   quit; the net goes on

state   up, down, mute (does not answer) or halted; * lies
rnd     round or view, or the last final height where that is lower
in out  bytes a second, peers' frames and gossip
open    mean time to decode and verify an envelope
sync    mean time to sync the store, both over some seconds
block time grows while nothing becomes final";

fn draw_help(frame: &mut Frame<'_>, area: Rect) {
    let lines = u16::try_from(HELP.lines().count()).unwrap_or(u16::MAX).saturating_add(2);
    let width = HELP.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let width = u16::try_from(width).unwrap_or(u16::MAX).saturating_add(4).min(area.width);
    let height = lines.min(area.height);
    let place = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    };
    let block = Block::bordered().title(" keys and words; any key goes back ");
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(HELP).block(block), place);
}

fn tone(tone: Tone) -> Style {
    match tone {
        Tone::Good => Style::new().fg(Color::Green),
        Tone::Plain => Style::new(),
        Tone::Bad => Style::new().fg(Color::Red),
    }
}

fn dim() -> Style {
    Style::new().add_modifier(Modifier::DIM)
}
