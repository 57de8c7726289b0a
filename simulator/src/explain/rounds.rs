//! Tells of protocols with votes: round by round, or view by view, what was said and what came of it.

mod decisions;
mod hearing;
mod leaders;
mod liars;
mod reasons;
mod sights;
mod votes;

use super::{
    facts::{Facts, Moment},
    remark::Remark,
    words::{Grammar, Names, count, list, sentence, who},
};
use crate::{Adversary, adversary::Choice, schedule::Fault};
use consensus::byzantine::mutants::{About, Beneath};
use ledger::ReplicaId;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

/// How many rounds or views are told of in full before the rest is said to go on like that.
const TOLD: usize = 7;

/// The same, where nothing comes of any of them.
const TOLD_IF_STUCK: usize = 2;

/// Which part of a run is told.
#[derive(Clone, Debug)]
pub(super) struct Window {
    pub(super) from: Moment,
    pub(super) to: Moment,
    /// The heights, or sequence numbers.
    pub(super) numbers: RangeInclusive<u64>,
}

/// A round of a height, or a view beside a zero.
pub(super) type Scene = (u64, u64);

/// One thing to tell of a scene.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Beat {
    /// It begins for somebody.
    Enter,
    /// Somebody asks for it.
    Change,
    /// Its leader begins it.
    Begin,
    /// Messages of a kind for a number.
    Said(String, u64),
    /// Messages of an earlier scene, heard now.
    Late(String, Scene),
    Flaw(String),
    Decide(u64, String),
    Crash(usize),
    Fault(usize),
}

/// What there is to tell, and when it first came up.
#[derive(Default)]
struct Beats(BTreeMap<(Scene, Beat), Moment>);

impl Beats {
    fn add(&mut self, scene: Scene, beat: Beat, moment: Moment) {
        let first = self.0.entry((scene, beat)).or_insert(moment);
        *first = moment.min(*first);
    }
}

/// Tells.
pub(super) struct Teller<'a> {
    pub(super) facts: &'a Facts,
    pub(super) grammar: Grammar,
    pub(super) window: Window,
    pub(super) adversary: &'a Adversary,
    pub(super) mutant: Option<About>,
    /// Whether nobody gets on.
    pub(super) is_stuck: bool,
    pub(super) names: Names,
    pub(super) sentences: Vec<String>,
}

impl Teller<'_> {
    /// How many scenes are told in full.
    fn enough(&self) -> usize {
        if self.is_stuck { TOLD_IF_STUCK } else { TOLD }
    }

    /// Tells all scenes in the order in which they began.
    pub(super) fn tell(&mut self) {
        let beats = self.beats();
        let mut scenes: BTreeMap<Scene, Vec<(Moment, Beat)>> = BTreeMap::new();
        for ((scene, beat), moment) in beats.0 {
            if !self.is_idle(scene, moment, &beat) {
                scenes.entry(scene).or_default().push((moment, beat));
            }
        }
        let mut scenes: Vec<_> = scenes.into_iter().collect();
        for (scene, beats) in &mut scenes {
            // Whatever a liar says ahead of time, a round begins before it is told of, unless that is
            // what makes others begin it.
            if self.all_are_called(*scene) {
                beats.sort();
                continue;
            }
            let first = beats.iter().map(|(moment, _)| *moment).min().unwrap_or(0);
            for (moment, beat) in beats.iter_mut() {
                if *beat == Beat::Enter {
                    *moment = first;
                }
            }
            beats.sort();
        }
        scenes.sort_by_key(|(scene, beats)| (beats[0].0, *scene));
        let (mut dull, mut shapes): (Vec<Scene>, BTreeSet<String>) = Default::default();
        let mut told = 0;
        let all = scenes.len();
        for (at, (scene, beats)) in scenes.iter().enumerate() {
            let known = shapes.clone();
            let matters = beats.iter().any(|(_, beat)| match beat {
                Beat::Flaw(detail) => shapes.insert(shape(detail)),
                Beat::Decide(..) | Beat::Crash(_) => true,
                _ => false,
            });
            // What comes to pass in the end is told in any case, unless nothing does.
            let is_last = at + 2 >= all && !self.is_stuck;
            if (told >= self.enough() && !is_last && !matters)
                || self.is_dull(*scene, beats, &known)
            {
                dull.push(*scene);
                continue;
            }
            self.tell_dull(&mut dull);
            told += 1;
            for (moment, beat) in beats {
                let is_old = matches!(beat, Beat::Flaw(detail) if known.contains(&shape(detail)));
                if !(is_old && self.is_stuck) {
                    self.tell_beat(*scene, *moment, beat);
                }
            }
        }
        self.tell_dull(&mut dull);
    }

    pub(super) fn say(&mut self, text: &str) {
        self.sentences.push(sentence(text));
    }

    pub(super) fn who(&self, ids: &BTreeSet<ReplicaId>) -> String {
        who(ids, &self.facts.liars)
    }

    fn beats(&self) -> Beats {
        let mut beats = Beats::default();
        self.hear_messages(&mut beats);
        self.hear_remarks(&mut beats);
        for (number, life) in self.facts.lives.iter().enumerate() {
            let before = life.crashed.saturating_sub(1);
            if self.is_told(life.crashed) {
                let scene = self.place(life.replica, before);
                beats.add(scene, Beat::Crash(number), life.crashed);
            }
        }
        for (number, (moment, _, fault)) in self.facts.faults.iter().enumerate() {
            if *moment <= self.window.to && words_of(fault).is_some() {
                beats.add(self.latest(*moment), Beat::Fault(number), *moment);
            }
        }
        beats
    }

    fn hear_messages(&self, beats: &mut Beats) {
        let mut early = Beats::default();
        for message in &self.facts.messages {
            let Some(moment) = message.first() else { continue };
            let Some(scene) = self.scene_of(message) else { continue };
            if !self.is_told(moment) {
                continue;
            }
            let beat = match message.kind.as_str() {
                "view-change" => Beat::Change,
                "new-view" => Beat::Begin,
                kind => Beat::Said(kind.to_owned(), message.slot.height),
            };
            // What a liar says ahead of its time is told when the others have come so far.
            let is_vote =
                [self.grammar.first, self.grammar.second].contains(&message.kind.as_str());
            match is_vote && self.facts.liars.contains(&message.signer) {
                true => early.add(scene, beat, moment),
                false => beats.add(scene, beat, moment),
            }
        }
        for (key, moment) in early.0 {
            beats.0.entry(key).or_insert(moment);
        }
    }

    fn hear_remarks(&self, beats: &mut Beats) {
        let numbers = &self.window.numbers;
        for (moment, id, remark) in &self.facts.remarks {
            if !self.is_told(*moment) || self.facts.liars.contains(id) {
                continue;
            }
            match remark {
                Remark::Round { height, round, .. } if numbers.contains(height) && *round > 0 => {
                    beats.add((*height, *round), Beat::Enter, *moment);
                }
                Remark::Flaw { detail } => {
                    let place = self.place_of_flaw(*id, *moment);
                    beats.add(place, Beat::Flaw(detail.clone()), *moment);
                    for (kind, scene) in self.late(*id, *moment) {
                        beats.add(place, Beat::Late(kind, scene), moment.saturating_sub(1));
                    }
                }
                // Who is prepared says so; what it does besides comes of that.
                Remark::Prepared { view, number, .. } if numbers.contains(number) => {
                    let beat = Beat::Said(self.grammar.second.to_owned(), *number);
                    beats.add((0, *view), beat, self.prepared_at(*id, *number, *moment));
                }
                Remark::Decide { height, value, .. } if numbers.contains(height) => {
                    // The next height begins with it.
                    let scene = self.place(*id, moment.saturating_sub(1));
                    beats.add(scene, Beat::Decide(*height, value.clone()), *moment);
                }
                Remark::Execute { number, value, .. } if numbers.contains(number) => {
                    let beat = Beat::Decide(*number, value.clone());
                    beats.add(self.place(*id, *moment), beat, *moment);
                }
                Remark::Null { number, .. } if numbers.contains(number) => {
                    let beat = Beat::Decide(*number, String::new());
                    beats.add(self.place(*id, *moment), beat, *moment);
                }
                _ => {}
            }
        }
    }

    /// When to tell that a replica is prepared: before what it executes at that very moment for that.
    fn prepared_at(&self, id: ReplicaId, number: u64, moment: Moment) -> Moment {
        let now = self.facts.times[moment];
        let executes = |(at, whose, remark): &&(Moment, ReplicaId, Remark)| {
            let is_it = matches!(remark, Remark::Execute { number: of, .. } if *of == number);
            *whose == id && is_it && *at < moment && self.facts.times[*at] == now
        };
        let earlier = self.facts.remarks.iter().find(executes);
        earlier.map_or(moment, |(at, ..)| at.saturating_sub(1))
    }

    /// Where a replica is when a weak rule acts. What acts as a round begins is remarked upon just before.
    fn place_of_flaw(&self, id: ReplicaId, moment: Moment) -> Scene {
        let now = self.facts.times[moment];
        let from = self.facts.remarks.partition_point(|(at, ..)| *at <= moment);
        let rest = self.facts.remarks[from..].iter();
        let mut next = rest.filter(|(_, whose, _)| *whose == id).take(2);
        let begins = next.find(|(at, _, remark)| {
            let is_told = match remark {
                Remark::Round { height, .. } => self.window.numbers.contains(height),
                Remark::View { .. } => true,
                _ => false,
            };
            self.facts.times[*at] == now && is_told
        });
        self.place(id, begins.map_or(moment, |(at, ..)| *at))
    }

    fn is_told(&self, moment: Moment) -> bool {
        (self.window.from..=self.window.to).contains(&moment)
    }

    fn tell_beat(&mut self, scene: Scene, moment: Moment, beat: &Beat) {
        match beat {
            Beat::Enter => self.tell_entry(scene),
            Beat::Change => self.tell_changes(scene),
            Beat::Begin => self.tell_beginning(scene),
            Beat::Said(kind, number) => self.tell_votes(scene, kind, *number),
            Beat::Late(kind, of) => self.tell_late(kind, *of, moment),
            Beat::Flaw(detail) => self.tell_flaw(scene, detail),
            Beat::Decide(number, value) => self.tell_decision(scene, *number, value),
            Beat::Crash(number) => self.tell_crash(*number),
            Beat::Fault(number) => {
                let text = words_of(&self.facts.faults[*number].2).unwrap_or_default();
                self.say(&text);
            }
        }
    }

    fn tell_flaw(&mut self, scene: Scene, detail: &str) {
        let is_it =
            |remark: &Remark| matches!(remark, Remark::Flaw { detail: found } if found == detail);
        let mut ids: BTreeSet<ReplicaId> = BTreeSet::new();
        for (moment, id, remark) in &self.facts.remarks {
            let here = self.is_told(*moment) && self.place_of_flaw(*id, *moment) == scene;
            if here && is_it(remark) && !self.facts.liars.contains(id) {
                ids.insert(*id);
            }
        }
        let who = self.who(&ids);
        let id = self.mutant.map_or("", |about| about.id);
        let text =
            detail.strip_prefix(id).map_or(detail, |rest| rest.trim_start_matches([':', ' ']));
        let text = self.names.in_text(text, self.grammar.noun);
        let text = self.in_our_words(text);
        let verb = text.split_once(' ').map_or(text.as_str(), |(verb, _)| verb);
        let does =
            ["prevotes", "counts", "goes", "believes", "executes", "forgets", "agrees", "proposes"];
        let text = match (does.contains(&verb), ids.len()) {
            (true, 1) => format!("{who} {text}"),
            (true, _) => format!("each of {who} {text}"),
            (false, _) => format!("at {who}, {text}"),
        };
        self.say(&format!("Here the weak rule lets it pass: {text}"));
    }

    /// A remark, with liars called so, and with members in place of stake where all have the same.
    fn in_our_words(&self, mut text: String) -> String {
        for id in &self.facts.liars {
            text = text.replace(&format!("replica {id} "), &format!("liar {id} "));
            text = text.replace(&format!("believes {id} "), &format!("believes liar {id} "));
        }
        let all = self.facts.replicas.len();
        for few in 1..=if self.is_even() { all } else { 0 } {
            let members = format!("{} of the {} pass", count(few), count(all));
            text = text.replace(&format!("{few} of {all} stake pass"), &members);
        }
        text
    }

    fn tell_crash(&mut self, number: usize) {
        let life = self.facts.lives[number];
        let after = life.choice.and_then(|choice| match &self.adversary.choices[choice] {
            Choice::Crash(crash) => Some(format!(
                " right after its {} of {} {}",
                self.grammar.vote(&crash.after.kind),
                self.grammar.round,
                crash.after.round
            )),
            _ => None,
        });
        let forgets = self.mutant.is_some_and(|about| about.beneath == Beneath::Forgets);
        let after = after.unwrap_or_default();
        let id = life.replica;
        let Some(_) = life.woke.filter(|woke| *woke <= self.window.to) else {
            return self.say(&format!("replica {id} loses power{after}, and stays down"));
        };
        let lock = self.lock(id, life.crashed).map(|(value, _)| value);
        let lock = lock.map(|value| self.names.of(&value, self.grammar.noun));
        let text = match (forgets, lock) {
            (true, Some(lock)) => format!(
                "and comes back with nothing on its disk. Here the weak rule acts: it has forgotten \
                 its lock on {lock}, and all that it signed"
            ),
            (true, None) => "and comes back with nothing on its disk".to_owned(),
            (false, Some(lock)) => {
                format!("and comes back with what was on its disk, its lock on {lock} included")
            }
            (false, None) => "and comes back with what was on its disk".to_owned(),
        };
        let again = self.facts.messages.iter().filter(|each| {
            each.signer == id
                && self.facts.is_again(each)
                && each.said.is_some_and(|at| at >= life.crashed && at <= self.window.to)
        });
        let again: Vec<_> = again
            .filter_map(|each| Some((each.kind.clone(), each.slot.round, each.about.value?)))
            .collect();
        let mut more = String::new();
        for (kind, round, value) in again {
            let value = self.names.named(value, self.grammar.noun);
            let votes = self.grammar.votes(&kind, false, &value);
            more += &format!(
                ". In {} {round} it now {votes}, having voted there before",
                self.grammar.round
            );
        }
        self.say(&format!("replica {id} loses power{after}, {text}{more}"));
    }

    /// Whether nobody honest votes for anything in a scene, and nothing else happens.
    fn is_dull(
        &self,
        (height, round): Scene,
        beats: &[(Moment, Beat)],
        known: &BTreeSet<String>,
    ) -> bool {
        let plain = |(_, beat): &(Moment, Beat)| match beat {
            Beat::Enter => true,
            Beat::Flaw(detail) => self.is_stuck && known.contains(&shape(detail)),
            Beat::Said(kind, _) => {
                *kind != self.grammar.offer && self.are_nil((height, round), kind)
            }
            _ => false,
        };
        !self.grammar.views && beats.iter().all(plain)
    }

    /// Whether something is said that is of no use in a story of those who do not get on.
    fn is_idle(&self, scene: Scene, moment: Moment, beat: &Beat) -> bool {
        let Beat::Said(kind, number) = beat else { return false };
        let said = self.said(scene, kind);
        let mut said = said.iter().filter(|each| each.slot.height == *number);
        let only_liars = said.all(|each| self.facts.liars.contains(&each.signer));
        let is_over = || self.facts.honest().all(|id| self.place(id, moment) > scene);
        let is_rounds = self.is_stuck && !self.grammar.views;
        is_rounds && only_liars && (*kind != self.grammar.offer || is_over())
    }

    /// Several rounds in which nothing happens, in one sentence.
    fn tell_dull(&mut self, scenes: &mut Vec<Scene>) {
        let quiet = std::mem::take(scenes);
        let (Some(first), Some(last)) = (quiet.first(), quiet.last()) else { return };
        let round = self.grammar.round;
        let rounds = match quiet.len() {
            1 => format!("{round} {}", first.1),
            2 => format!("{round}s {} and {}", first.1, last.1),
            _ => format!("{round}s {} to {}", first.1, last.1),
        };
        let offers = self.grammar.views || quiet.iter().any(|scene| self.has_offer(*scene));
        match offers {
            true => self.say(&format!("{rounds} go by in the same way, and nothing is decided")),
            false => {
                let leaders: Vec<_> =
                    quiet.iter().filter_map(|scene| self.leader(*scene)).collect();
                let s = if leaders.len() == 1 { "" } else { "s" };
                let decided = self.remarked(
                    |remark| matches!(remark, Remark::Decide { height, .. } if *height == first.0),
                );
                let has = if leaders.len() == 1 { "has" } else { "have" };
                let (gone, who) = match leaders.iter().all(|id| decided.contains_key(id)) {
                    true => (format!(", which {has} decided already"), "everybody else votes"),
                    false => (String::new(), "everybody votes"),
                };
                let leaders = list(leaders);
                let leader = self.grammar.leader;
                self.say(&format!(
                    "{rounds} ({leader}{s} {leaders}{gone}): nobody hears a proposal in time, {who} nil, \
                     and nothing is decided"
                ));
            }
        }
    }
}

/// A remark without its numbers and names: what goes the same way again has the same.
fn shape(detail: &str) -> String {
    let words = detail.split(' ').filter(|word| !word.contains(|each: char| each.is_ascii_digit()));
    words.collect::<Vec<_>>().join(" ")
}

/// What people are told of a fault; none if it is told otherwise, or of no use in a story.
pub(super) fn words_of(fault: &Fault) -> Option<String> {
    Some(match fault {
        Fault::Partition(sides) => {
            let sides: Vec<_> = sides.iter().map(|side| format!("{{{}}}", list(side))).collect();
            format!("the network is cut into {}", list(sides))
        }
        Fault::Heal => "the network is whole again".to_owned(),
        Fault::Cut { from, to } => format!("nothing passes from replica {from} to {to} any more"),
        Fault::Mend { from, to } => format!("replica {to} hears replica {from} again"),
        Fault::Eclipse { victim, but } => match &but[..] {
            [] => format!("replica {victim} is cut off from everybody"),
            some => format!("replica {victim} is cut off from everybody but {}", list(some)),
        },
        Fault::Wipe(id) => format!("replica {id} loses its disk"),
        Fault::Pause(id) => format!("replica {id} stands still"),
        Fault::Resume(id) => format!("replica {id} goes on"),
        Fault::Silence(id) => format!("nothing leaves replica {id} any more"),
        Fault::Speak(id) => format!("replica {id} is heard again"),
        _ => return None,
    })
}
