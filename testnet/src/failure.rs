//! Why a command did not do what it was asked, and what it exits with.

use crate::{
    bench::BenchError,
    crash::CrashError,
    field::FieldError,
    join::JoinError,
    lab::{
        compare::CompareError, endure::EndureError, explore::ExploreError, papers::PapersError,
        run::RunError, trace::TraceError,
    },
    lies::LiesError,
    live::{
        control::{ControlError, Reason},
        home::HomeError,
        net::NetError,
        up::UpError,
    },
    mutants::MutantsError,
    soak::SoakError,
    top::TopError,
};
use std::process::ExitCode;
use thiserror::Error;

#[cfg(test)]
mod tests;

/// What a command exits with when it does not end well.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It does not hold.
    DoesNotHold = 1,
    /// What was asked makes no sense.
    BadInput = 2,
    /// We failed.
    OurFailure = 3,
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> ExitCode {
        ExitCode::from(verdict as u8)
    }
}

/// Everything that can go wrong with a command.
#[derive(Debug, Error)]
pub enum Failure {
    /// A net did not come up, or did not stay up.
    #[error(transparent)]
    Up(#[from] UpError),
    /// There are no such lies.
    #[error(transparent)]
    Lies(#[from] LiesError),
    /// No mutant is listed.
    #[error(transparent)]
    Mutants(#[from] MutantsError),
    /// A soak broke a promise, or came to no verdict.
    #[error(transparent)]
    Soak(#[from] SoakError),
    /// A scenario did not turn out as expected, or was not run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// There is no comparison.
    #[error(transparent)]
    Compare(#[from] CompareError),
    /// Something was not survived.
    #[error(transparent)]
    Endure(#[from] EndureError),
    /// A violation was found, or could not be looked for.
    #[error(transparent)]
    Explore(#[from] ExploreError),
    /// Theory and measurement differ, or were not compared.
    #[error(transparent)]
    Papers(#[from] PapersError),
    /// A run was not drawn.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// There is no measurement, or a bad one.
    #[error(transparent)]
    Bench(#[from] BenchError),
    /// Killed nodes broke a promise, or came to no verdict.
    #[error(transparent)]
    Crash(#[from] CrashError),
    /// A node has not joined.
    #[error(transparent)]
    Join(#[from] JoinError),
    /// A net is not shown.
    #[error(transparent)]
    Top(#[from] TopError),
    /// A running net cannot be asked.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// A running net says no.
    #[error("{message}")]
    Refused {
        /// Why, in one word.
        reason: Reason,
        /// Why, in full.
        message: String,
    },
    /// A running net answers something else.
    #[error("the running testnet gives an answer that does not fit; is it of another version?")]
    Misfit,
}

impl Failure {
    /// What to exit with.
    pub fn verdict(&self) -> Verdict {
        match self {
            Failure::Up(error) => of_up(error),
            Failure::Lies(_) | Failure::Mutants(_) => Verdict::BadInput,
            Failure::Soak(error) => match error {
                SoakError::Broken(_) => Verdict::DoesNotHold,
                SoakError::Unknown(_) | SoakError::Settings(_) | SoakError::Traces => {
                    Verdict::BadInput
                }
                SoakError::Trace { .. } | SoakError::Signals(_) => Verdict::OurFailure,
            },
            Failure::Run(error) => of_run(error),
            Failure::Compare(error) => of_compare(error),
            Failure::Endure(error) => of_endure(error),
            Failure::Explore(error) => of_explore(error),
            Failure::Papers(error) => of_papers(error),
            Failure::Trace(error) => of_trace(error),
            Failure::Bench(error) => match error {
                BenchError::Up(error) => of_up(error),
                BenchError::Order(_) => Verdict::BadInput,
                BenchError::Interrupted | BenchError::Unfinished { .. } => Verdict::DoesNotHold,
                BenchError::Trouble { .. } | BenchError::Panicked => Verdict::OurFailure,
            },
            Failure::Crash(error) => of_crash(error),
            Failure::Join(error) => of_join(error),
            Failure::Top(error) => match error {
                TopError::NoTerminal => Verdict::BadInput,
                TopError::Control(error) => of_control(error),
                TopError::System(_) => Verdict::OurFailure,
            },
            Failure::Control(error) => of_control(error),
            Failure::Refused { reason, .. } => of_refusal(*reason),
            Failure::Misfit => Verdict::OurFailure,
        }
    }
}

fn of_control(error: &ControlError) -> Verdict {
    match error {
        ControlError::Nobody | ControlError::NoNet { .. } => Verdict::DoesNotHold,
        ControlError::Several(_) => Verdict::BadInput,
        ControlError::Broken { .. } | ControlError::Registry(_) => Verdict::OurFailure,
    }
}

fn of_refusal(reason: Reason) -> Verdict {
    match reason {
        Reason::Input => Verdict::BadInput,
        Reason::State => Verdict::DoesNotHold,
        Reason::Failure => Verdict::OurFailure,
    }
}

fn of_join(error: &JoinError) -> Verdict {
    match error {
        JoinError::Control(error) => of_control(error),
        JoinError::Refused { reason, .. } => of_refusal(*reason),
        JoinError::Fixed { .. }
        | JoinError::Founder(_)
        | JoinError::Nobody { .. }
        | JoinError::Poor { .. }
        | JoinError::Name(_)
        | JoinError::Wallet(_) => Verdict::BadInput,
        JoinError::OutOfTurn { .. }
        | JoinError::Taken { .. }
        | JoinError::OtherNumber { .. }
        | JoinError::Punished(_)
        | JoinError::Alone
        | JoinError::Late { .. }
        | JoinError::Interrupted { .. } => Verdict::DoesNotHold,
        JoinError::Misfit
        | JoinError::Genesis(_)
        | JoinError::Key(_)
        | JoinError::Client(_)
        | JoinError::System(_) => Verdict::OurFailure,
    }
}

fn of_up(error: &UpError) -> Verdict {
    match error {
        UpError::Demo { .. } => Verdict::DoesNotHold,
        UpError::TooSmall(_) => Verdict::BadInput,
        UpError::Home(error) => of_home(error),
        UpError::Net(error) => of_net(error),
        UpError::Fleet(_)
        | UpError::Died { .. }
        | UpError::Late { .. }
        | UpError::Control(_)
        | UpError::Unseen(_)
        | UpError::System(_) => Verdict::OurFailure,
    }
}

fn of_run(error: &RunError) -> Verdict {
    match error {
        RunError::Unmet(_) | RunError::Interrupted => Verdict::DoesNotHold,
        RunError::Bad { .. }
        | RunError::Unreadable { .. }
        | RunError::Unknown(_)
        | RunError::NotNamed(..)
        | RunError::NothingLive
        | RunError::Single(_) => Verdict::BadInput,
        RunError::Field(error) => of_field(error),
        RunError::Trace { .. } | RunError::Panicked(_) | RunError::Signals(_) => {
            Verdict::OurFailure
        }
    }
}

fn of_field(error: &FieldError) -> Verdict {
    match error {
        FieldError::Unfit { .. } | FieldError::Module(_) | FieldError::Net(_) => Verdict::BadInput,
        FieldError::Interrupted | FieldError::Died { .. } => Verdict::DoesNotHold,
        FieldError::Home(_)
        | FieldError::Fleet(_)
        | FieldError::Control(_)
        | FieldError::Late { .. }
        | FieldError::Unreadable { .. }
        | FieldError::System(_) => Verdict::OurFailure,
        FieldError::Kept { error, .. } => of_field(error),
    }
}

fn of_endure(error: &EndureError) -> Verdict {
    match error {
        EndureError::Broken(_) | EndureError::Interrupted => Verdict::DoesNotHold,
        EndureError::Module(_) | EndureError::ByDepth(_) => Verdict::BadInput,
        EndureError::Signals(_) => Verdict::OurFailure,
    }
}

fn of_explore(error: &ExploreError) -> Verdict {
    match error {
        ExploreError::Found { .. }
        | ExploreError::StillBroken(_)
        | ExploreError::NotCaught(_)
        | ExploreError::Interrupted { .. } => Verdict::DoesNotHold,
        ExploreError::NoWish
        | ExploreError::Size(_)
        | ExploreError::NoMutant
        | ExploreError::Several { .. }
        | ExploreError::Mutant(_)
        | ExploreError::Variant(_)
        | ExploreError::Unfit { .. }
        | ExploreError::NoDirectory(_) => Verdict::BadInput,
        ExploreError::File(error) | ExploreError::Trace(error) => of_run(error),
        ExploreError::Write { .. } | ExploreError::Panicked { .. } | ExploreError::Signals(_) => {
            Verdict::OurFailure
        }
    }
}

fn of_papers(error: &PapersError) -> Verdict {
    match error {
        PapersError::Differ { .. }
        | PapersError::DifferAlong { .. }
        | PapersError::Nothing(_)
        | PapersError::Interrupted => Verdict::DoesNotHold,
        PapersError::Bad(_) => Verdict::BadInput,
        PapersError::Write { .. } | PapersError::Panicked { .. } | PapersError::Signals(_) => {
            Verdict::OurFailure
        }
    }
}

fn of_trace(error: &TraceError) -> Verdict {
    match error {
        TraceError::Scenario(error) => of_run(error),
        TraceError::Bad { .. }
        | TraceError::NotNamed(..)
        | TraceError::TooMany(_)
        | TraceError::NoRoom(_)
        | TraceError::NotAScenario(..)
        | TraceError::TooBig(_) => Verdict::BadInput,
        TraceError::Write { .. } => Verdict::OurFailure,
    }
}

fn of_compare(error: &CompareError) -> Verdict {
    match error {
        CompareError::Interrupted => Verdict::DoesNotHold,
        CompareError::Unknown(_) | CompareError::NoFault(..) => Verdict::BadInput,
        CompareError::Field { error, .. } => of_field(error),
        CompareError::Panicked(_) | CompareError::Write { .. } | CompareError::Signals(_) => {
            Verdict::OurFailure
        }
    }
}

fn of_crash(error: &CrashError) -> Verdict {
    match error {
        CrashError::Broken(_) => Verdict::DoesNotHold,
        CrashError::NotFresh(_) => Verdict::BadInput,
        CrashError::Home(error) => of_home(error),
        CrashError::Net(error) => of_net(error),
        CrashError::Fleet(_)
        | CrashError::Wallet(_)
        | CrashError::Late { .. }
        | CrashError::Trace { .. }
        | CrashError::System(_) => Verdict::OurFailure,
    }
}

fn of_home(error: &HomeError) -> Verdict {
    match error {
        HomeError::NotEmpty(_) | HomeError::NoDirectory(_) | HomeError::InUse(_) => {
            Verdict::BadInput
        }
        HomeError::Disk { .. } => Verdict::OurFailure,
    }
}

fn of_net(error: &NetError) -> Verdict {
    match error {
        NetError::Consensus(_)
        | NetError::Differs { .. }
        | NetError::Damaged { .. }
        | NetError::Module(_)
        | NetError::ForeignSetting { .. }
        | NetError::NoMiner { .. }
        | NetError::NoLeak { .. }
        | NetError::Leak(_)
        | NetError::Liars(_)
        | NetError::Genesis(_) => Verdict::BadInput,
        NetError::Twins(_) | NetError::Many(_) => Verdict::DoesNotHold,
        NetError::OtherAccount(_) => Verdict::BadInput,
        NetError::Key(_) | NetError::Wallet(_) | NetError::Ports(_) | NetError::Disk { .. } => {
            Verdict::OurFailure
        }
    }
}
