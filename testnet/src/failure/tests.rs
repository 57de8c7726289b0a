use super::*;
use crate::live::{demo::TooSmall, fleet::Exit};
use std::{io, path::PathBuf};

#[test]
fn each_failure_has_its_exit_code() {
    let disk = || io::Error::from(io::ErrorKind::StorageFull);
    let path = || PathBuf::from("/tmp/net");
    let no_net = ControlError::NoNet { dir: path(), source: disk() };
    let refused = |reason| Failure::Refused { reason, message: String::new() };
    let died = UpError::Died {
        id: 0,
        exit: Exit { code: Some(3), signal: None },
        log: path(),
        tail: String::new(),
    };
    for (failure, code) in [
        (Failure::Up(HomeError::NotEmpty(path()).into()), 2),
        (Failure::Up(HomeError::InUse(path()).into()), 2),
        (Failure::Up(HomeError::Disk { path: path(), source: disk() }.into()), 3),
        (Failure::Up(NetError::Ports(disk()).into()), 3),
        (Failure::Up(TooSmall(2).into()), 2),
        (Failure::Up(died), 3),
        (Failure::Crash(CrashError::Broken(1)), 1),
        (Failure::Crash(CrashError::NotFresh(path())), 2),
        (Failure::Crash(HomeError::InUse(path()).into()), 2),
        (Failure::Crash(disk().into()), 3),
        (Failure::Control(no_net), 1),
        (Failure::Control(ControlError::Nobody), 1),
        (refused(Reason::Input), 2),
        (refused(Reason::State), 1),
        (refused(Reason::Failure), 3),
        (Failure::Misfit, 3),
    ] {
        assert_eq!(failure.verdict() as u8, code, "{failure}");
    }
}
