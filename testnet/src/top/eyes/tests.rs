use super::*;
use std::{
    io::{Read, Write},
    net::TcpListener,
    time::Instant,
};

/// A page that is given to whoever comes first; nothing if there is none.
fn server(page: Option<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/metrics", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1_024];
        let _ = stream.read(&mut request);
        if let Some(page) = page {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", page.len());
            let _ =
                stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(page.as_bytes()));
        }
        // Until the other side hangs up.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    url
}

#[test]
fn a_nodes_page_is_read() {
    let url = server(Some("byzantium_blocks_total 17\n".to_owned()));
    assert_eq!(read(&agent(), &url).map(|figures| figures.blocks), Some(17));
}

#[test]
fn a_page_that_is_too_long_and_a_node_that_says_nothing_are_not_waited_for() {
    let long = "x".repeat(usize::try_from(LONGEST_PAGE).unwrap() + 1);
    assert_eq!(read(&agent(), &server(Some(long))), None);
    let start = Instant::now();
    assert_eq!(read(&agent(), &server(None)), None);
    assert!(start.elapsed() < PATIENCE * 10);
    assert_eq!(read(&agent(), "http://127.0.0.1:1/metrics"), None, "nobody is there");
}

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
