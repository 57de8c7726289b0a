//! A trace's events in words.

use super::{Item, Moment, Sent, Weave, Why};
use consensus::{Named, Topic};
use ledger::Slot;
use replica::Class;
use std::fmt::Write;

/// The longest text of a trace that is told, in characters: a remark may hold anything.
const MAX_TEXT: usize = 400;

/// What a moment was, on one line.
pub fn describe(weave: &Weave, moment: &Moment) -> String {
    let begin = match moment.why {
        Why::Envelope(number) => {
            let sent = &weave.sent[number];
            let from = weave.moments[sent.moment].lane;
            format!("{} arrives from {}", message(sent), weave.lanes[from].name())
        }
        Why::Stranger(replica, envelope) => {
            format!("envelope {envelope} of replica-{replica} arrives")
        }
        Why::Timer(slot) => format!("timer of {} rings", place(slot)),
        Why::Client => "a client asks".to_owned(),
        Why::Found => "the search for a block ends".to_owned(),
        Why::Birth => "a life begins".to_owned(),
        Why::Crash => "loses power".to_owned(),
        Why::Itself => "of its own accord".to_owned(),
    };
    let items = moment.items.iter().filter_map(|item| words(weave, item));
    std::iter::once(begin).chain(items).collect::<Vec<_>>().join("; ")
}

/// What happened, unless the beginning says so.
fn words(weave: &Weave, item: &Item) -> Option<String> {
    Some(match item {
        Item::Started(height) => format!("at final height {height}"),
        Item::Heard { .. } | Item::Crashed => return None,
        Item::Sent(number) => {
            let sent = &weave.sent[*number];
            let to = sent.arrows.iter().map(|arrow| weave.lanes[arrow.to].replica.to_string());
            let to: Vec<_> = to.collect();
            format!("sends {} to {}", message(sent), to.join(", "))
        }
        Item::Refused(kind, reason) => format!("throws away {}: {}", line(kind), line(reason)),
        Item::Adopted { height, block, .. } => format!("adopts block {block} at height {height}"),
        Item::Committed { height, block, .. } => format!("block {block} is final at {height}"),
        Item::Note(label, detail) => format!("{}: {}", line(label), line(detail)),
        Item::Accused(offender, charge, _) => format!("accuses {offender} of {}", line(charge)),
        Item::Halted(reason) => format!("votes no more: {}", line(reason)),
        Item::Found(height, block) => format!("finds block {block} at height {height}"),
    })
}

fn message(sent: &Sent) -> String {
    let mut told = kind_at(&line(&sent.kind), sent.slot, &sent.about);
    if let Some(signer) = sent.signer {
        let _ = write!(told, " of replica-{signer}");
    }
    told + match sent.class {
        Class::Resend => " again",
        Class::Relay => " passed on",
        Class::First | Class::Summary | Class::Sync => "",
    }
}

/// A message by its kind, its place and its value.
pub fn kind_at(kind: &str, slot: Option<Slot>, about: &Topic) -> String {
    let mut told = kind.to_owned();
    if let Some(slot) = slot {
        let _ = write!(told, " {}", place(slot));
    }
    if let Some(value) = &about.value {
        let _ = write!(told, " {}", named(value));
    }
    told
}

/// A place in a protocol: height or number, and round or view.
pub fn place(slot: Slot) -> String {
    let Slot { height, epoch, round, .. } = slot;
    match (height, epoch) {
        (0, _) => format!("view {round}"),
        (_, 0) => format!("{height}/{round}"),
        _ => format!("{height}.{epoch}/{round}"),
    }
}

fn named(value: &Named) -> String {
    match value {
        Named::Nil => "nil".to_owned(),
        Named::Block(hash) => hash.short(),
    }
}

/// What a message says besides its kind, place and value; none if nothing.
pub fn topic(about: &Topic) -> Option<String> {
    let mut told = Vec::new();
    told.extend(about.valid_round.map(|round| format!("appeals to round {round}")));
    let shown = about.shows.iter().take(20).map(|shown| {
        let round = shown.round.map_or_else(String::new, |round| format!(" of {round}"));
        format!("{} as number {}{round}", named(&shown.value), shown.number)
    });
    let shown: Vec<_> = shown.collect();
    if !shown.is_empty() {
        told.push(format!("shows {}", shown.join(", ")));
    }
    if !about.brings.is_empty() {
        let ids: Vec<_> = about.brings.iter().take(40).map(ToString::to_string).collect();
        told.push(format!("brings messages of {}", ids.join(", ")));
    }
    (!told.is_empty()).then(|| told.join("; "))
}

/// A text of the file as part of one line, of bounded length.
fn line(text: &str) -> String {
    let clean = text.chars().map(|it| if it.is_control() { ' ' } else { it });
    clean.take(MAX_TEXT).collect()
}
