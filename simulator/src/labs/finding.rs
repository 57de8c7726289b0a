//! What was measured, and whether theory agrees.

use std::collections::BTreeMap;

/// What one job measured, by name.
pub type Sample = BTreeMap<&'static str, Moments>;

/// Count, sum and sum of squares of a quantity.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Moments {
    /// How many were taken.
    pub count: u64,
    /// Of all of them.
    pub sum: f64,
    /// Of their squares.
    pub squares: f64,
}

/// One figure, by theory and as measured.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// Its name in the output: `catches_up`.
    pub name: &'static str,
    /// What it is, in a few words, with its unit.
    pub about: &'static str,
    /// What the formula says; none where there is none and the figure is only shown.
    pub theory: Option<f64>,
    /// What came out; none for another formula, shown for comparison, that no experiment follows.
    pub measured: Option<f64>,
    /// By how much they may differ; 0 where they must be equal.
    pub tolerance: f64,
}

impl Moments {
    /// Of one figure, if there is one: for what is known of all jobs together only.
    pub fn once(value: Option<f64>) -> Moments {
        let mut moments = Moments::default();
        value.into_iter().for_each(|value| moments.take(value));
        moments
    }

    /// Takes one more.
    pub fn take(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
        self.squares += value * value;
    }

    /// Those of both.
    pub fn merge(self, other: Moments) -> Moments {
        Moments {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            squares: self.squares + other.squares,
        }
    }

    /// Those of all jobs under one name, added in their order.
    pub fn of(samples: &[Sample], name: &str) -> Moments {
        let ours = samples.iter().filter_map(|sample| sample.get(name).copied());
        ours.fold(Moments::default(), Moments::merge)
    }

    /// None of nothing.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    /// The standard deviation of one of them; zero of fewer than two.
    pub fn deviation(&self) -> f64 {
        let Some(mean) = self.mean().filter(|_| self.count > 1) else { return 0.0 };
        let count = self.count as f64;
        ((self.squares - count * mean * mean).max(0.0) / (count - 1.0)).sqrt()
    }

    /// The standard deviation of their mean.
    pub fn error(&self) -> f64 {
        match self.count {
            0 => 0.0,
            count => self.deviation() / (count as f64).sqrt(),
        }
    }
}

impl Finding {
    /// A share of `measured.count` trials, within four standard deviations of what theory says of so
    /// many, `4 sqrt(p (1 - p) / N)`, and two trials more: where hardly any are expected their number
    /// is no normal one, and a single trial would be too many.
    pub fn share(
        name: &'static str,
        about: &'static str,
        theory: f64,
        measured: Moments,
    ) -> Finding {
        let count = measured.count.max(1) as f64;
        let tolerance =
            4.0 * (theory * (1.0 - theory)).max(0.0).sqrt() / count.sqrt() + 2.0 / count;
        Finding { name, about, theory: Some(theory), measured: measured.mean(), tolerance }
    }

    /// The mean of a figure of which theory knows mean and standard deviation, within four standard
    /// deviations of what it says of the mean of so many. (The millionth part is for rounding.)
    pub fn mean(
        name: &'static str,
        about: &'static str,
        (theory, deviation): (f64, f64),
        measured: Moments,
    ) -> Finding {
        let count = measured.count.max(1) as f64;
        let tolerance = 4.0 * deviation / count.sqrt() + 1e-6 * theory.abs().max(1e-6);
        Finding { name, about, theory: Some(theory), measured: measured.mean(), tolerance }
    }

    /// The same with room for two trials of `count` that are so far off: where a figure is rarely far from
    /// its mean, the mean of a few is no normal one.
    #[must_use]
    pub fn with_two_rare_ones(self, off: f64, count: u64) -> Finding {
        Finding { tolerance: self.tolerance + 2.0 * off / count.max(1) as f64, ..self }
    }

    /// A figure that must be equal.
    pub fn exact(
        name: &'static str,
        about: &'static str,
        theory: f64,
        measured: Moments,
    ) -> Finding {
        Finding { name, about, theory: Some(theory), measured: measured.mean(), tolerance: 0.0 }
    }

    /// Whether it is as theory says. None if there are not two figures to compare.
    pub fn agrees(&self) -> Option<bool> {
        let (theory, measured) = (self.theory?, self.measured?);
        Some((measured - theory).abs() <= self.tolerance)
    }
}
