//! The remarks in a trace that a story is told from.
//!
//! Each protocol words its own; the words below are those that protocols with rounds or views share.

/// A remark that was understood.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Remark {
    /// A round of a height begins.
    Round { height: u64, round: u64, proposer: u32 },
    /// A value is locked.
    Lock { height: u64, round: u64, value: String },
    /// A value is decided, by the votes of that round.
    Decide { height: u64, round: u64, value: String },
    /// Patience ends with a step of a round.
    Timeout { height: u64, round: u64, step: String },
    /// A later round is spoken of.
    Skip { height: u64, from: u64, to: u64 },
    /// Views are given up.
    GiveUp { from: u64, to: u64 },
    /// A view begins.
    View { view: u64, primary: u32 },
    /// A value is prepared.
    Prepared { view: u64, number: u64, value: String },
    /// A value is executed as a block.
    Execute { number: u64, height: u64, value: String },
    /// A number stands for nothing.
    Null { number: u64, view: u64 },
    /// A value is refused.
    Invalid { detail: String },
    /// A weak rule let something pass.
    Flaw { detail: String },
    /// What a peer's finished blocks brought.
    Synced,
}

impl Remark {
    /// Understands a note; none if it adds nothing to a story.
    pub(super) fn read(label: &str, detail: &str) -> Option<Remark> {
        let words: Vec<&str> =
            detail.split([' ', '/', ',']).filter(|word| !word.is_empty()).collect();
        let number = |at: usize| words.get(at)?.parse::<u64>().ok();
        let word = |at: usize| words.get(at).map(|word| (*word).to_owned());
        let small = |at: usize| words.get(at)?.parse::<u32>().ok();
        Some(match label {
            "round" => Remark::Round { height: number(0)?, round: number(1)?, proposer: small(4)? },
            "lock" => Remark::Lock { height: number(0)?, round: number(1)?, value: word(2)? },
            "decide" => Remark::Decide { height: number(0)?, round: number(1)?, value: word(2)? },
            "timeout" => Remark::Timeout { height: number(0)?, round: number(1)?, step: word(2)? },
            "skip" => Remark::Skip { height: number(0)?, from: number(1)?, to: number(3)? },
            "view-change" => Remark::GiveUp { from: number(1)?, to: number(3)? },
            "view" => Remark::View { view: number(0)?, primary: small(3)? },
            "prepared" => {
                Remark::Prepared { view: number(0)?, number: number(1)?, value: word(2)? }
            }
            "execute" => {
                Remark::Execute { number: number(0)?, height: number(3)?, value: word(5)? }
            }
            "null" => Remark::Null { number: number(1)?, view: number(4)? },
            "invalid" => Remark::Invalid { detail: detail.to_owned() },
            "flaw" => Remark::Flaw { detail: detail.to_owned() },
            "synced" => Remark::Synced,
            _ => return None,
        })
    }
}
