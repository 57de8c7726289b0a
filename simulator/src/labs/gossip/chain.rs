//! The Markov chains of the number of those who know, computed exactly.

use super::Crowd;

/// What is less likely is left out: together it is beyond the digits of a figure.
const NEGLIGIBLE: f64 = 1e-18;

/// How many know in the end, and how likely that is: the number of the first entry, and the entries.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Distribution {
    first: usize,
    chances: Vec<f64>,
}

impl Distribution {
    fn sure(value: usize) -> Distribution {
        Distribution { first: value, chances: vec![1.0] }
    }

    pub(super) fn of(&self, value: usize) -> f64 {
        let at = value.checked_sub(self.first);
        at.and_then(|at| self.chances.get(at)).copied().unwrap_or(0.0)
    }

    fn iter(&self) -> impl Iterator<Item = (usize, f64)> {
        self.chances.iter().enumerate().map(|(at, chance)| (self.first + at, *chance))
    }

    /// The least value of which that or less has this chance.
    pub(super) fn quantile(&self, chance: f64) -> usize {
        let mut sum = 0.0;
        let found = self.iter().find(|(_, one)| {
            sum += one;
            sum >= chance
        });
        found.map_or(0, |(value, _)| value)
    }

    /// Mean and standard deviation of a figure.
    pub(super) fn moments(&self, figure: impl Fn(usize) -> f64) -> (f64, f64) {
        let mean: f64 = self.iter().map(|(value, chance)| chance * figure(value)).sum();
        let off = |value| figure(value) - mean;
        let variance: f64 = self.iter().map(|(value, chance)| chance * off(value).powi(2)).sum();
        (mean, variance.max(0.0).sqrt())
    }

    /// Leaves out what is negligible at both ends.
    fn trim(&mut self) {
        while self.chances.last().is_some_and(|chance| *chance < NEGLIGIBLE) {
            self.chances.pop();
        }
        let low = self.chances.iter().take_while(|chance| **chance < NEGLIGIBLE).count();
        self.chances.drain(..low);
        self.first += low;
    }
}

/// Infect and die. Nodes that know tell the others one after the other, which is as good as any other
/// order, because each draws for itself: the one whose turn it is tells `fanout` different others, of
/// whom as many are new as a hypergeometric draw says, and as many of these hear it as arrives. It
/// ends when all who know have told.
pub(super) fn infect_and_die(crowd: Crowd) -> Distribution {
    let n = crowd.nodes as usize;
    let news: Vec<Vec<f64>> = (0..=n).map(|known| news(crowd, known)).collect();
    let mut ended = vec![0.0; n + 1];
    let mut alive = Distribution::sure(1);
    for (told, ended) in ended.iter_mut().enumerate().take(n) {
        // Where all who know have told, nobody is left to go on.
        if alive.first == told && !alive.chances.is_empty() {
            *ended += alive.chances.remove(0);
            alive.first += 1;
        }
        if alive.chances.is_empty() {
            break;
        }
        let most = (alive.first + alive.chances.len() - 1 + crowd.fanout as usize).min(n);
        let mut next =
            Distribution { first: alive.first, chances: vec![0.0; most + 1 - alive.first] };
        for (known, chance) in alive.iter() {
            for (new, given) in news[known].iter().enumerate().filter(|(_, given)| **given > 0.0) {
                next.chances[known + new - alive.first] += chance * given;
            }
        }
        next.trim();
        alive = next;
    }
    // Everybody has told.
    ended[n] += alive.of(n);
    Distribution { first: 0, chances: ended }
}

/// How many hear something new from one node while so many know.
fn news(crowd: Crowd, known: usize) -> Vec<f64> {
    let Crowd { nodes, fanout, success } = crowd;
    let others = f64::from(nodes - 1);
    let strangers = nodes as usize - known;
    // First how many of those told do not know it yet, then how many of these hear it.
    let mut told = vec![0.0; fanout as usize + 1];
    told[0] = 1.0;
    for draw in 0..fanout as usize {
        for hits in (0..=draw).rev() {
            let left = strangers.saturating_sub(hits) as f64;
            let hit = told[hits] * left / (others - draw as f64);
            told[hits + 1] += hit;
            told[hits] -= hit;
        }
    }
    let mut heard = vec![0.0; fanout as usize + 1];
    for (hits, chance) in told.into_iter().enumerate() {
        for (arrived, given) in binomial(hits, success).into_iter().enumerate() {
            heard[arrived] += chance * given;
        }
    }
    heard
}

/// How many of so many happen.
fn binomial(count: usize, chance: f64) -> Vec<f64> {
    let mut all = vec![0.0; count + 1];
    all[0] = 1.0;
    for tried in 0..count {
        for happened in (0..=tried).rev() {
            let more = all[happened] * chance;
            all[happened + 1] += more;
            all[happened] -= more;
        }
    }
    all
}

/// Mean and standard deviation of the number of rounds until all know, by the equations of first
/// passage: with so many who know, one round and what is left after it.
pub(super) fn rounds(crowd: Crowd, pulls: bool) -> (f64, f64) {
    let n = crowd.nodes as usize;
    let (mut means, mut squares) = (vec![0.0; n + 1], vec![0.0; n + 1]);
    for known in (1..n).rev() {
        let step = round(crowd, pulls, known);
        let stays = step.of(0);
        let later = |of: &[f64]| -> f64 {
            step.iter()
                .filter(|(new, _)| *new > 0)
                .map(|(new, chance)| chance * of[known + new])
                .sum()
        };
        let left = later(&means);
        means[known] = (1.0 + left) / (1.0 - stays);
        // E(1+T)² where T is what is left: 1 + 2 E T + E T².
        squares[known] =
            (1.0 + 2.0 * (left + stays * means[known]) + later(&squares)) / (1.0 - stays);
    }
    (means[1], (squares[1] - means[1] * means[1]).max(0.0).sqrt())
}

/// How many hear it in a round while so many know. Who pulls does so by itself; those who know then
/// throw their balls, each of which finds somebody who has not heard it yet in proportion to how many
/// these are.
fn round(crowd: Crowd, pulls: bool, known: usize) -> Distribution {
    let Crowd { nodes, fanout, success } = crowd;
    let others = f64::from(nodes - 1);
    let strangers = nodes as usize - known;
    let calls = known * fanout as usize;
    let mut heard = match pulls {
        false => Distribution::sure(0),
        true => {
            let missed = 1.0 - success * known as f64 / others;
            pulled(strangers, 1.0 - missed.powi(fanout as i32))
        }
    };
    for _ in 0..calls {
        let end = heard.first + heard.chances.len();
        if end <= strangers {
            heard.chances.push(0.0);
        }
        for at in (0..heard.chances.len()).rev() {
            let left = strangers.saturating_sub(heard.first + at) as f64;
            let new = heard.chances[at] * success * left / others;
            if new > 0.0 {
                heard.chances[at + 1] += new;
                heard.chances[at] -= new;
            }
        }
        heard.trim();
    }
    heard
}

/// How many of the strangers pull it, each with the same chance; trimmed as it is made, because both
/// may be great.
fn pulled(strangers: usize, chance: f64) -> Distribution {
    let mut all = Distribution::sure(0);
    for _ in 0..strangers {
        all.chances.push(0.0);
        for at in (0..all.chances.len() - 1).rev() {
            let more = all.chances[at] * chance;
            all.chances[at + 1] += more;
            all.chances[at] -= more;
        }
        all.trim();
    }
    all
}

/// The share that misses a rumour in a crowd without end: m = e^(-ka(1-m)), the root below one where
/// there is one.
pub(super) fn mean_field(fanout: f64) -> f64 {
    let mut missed = 0.0;
    // From below the least root is approached, faster the farther it is from one.
    for _ in 0..100_000 {
        let next = (-fanout * (1.0_f64 - missed)).exp();
        if (next - missed).abs() < 1e-15 {
            return next;
        }
        missed = next;
    }
    missed
}
