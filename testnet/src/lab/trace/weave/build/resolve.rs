//! Finds what was sent for what arrived, and an order of moments that agrees with it.

use super::{
    super::{
        super::read::MAX_TIME,
        moment::{Arrow, End},
    },
    Build, Cause, Moment, Sent, Weave, Why,
};
use std::collections::{BTreeMap, BTreeSet};

/// How often clocks are set against each other before they count as contradictory.
const ROUNDS: usize = 64;

/// How many lives are looked through for an envelope, the latest first. Every line may ask for that.
const MAX_LIVES: usize = 128;

/// What is told of a trace without the world's word, as real nodes write it.
const OWN_CLOCKS: &str = "Each replica has timed its lives by its own clock. They are moved so that nothing \
                          arrives before it is sent.";

/// What is told if that cannot be.
const BAD_CLOCKS: &str =
    "The replicas' clocks contradict each other: some messages have no sender here.";

/// A copy for each of these lanes, of which nothing is known yet.
pub(super) fn open(to: impl IntoIterator<Item = usize>) -> Vec<Arrow> {
    to.into_iter().map(|to| Arrow { to, end: End::Open }).collect()
}

/// Later and later, until every edge goes forward. False if that does not end.
fn settle(
    edges: &[(usize, usize)],
    units: &[usize],
    moments: &[Moment],
    shifts: &mut [u64],
) -> bool {
    for _ in 0..ROUNDS {
        let mut is_settled = true;
        for (from, to) in edges {
            // Later by a little, so that the order of time is that of cause and effect.
            let least = shifts[units[*from]] + moments[*from].time + 1;
            let missing = least.saturating_sub(shifts[units[*to]] + moments[*to].time);
            if missing > 0 && least < 4 * MAX_TIME {
                shifts[units[*to]] += missing;
                is_settled = false;
            }
        }
        if is_settled {
            return true;
        }
    }
    false
}

impl Build {
    pub(super) fn finish(mut self) -> Weave {
        self.find_senders();
        if !self.is_told {
            self.align();
        }
        self.order();
        self.find_ends();
        let Build { mut weave, wrong, ended, .. } = self;
        let last = weave.moments.iter().map(|moment| moment.time).max().unwrap_or(0);
        weave.end = ended.unwrap_or(0).max(last);
        weave.bands = wrong.finish(weave.end);
        weave.broken.dedup();
        weave
    }

    /// What each moment's envelope was, where it left.
    fn find_senders(&mut self) {
        let mut numbered: BTreeMap<(u32, u64), Vec<usize>> = BTreeMap::new();
        for (at, sent) in self.weave.sent.iter().enumerate() {
            let lane = self.weave.moments[sent.moment].lane;
            // A number is used once in a life; of a liar's repetitions the last one counts.
            if self.exact.get(&(lane, self.lives[sent.moment], sent.envelope)) != Some(&at) {
                continue;
            }
            let replica = self.weave.lanes[lane].replica;
            numbered.entry((replica, sent.envelope)).or_default().push(at);
        }
        for (at, cause) in self.causes.iter().enumerate() {
            let why = match cause {
                Cause::Known(why) => *why,
                Cause::Copy(copy) => {
                    let from = copy.from as usize;
                    let sent = self.exact.get(&(from, copy.life, copy.envelope));
                    let stranger = Why::Stranger(self.weave.lanes[from].replica, copy.envelope);
                    sent.map_or(stranger, |sent| Why::Envelope(*sent))
                }
                Cause::Number(replica, envelope) => {
                    let some = numbered.get(&(*replica, *envelope)).map_or(&[][..], Vec::as_slice);
                    let sent = self.likely(at, some);
                    sent.map_or(Why::Stranger(*replica, *envelope), Why::Envelope)
                }
            };
            self.weave.moments[at].why = why;
        }
    }

    /// Which of some envelopes with one number it was: numbers begin anew in each life.
    fn likely(&self, at: usize, some: &[usize]) -> Option<usize> {
        let moment = &self.weave.moments[at];
        let fits = |sent: &&usize| {
            let sent = &self.weave.sent[**sent];
            // Nothing has arrived so far, so they still are in the order of their lanes.
            let is_for = sent.arrows.binary_search_by_key(&moment.lane, |arrow| arrow.to).is_ok();
            let is_before = !self.is_told || self.weave.moments[sent.moment].time <= moment.time;
            is_for && is_before && moment.heard().is_none_or(|heard| heard == sent.said())
        };
        some.iter().rev().take(MAX_LIVES).find(fits).copied()
    }

    /// Lives that were timed by clocks of their own are moved until nothing arrives before it is sent.
    fn align(&mut self) {
        let Weave { moments, sent, warnings, lanes, .. } = &mut self.weave;
        let mut names: BTreeMap<(usize, u32), usize> = BTreeMap::new();
        let mut unit = |(moment, life): (&Moment, &u32)| {
            let next = names.len();
            *names.entry((moment.lane, *life)).or_insert(next)
        };
        let units: Vec<usize> = moments.iter().zip(&self.lives).map(&mut unit).collect();
        let envelope = |(at, moment): (usize, &Moment)| match moment.why {
            Why::Envelope(number) => Some((sent[number].moment, at)),
            _ => None,
        };
        let mut edges: Vec<_> = moments.iter().enumerate().filter_map(envelope).collect();
        let mut last = vec![None; lanes.len()];
        for (at, moment) in moments.iter().enumerate() {
            let before = last[moment.lane].replace(at);
            edges.extend(before.filter(|it: &usize| units[*it] != units[at]).map(|it| (it, at)));
        }
        let mut shifts = vec![0; names.len()];
        let is_settled = settle(&edges, &units, moments, &mut shifts);
        moments.iter_mut().zip(&units).for_each(|(moment, unit)| moment.time += shifts[*unit]);
        let mut begun = vec![0; lanes.len()];
        let mut before = vec![0; lanes.len()];
        for moment in moments.iter() {
            let lane = moment.lane;
            if moment.why == Why::Birth {
                let lives = &mut lanes[lane].lives;
                lives[begun[lane]].from = moment.time;
                if let Some(earlier) = begun[lane].checked_sub(1) {
                    lives[earlier].to = Some(before[lane]);
                }
                begun[lane] += 1;
            }
            before[lane] = moment.time;
        }
        if lanes.len() > 1 {
            warnings.push(if is_settled { OWN_CLOCKS } else { BAD_CLOCKS }.to_owned());
        }
    }

    /// Moments by time; an envelope that would come from the future comes from nobody.
    fn order(&mut self) {
        let Weave { moments, sent, lanes, warnings, .. } = &mut self.weave;
        let mut order: Vec<usize> = (0..moments.len()).collect();
        order.sort_by_key(|at| moments[*at].time);
        let mut places = vec![0; order.len()];
        order.iter().enumerate().for_each(|(place, at)| places[*at] = place);
        sent.iter_mut().for_each(|sent| sent.moment = places[sent.moment]);
        moments.sort_by_key(|moment| moment.time);
        let carrier = |sent: &Sent| lanes[moments[sent.moment].lane].replica;
        let carriers: Vec<_> = sent.iter().map(carrier).collect();
        let (mut backward, mut strangers) = (0, 0);
        for (at, moment) in moments.iter_mut().enumerate() {
            match moment.why {
                Why::Envelope(number) if sent[number].moment >= at => {
                    backward += 1;
                    moment.why = Why::Stranger(carriers[number], sent[number].envelope);
                }
                Why::Stranger(..) => strangers += 1,
                _ => {}
            }
        }
        if backward > 0 {
            warnings
                .push(format!("Arrived before they were sent, as the trace has it: {backward}."));
        }
        if strangers > 0 {
            warnings.push(format!(
                "Messages that arrived, and that nobody in this trace is seen to send: {strangers}."
            ));
        }
    }

    /// What became of each copy.
    fn find_ends(&mut self) {
        let Weave { moments, sent, lanes, .. } = &mut self.weave;
        // Of Twins the first was named, and either can have been meant.
        let named: Vec<_> = lanes.iter().map(|lane| self.lane_of[&lane.replica]).collect();
        let counts: Vec<_> = sent.iter().map(|sent| sent.arrows.len()).collect();
        let mut settle = |number: usize, lane: usize, end: End| {
            let arrows = &mut sent[number].arrows;
            // A network doubles; it does not repeat for ever.
            let has_room = arrows.len() < 4 * lanes.len();
            // The first ones are in the order of the lanes they named, whichever twin has them now.
            let first = &mut arrows[..counts[number]];
            let place = first.binary_search_by_key(&named[lane], |arrow| named[arrow.to]);
            let open = place.ok().filter(|place| first[*place].end == End::Open);
            match open {
                Some(place) => first[place] = Arrow { to: lane, end },
                None if matches!(end, End::Arrived(_)) && has_room => {
                    arrows.push(Arrow { to: lane, end });
                }
                None => {}
            }
        };
        for (at, moment) in moments.iter().enumerate() {
            if let Why::Envelope(number) = moment.why {
                settle(number, moment.lane, End::Arrived(at));
            }
        }
        for (copy, why) in &self.lost {
            let from = (copy.from as usize, copy.life, copy.envelope);
            if let Some(number) = self.exact.get(&from) {
                settle(*number, copy.to as usize, End::Lost(*why));
            }
        }
        // Each of Twins names everybody, and has to do with some.
        let seconds = lanes.iter().filter(|lane| lane.is_second).map(|lane| lane.replica);
        let twins: BTreeSet<_> = seconds.collect();
        let is_twin = |lane: usize| twins.contains(&lanes[lane].replica);
        for sent in sent.iter_mut().filter(|sent| is_twin(moments[sent.moment].lane)) {
            sent.arrows.retain(|arrow| arrow.end != End::Open);
        }
    }
}
