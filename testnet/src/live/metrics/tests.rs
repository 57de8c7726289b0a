use super::*;
use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
    time::Instant,
};

/// The URL of a node that gives a page to whoever comes first; nothing if there is none.
fn server(page: Option<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
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
fn a_page_is_read_line_by_line_and_what_is_no_figure_is_passed_over() {
    let text = "# HELP byzantium_height Height.\n# TYPE byzantium_height gauge\nbyzantium_height 7\n\
                byzantium_sent_bytes_total{class=\"first\"} 120\nnonsense\nodd NaN\n# EOF\n";
    let page = Page::parse(text);
    assert_eq!(page.0.len(), 2, "{page:?}");
    assert_eq!(page.value("byzantium_height"), Some(7.0));
    assert_eq!(page.value("byzantium_sent_bytes_total{class=\"first\"}"), Some(120.0));
    assert_eq!(page.value("byzantium_sent_bytes_total"), None);
    assert_eq!(Page::parse("<html>404</html>"), Page::default());
}

#[test]
fn all_series_of_a_metric_count_and_no_others() {
    let page = Page::parse(
        "refused_total{what=\"envelope\",reason=\"malformed\"} 3\n\
         refused_total{what=\"gossip\",reason=\"forged\"} 4\n\
         refused_total_else 9\n",
    );
    assert_eq!(page.sum(|name| name == "refused_total"), 7.0);
    assert_eq!(page.sum(|name| name == "refused"), 0.0);
    assert_eq!(page.starting("refused_total{what=\"gossip\""), 4.0);
    assert_eq!(page.starting("refused"), 16.0);
}

#[test]
fn a_nodes_page_is_read_over_http() {
    let url = server(Some("byzantium_blocks_total 17\n".to_owned()));
    let page = Reader::default().read(&url).expect("it answers");
    assert_eq!(page.value("byzantium_blocks_total"), Some(17.0));
}

#[test]
fn a_page_that_is_too_long_and_a_node_that_says_nothing_are_not_waited_for() {
    let long = "x".repeat(usize::try_from(LONGEST).unwrap() + 1);
    let reader = Reader::default();
    assert_eq!(reader.read(&server(Some(long))), None);
    let start = Instant::now();
    assert_eq!(reader.read(&server(None)), None);
    assert!(start.elapsed() < PATIENCE * 10);
    assert_eq!(reader.read("http://127.0.0.1:1"), None, "nobody is there");
}
