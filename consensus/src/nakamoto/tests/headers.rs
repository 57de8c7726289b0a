use super::rig::*;
use crate::{catalogue, protocol::Unproven, work::Target};
use ledger::{Genesis, Header};

struct Chain {
    genesis: Genesis,
    first: Header,
    headers: Vec<Header>,
}

impl Chain {
    fn of(length: usize) -> Chain {
        let mut forge = Forge::new(&[]);
        let first = forge.header(forge.root());
        let blocks = forge.branch(forge.root(), 1, length);
        let headers = blocks.iter().map(|block| block.header.clone()).collect();
        Chain { genesis: forge.genesis, first, headers }
    }

    fn weigh(&self) -> Result<f64, catalogue::NotFinal> {
        let before = std::slice::from_ref(&self.first);
        catalogue::weigh(&self.genesis, before, &self.headers).map(|work| work.hashes())
    }

    /// Seals every header from `at` on again, so that only the change itself is wrong.
    fn reseal(&mut self, at: usize) {
        for index in at..self.headers.len() {
            if index > at {
                self.headers[index].parent = self.headers[index - 1].hash();
            }
            self.headers[index] = sealed(self.headers[index].clone());
        }
    }
}

fn unproven(reason: Unproven) -> Result<f64, catalogue::NotFinal> {
    Err(catalogue::NotFinal::Unproven(reason))
}

#[test]
fn a_chain_weighs_what_its_targets_stand_for() {
    let chain = Chain::of(20);
    let each = Target::from_bits(chain.headers[0].seal.bits).unwrap().work().hashes();
    assert_eq!(chain.weigh(), Ok(20.0 * each));
}

#[test]
fn in_pages_it_weighs_as_much_as_at_once() {
    let chain = Chain::of(30);
    let mut sum = 0.0;
    let mut before = vec![chain.first.clone()];
    for page in chain.headers.chunks(7) {
        sum += catalogue::weigh(&chain.genesis, &before, page).unwrap().hashes();
        before.extend(page.iter().cloned());
        before.drain(..before.len().saturating_sub(11));
    }
    assert_eq!(chain.weigh(), Ok(sum));
}

#[test]
fn a_header_without_work_weighs_nothing() {
    let mut chain = Chain::of(5);
    chain.headers[4] = unsealed(chain.headers[4].clone());
    let reason = "its hash does not meet its target";
    assert_eq!(chain.weigh(), unproven(Unproven::Work { height: 5, reason }));
}

#[test]
fn a_header_with_another_target_than_is_due_weighs_nothing() {
    let mut chain = Chain::of(5);
    chain.headers[2].seal.bits = Target::for_hashes(8).to_bits();
    chain.reseal(2);
    let reason = "its target is not the one that is due";
    assert_eq!(chain.weigh(), unproven(Unproven::Work { height: 3, reason }));
}

#[test]
fn a_header_before_the_median_weighs_nothing() {
    let mut chain = Chain::of(12);
    chain.headers[11].time = chain.headers[5].time;
    chain.reseal(11);
    assert_eq!(chain.weigh(), unproven(Unproven::Time(12)));
    chain.headers[11].time += 1;
    chain.reseal(11);
    assert!(chain.weigh().is_ok());
}

#[test]
fn headers_that_do_not_hang_together_weigh_nothing() {
    let mut chain = Chain::of(6);
    chain.headers.remove(2);
    assert_eq!(chain.weigh(), unproven(Unproven::BrokenChain(4)));
    chain.headers.clear();
    assert_eq!(chain.weigh(), unproven(Unproven::NoHeaders));
}

#[test]
fn a_chain_that_carries_no_work_cannot_be_weighed() {
    let mut chain = Chain::of(1);
    chain.genesis.consensus = "tendermint".into();
    chain.genesis.settings.clear();
    assert_eq!(chain.weigh(), unproven(Unproven::Weightless));
    assert_eq!(catalogue::depths(&chain.genesis), Ok(None));
}

#[test]
fn settings_are_checked_with_their_names() {
    let config = |key: &'static str, value| {
        let error = crate::nakamoto::Config::from_genesis(&genesis(&[(key, value)])).unwrap_err();
        error.to_string()
    };
    assert!(config("pow.bitz", 1).contains("\"pow.bitz\", which is no setting"));
    assert!(config("pow.bits", 0x0380_0001).contains("it must be a positive compact target"));
    assert!(config("pow.bits", u64::MAX).contains("18446744073709551615"));
    assert!(config("pow.irreversible", 201).contains("at most 200"));
    assert!(config("pow.confirmations", 11).contains("at most pow.irreversible"));
    assert!(config("pow.half_life_ms", 0).contains("to zero"));
    let idle = Genesis { block_time: 0, ..genesis(&[]) };
    let error = crate::nakamoto::Config::from_genesis(&idle).unwrap_err();
    assert!(error.to_string().contains("\"block_time\" to zero"), "{error}");
}
