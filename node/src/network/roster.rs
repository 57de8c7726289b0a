//! Everybody who may speak to us: the configured, those admitted or named by the chain since, and
//! guests.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    mem,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use libp2p::{PeerId, identity};
use tokio::{sync::Notify, time::Instant};

use super::{
    NetworkError, PeerConfig,
    counters::Tallies,
    guests::{self, FIRST_PLACE, MAX_SEATS, MAX_SHUNNED},
    peers::Peer,
};

/// Everybody who may speak to us, by seat and by identity.
#[derive(Debug)]
pub(super) struct Roster {
    own: PeerId,
    /// How many guests there may be.
    places: u32,
    book: RwLock<Book>,
    tallies: Arc<Tallies>,
    bell: Arc<Notify>,
}

/// Who is who at this moment.
#[derive(Debug, Default)]
struct Book {
    by_seat: BTreeMap<u32, Arc<Peer>>,
    by_identity: BTreeMap<PeerId, Arc<Peer>>,
    /// Those whom we were told of: they stay whatever the chain says.
    told: BTreeSet<PeerId>,
    /// Those whom the chain names at present.
    named: BTreeSet<PeerId>,
    /// Guests that were shut out, the latest last.
    shunned: VecDeque<(PeerId, Instant)>,
    news: News,
}

/// What the service has to act on.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Who is none of ours any more.
    pub(super) dismissed: Vec<Arc<Peer>>,
    /// Who goes by another number now, with the one it had.
    pub(super) renamed: Vec<(Arc<Peer>, u32)>,
}

/// Why an unknown peer is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unwelcome {
    /// It has sent too much that no honest peer sends.
    Shunned,
    /// Every place is taken.
    Full,
}

impl Roster {
    /// Checks the configuration: seats and keys are unique, and none is our own.
    pub(super) fn new(
        own: PeerId,
        configured: &[PeerConfig],
        places: u32,
        tallies: &Arc<Tallies>,
    ) -> Result<Self, NetworkError> {
        let roster = Self {
            own,
            places,
            book: RwLock::default(),
            tallies: Arc::clone(tallies),
            bell: Arc::default(),
        };
        for config in configured {
            let seat = config.id;
            if roster.seated(seat).is_some() {
                return Err(NetworkError::DuplicateSeat { seat });
            }
            if roster.identified(&identify(seat, &config.public_key)?).is_some() {
                return Err(NetworkError::DuplicateKey { seat });
            }
            roster.admit(config)?;
        }
        Ok(roster)
    }

    /// The peer in a seat, or the guest on a place.
    pub(super) fn seated(&self, seat: u32) -> Option<Arc<Peer>> {
        self.read().by_seat.get(&seat).cloned()
    }

    /// The peer with an identity.
    pub(super) fn identified(&self, peer_id: &PeerId) -> Option<Arc<Peer>> {
        self.read().by_identity.get(peer_id).cloned()
    }

    /// Waits until somebody has been shut out, came to have a seat or was dismissed since this was
    /// last asked. Cancel-safe.
    pub(super) async fn next_change(&self) {
        self.bell.notified().await;
    }

    /// What has changed since this was last asked.
    pub(super) fn take_news(&self) -> News {
        mem::take(&mut self.write().news)
    }

    /// Every peer with a seat, in ascending order, then the guests.
    pub(super) fn everybody(&self) -> Vec<Arc<Peer>> {
        self.read().by_seat.values().cloned().collect()
    }

    /// Every peer with a seat, in ascending order.
    pub(super) fn members(&self) -> Vec<Arc<Peer>> {
        self.read().members().cloned().collect()
    }

    /// Takes in a peer, or learns where one listens whom we know.
    pub(super) fn admit(&self, config: &PeerConfig) -> Result<(), NetworkError> {
        let (seat, address) = (config.id, config.address);
        let peer_id = identify(seat, &config.public_key)?;
        if peer_id == self.own {
            return Err(NetworkError::OwnKey { seat });
        }
        if seat >= MAX_SEATS {
            return Err(NetworkError::BadSeat { seat });
        }
        let mut book = self.write();
        if book.by_seat.get(&seat).is_some_and(|peer| peer.peer_id != peer_id) {
            return Err(NetworkError::DuplicateSeat { seat });
        }
        match book.by_identity.get(&peer_id).cloned() {
            Some(peer) if peer.is_guest() => {
                book.rename(&peer, seat);
                peer.move_to(address);
            }
            Some(peer) if peer.seat() != seat => return Err(NetworkError::DuplicateKey { seat }),
            Some(peer) => peer.move_to(address),
            None => {
                book.add(Peer::member(seat, peer_id, Some(address), &self.tallies, &self.bell));
            }
        }
        book.told.insert(peer_id);
        drop(book);
        self.bell.notify_one();
        Ok(())
    }

    /// Seats whom the chain names, by seat and key, and lets go whom it names no more unless we were
    /// told of them or they are connected.
    pub(super) fn recognise(&self, members: &[(u32, [u8; 32])]) {
        let mut book = self.write();
        book.named.clear();
        for (seat, key) in members {
            let (seat, Ok(peer_id)) = (*seat, identify(*seat, key)) else { continue };
            // A number beyond all seats would be a guest's place.
            if peer_id == self.own || seat >= MAX_SEATS {
                continue;
            }
            book.named.insert(peer_id);
            let holder = book.by_seat.get(&seat).filter(|peer| peer.peer_id != peer_id).cloned();
            if let Some(holder) = holder {
                let was = holder.peer_id;
                tracing::warn!(seat, %was, is = %peer_id, "the chain gives a seat to another key");
                book.dismiss(&holder);
            }
            match book.by_identity.get(&peer_id).cloned() {
                Some(peer) if peer.seat() == seat => {}
                Some(peer) => book.rename(&peer, seat),
                None => book.add(Peer::member(seat, peer_id, None, &self.tallies, &self.bell)),
            }
        }
        let gone = |peer: &Arc<Peer>| !peer.is_linked() && !book.is_ours(&peer.peer_id);
        let gone: Vec<_> = book.members().filter(|peer| gone(peer)).cloned().collect();
        gone.iter().for_each(|peer| book.remove(peer));
        drop(book);
        self.bell.notify_one();
    }

    /// Lets in a peer that we do not know, as a guest.
    pub(super) fn knock(&self, peer_id: PeerId, now: Instant) -> Result<Arc<Peer>, Unwelcome> {
        let mut book = self.write();
        book.shunned.retain(|(_, until)| *until > now);
        if book.shunned.iter().any(|(shunned, _)| *shunned == peer_id) {
            return Err(Unwelcome::Shunned);
        }
        let places = FIRST_PLACE..FIRST_PLACE.saturating_add(self.places);
        let mut free = places.clone().find(|place| !book.by_seat.contains_key(place));
        if free.is_none()
            && let Some(guest) = guests::gives_way(book.guests(), now)
        {
            self.tallies.guests_gave_way.increment();
            tracing::info!(guest = %guest.peer_id, "a guest gives way to another");
            free = Some(guest.seat());
            book.dismiss(&guest);
            self.bell.notify_one();
        }
        let Some(place) = free else {
            self.tallies.guests_turned_away.increment();
            return Err(Unwelcome::Full);
        };
        book.add(Peer::guest(place, peer_id, now, &self.tallies, &self.bell));
        self.tallies.guests_let_in.increment();
        tracing::info!(guest = %peer_id, "a guest is let in");
        Ok(Arc::clone(&book.by_seat[&place]))
    }

    /// Shuts out a guest until then.
    pub(super) fn shun(&self, guest: &Arc<Peer>, until: Instant) {
        let mut book = self.write();
        if book.shunned.len() >= MAX_SHUNNED {
            book.shunned.pop_front();
        }
        book.shunned.push_back((guest.peer_id, until));
        book.dismiss(guest);
    }

    /// Forgets a peer whose last connection is gone, unless it is one of ours.
    pub(super) fn departed(&self, peer: &Arc<Peer>) {
        let mut book = self.write();
        if peer.is_guest() || !book.is_ours(&peer.peer_id) {
            book.remove(peer);
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Book> {
        // Nothing panics while it holds the lock.
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Book> {
        self.book.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn members(&self) -> impl Iterator<Item = &Arc<Peer>> {
        self.by_seat.values().filter(|peer| !peer.is_guest())
    }

    fn guests(&self) -> impl Iterator<Item = &Arc<Peer>> {
        self.by_seat.values().filter(|peer| peer.is_guest())
    }

    /// Whether we were told of it, or the chain names it.
    fn is_ours(&self, peer_id: &PeerId) -> bool {
        self.told.contains(peer_id) || self.named.contains(peer_id)
    }

    fn add(&mut self, peer: Peer) {
        let peer = Arc::new(peer);
        self.by_identity.insert(peer.peer_id, Arc::clone(&peer));
        self.by_seat.insert(peer.seat(), peer);
    }

    fn remove(&mut self, peer: &Arc<Peer>) {
        // Another may have come in its place.
        if self.by_seat.get(&peer.seat()).is_some_and(|there| Arc::ptr_eq(there, peer)) {
            self.by_seat.remove(&peer.seat());
        }
        if self.by_identity.get(&peer.peer_id).is_some_and(|there| Arc::ptr_eq(there, peer)) {
            self.by_identity.remove(&peer.peer_id);
        }
    }

    /// Removes a peer and has it disconnected.
    fn dismiss(&mut self, peer: &Arc<Peer>) {
        self.told.remove(&peer.peer_id);
        self.remove(peer);
        self.news.dismissed.push(Arc::clone(peer));
    }

    /// Gives a peer a seat that is free.
    fn rename(&mut self, peer: &Arc<Peer>, seat: u32) {
        let before = peer.seat();
        self.by_seat.remove(&before);
        peer.seat_at(seat);
        self.by_seat.insert(seat, Arc::clone(peer));
        self.news.renamed.push((Arc::clone(peer), before));
    }
}

/// The libp2p identity of an Ed25519 public key.
fn identify(seat: u32, public_key: &[u8; 32]) -> Result<PeerId, NetworkError> {
    let key = identity::ed25519::PublicKey::try_from_bytes(public_key)
        .map_err(|_| NetworkError::BadKey { seat })?;
    Ok(identity::PublicKey::from(key).to_peer_id())
}

#[cfg(test)]
#[path = "roster_tests.rs"]
mod tests;
