use super::*;
use crate::live::{
    home::Place,
    net::{Record, Wish},
};
use node::config::NodeConfig;

fn founded(dir: &tempfile::TempDir, wish: &Wish) -> Net {
    Net::found(Place::new(dir.path()), wish).unwrap()
}

#[test]
fn who_joins_knows_everybody_and_everybody_knows_it_when_they_start_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut net = founded(&dir, &Wish::default());
    assert_eq!((net.join().unwrap(), net.join().unwrap()), (4, 5));
    assert_eq!((net.founders(), net.len()), (4, 6));
    for id in net.ids() {
        // The node itself checks that key, settings and genesis fit together.
        let config = NodeConfig::load(&net.place.node(id)).unwrap();
        assert_eq!((config.id().0, config.is_founder()), (id, id < 4));
        assert_eq!(config.key().public(), net.key(id));
        let peers = &config.settings().peers;
        assert_eq!(peers.len(), 5);
        assert!(peers.iter().all(|peer| peer.public_key == net.key(peer.id)));
    }
    let urls = fs::read_to_string(net.place.wallet().join("node.url")).unwrap();
    assert_eq!(urls.lines().last(), Some(net.url(5).as_str()));
    let name = Net::account_of(4).parse().unwrap();
    let account = Keystore::open(net.place.wallet()).account(&name).unwrap();
    assert_eq!((account.public_key, account.dev), (net.key(4), true));

    let again = Net::resume(net.place.clone(), &Wish { replicas: Some(4), ..Wish::default() });
    assert_eq!(again.unwrap().record, net.record, "--replicas are those of the genesis");
}

#[test]
fn who_joins_is_given_no_port_of_a_node_that_is_down() {
    let dir = tempfile::tempdir().unwrap();
    let mut net = founded(&dir, &Wish::default());
    // Nobody listens on the very ports that are looked at next.
    let last = ports::choose(1).unwrap()[0].rpc.port();
    for (ports, port) in net.record.nodes.iter_mut().zip((last + 1..).step_by(2)) {
        ports.listen.set_port(port);
        ports.rpc.set_port(port + 1);
    }
    let of = |ports: &Ports| [ports.listen, ports.rpc];
    let down: BTreeSet<_> = net.record.nodes.iter().flat_map(of).collect();
    let joined = net.join().unwrap() as usize;
    assert!(of(&net.record.nodes[joined]).iter().all(|address| !down.contains(address)));
}

#[test]
fn a_broken_attempt_is_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let mut net = founded(&dir, &Wish { replicas: Some(1), ..Wish::default() });
    let mut broken = net.clone();
    broken.join().unwrap();
    // The record was not written: as if it had never been.
    assert_eq!(net.join().unwrap(), 1);
    assert_eq!(net.key(1), broken.key(1));
}

#[test]
fn there_is_an_end_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut net = founded(&dir, &Wish { replicas: Some(MOST_REPLICAS), ..Wish::default() });
    let message = net.join().unwrap_err().to_string();
    assert!(message.contains("16"), "{message}");
    assert_eq!(net.record.joined, []);
}

#[test]
fn a_record_that_does_not_count_right_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let mut net = founded(&dir, &Wish { replicas: Some(2), ..Wish::default() });
    net.join().unwrap();
    let record = Record { joined: Vec::new(), ..net.record.clone() };
    fs::write(net.place.record(), serde_json::to_string(&record).unwrap()).unwrap();
    let error = Net::resume(net.place.clone(), &Wish::default()).unwrap_err();
    assert!(error.to_string().contains("3 nodes"), "{error}");
}
