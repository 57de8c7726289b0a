//! The command line: what a person can ask of a network.

use crate::{
    bench::{self, Bench},
    crash::{self, Crash, trip::Trip},
    failure::Failure,
    join::{self, Join},
    lab::{
        compare::{self, Compare},
        endure::{self, Endure},
        explore::{self, Explore},
        papers::{self, Papers},
        run::{self as scenario, Run},
        trace::{self, Trace},
    },
    lies::{self, Lies},
    live::{
        control::{self, Answer, NetView, Request},
        liars::{self, BadLiars, Cast, Liars},
        net::{LeakWish, MOST_REPLICAS, NetError, Wish},
        partition::Groups,
        pulse::Pulse,
        sight::NodeView,
        up::{self, Order, UpError},
    },
    mutants::{self, Mutants},
    soak::{self, Soak},
    span,
    top::{self, Top},
};
use clap::{Args, Parser, Subcommand, value_parser};
use consensus::catalogue::Depths;
use node::{Extras, network::Transport};
use serde_json::json;
use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

#[cfg(test)]
mod tests;

/// A blockchain network on your own machine, to use, to watch and to hurt.
#[derive(Debug, Parser)]
#[command(name = "testnet", version, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  testnet up --demo              a first session, told step by step
  testnet up                     four nodes until Ctrl-C
  testnet status                 how they are, from another terminal
  testnet top                    the same, alive, with keys to hurt them
  testnet kill 3                 a node dies; the chain goes on
  testnet start 3                it comes back and catches up
  testnet join                   one more node reads the chain, bonds, and proposes
  testnet partition 0,1/2,3      nothing passes between the halves, until `testnet heal`
  testnet run scenarios/partition.toml   an experiment from a file, in the simulator
  testnet compare                how each consensus module bears each fault
  testnet explore --mutant T3    find what a rule is for: the smallest attack without it
  testnet lab                    what the papers calculate, measured
  testnet trace scenarios/05-one-crash.toml   the same run as a picture, two modules side by side
  testnet mutants                protocols with one weak rule, for `testnet explore --mutant`
  testnet lies                   what `up --byzantine 3=equivocate` can say instead
  testnet soak                   the same code under every fault, in the simulator
  testnet bench                  how many transfers it carries
  testnet crash                  real nodes killed at random moments, and judged

Exit codes: 0 it holds, 1 it does not, 2 bad input, 3 our own failure.";

/// The commands.
// A command is read once, so it does not matter that one is larger than the others.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a network and run it until Ctrl-C
    Up(Up),
    /// End a node at once and without warning (SIGKILL)
    #[command(after_help = "Examples:\n  testnet kill 3\n  testnet kill 3 --dir my-net --json")]
    Kill(OneNode),
    /// Ask a node to stop, and wait until it has (SIGTERM)
    #[command(after_help = "Examples:\n  testnet stop 3\n  testnet stop 3 --dir my-net --json")]
    Stop(OneNode),
    /// Start a node that was killed or stopped
    #[command(after_help = "Examples:\n  testnet start 3\n  testnet start 3 --dir my-net --json")]
    Start(OneNode),
    /// Add a node to a running network: it reads the chain, bonds, gets a seat and proposes
    Join(Join),
    /// Show how the nodes of a running network are
    #[command(after_help = "Examples:\n  testnet status\n  testnet status --dir my-net --json")]
    Status(OneNet),
    /// Watch a running network on the terminal, with keys to kill, start, partition and heal
    Top(Top),
    /// Let nothing pass between groups of nodes, until `heal`
    #[command(after_help = PARTITION_EXAMPLES)]
    Partition(Partition),
    /// Let everything pass again after a partition
    #[command(after_help = "Examples:\n  testnet heal\n  testnet heal --dir my-net --json")]
    Heal(OneNet),
    /// Run a scenario in the simulator: who takes part, what goes wrong, what is expected
    Run(Run),
    /// Compare the consensus modules under every fault and lie
    Compare(Compare),
    /// Check that whatever must be survived is: faults that pass, and as many liars as may be
    Endure(Endure),
    /// Look for a schedule that breaks a promise, make it small, and tell it
    Explore(Explore),
    /// Measure what the papers calculate, and set both side by side
    Lab(Papers),
    /// Draw a run: a space-time diagram of who said what to whom, and why
    Trace(Trace),
    /// List what a node can be made to do instead of what its protocol says
    Lies(Lies),
    /// List the protocols that can be explored with one rule weakened
    Mutants(Mutants),
    /// Run many seeds of chaos in the simulator and judge each
    Soak(Soak),
    /// Measure what a fresh network on this machine carries, and how fast
    Bench(Bench),
    /// Kill real nodes at random moments, start them again, and judge what they hold
    Crash(Crash),
    /// Keys, transfers and proofs: the wallet
    Wallet(wallet_cli::cli::Wallet),
    /// One node: what `up` starts several of
    #[command(hide = true)]
    Node(OneActor),
}

/// `testnet up`.
///
/// Without --dir the network lives in a temporary directory and is gone at the end. With --dir it
/// can be gone on with: the same chain, nodes, accounts and, if they are free, ports.
#[derive(Clone, Debug, Args)]
#[command(after_help = UP_EXAMPLES)]
pub struct Up {
    /// The module that orders blocks [default: tendermint]
    #[arg(long, value_name = "NAME")]
    pub consensus: Option<String>,
    /// How many nodes; fewer than 4 tolerate no fault [default: 4]
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=i64::from(MOST_REPLICAS)))]
    pub replicas: Option<u32>,
    /// Where to keep the network: a new or empty directory, or one of an earlier `up`
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// How long an idle chain waits between two blocks; where they take work, the mean time between
    /// them: 250ms, 1s, 1m [default: 1s]
    #[arg(long, value_name = "TIME", value_parser = block_time)]
    pub block_time: Option<Duration>,
    /// What the genesis of a new chain should set, such as pow.irreversible=20; once for each
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    pub set: Vec<(String, u64)>,
    /// How much of a core each node's miner uses, where blocks take work [default: 0.1]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub miner_share: Option<f64>,
    /// What carries the bytes between nodes [default: tcp]
    #[arg(long, value_enum)]
    pub transport: Option<Transport>,
    /// A node that lies, and how: 3=equivocate; once for each. `testnet lies` lists the lies
    #[arg(long, value_name = "NODE=LIE", value_parser = liars::parse)]
    pub byzantine: Vec<(u32, String)>,
    /// Stop after this time: 30s, 5m, 1h. A demo that has begun is told to its end
    #[arg(long = "for", value_name = "TIME", value_parser = span::parse)]
    pub duration: Option<Duration>,
    /// Tell a first session step by step, and stay up after it
    #[arg(long)]
    pub demo: bool,
    /// Print one line of JSON for each event
    #[arg(long)]
    pub json: bool,
    // The last: what follows it in the help would stand under its heading.
    /// How the votes of the absent fade.
    #[command(flatten)]
    pub leak: LeakWish,
}

const UP_EXAMPLES: &str = "\
Examples:
  testnet up --demo
  testnet up --replicas 7 --block-time 250ms
  testnet up --dir my-net            go on with it later by the same command
  testnet up --consensus pbft --set pbft.checkpoint=8
  testnet up --consensus pow --block-time 2s --set pow.irreversible=20
  testnet up --byzantine 3=equivocate
  testnet up --replicas 5 --leak recovery   two of five may go: within a minute the others go on
  testnet up --for 30s --json        for scripts: the first line has event \"ready\"

Nodes log to DIR/node-0/node.log and so on. A node that dies stays dead until `testnet start`.

Where blocks take work, the hash rate of this machine is measured first, and the genesis makes them
as hard as it takes for one to come about every --block-time while all nodes mine. What --set may
name is the module's: it says so when it does not know a name.";

/// A node, as `up` starts it.
#[derive(Debug, Args)]
pub struct OneActor {
    /// What it says instead of what its protocol says
    #[arg(long, value_name = "NAME", requires = "liars")]
    pub lie: Option<String>,
    /// Everybody who lies, with commas between
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub liars: Vec<u32>,
    /// Where it dies, as record-torn:3: when it passes that point for the third time
    #[arg(long, value_name = "POINT:N", global = true)]
    pub trip: Option<Trip>,
    /// What the node itself is asked.
    #[command(flatten)]
    pub node: node::cli::Node,
}

/// A node of a running network.
#[derive(Clone, Debug, Args)]
pub struct OneNode {
    /// Which node, counting from 0
    #[arg(value_name = "ID")]
    pub id: u32,
    /// Which network.
    #[command(flatten)]
    pub net: OneNet,
}

/// `testnet partition`.
#[derive(Clone, Debug, Args)]
pub struct Partition {
    /// The groups, with slashes between them, and commas between nodes: 0,1/2,3
    #[arg(value_name = "GROUPS")]
    pub groups: Groups,
    /// Which network.
    #[command(flatten)]
    pub net: OneNet,
}

const PARTITION_EXAMPLES: &str = "\
Examples:
  testnet partition 0,1/2,3          two halves: votes need more than two thirds, work does not
  testnet partition 0,1,2/3          one alone
  testnet partition 0/1/2 --json     with four nodes, node 3 reaches all and they only it

The nodes themselves drop all that comes from other groups, and send nothing there. A node in no
group reaches everybody, and passes on to one group what it hears from another. Another partition
replaces this one. A node that is started again stays in its group. `testnet status` shows the groups.

Exit codes: 0 it is done, 1 no network runs there, 2 bad input, 3 a node cannot be told.";

/// A running network.
#[derive(Clone, Debug, Args)]
pub struct OneNet {
    /// Its directory [default: that of the only running network]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Print one line of JSON
    #[arg(long)]
    pub json: bool,
}

/// Does what the command line says.
pub fn run(cli: Cli) -> ExitCode {
    let outcome = match cli.command {
        Command::Wallet(wallet) => return wallet_cli::cli::run(wallet),
        Command::Run(order) => scenario::run(&order).map_err(Failure::from),
        Command::Compare(order) => compare::compare(&order).map_err(Failure::from),
        Command::Endure(order) => endure::endure(&order).map_err(Failure::from),
        Command::Explore(order) => explore::explore(&order).map_err(Failure::from),
        Command::Lab(order) => papers::papers(&order).map_err(Failure::from),
        Command::Trace(order) => trace::trace(&order).map_err(Failure::from),
        Command::Node(OneActor { lie, liars, trip, node }) => {
            let tripwire = trip.map(Trip::tripwire).unwrap_or_default();
            // So that `partition` can cut its links.
            let extras = Extras { control: true, tripwire };
            return node::cli::run_cast(node, extras, Cast { lie, liars });
        }
        Command::Up(up) => match up.order() {
            Ok(order) => up::up(&order).map_err(Failure::from),
            Err(error) => Err(UpError::from(NetError::from(error)).into()),
        },
        Command::Lies(order) => lies::lies(&order).map_err(Failure::from),
        Command::Mutants(order) => mutants::mutants(&order).map_err(Failure::from),
        Command::Soak(order) => soak::soak(&order).map_err(Failure::from),
        Command::Bench(order) => bench::bench(&order).map_err(Failure::from),
        Command::Crash(order) => crash::crash(&order).map_err(Failure::from),
        Command::Kill(OneNode { id, net }) => ask(&net, Request::Kill { id }),
        Command::Stop(OneNode { id, net }) => ask(&net, Request::Stop { id }),
        Command::Start(OneNode { id, net }) => ask(&net, Request::Start { id }),
        Command::Join(order) => join::join(&order).map_err(Failure::from),
        Command::Top(order) => top::top(&order).map_err(Failure::from),
        Command::Status(net) => ask(&net, Request::Status {}),
        Command::Partition(Partition { groups, net }) => ask(&net, Request::Partition { groups }),
        Command::Heal(net) => ask(&net, Request::Heal {}),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // If nobody reads the message, the exit code still tells.
            let _ = writeln!(io::stderr(), "error: {failure}");
            failure.verdict().into()
        }
    }
}

impl Up {
    /// What the flags ask for.
    ///
    /// # Errors
    ///
    /// [`BadLiars`] if a node is to tell two lies.
    pub fn order(self) -> Result<Order, BadLiars> {
        let Up { consensus, replicas, dir, block_time, set, miner_share, leak, duration, .. } =
            self;
        let transport = self.transport;
        let settings = set.into_iter().collect();
        let byzantine = Liars::of(self.byzantine)?;
        let wish = Wish {
            consensus,
            replicas,
            block_time,
            settings,
            miner_share,
            byzantine,
            leak,
            transport,
            trace: false,
            cast: None,
        };
        Ok(Order { wish, dir, duration, demo: self.demo, json: self.json })
    }
}

/// Asks a running net, and prints its answer.
fn ask(net: &OneNet, request: Request) -> Result<(), Failure> {
    let place = control::find(net.dir.as_deref())?;
    let answer = control::ask(&place, request.clone())?;
    let text = match (&answer, request) {
        (Answer::Refused { reason, message }, _) => {
            return Err(Failure::Refused { reason: *reason, message: message.clone() });
        }
        (Answer::Status(view), Request::Status {}) => match net.json {
            true => serde_json::to_string(view).expect("a view is plain data"),
            false => table(view),
        },
        (Answer::Exited { id, exit }, Request::Kill { .. } | Request::Stop { .. }) => {
            match net.json {
                true => {
                    json!({"event": "exited", "id": id, "code": exit.code, "signal": exit.signal})
                        .to_string()
                }
                false => format!("Node {id} is down ({exit})."),
            }
        }
        (Answer::Started { id, pid }, Request::Start { .. }) => match net.json {
            true => json!({"event": "started", "id": id, "pid": pid}).to_string(),
            false => format!("Node {id} is started, as process {pid}."),
        },
        (Answer::Partitioned { groups, free }, Request::Partition { .. }) => match net.json {
            true => json!({"event": "partitioned", "groups": groups, "free": free}).to_string(),
            false => parted(groups, free),
        },
        (Answer::Healed {}, Request::Heal {}) => match net.json {
            true => json!({"event": "healed"}).to_string(),
            false => "Everything passes again.".to_owned(),
        },
        _ => return Err(Failure::Misfit),
    };
    // Whoever closed the pipe has seen enough, as with `head`.
    let _ = writeln!(io::stdout(), "{text}");
    Ok(())
}

/// A partition that was made, for a person.
fn parted(groups: &Groups, free: &[u32]) -> String {
    let ids: Vec<_> = free.iter().map(u32::to_string).collect();
    let reach = match ids.as_slice() {
        [] => String::new(),
        [id] => format!("\nNode {id} is in no group and reaches all."),
        ids => format!("\nNodes {} are in no group and reach all.", ids.join(", ")),
    };
    format!("Nothing passes between {groups} until `testnet heal`.{reach}")
}

/// A running net, for a person.
fn table(view: &NetView) -> String {
    let NetView { consensus, chain_id, dir, depths, partition, byzantine, finality, nodes } = view;
    let chain = chain_id.get(..8).unwrap_or(chain_id);
    let mut lines = vec![format!("{consensus}, chain {chain}…, in {dir}")];
    lines.extend(depths.map(|Depths { confirmations, irreversible }| {
        format!("a block is counted on {confirmations} deep, and final {irreversible} deep")
    }));
    lines.extend(partition.as_ref().map(|groups| format!("nothing passes between {groups}")));
    lines.extend(byzantine.0.iter().map(|(id, lie)| format!("node {id} lies: {lie}")));
    lines.extend(nodes.iter().map(NodeView::to_string));
    lines.extend(finality.iter().flat_map(Pulse::lines));
    lines.join("\n")
}

/// Reads what a genesis should set.
pub(crate) fn setting(text: &str) -> Result<(String, u64), String> {
    let form = || format!("{text:?} sets nothing; write KEY=VALUE, such as pow.irreversible=20");
    let (key, value) = text.split_once('=').ok_or_else(form)?;
    let value = value.parse().map_err(|_| {
        format!("{value:?} is no value; it must be a whole number from 0 to {}", u64::MAX)
    })?;
    if key.is_empty() { Err(form()) } else { Ok((key.to_owned(), value)) }
}

/// Reads a share of a core.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| *share > 0.0 && *share <= 1.0);
    share.ok_or_else(|| {
        format!("{text:?} is no share of a core; write a number above 0 and at most 1, such as 0.1")
    })
}

/// Reads a block time: a span within reason.
pub(crate) fn block_time(text: &str) -> Result<Duration, String> {
    const SHORTEST: Duration = Duration::from_millis(10);
    const LONGEST: Duration = Duration::from_secs(3600);
    let time = span::parse(text).map_err(|error| error.to_string())?;
    match (SHORTEST..=LONGEST).contains(&time) {
        true => Ok(time),
        false => Err(format!(
            "{text} is not between {} and {}",
            span::format(SHORTEST),
            span::format(LONGEST)
        )),
    }
}
