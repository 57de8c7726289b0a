//! People who pay each other, and wait: the load of a scenario, as the simulator's clients make it.
//!
//! Who pays whom when, and through which node, is the simulator's own [`Plan`]. A node may take long to
//! answer, or never do, so each has a desk with a thread of its own; whoever cannot be served in time
//! comes back.

use crypto::{Address, SecretKey};
use ledger::{Action, Amount, ChainId, Payload, ReplicaId, Transaction};
use simulator::scenario::{Payment, Plan};
use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    thread,
    time::Duration,
};
use wallet_cli::client::Client;

/// How long a wallet waits before it tries another node.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many transfers of an account are handed in again at a time.
const AGAIN: usize = 16;

/// How many errands wait at one desk; more are not taken.
const QUEUE: usize = 256;

/// One transfer, and who took it last.
#[derive(Clone, Debug)]
pub struct Sent {
    /// When it was wanted, since the beginning.
    pub at: Duration,
    /// Who took it last, and when.
    pub taken: (ReplicaId, Duration),
    /// What it is.
    pub transaction: Transaction,
}

/// Makes transfers, and keeps at it.
#[derive(Debug)]
pub struct Load {
    plan: Plan,
    chain: ChainId,
    patience: Duration,
    purses: Vec<Purse>,
    desks: Vec<SyncSender<Errand>>,
    words: Receiver<Word>,
    sent: Vec<Sent>,
    /// By account, the numbers of what was not seen in a chain yet.
    open: BTreeMap<u32, VecDeque<usize>>,
}

/// An account that pays.
#[derive(Debug)]
struct Purse {
    key: SecretKey,
    nonce: u64,
}

/// What a node is asked.
#[derive(Debug)]
enum Errand {
    /// Order this.
    Submit(Box<Transaction>),
    /// Where does this account stand?
    Look(u32, Address),
}

/// A node's answer: the next nonce of an account, in what the node has ordered.
#[derive(Debug)]
struct Word {
    node: ReplicaId,
    account: u32,
    nonce: u64,
}

impl Load {
    /// Opens a desk at each node. They close when the value is dropped.
    ///
    /// # Errors
    /// Whatever the system says when it has no thread to give.
    pub fn open(
        plan: Plan,
        chain: ChainId,
        block_time: Duration,
        keys: Vec<SecretKey>,
        clients: Vec<Client>,
    ) -> io::Result<Load> {
        let (tell, words) = channel();
        let desks = (0..).map(ReplicaId).zip(clients);
        let desks = desks.map(|(node, client)| desk(node, client, tell.clone()));
        let desks = desks.collect::<io::Result<_>>()?;
        let purses = keys.into_iter().map(|key| Purse { key, nonce: 0 }).collect();
        let patience = PATIENCE.max(block_time * 4);
        let (sent, open) = (Vec::new(), BTreeMap::new());
        Ok(Load { plan, chain, patience, purses, desks, words, sent, open })
    }

    /// When the next transfer is due.
    pub fn due(&self) -> Option<Duration> {
        self.plan.due()
    }

    /// Makes the transfer that is due, through the first node from the one it names that will serve.
    pub fn pay(&mut self, now: Duration, serves: impl Fn(ReplicaId) -> bool) {
        let (accounts, nodes) = (size(self.purses.len()), size(self.desks.len()));
        let Payment { from, to, first } = self.plan.draw(accounts, nodes);
        let Some(taker) = self.taker(first.0, serves) else { return };
        let to = self.purses[to as usize].key.public().address();
        let purse = &mut self.purses[from as usize];
        let payload = Payload {
            chain: self.chain,
            sender: purse.key.public(),
            nonce: purse.nonce,
            fee: Amount(1),
            action: Action::Transfer { to, amount: Amount(1) },
        };
        let transaction = payload.sign(&purse.key);
        purse.nonce += 1;
        self.hand_in(taker, transaction.clone());
        self.open.entry(from).or_default().push_back(self.sent.len());
        self.sent.push(Sent { at: now, taken: (taker, now), transaction });
    }

    /// Forgets what whoever took it has ordered; hands in elsewhere what has waited too long.
    pub fn look(&mut self, now: Duration, serves: impl Fn(ReplicaId) -> bool) {
        self.listen();
        for account in self.open.keys().copied().collect::<Vec<_>>() {
            let open = &self.open[&account];
            let Some(oldest) = open.front() else { continue };
            let taken = self.sent[*oldest].taken;
            let address = self.purses[account as usize].key.public().address();
            // If the desk is full, somebody asks again.
            let _ = self.desks[taken.0.0 as usize].try_send(Errand::Look(account, address));
            if now.saturating_sub(taken.1) <= self.patience {
                continue;
            }
            for number in open.iter().take(AGAIN).copied().collect::<Vec<_>>() {
                let before = self.sent[number].taken.0;
                let Some(other) = self.taker(before.0 + 1, &serves) else { break };
                self.sent[number].taken = (other, now);
                self.hand_in(other, self.sent[number].transaction.clone());
            }
        }
    }

    /// Everything that was handed in.
    pub fn sent(&self) -> &[Sent] {
        &self.sent
    }

    fn listen(&mut self) {
        while let Ok(Word { node, account, nonce }) = self.words.try_recv() {
            let Some(open) = self.open.get_mut(&account) else { continue };
            let sent = &self.sent;
            let is_ordered = |number: &&usize| {
                let Sent { taken, transaction, .. } = &sent[**number];
                taken.0 == node && transaction.payload.nonce < nonce
            };
            while open.front().filter(is_ordered).is_some() {
                open.pop_front();
            }
        }
    }

    fn hand_in(&self, node: ReplicaId, transaction: Transaction) {
        // Whoever finds the desk full, or hears nothing, comes back.
        let _ = self.desks[node.0 as usize].try_send(Errand::Submit(Box::new(transaction)));
    }

    fn taker(&self, first: u32, serves: impl Fn(ReplicaId) -> bool) -> Option<ReplicaId> {
        let nodes = size(self.desks.len());
        let ids = (0..nodes).map(|offset| ReplicaId((first + offset) % nodes));
        ids.filter(|id| serves(*id)).take(1).next()
    }
}

/// A thread that asks one node one thing after the other, and ends when nobody has errands for it.
fn desk(node: ReplicaId, client: Client, tell: Sender<Word>) -> io::Result<SyncSender<Errand>> {
    let (desk, errands) = sync_channel(QUEUE);
    thread::Builder::new().name(format!("desk {node}")).spawn(move || {
        for errand in errands {
            match errand {
                // A refusal says that it is there already, or used up: both are well.
                Errand::Submit(transaction) => drop(client.submit(&transaction)),
                Errand::Look(account, address) => {
                    let Ok(answer) = client.account(address) else { continue };
                    let nonce = answer.account.nonce;
                    if tell.send(Word { node, account, nonce }).is_err() {
                        return;
                    }
                }
            }
        }
    })?;
    Ok(desk)
}

fn size(count: usize) -> u32 {
    u32::try_from(count).expect("there are not many")
}
