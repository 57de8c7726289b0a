//! What can be asked for: the table of labs as a command line.

use clap::{
    Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, error::ErrorKind, value_parser,
};
use simulator::labs::{self, Lab, Parameter, Range, Value, Values};
use std::path::PathBuf;

/// `testnet lab`.
#[derive(Clone, Debug)]
pub struct Papers {
    /// Which of them; none to list them all.
    pub wish: Option<Wish>,
    /// Whether one line of JSON is printed.
    pub json: bool,
}

/// One lab, and everything that may be chosen of it.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Which lab.
    pub lab: &'static Lab,
    /// Its parameters.
    pub values: Values,
    /// How many trials.
    pub trials: u64,
    /// From what all chance grows.
    pub seed: u64,
    /// Where to write a page that shows the range of a parameter; nowhere if none.
    pub out: Option<PathBuf>,
    /// How many threads; one for each core if nobody says.
    pub threads: Option<u16>,
}

/// The most trials: what is measured in each part is kept until the end, and where four trials make a
/// part so many take a few hundred megabytes.
const MOST_TRIALS: u64 = 1_000_000;

const EXAMPLES: &str = "\
Examples:
  testnet lab                                    what there is, and whose formulas they are
  testnet lab double-spend --q 0.1 --z 2
  testnet lab messages --consensus pbft --replicas 31
  testnet lab gossip --nodes 1000 --fanout 4
  testnet lab quorums --replicas 6 --quorum 3 --json
  testnet lab leader-failure --replicas 13 --out pages
  testnet lab proposers --stakes 1,2,3
  testnet lab leak --quotient 64 --active 3/5 --floor 0
  testnet lab ethereum-leak --active 0.6 --out pages

What is measured comes from the modules as they run in the simulator, never from the formula. (No module takes
part in gossip: infect-and-die runs in the simulator's overlay, push and push-pull in a loop of the lab's own. No
module is Ethereum's: of its leak the specification's integers are measured.)
Exit codes: 0 theory and measurement agree, 1 they differ, 2 bad input, 3 our own failure.";

impl Args for Papers {
    fn augment_args(command: Command) -> Command {
        let json = Arg::new("json")
            .long("json")
            .action(ArgAction::SetTrue)
            .global(true)
            .help("Print one line of JSON");
        let command = command.arg(json).after_help(EXAMPLES);
        command
            .subcommand_value_name("NAME")
            .subcommand_help_heading("Labs")
            .subcommands(labs::all().iter().map(subcommand))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Papers {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Papers, clap::Error> {
        let wish = matches.subcommand().map(|(name, chosen)| wish(name, chosen)).transpose()?;
        Ok(Papers { wish, json: matches.get_flag("json") })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Papers::from_arg_matches(matches)?;
        Ok(())
    }
}

/// A lab as a subcommand: its parameters are flags.
fn subcommand(lab: &'static Lab) -> Command {
    let papers: String = lab.papers.iter().map(|paper| format!("\n  {paper}")).collect();
    let trials = Arg::new("trials")
        .long("trials")
        .value_name("N")
        .help(format!("How many {}; at most {MOST_TRIALS}, which memory has room for", lab.trials))
        .default_value(known(lab.usual))
        .value_parser(value_parser!(u64).range(1..=MOST_TRIALS));
    let seed = Arg::new("seed")
        .long("seed")
        .value_name("SEED")
        .help("From what all chance grows: the same seed measures the same")
        .default_value("1")
        .value_parser(value_parser!(u64));
    let out = Arg::new("out")
        .long("out")
        .value_name("DIR")
        .help(format!(
            "Measure along the range of --{}, too, and write a page with plots here",
            lab.over
        ))
        .value_parser(value_parser!(PathBuf));
    let threads = Arg::new("threads")
        .long("threads")
        .value_name("N")
        .help("How many threads; the outcome does not depend on it [default: one for each core]")
        .value_parser(value_parser!(u16).range(1..=256));
    Command::new(lab.name)
        .about(lab.about)
        .after_help(format!("Papers:{papers}"))
        .args(lab.parameters.iter().map(flag))
        .args([trials, seed, out, threads])
}

fn flag(parameter: &'static Parameter) -> Arg {
    let word = match parameter.range {
        Range::Real { .. } => "X",
        Range::Whole(..) => "N",
        Range::Word(_) => "WORD",
        Range::List(..) => "N,N",
        Range::Part(_) => "A/N",
    };
    let Parameter { name, about, range, usual } = parameter;
    Arg::new(*name)
        .long(*name)
        .value_name(word)
        .help(format!("{about}; {range}"))
        .default_value(known(usual))
        .allow_negative_numbers(true)
        .value_parser(move |text: &str| parameter.read(text).map_err(|bad| bad.reason))
}

/// A text that clap keeps as long as the program runs: there are a few dozen.
fn known(value: impl ToString) -> &'static str {
    Box::leak(value.to_string().into_boxed_str())
}

/// What the flags of a lab ask for.
fn wish(name: &str, chosen: &ArgMatches) -> Result<Wish, clap::Error> {
    let lab = labs::all().iter().find(|lab| lab.name == name);
    let lab = lab.ok_or_else(|| clap::Error::new(ErrorKind::InvalidSubcommand))?;
    let mut values = Values::usual(lab.parameters);
    for parameter in lab.parameters {
        let value: &Value = chosen.get_one(parameter.name).expect("it has a default");
        values.set(parameter.name, *value);
    }
    let number = |name: &str| *chosen.get_one::<u64>(name).expect("it has a default");
    let [trials, seed] = ["trials", "seed"].map(number);
    let (out, threads) = (chosen.get_one("out").cloned(), chosen.get_one("threads").copied());
    Ok(Wish { lab, values, trials, seed, out, threads })
}
