use super::*;
use crate::{
    fake_node::{FakeNode, Reply},
    verify::certify,
};
use consensus::{
    Signed,
    tendermint::{Commit, Message},
};
use crypto::SecretKey;
use ledger::{
    Hand, Header, Proof, Stake, chain::genesis_header, genesis::Validator, query::Finality,
    vote::Member,
};
use proptest::prelude::*;
use serde_json::json;
use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

/// How many heights lie between two changes.
const APART: u64 = 3;

/// A chain whose committee changes again and again: one leaves, a newcomer takes the next number.
pub(super) struct Story {
    pub(super) genesis: Genesis,
    pub(super) changes: Vec<ChangeAnswer>,
    committee: Committee,
}

fn key(number: u32) -> SecretKey {
    SecretKey::from_seed(crypto::hash::sha256(&number.to_be_bytes()).to_bytes())
}

fn member(number: u32) -> Member {
    Member::new(ReplicaId(number), key(number).public(), Stake(10))
}

fn committee(numbers: impl IntoIterator<Item = u32>) -> Committee {
    Committee::new(numbers.into_iter().map(member).collect()).expect("a good one")
}

impl Story {
    pub(super) fn new(changes: u32) -> Story {
        let validator = |number| Validator { key: key(number).public(), stake: Stake(10) };
        let genesis = Genesis {
            name: "committees".into(),
            time: 1_700_000_000_000,
            consensus: "tendermint".into(),
            block_time: 1000,
            settings: [("ledger.unbonding_blocks".to_owned(), 240)].into(),
            validators: (0..4).map(validator).collect(),
            accounts: Vec::new(),
        };
        let committee = genesis.committee().expect("four members");
        let mut story = Story { genesis, changes: Vec::new(), committee };
        for number in 0..changes {
            story.change(self::committee(number + 1..number + 5));
        }
        story
    }

    /// The next change of the committee, proven by the one before.
    fn change(&mut self, next: Committee) {
        let height = (self.changes.len() as u64 + 1) * APART;
        let header = self.header(height, &next);
        let change = self.announced(header, next.members().to_vec(), &self.committee);
        self.changes.push(change);
        self.committee = next;
    }

    fn header(&self, height: u64, heirs: &Committee) -> Header {
        Header { height, committee: heirs.root(), ..genesis_header(&self.genesis) }
    }

    fn announced(&self, header: Header, members: Vec<Member>, by: &Committee) -> ChangeAnswer {
        let (height, proof) = (header.height, self.proof(&header, by));
        ChangeAnswer { height, members, finality: Finality { headers: vec![header], proof } }
    }

    /// The precommits of a whole committee.
    fn proof(&self, header: &Header, by: &Committee) -> Proof {
        let (height, block, round) = (header.height, header.hash(), 0);
        let precommit = |member: &Member| {
            let hand = Hand::new(member.id, self.genesis.chain_id(), key(member.id.0));
            let signed = Signed::by(
                &hand,
                Message::Precommit { height, round, value: Some(block), table: None },
            );
            (member.id, *signed.signature())
        };
        let signatures = by.members().iter().map(precommit).collect();
        Commit { round, block, signatures, table: Default::default() }.encode()
    }

    /// What a wallet says to changes that begin with these, of which all but the last one hold.
    fn refused(&self, changes: Vec<ChangeAnswer>) -> BadChange {
        let mut committees = founders(&self.genesis);
        let good = changes.len() - 1;
        let error = committees.extend(changes).expect_err("a lie");
        assert_eq!(committees.changes(), good, "those before it hold");
        match error {
            NotProven::Change { reason, .. } => *reason,
            other => panic!("the change is wrong, not this: {other}"),
        }
    }

    /// A lie in the last of the changes.
    fn lie(&self, change: impl FnOnce(&mut ChangeAnswer)) -> BadChange {
        let mut changes = self.changes.clone();
        change(changes.last_mut().expect("there is one"));
        self.refused(changes)
    }
}

fn hundred() -> &'static Story {
    static STORY: OnceLock<Story> = OnceLock::new();
    STORY.get_or_init(|| Story::new(100))
}

#[test]
fn a_hundred_changes_follow_from_the_genesis() {
    let story = hundred();
    let mut committees = founders(&story.genesis);
    committees.extend(story.changes.clone()).expect("all of it is true");
    assert_eq!(committees.changes(), 100);
    for height in 0..=APART {
        assert_eq!(committees.deciding(height).from(), 1, "the founders decide height {height}");
    }
    for (number, height) in (1..=100).zip((1..).map(|change| change * APART)) {
        let era = committees.deciding(height + 1);
        assert_eq!((era.from(), era.root()), (height + 1, committee(number..number + 4).root()));
        assert_eq!(committees.deciding(height + APART).root(), era.root());
        assert_ne!(committees.deciding(height).root(), era.root(), "the old one decides {height}");
    }
    // A block long after: nobody of the founders is left.
    let header = story.header(1000, &story.committee);
    let proof = story.proof(&header, &story.committee);
    let finality = Finality { headers: vec![header], proof };
    let certified = certify(&committees, &finality).expect("all of it is true");
    assert_eq!((certified.since(), certified.bonded()), (301, 40));
    let early = certify(&founders(&story.genesis), &finality).expect_err("nobody we know");
    assert!(matches!(early, NotProven::OtherCommittee { height: 1000, since: 1, .. }), "{early}");
}

#[test]
fn a_change_that_is_left_out_is_missed() {
    let story = Story::new(3);
    let without_the_second = vec![story.changes[0].clone(), story.changes[2].clone()];
    let reason = story.refused(without_the_second);
    assert!(matches!(reason, BadChange::Unsigned(_)), "{reason}");
    let twice = vec![story.changes[0].clone(), story.changes[0].clone()];
    assert_eq!(story.refused(twice), BadChange::Order { known: APART });
    let backwards = vec![story.changes[1].clone()];
    assert!(matches!(story.refused(backwards), BadChange::Unsigned(_)));
}

#[test]
fn a_hidden_change_is_found_out_by_the_next_header() {
    let story = Story::new(2);
    let mut committees = founders(&story.genesis);
    committees.extend(vec![story.changes[0].clone()]).expect("it is true");
    let header = story.header(50, &story.committee);
    let proof = story.proof(&header, &story.committee);
    let error = certify(&committees, &Finality { headers: vec![header], proof });
    let error = error.expect_err("the second change is hidden").to_string();
    for word in ["height 50", "since height 4", "hides a change of the committee"] {
        assert!(error.contains(word), "{error} lacks {word}");
    }
}

#[test]
fn members_that_are_not_those_of_the_header_are_refused() {
    let story = Story::new(2);
    let reason = story.lie(|change| change.members[0].stake = Stake(11));
    assert!(matches!(reason, BadChange::Root { .. }), "{reason}");
    assert!(matches!(story.lie(|change| change.members.truncate(3)), BadChange::Root { .. }));
    assert_eq!(story.lie(|change| change.members.clear()), BadChange::Members(BadCommittee::Empty));
}

/// Whoever makes up a committee signs for it with its own keys; the one before has to.
#[test]
fn a_committee_that_names_itself_is_refused() {
    let story = Story::new(1);
    let forgers = committee(70..74);
    let header = story.header(10, &forgers);
    let forged = story.announced(header.clone(), forgers.members().to_vec(), &forgers);
    let reason = story.refused(vec![story.changes[0].clone(), forged]);
    assert!(matches!(reason, BadChange::Unsigned(_)), "{reason}");
    // Nor does a descendant help that the forgers do decide.
    let child = Header { parent: header.hash(), ..story.header(11, &forgers) };
    let proof = story.proof(&child, &forgers);
    let finality = Finality { headers: vec![header, child], proof };
    let change = ChangeAnswer { height: 10, finality, members: forgers.members().to_vec() };
    assert_eq!(story.refused(vec![story.changes[0].clone(), change]), BadChange::Headers(2));
}

#[test]
fn a_number_is_never_given_to_another_key() {
    let mut story = Story::new(2);
    // Number 0 has left; somebody else comes as 0.
    let mut members: Vec<_> = (2..5).map(member).collect();
    members.push(Member { id: ReplicaId(0), ..member(77) });
    story.change(Committee::new(members).expect("a committee by itself"));
    assert_eq!(story.refused(story.changes.clone()), BadChange::Number(ReplicaId(0)));
    // It itself may come back.
    let mut story = Story::new(2);
    story.change(committee([0, 3, 4, 5]));
    let mut committees = founders(&story.genesis);
    committees.extend(story.changes).expect("it kept its number");
}

#[test]
fn nothing_is_asked_where_founders_decide_for_ever() {
    let node = FakeNode::start(|method, _| panic!("nobody asks for {method}"));
    let client = Client::new(vec![node.url().parse().expect("a URL")]);
    let mut genesis = Story::new(0).genesis;
    genesis.settings.clear();
    let mut committees = founders(&genesis);
    assert!(!committees.follow(&client).expect("nobody is asked"));
}

/// A node that serves pages of so many changes, and counts how often it is asked.
fn pages(story: &Story, most: usize, asked: &Arc<AtomicUsize>) -> FakeNode {
    let (changes, asked) = (story.changes.clone(), Arc::clone(asked));
    FakeNode::start(move |method, params| {
        assert_eq!(method, "committees");
        asked.fetch_add(1, Ordering::Relaxed);
        let from = params["from"].as_u64().expect("a height");
        let after = |change: &&ChangeAnswer| change.height >= from;
        let mut rest = changes.iter().filter(after);
        let page: Vec<_> = rest.by_ref().take(most).cloned().collect();
        Reply::result(json!(CommitteesAnswer { changes: page, more: rest.next().is_some() }))
    })
}

#[test]
fn pages_are_followed_to_the_end_and_asked_for_once() {
    let (story, asked) = (hundred(), Arc::new(AtomicUsize::new(0)));
    let node = pages(story, 16, &asked);
    let client = Client::new(vec![node.url().parse().expect("a URL")]);
    let mut committees = founders(&story.genesis);
    assert!(committees.follow(&client).expect("all of it is true"));
    assert_eq!((committees.changes(), asked.load(Ordering::Relaxed)), (100, 7));
    // Kept, and read again: what is known is not asked for.
    let dir = tempfile::tempdir().expect("a directory");
    let file = CommitteeFile::new(dir.path(), &story.genesis);
    file.save(&committees, 0).expect("the disk is good");
    let mut kept = founders(&story.genesis);
    assert_eq!(file.load(&mut kept).expect("the disk is good"), None);
    assert_eq!(kept.changes(), 100);
    assert!(!kept.follow(&client).expect("all of it is true"));
    assert_eq!(asked.load(Ordering::Relaxed), 8);
}

/// What holds under known committees costs no question; what does not is asked about.
#[test]
fn a_node_is_asked_only_about_what_does_not_hold() {
    let (story, asked) = (Story::new(2), Arc::new(AtomicUsize::new(0)));
    let node = pages(&story, 16, &asked);
    let client = Client::new(vec![node.url().parse().expect("a URL")]);
    let mut committees = founders(&story.genesis);
    let finality = |height, heirs: &Committee, by: &Committee| {
        let header = story.header(height, heirs);
        let proof = story.proof(&header, by);
        Finality { headers: vec![header], proof }
    };
    let (first, last) = (committee(0..4), &story.committee);
    let old = finality(2, &first, &first);
    let mut prove = |finality: &Finality| {
        let done = committees.prove(&client, |committees| certify(committees, finality));
        (done.map(|certified| certified.since()), asked.load(Ordering::Relaxed))
    };
    assert!(matches!(prove(&old), (Ok(1), 0)));
    assert!(matches!(prove(&finality(50, last, last)), (Ok(7), 1)));
    // Old keys do not sign for new heights, and new ones not for old.
    assert!(matches!(prove(&finality(51, &first, &first)), (Err(Error::NotProven { .. }), 2)));
    assert!(matches!(prove(&finality(2, &first, last)), (Err(Error::NotProven { .. }), 3)));
    assert!(matches!(prove(&old), (Ok(1), 3)));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256, failure_persistence: None, ..Default::default()
    })]

    /// Whatever a node makes of honest changes, a wallet follows the same ones or refuses.
    #[test]
    fn no_change_to_an_answer_leads_anywhere_else(
        places in prop::collection::vec((any::<prop::sample::Index>(), 0x20_u8..0x7f), 1..3),
    ) {
        static STORY: OnceLock<Story> = OnceLock::new();
        let story = STORY.get_or_init(|| Story::new(3));
        let honest = CommitteesAnswer { changes: story.changes.clone(), more: false };
        let mut text = serde_json::to_vec(&honest).expect("an answer is plain data");
        for (index, byte) in places {
            let at = index.index(text.len());
            text[at] = byte;
        }
        let Ok(answer) = serde_json::from_slice::<CommitteesAnswer>(&text) else { return Ok(()) };
        let mut committees = founders(&story.genesis);
        if committees.extend(answer.changes).is_ok() {
            for height in 0..20 {
                let numbers = ((height.max(1) - 1) / APART).min(3) as u32;
                let expected = committee(numbers..numbers + 4).root();
                prop_assert_eq!(committees.deciding(height).root(), expected);
            }
        }
    }
}
