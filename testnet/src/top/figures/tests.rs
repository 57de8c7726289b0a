use super::*;
use proptest::prelude::*;

fn page(blocks: u64) -> String {
    format!(
        "# HELP byzantium_blocks Blocks made final in this life.\n\
         byzantium_blocks_total {blocks}\n\
         byzantium_transactions_total {}\n\
         byzantium_network_bytes_received_total 1000\n\
         byzantium_network_bytes_sent_total 2000\n\
         byzantium_gossip_bytes_total{{way=\"received\"}} 30\n\
         byzantium_gossip_bytes_total{{way=\"published\"}} 4\n\
         byzantium_process_resident_memory_bytes 50000000\n\
         byzantium_process_cpu_seconds_total 1.5\n\
         byzantium_open_seconds_sum{{what=\"batch\"}} 9.0\n\
         byzantium_open_seconds_sum{{what=\"envelope\"}} 0.25\n\
         byzantium_open_seconds_count{{what=\"envelope\"}} 100\n\
         byzantium_sync_seconds_sum 2.5\n\
         byzantium_sync_seconds_count 50\n\
         byzantium_height_seconds_sum 9.5\n\
         byzantium_height_seconds_count 9\n\
         # EOF\n",
        blocks * 10
    )
}

pub(in crate::top) fn figures(blocks: u64) -> Figures {
    parse(&page(blocks)).expect("a page")
}

fn parse(text: &str) -> Option<Figures> {
    Figures::of(&Page::parse(text))
}

#[test]
fn a_page_is_read() {
    let figures = figures(10);
    let Figures { received, sent, resident, cpu, .. } = figures;
    assert_eq!((figures.blocks, figures.transactions), (10, 100));
    assert_eq!((received, sent, resident, cpu), (1_030, 2_004, Some(50_000_000), Some(1.5)));
    assert_eq!(figures.opened, Times { sum: 0.25, count: 100 });
    assert_eq!(figures.syncs, Times { sum: 2.5, count: 50 });
    assert_eq!(figures.heights, Times { sum: 9.5, count: 9 });
}

#[test]
fn what_is_missing_is_not_known_and_another_page_is_none() {
    let bare = parse("byzantium_blocks_total 3\n").expect("a node's");
    assert_eq!(bare, Figures { blocks: 3, ..Figures::default() });
    assert_eq!(parse("<html>404</html>"), None);
    assert_eq!(parse("byzantium_blocks_total NaN\n"), None);
    assert_eq!(parse("byzantium_blocks_total -3\n"), None);
    assert_eq!(parse("byzantium_blocks_total_of_lies 3\n"), None);
}

#[test]
fn rates_are_differences_by_time() {
    let mut samples = Samples::default();
    assert!(samples.rates().is_none());
    samples.add(Duration::from_secs(1), figures(10));
    assert!(samples.rates().is_none(), "one is no difference");
    let mut later = figures(12);
    later.cpu = Some(2.0);
    later.opened = Times { sum: 0.45, count: 200 };
    samples.add(Duration::from_secs(3), later.clone());
    let rates = samples.rates().expect("two samples");
    assert_eq!((rates.transactions, rates.received, rates.cpu), (10.0, 0.0, Some(0.25)));
    assert_eq!(rates.open, Some(Duration::from_millis(2)));
    assert_eq!(rates.sync, None, "nothing was synced");
    later.transactions += 7;
    samples.add(Duration::from_secs(4), later);
    assert_eq!(samples.newest().expect("two samples").transactions, 7.0);
    assert_eq!(samples.rates().expect("three samples").transactions, 9.0);
}

#[test]
fn another_life_begins_anew() {
    let mut samples = Samples::default();
    samples.add(Duration::from_secs(1), figures(10));
    samples.add(Duration::from_secs(2), figures(11));
    samples.add(Duration::from_secs(3), figures(2));
    assert!(samples.rates().is_none());
    assert_eq!(samples.last().expect("one").blocks, 2);
}

proptest! {
    #[test]
    fn no_page_and_no_order_of_pages_does_harm(
        pages in prop::collection::vec(("[ -~\n]{0,80}", any::<f64>(), any::<f64>(), any::<u32>()), 0..12)
    ) {
        let mut samples = Samples::default();
        for (noise, one, other, at) in pages {
            let text = format!(
                "{noise}\nbyzantium_blocks_total {one}\nbyzantium_sync_seconds_sum {other}\n\
                 byzantium_sync_seconds_count {one}\nbyzantium_process_cpu_seconds_total {other}\n"
            );
            if let Some(figures) = parse(&text) {
                samples.add(Duration::from_millis(at.into()), figures);
            }
            let rates = samples.rates();
            prop_assert!(rates.is_none_or(|rates| rates.cpu.is_none_or(|cpu| cpu >= 0.0)));
            prop_assert!(samples.0.len() <= WINDOW);
        }
    }
}
