//! A trace as the page's script reads it: columns of numbers, and one table of all texts.

use super::super::{
    clock,
    weave::{Arrow, End, Item, Moment, Sent, Weave, Why, topic},
};
use super::chain::Chains;
use consensus::Named;
use ledger::Slot;
use replica::Class;
use serde::Serialize;
use serde_json::{Value, json};
use simulator::record::aside::Loss;
use std::collections::BTreeMap;

/// The longest text that a page holds of a trace, in characters.
const MAX_TEXT: usize = 400;

/// How many warnings, and broken promises, a page tells.
const MAX_TOLD: usize = 20;

/// All that a page knows of one trace. Times are microseconds.
#[derive(Debug, Serialize)]
pub(super) struct Data {
    name: String,
    module: String,
    seed: Option<u64>,
    end: u64,
    lines: usize,
    lanes: Vec<Value>,
    /// All texts; others name them by their number.
    texts: Vec<String>,
    kinds: Vec<Kind>,
    moments: Moments,
    sent: Sents,
    /// From, to or none, words, whether it keeps messages from passing.
    bands: Vec<(u64, Option<u64>, String, bool)>,
    /// By the number of its name: height and branch.
    blocks: BTreeMap<usize, (u64, usize)>,
    broken: Vec<String>,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Kind {
    name: usize,
    /// Whether it only keeps replicas up to date.
    background: bool,
}

#[derive(Debug, Default, Serialize)]
struct Moments {
    lane: Vec<usize>,
    time: Vec<u64>,
    lamport: Vec<u32>,
    why: Vec<Value>,
    items: Vec<Vec<Value>>,
}

#[derive(Debug, Default, Serialize)]
struct Sents {
    moment: Vec<usize>,
    envelope: Vec<u64>,
    kind: Vec<usize>,
    class: Vec<u8>,
    signer: Vec<Option<u32>>,
    slot: Vec<Option<[u64; 4]>>,
    /// The number of a text; none for nothing, and below zero for nil.
    value: Vec<Option<i64>>,
    more: Vec<Option<usize>>,
    bytes: Vec<Option<u64>>,
    arrows: Vec<Vec<[i64; 2]>>,
}

/// The texts, each once.
#[derive(Debug, Default)]
struct Texts {
    known: BTreeMap<String, usize>,
    all: Vec<String>,
}

impl Texts {
    fn number(&mut self, text: &str) -> usize {
        let text: String = match text.chars().nth(MAX_TEXT) {
            None => text.to_owned(),
            Some(_) => text.chars().take(MAX_TEXT).chain(['…']).collect(),
        };
        if let Some(number) = self.known.get(&text) {
            return *number;
        }
        self.all.push(text.clone());
        self.known.insert(text, self.all.len() - 1);
        self.all.len() - 1
    }
}

impl Data {
    /// What a page needs of a trace.
    pub(super) fn of(name: &str, weave: &Weave) -> Data {
        let mut texts = Texts::default();
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        let mut kinds: Vec<Kind> = Vec::new();
        let mut sent = Sents::default();
        for each in &weave.sent {
            let kind = *numbers.entry(&each.kind).or_insert_with(|| {
                kinds.push(Kind { name: texts.number(&each.kind), background: true });
                kinds.len() - 1
            });
            kinds[kind].background &= matches!(each.class, Class::Summary | Class::Sync);
            sent.push(each, kind, &mut texts);
        }
        let (mut moments, mut chains) = (Moments::default(), Chains::new(weave.lanes.len()));
        for (moment, lamport) in weave.moments.iter().zip(clock::lamport(weave)) {
            let undone: Vec<_> =
                moment.items.iter().map(|item| chains.take(weave, moment.lane, item)).collect();
            moments.push(moment, lamport, &undone, &mut texts);
        }
        let blocks = chains.places().map(|(name, place)| (texts.number(name), place)).collect();
        let lane = |lane: &super::super::weave::Lane| {
            let lives: Vec<_> = lane.lives.iter().map(|life| json!([life.from, life.to])).collect();
            let lie = lane.lie.as_deref().map(|lie| lie.chars().take(MAX_TEXT).collect::<String>());
            json!({ "id": lane.replica, "second": lane.is_second, "lie": lie, "lives": lives })
        };
        let bands = weave.bands.iter();
        let bands = bands.map(|band| (band.from, band.to, cut(&band.words), band.cuts)).collect();
        let told = |all: &[String]| all.iter().take(MAX_TOLD).map(|text| cut(text)).collect();
        Data {
            name: cut(name),
            module: cut(&weave.module),
            seed: weave.seed,
            end: weave.end,
            lines: weave.lines,
            lanes: weave.lanes.iter().map(lane).collect(),
            kinds,
            moments,
            sent,
            bands,
            blocks,
            broken: told(&weave.broken),
            warnings: told(&weave.warnings),
            texts: texts.all,
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

fn slot_of(slot: Option<Slot>) -> Option<[u64; 4]> {
    slot.map(|slot| [slot.height, slot.epoch.into(), slot.round, slot.phase.into()])
}

fn value_of(value: Option<&Named>, texts: &mut Texts) -> Option<i64> {
    value.map(|value| match value {
        Named::Nil => -1,
        Named::Block(hash) => texts.number(&hash.short()) as i64,
    })
}

impl Sents {
    fn push(&mut self, sent: &Sent, kind: usize, texts: &mut Texts) {
        self.moment.push(sent.moment);
        self.envelope.push(sent.envelope);
        self.kind.push(kind);
        self.class.push(match sent.class {
            Class::First => 0,
            Class::Resend => 1,
            Class::Relay => 2,
            Class::Summary => 3,
            Class::Sync => 4,
        });
        self.signer.push(sent.signer);
        self.slot.push(slot_of(sent.slot));
        self.value.push(value_of(sent.about.value.as_ref(), texts));
        self.bytes.push(sent.bytes);
        self.more.push(topic(&sent.about).map(|more| texts.number(&more)));
        let end = |arrow: &Arrow| {
            let end = match arrow.end {
                End::Arrived(moment) => moment as i64,
                End::Open => -1,
                End::Lost(Loss::Chance) => -2,
                End::Lost(Loss::Closed) => -3,
                End::Lost(Loss::Down) => -4,
            };
            [arrow.to as i64, end]
        };
        self.arrows.push(sent.arrows.iter().map(end).collect());
    }
}

impl Moments {
    fn push(&mut self, moment: &Moment, lamport: u32, undone: &[u64], texts: &mut Texts) {
        self.lane.push(moment.lane);
        self.time.push(moment.time);
        self.lamport.push(lamport);
        self.why.push(match moment.why {
            Why::Envelope(number) => json!(["message", number]),
            Why::Stranger(replica, envelope) => json!(["stranger", replica, envelope]),
            Why::Timer(slot) => json!(["timer", slot_of(Some(slot))]),
            Why::Client => json!(["client"]),
            Why::Found => json!(["found"]),
            Why::Birth => json!(["birth"]),
            Why::Crash => json!(["crash"]),
            Why::Itself => json!(["itself"]),
        });
        let items = moment.items.iter().zip(undone);
        self.items.push(items.map(|(item, undone)| of_item(item, *undone, texts)).collect());
    }
}

fn of_item(item: &Item, undone: u64, texts: &mut Texts) -> Value {
    match item {
        Item::Started(height) => json!(["started", height]),
        Item::Heard { sender, kind, slot, about } => {
            let value = value_of(about.value.as_ref(), texts);
            json!(["heard", sender, texts.number(kind), slot_of(*slot), value])
        }
        Item::Sent(number) => json!(["sent", number]),
        Item::Refused(kind, reason) => {
            json!(["refused", texts.number(kind), texts.number(reason)])
        }
        Item::Adopted { height, block, abandoned } => {
            json!(["adopted", height, texts.number(block), abandoned, undone])
        }
        Item::Committed { height, block, transactions } => {
            json!(["committed", height, texts.number(block), transactions])
        }
        Item::Note(label, detail) => json!(["note", texts.number(label), texts.number(detail)]),
        Item::Accused(offender, charge, slot) => {
            json!(["accused", offender, texts.number(charge), slot_of(*slot)])
        }
        Item::Halted(reason) => json!(["halted", texts.number(reason)]),
        Item::Found(height, block) => json!(["found", height, texts.number(block)]),
        Item::Crashed => json!(["crashed"]),
    }
}
