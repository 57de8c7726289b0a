//! Many independent jobs on some threads, their outcomes in the order of the jobs.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
};

#[cfg(test)]
mod tests;

/// As many threads as there are cores, if nobody wishes otherwise.
pub(crate) fn threads(wish: Option<u16>) -> usize {
    wish.map_or_else(|| thread::available_parallelism().map_or(1, usize::from), usize::from)
}

/// Does all jobs and passes each outcome on in the order of the jobs, as soon as those before it are
/// done. When `stop` is set no further job begins; what is done until then is passed on, up to the
/// first that is not. Jobs may be without number: they are made as they begin, one after the other.
pub(crate) fn spread<J: Copy + Send, T: Send>(
    jobs: impl IntoIterator<Item = J, IntoIter: Send>,
    threads: usize,
    stop: &AtomicBool,
    work: impl Fn(J) -> T + Sync,
    mut take: impl FnMut(J, T),
) {
    let jobs = Mutex::new(jobs.into_iter().enumerate());
    let next = || jobs.lock().expect("whoever makes a job does not panic").next();
    let (tell, told) = mpsc::sync_channel(threads.max(1));
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            let (tell, next, work) = (tell.clone(), &next, &work);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let Some((number, job)) = next() else { break };
                    if tell.send((number, job, work(job))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(tell);
        // Holds what overtook a slower job: as many as are done during that one.
        let mut early = BTreeMap::new();
        let mut due = 0;
        for (number, job, outcome) in told {
            early.insert(number, (job, outcome));
            while let Some((job, outcome)) = early.remove(&due) {
                take(job, outcome);
                due += 1;
            }
        }
    });
}
