use super::*;

#[test]
fn a_net_that_is_not_there_is_gone_and_whoever_stops_looking_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let eyes = Eyes::open(&Place::new(dir.path())).unwrap();
    let news = eyes.news.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(matches!(&news, News::Gone(why) if why.contains("has ended")), "{news:?}");
    assert!(eyes.order(Request::Kill { id: 0 }));
    let done = || match eyes.news.recv_timeout(Duration::from_secs(20)).unwrap() {
        News::Done(result) => Some(result),
        _ => None,
    };
    let result = std::iter::repeat_with(done).flatten().next().unwrap();
    assert!(result.unwrap_err().contains("no testnet is running"));
}
