//! `testnet up`: the loop that owns a running net.
//!
//! Signals, nodes' answers, requests from other terminals and the demo all arrive in one queue.
//! The loop takes them one by one, and whatever happens it leaves by the same door: everything
//! stopped, nobody left behind.

use super::{
    control::{Answer, Reason, Request, server::Server},
    cuts::{self, Cuts},
    demo::{self, Demo, DemoError},
    fleet::{Exit, Fleet, FleetError, GRACE},
    home::{Home, HomeError, Place},
    myself::Myself,
    net::{Net, NetError, Wish},
    partition::Groups,
    pulse::Heart,
    registry::{Note, Registry},
    screen::{Line, Ready, Report, Screen, Style},
    sight::{Memory, Sight},
    tail::tail,
};
use nix::sys::stat::{Mode, umask};
use node::control::ControlError;
use std::{
    io,
    path::PathBuf,
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::{Duration, Instant},
};
use thiserror::Error;

mod joining;
mod looking;

/// How long all nodes together may take until they answer and have found enough peers.
pub(crate) const STARTUP: Duration = Duration::from_secs(20);

/// How often the loop looks for the dead and at the clock.
const BEAT: Duration = Duration::from_millis(100);

/// How often everybody is shown.
const SHOW: Duration = Duration::from_secs(1);

/// How many events may wait. Answers of nodes are dropped beyond that: newer ones will come.
const QUEUE: usize = 256;

/// What a person asked for.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// What chain it should be.
    pub wish: Wish,
    /// Where; without it, somewhere temporary.
    pub dir: Option<PathBuf>,
    /// How long; without it, until Ctrl-C.
    pub duration: Option<Duration>,
    /// Whether to tell a first session.
    pub demo: bool,
    /// Whether a program reads.
    pub json: bool,
}

/// What the loop hears.
pub enum Event {
    /// Ctrl-C, SIGTERM, or the terminal is gone.
    Interrupted,
    /// Nothing can be shown any more.
    Unseen(io::Error),
    /// A node said something.
    Seen(u32, Sight),
    /// Another terminal asks something, and waits.
    Asked(Request, SyncSender<Answer>),
    /// The demo has something to tell.
    Told(Line),
    /// The demo is over.
    DemoOver(Result<(), DemoError>),
}

/// Runs a net until somebody stops it.
///
/// # Errors
///
/// [`UpError`], after everything was stopped.
pub fn up(order: &Order) -> Result<(), UpError> {
    match order.dir.as_ref().is_some_and(|dir| Place::new(dir).record().exists()) {
        true => order.wish.check()?,
        false => order.wish.check_new()?,
    }
    if let (true, Some(replicas)) = (order.demo, order.wish.replicas) {
        demo::check(replicas)?;
    }
    // Keys, databases, logs, sockets: all of it is for this user only, whoever writes it.
    umask(Mode::from_bits_truncate(0o077));
    let home = Home::open(order.dir.as_deref())?;
    let outcome = live(order, &home);
    if home.is_temporary() && outcome.as_ref().is_err_and(UpError::has_logs) {
        home.leave();
    }
    outcome
}

fn live(order: &Order, home: &Home) -> Result<(), UpError> {
    let net = match home.is_founded() {
        true => Net::resume(home.place().clone(), &order.wish)?,
        false => Net::found(home.place().clone(), &order.wish)?,
    };
    if order.demo {
        demo::check(net.len())?;
    }
    let mut session = Session::open(net, order)?;
    let end = session.run(order, home.is_temporary());
    session.close();
    match end? {
        End::Asked => Ok(()),
        End::DemoFailed(error) => {
            let dir = home.place().dir().to_owned();
            Err(UpError::Demo { error, dir })
        }
        // Whoever closed the pipe has seen enough, as with `head`.
        End::Unseen(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        End::Unseen(error) => Err(UpError::Unseen(error)),
    }
}

/// Why the loop ended, if nothing of ours failed.
enum End {
    /// By a signal, or because the time was up.
    Asked,
    /// Nothing can be shown any more.
    Unseen(io::Error),
    /// A step of the demo did not come out.
    DemoFailed(DemoError),
}

struct Session {
    net: Net,
    fleet: Fleet,
    memories: Vec<Memory>,
    cuts: Cuts,
    /// None where blocks are not final at once.
    heart: Option<Heart>,
    screen: Screen,
    myself: Myself,
    inbox: Receiver<Event>,
    events: SyncSender<Event>,
    demo: Option<Demo>,
}

impl Session {
    /// Everything but the nodes.
    fn open(net: Net, order: &Order) -> Result<Session, UpError> {
        let myself = Myself::find().map_err(UpError::System)?;
        let (events, inbox) = sync_channel(QUEUE);
        let interrupted = events.clone();
        ctrlc::set_handler(move || {
            // If the loop is gone, we are ending already.
            let _ = interrupted.send(Event::Interrupted);
        })
        .map_err(|error| UpError::System(io::Error::other(error)))?;
        let unseen = events.clone();
        let screen = Screen::new(Style::of_process(order.json), io::stdout(), move |error| {
            let _ = unseen.send(Event::Unseen(error));
        })
        .map_err(UpError::System)?;
        let fleet = Fleet::of(&net, &myself);
        let memories = vec![Memory::default(); net.record.nodes.len()];
        let cuts = Cuts::default();
        let heart = Heart::of(&net.genesis, net.depths());
        let demo = None;
        Ok(Session { net, fleet, memories, cuts, heart, screen, myself, inbox, events, demo })
    }

    fn run(&mut self, order: &Order, temporary: bool) -> Result<End, UpError> {
        let nodes =
            if self.net.len() == 1 { "1 node" } else { &format!("{} nodes", self.net.len()) };
        let dir = self.net.place.dir().display();
        self.screen.remark(&format!("Starting {nodes} in {dir} …"));
        let pids = self.start_all()?;
        if let Some(end) = self.await_ready()? {
            return Ok(end);
        }
        let _doors = self.open_doors().map_err(UpError::Control)?;
        let ready = Ready::new(&self.net, &pids, temporary, &self.myself);
        self.screen.tell(&Report::Ready(ready));
        let until = order.duration.and_then(|duration| Instant::now().checked_add(duration));
        if order.demo {
            self.screen.hush(true);
            let demo = Demo::start(&self.net, &self.myself, self.events.clone());
            self.demo = Some(demo.map_err(UpError::System)?);
        }
        Ok(self.watch(until))
    }

    fn start_all(&mut self) -> Result<Vec<u32>, UpError> {
        let mut pids = Vec::new();
        for id in self.net.ids() {
            pids.push(self.fleet.start(id)?);
            self.watch_node(id)?;
        }
        Ok(pids)
    }

    /// Waits until every node answers and has found a quorum, or somebody wants to stop.
    fn await_ready(&mut self) -> Result<Option<End>, UpError> {
        let deadline = Instant::now() + STARTUP;
        // With itself, that is more than two thirds of all.
        let peers = self.memories.len() * 2 / 3;
        // Twins have fewer, each.
        let is_ready = |(id, memory): (u32, &Memory)| {
            let enough = if self.net.record.byzantine.lie(id).is_some() { 0 } else { peers };
            memory.sight().is_some_and(|sight| sight.peers >= enough)
        };
        loop {
            match self.inbox.recv_timeout(BEAT) {
                Ok(Event::Interrupted) => return Ok(Some(End::Asked)),
                Ok(Event::Unseen(error)) => return Ok(Some(End::Unseen(error))),
                Ok(Event::Seen(id, sight)) => self.memories[id as usize].see(sight),
                // Nobody can ask yet, and the demo has not begun.
                Ok(_) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            if let Some((id, exit)) = self.fleet.reap().into_iter().next() {
                let log = self.net.place.log(id);
                return Err(UpError::Died { id, exit, tail: tail(&log), log });
            }
            let late = (0..).zip(&self.memories).find(|each| !is_ready(*each)).map(|(id, _)| id);
            match late {
                None => return Ok(None),
                Some(late) if Instant::now() >= deadline => {
                    let id = late;
                    let fault = match self.memories[late as usize].sight() {
                        Some(_) => "has found too few peers",
                        None => "does not answer",
                    };
                    let log = self.net.place.log(id);
                    return Err(UpError::Late { id, fault, tail: tail(&log), log });
                }
                Some(_) => {}
            }
        }
    }

    /// Lets other terminals in, and lets them find us.
    fn open_doors(&self) -> io::Result<(Server, Note)> {
        let events = self.events.clone();
        let server = Server::open(&self.net.place, move |request| {
            let (reply, answer) = sync_channel(1);
            events.send(Event::Asked(request, reply)).ok()?;
            answer.recv().ok()
        })?;
        let note = Registry::of_user()?.note(&self.net.place)?;
        Ok((server, note))
    }

    /// The loop.
    fn watch(&mut self, until: Option<Instant>) -> End {
        let mut show = Instant::now();
        let mut tell = show;
        loop {
            match self.inbox.recv_timeout(BEAT) {
                Ok(Event::Interrupted) => return End::Asked,
                Ok(Event::Unseen(error)) => return End::Unseen(error),
                Ok(Event::Seen(id, sight)) => self.hear(id, sight),
                Ok(Event::Asked(request, reply)) => {
                    let answer = self.obey(request);
                    // Who asked may have gone meanwhile; it is done all the same.
                    let _ = reply.try_send(answer);
                }
                Ok(Event::Told(line)) => self.screen.tell(&Report::Demo(line)),
                Ok(Event::DemoOver(Err(error))) => return End::DemoFailed(error),
                Ok(Event::DemoOver(Ok(()))) => {
                    self.demo = None;
                    self.screen.hush(false);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            for (id, exit) in self.fleet.reap() {
                self.ended(id);
                self.screen.tell(&Report::Exited { id, exit });
            }
            let begun = Instant::now();
            if begun >= tell {
                self.tell_cuts();
                // A frozen node takes all of our patience; the rest gets as much time.
                tell = Instant::now() + begun.elapsed();
            }
            let now = Instant::now();
            if now >= show {
                self.look(now);
                show = now + SHOW;
            }
            // A story that has begun is told to its end.
            if until.is_some_and(|until| now >= until) && self.demo.is_none() {
                return End::Asked;
            }
        }
    }

    fn obey(&mut self, request: Request) -> Answer {
        let done = match request {
            Request::Status {} => return Answer::Status(self.view()),
            Request::Partition { groups } => return self.cut(Some(groups)),
            Request::Heal {} => return self.cut(None),
            Request::Join {} => return self.join(),
            Request::Kill { id } => self.fleet.kill(id).map(|exit| Answer::Exited { id, exit }),
            Request::Stop { id } => {
                self.fleet.stop(id, GRACE).map(|exit| Answer::Exited { id, exit })
            }
            Request::Start { id } => self.fleet.start(id).map(|pid| Answer::Started { id, pid }),
        };
        match done {
            Ok(answer) => {
                self.confirm(&answer);
                answer
            }
            Err(error) => Answer::refuse(&error),
        }
    }

    fn confirm(&mut self, answer: &Answer) {
        match answer.clone() {
            Answer::Exited { id, exit } => {
                self.ended(id);
                self.screen.confirm(&Report::Exited { id, exit });
            }
            Answer::Started { id, pid } => {
                self.cuts.started(id);
                self.screen.confirm(&Report::Started { id, pid });
            }
            Answer::Partitioned { groups, free } => {
                self.screen.confirm(&Report::Partitioned { groups, free });
            }
            Answer::Healed {} => self.screen.confirm(&Report::Healed {}),
            Answer::Status(_) | Answer::Joined { .. } | Answer::Refused { .. } => {}
        }
    }

    fn ended(&mut self, id: u32) {
        self.memories[id as usize].forget();
        self.cuts.ended(id);
    }

    /// Makes a partition, or heals it. When the answer is good, it is complete.
    fn cut(&mut self, groups: Option<Groups>) -> Answer {
        let nodes = self.net.len();
        if let Some(Err(error)) = groups.as_ref().map(|groups| groups.check(nodes)) {
            return error.into();
        }
        let running: Vec<_> = self.net.ids().filter(|id| self.fleet.pid(*id).is_some()).collect();
        self.cuts.set(groups.clone(), running.iter().copied());
        let deadline = Instant::now() + GRACE;
        loop {
            // Who has just been started does not listen yet.
            self.tell_cuts();
            let Some((id, why)) = self.cuts.untold().next() else { break };
            if let Some(why @ ControlError::TooLong { .. }) = why {
                // It never will. Those with shorter paths hear everybody again.
                let message = why.to_string();
                self.cuts.set(None, running);
                return Answer::Refused { reason: Reason::Input, message };
            }
            if Instant::now() >= deadline {
                let why = why.map(ToString::to_string).unwrap_or_default();
                let message =
                    format!("node {id} cannot be told, which is tried again and again: {why}");
                return Answer::Refused { reason: Reason::Failure, message };
            }
            thread::sleep(BEAT / 4);
            for (id, exit) in self.fleet.reap() {
                self.ended(id);
                self.screen.tell(&Report::Exited { id, exit });
            }
        }
        let answer = match groups {
            Some(groups) => Answer::Partitioned { free: groups.free(nodes), groups },
            None => Answer::Healed {},
        };
        self.confirm(&answer);
        answer
    }

    /// Tells whoever has not been told yet whom to cut off.
    fn tell_cuts(&mut self) {
        let net = &self.net;
        self.cuts.tell(|id, request| cuts::ask(net, id, request));
    }

    /// Stops everything and says so.
    fn close(self) {
        let Session { mut fleet, mut screen, demo, inbox, .. } = self;
        // Whoever still wants to tell us something is told that we are gone.
        drop(inbox);
        drop(demo);
        screen.remark("\nStopping …");
        fleet.stop_all(GRACE);
        screen.tell(&Report::Stopped {});
        screen.close();
    }
}

/// Why a net does not come up, or did not stay up.
#[derive(Debug, Error)]
pub enum UpError {
    /// The directory will not do.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// There is no such net.
    #[error(transparent)]
    Net(#[from] NetError),
    /// A node cannot be started.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// The net is too small for the demo.
    #[error(transparent)]
    TooSmall(#[from] demo::TooSmall),
    /// A node ended while the net was starting.
    #[error("node {id} ended during the start ({exit}); the end of {}:\n{tail}", log.display())]
    Died {
        /// Which.
        id: u32,
        /// How.
        exit: Exit,
        /// Its log.
        log: PathBuf,
        /// The last lines.
        tail: String,
    },
    /// A node was not ready in time.
    #[error("node {id} {fault} after {} s; the end of {}:\n{tail}", STARTUP.as_secs(), log.display())]
    Late {
        /// Which.
        id: u32,
        /// What is missing.
        fault: &'static str,
        /// Its log.
        log: PathBuf,
        /// The last lines.
        tail: String,
    },
    /// Other terminals cannot be let in.
    #[error("the control socket cannot be opened: {0}")]
    Control(io::Error),
    /// A step of the demo did not come out.
    #[error("the demo failed: {error}\nThe nodes' logs are in {}", dir.display())]
    Demo {
        /// Why.
        error: DemoError,
        /// Where everything lies.
        dir: PathBuf,
    },
    /// Nothing can be shown any more.
    #[error("standard output cannot be written: {0}")]
    Unseen(io::Error),
    /// The system refused something elementary.
    #[error("the system refuses: {0}; are there too many processes, or open files?")]
    System(io::Error),
}

impl UpError {
    /// Whether the nodes' logs are worth keeping.
    pub(crate) fn has_logs(&self) -> bool {
        matches!(self, UpError::Died { .. } | UpError::Late { .. } | UpError::Demo { .. })
    }
}
