//! What the network tells the node.

use std::{collections::VecDeque, pin::Pin, sync::Arc, time::Instant};

use tokio::sync::{
    OwnedSemaphorePermit,
    mpsc::{self, OwnedPermit, error::SendError},
};

use super::gossip::Ticket;

/// Something the network has to tell.
#[derive(Debug)]
pub enum NetworkEvent {
    /// A consensus frame, whole and in the order its peer sent it. Its bytes are not to be trusted
    /// beyond this: whoever holds the seat's node key sent them.
    ///
    /// A frame may come before its peer's [`NetworkEvent::Connected`] or after its
    /// [`NetworkEvent::Disconnected`]: those tell of our own sending side.
    Frame {
        /// The seat of the peer that sent it.
        from: u32,
        /// The frame.
        bytes: Vec<u8>,
    },
    /// A gossiped message. It goes no further until its ticket is judged.
    Gossip {
        /// The seat of the peer that signed it; `None` if the signer is not among our peers,
        /// because a peer of ours passed on what a peer of its own had published.
        from: Option<u32>,
        /// The message.
        bytes: Vec<u8>,
        /// What to answer it with.
        ticket: Ticket,
    },
    /// Frames to this seat now leave. Between two of these there is always a disconnect.
    Connected(u32),
    /// Frames to this seat wait in its queue until it is connected again.
    Disconnected(u32),
}

/// The node's end of the event channel. It is bounded: while nobody receives, peers have to wait,
/// and gossip is ignored.
#[derive(Debug)]
pub struct Events {
    channel: mpsc::Receiver<Delivery>,
}

impl Events {
    /// Wraps the receiving end.
    pub(super) fn new(channel: mpsc::Receiver<Delivery>) -> Self {
        Self { channel }
    }

    /// The receiving end, for whoever stands in between.
    pub(super) fn into_channel(self) -> mpsc::Receiver<Delivery> {
        self.channel
    }

    /// Waits for the next event; `None` once the network has shut down. Cancel-safe.
    pub async fn recv(&mut self) -> Option<NetworkEvent> {
        self.channel.recv().await.map(Delivery::open)
    }

    /// Waits for the next event on a thread outside the runtime.
    ///
    /// # Panics
    ///
    /// If called from within an asynchronous runtime.
    pub fn blocking_recv(&mut self) -> Option<NetworkEvent> {
        self.channel.blocking_recv().map(Delivery::open)
    }

    /// Like [`Events::blocking_recv`], with the time since which the event was here, whole, and with the room
    /// that it takes of its peer's budget: the peer may send as much again once that is dropped.
    ///
    /// # Panics
    ///
    /// If called from within an asynchronous runtime.
    pub fn blocking_recv_held(&mut self) -> Option<(Instant, NetworkEvent, Room)> {
        let Delivery { since, event, room } = self.channel.blocking_recv()?;
        Some((since, event, Room(room)))
    }

    /// The next event, if one is there.
    pub fn try_recv(&mut self) -> Option<NetworkEvent> {
        self.channel.try_recv().ok().map(Delivery::open)
    }
}

/// What an event takes of its peer's budget, as long as this is held.
#[derive(Debug)]
pub struct Room(#[expect(dead_code, reason = "it is only held")] Option<OwnedSemaphorePermit>);

/// An event on its way, with the room it takes from its peer's budget.
#[derive(Debug)]
pub(super) struct Delivery {
    /// When it had come whole.
    since: Instant,
    event: NetworkEvent,
    room: Option<OwnedSemaphorePermit>,
}

impl Delivery {
    /// An event that takes part of a budget until the node has received it.
    pub(super) fn within(event: NetworkEvent, room: OwnedSemaphorePermit) -> Self {
        Self { since: Instant::now(), event, room: Some(room) }
    }

    /// An event bounded by other means.
    pub(super) fn unmetered(event: NetworkEvent) -> Self {
        Self { since: Instant::now(), event, room: None }
    }

    /// It has only now come, whatever it waited for on the way: what is measured as waiting begins here.
    pub(super) fn arrived(self) -> Delivery {
        Delivery { since: Instant::now(), ..self }
    }

    /// What it brings.
    pub(super) fn event(&self) -> &NetworkEvent {
        &self.event
    }

    /// The same frame once more, if there is room for it in the budget that the first is in. Gossip
    /// comes once: it has one ticket.
    pub(super) fn copy(&self) -> Option<Delivery> {
        let (NetworkEvent::Frame { from, bytes }, Some(room)) = (&self.event, &self.room) else {
            return None;
        };
        let size = u32::try_from(room.num_permits()).ok()?;
        let room = Arc::clone(room.semaphore()).try_acquire_many_owned(size).ok()?;
        let event = NetworkEvent::Frame { from: *from, bytes: bytes.clone() };
        Some(Delivery::within(event, room))
    }

    fn open(self) -> NetworkEvent {
        drop(self.room);
        self.event
    }
}

type Reservation = Result<OwnedPermit<Delivery>, SendError<()>>;

/// Connects and disconnects that the node has not been told of.
///
/// Bounded although the node may be slow: of one peer's changes at most the last two are kept,
/// which alternate, so the node still learns that a link was down in between.
#[derive(Default)]
pub(super) struct Changes {
    waiting: VecDeque<(u32, bool)>,
    /// Kept from one turn of the service's loop to the next, or it would lose its turn in the
    /// queue for the channel each time.
    reservation: Option<Pin<Box<dyn Future<Output = Reservation> + Send>>>,
}

impl Changes {
    /// Whether any waits.
    pub(super) fn any(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Notes that a seat's link came up or went down.
    pub(super) fn note(&mut self, seat: u32, linked: bool) {
        let of_seat = |&(other, _): &(u32, bool)| other == seat;
        if self.waiting.iter().filter(|change| of_seat(change)).count() < 2 {
            self.waiting.push_back((seat, linked));
        } else if let Some(last) = self.waiting.iter().rposition(of_seat) {
            self.waiting.remove(last);
        }
    }

    /// Waits for room in the channel; `None` if nobody listens any more. Cancel-safe.
    pub(super) async fn place(
        &mut self,
        events: &mpsc::Sender<Delivery>,
    ) -> Option<OwnedPermit<Delivery>> {
        let reservation =
            self.reservation.get_or_insert_with(|| Box::pin(events.clone().reserve_owned()));
        let place = reservation.await.ok();
        self.reservation = None;
        place
    }

    /// Tells the oldest change.
    pub(super) fn tell(&mut self, place: OwnedPermit<Delivery>) {
        if let Some((seat, linked)) = self.waiting.pop_front() {
            let event = if linked {
                NetworkEvent::Connected(seat)
            } else {
                NetworkEvent::Disconnected(seat)
            };
            place.send(Delivery::unmetered(event));
        }
    }
}

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;
