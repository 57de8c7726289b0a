//! The ledger's arithmetic.

use super::Part;
use crate::labs::Sample;
use ledger::{
    Committee, ReplicaId, Stake,
    leak::{Leak, Row, Table},
    vote::Member,
};

#[derive(Debug)]
pub(super) struct Absence {
    leak: Leak,
    active: Part,
}

impl Absence {
    pub(super) fn drawn(leak: Leak, active: Part, _seed: u64, _job: u64) -> Absence {
        Absence { leak, active }
    }

    pub(super) fn run(&self) -> Sample {
        let setup = crate::Setup::new("tendermint", self.active.all as u32, 1);
        let members = setup.genesis().validators.into_iter().enumerate().map(|(id, validator)| {
            Member::new(ReplicaId(id as u32), validator.key, Stake(1_000_000))
        });
        let committee = Committee::new(members.collect()).expect("they are as many as should be");
        let present: Vec<_> = (0..self.active.some as u32).map(ReplicaId).collect();
        let row = |round| Row { round, present: present.clone() };
        let first = self.leak.grace_rounds;
        let found = (0..200).find(|count| {
            let table = Table::new((first..first + count).map(row).collect());
            let weighed = table.weigh(&committee, &self.leak);
            weighed.is_quorum(present.iter().map(|id| weighed.weight_of(*id)).sum())
        });
        let mut sample = Sample::new();
        let mut take = |name, value: f64| sample.entry(name).or_default().take(value);
        take("recovers", if found.is_some() { 1.0 } else { 0.0 });
        if let Some(rows) = found {
            take("epochs", rows as f64);
        }
        sample
    }
}
