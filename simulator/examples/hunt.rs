use consensus::catalogue::{Module, Visitor, dispatch};
use simulator::{Variant, explore::*};
use std::{collections::BTreeMap, sync::Mutex, sync::atomic::*, time::Instant};
struct Go(Variant, simulator::Scenario);
impl Visitor for Go {
    type Output = Option<Finding>;
    fn visit<P: Module>(self) -> Option<Finding> {
        attempt::<P>(&self.1, self.0)
    }
}
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let variant: Variant = args[1].parse().unwrap();
    let (from, to): (u64, u64) = (args[2].parse().unwrap(), args[3].parse().unwrap());
    let all = args.get(4).is_some();
    let base = general(&variant);
    let next = AtomicU64::new(from);
    let stop = AtomicBool::new(false);
    let found = Mutex::new(BTreeMap::<&str, Vec<u64>>::new());
    let times = Mutex::new(BTreeMap::<&str, (u64, f64)>::new());
    let began = Instant::now();
    std::thread::scope(|s| {
        for _ in 0..2 {
            s.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= to || stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let t = trial(&base, n);
                    let b = Instant::now();
                    if let Some(f) =
                        dispatch(variant.module, Go(variant, t.scenario.clone())).unwrap()
                    {
                        let mut g = found.lock().unwrap();
                        let v = g.entry(t.strategy).or_default();
                        v.push(n);
                        if v.len() <= 2 {
                            println!(
                                "{n} {} {} choices {} {:?}",
                                t.strategy,
                                began.elapsed().as_secs_f64(),
                                t.scenario.adversary.len(),
                                f.violation
                            );
                        }
                        if !all {
                            stop.store(true, Ordering::Relaxed);
                        }
                    }
                    let mut g = times.lock().unwrap();
                    let e = g.entry(t.strategy).or_default();
                    e.0 += 1;
                    e.1 += b.elapsed().as_secs_f64();
                }
            });
        }
    });
    let n = next.load(Ordering::Relaxed).min(to) - from;
    println!("{variant}: {n} trials in {:.1} s", began.elapsed().as_secs_f64());
    for (k, (n, t)) in times.lock().unwrap().iter() {
        println!(
            "  {k}: {n} at {:.2} ms, found {}",
            t * 1000.0 / *n as f64,
            found.lock().unwrap().get(k).map_or(0, Vec::len)
        );
    }
}
