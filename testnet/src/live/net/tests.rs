use super::*;
use node::config::NodeConfig;
use std::{net::TcpListener, os::unix::fs::PermissionsExt};
use tempfile::TempDir;

fn place() -> (TempDir, Place) {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path());
    (dir, place)
}

fn founded(wish: &Wish) -> (TempDir, Net) {
    let (dir, place) = place();
    let net = Net::found(place, wish).unwrap();
    (dir, net)
}

#[test]
fn a_new_net_has_four_nodes_and_four_rich_accounts() {
    let (_dir, net) = founded(&Wish::default());
    let genesis = Genesis::parse(&read(&net.place.genesis()).unwrap()).unwrap();
    assert_eq!(genesis, net.genesis);
    assert_eq!(genesis.consensus, "tendermint");
    assert_eq!(genesis.block_time, 1_000);
    assert_eq!(genesis.validators.len(), 4);
    let names: Vec<_> = net.record.accounts.iter().map(|account| account.name.as_str()).collect();
    assert_eq!(names, ACCOUNTS);
    for (funded, named) in genesis.accounts.iter().zip(&net.record.accounts) {
        assert_eq!((funded.address, funded.balance), (named.address, BALANCE));
    }
}

#[test]
fn the_wallet_has_the_genesis_the_nodes_and_the_keys() {
    let (_dir, net) = founded(&Wish { replicas: Some(2), ..Wish::default() });
    let wallet = net.place.wallet();
    assert_eq!(read(&wallet.join("genesis.json")).unwrap(), read(&net.place.genesis()).unwrap());
    let urls = read(&wallet.join("node.url")).unwrap();
    assert_eq!(urls.lines().collect::<Vec<_>>(), [net.url(0), net.url(1)]);
    let accounts = Keystore::open(&wallet).list().unwrap().accounts;
    assert_eq!(accounts.len(), ACCOUNTS.len());
    for account in accounts {
        assert!(account.dev);
        let key = Keystore::open(&wallet).unlock(&account.name, "").unwrap();
        assert_eq!(key.public().address(), account.address);
    }
}

#[test]
fn each_node_has_its_key_for_itself_and_knows_everybody_else() {
    let (_dir, net) = founded(&Wish { replicas: Some(3), ..Wish::default() });
    for id in net.ids() {
        let path = net.place.node(id).join("validator.key");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // The node itself checks that key, settings and genesis fit together.
        NodeConfig::load(&net.place.node(id)).unwrap();
        let config = files::settings(&net, id);
        assert_eq!(config.rpc, net.record.nodes[id as usize].rpc);
        assert_eq!(config.peers.len(), 2);
        for peer in config.peers {
            assert_ne!(peer.id, id);
            assert_eq!(peer.public_key, net.genesis.validators[peer.id as usize].key);
            assert_eq!(peer.address, net.record.nodes[peer.id as usize].listen);
        }
    }
}

#[test]
fn a_net_alone_has_no_peers() {
    let (_dir, net) = founded(&Wish { replicas: Some(1), ..Wish::default() });
    assert!(files::settings(&net, 0).peers.is_empty());
    NodeConfig::load(&net.place.node(0)).unwrap();
}

#[test]
fn an_unknown_module_is_refused_with_the_names_there_are() {
    let (dir, place) = place();
    let wish = Wish { consensus: Some("paxos".to_owned()), ..Wish::default() };
    let message = Net::found(place, &wish).unwrap_err().to_string();
    assert!(message.contains("\"paxos\"") && message.contains("tendermint"), "{message}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was begun");
}

#[test]
fn a_net_goes_on_with_the_same_chain_and_ports() {
    let (_dir, net) = founded(&Wish::default());
    let again = Net::resume(net.place.clone(), &Wish::default()).unwrap();
    assert_eq!(again.chain_id(), net.chain_id());
    assert_eq!(again.record.accounts, net.record.accounts);
    let same = Wish {
        consensus: Some("tendermint".to_owned()),
        replicas: Some(4),
        block_time: Some(Duration::from_secs(1)),
        trace: false,
    };
    assert!(Net::resume(net.place.clone(), &same).is_ok());
}

#[test]
fn a_wish_that_contradicts_the_chain_is_refused_naming_both() {
    let (_dir, net) = founded(&Wish::default());
    let refused = |wish: Wish| Net::resume(net.place.clone(), &wish).unwrap_err().to_string();
    let message = refused(Wish { replicas: Some(7), ..Wish::default() });
    assert!(message.contains("--replicas 7") && message.contains("has 4"), "{message}");
    let block_time = Some(Duration::from_millis(250));
    let message = refused(Wish { block_time, ..Wish::default() });
    assert!(message.contains("--block-time 250ms") && message.contains("has 1s"), "{message}");
}

#[test]
fn ports_that_are_taken_are_replaced_everywhere() {
    let (_dir, net) = founded(&Wish { replicas: Some(2), ..Wish::default() });
    let _somebody_else = TcpListener::bind(net.record.nodes[0].listen).unwrap();
    let again = Net::resume(net.place.clone(), &Wish::default()).unwrap();
    let moved = again.record.nodes[0].listen;
    assert_ne!(moved, net.record.nodes[0].listen);
    let config = read(&net.place.node(1).join("config.toml")).unwrap();
    assert!(config.contains(&moved.to_string()), "{config}");
    let record: Record = serde_json::from_str(&read(&net.place.record()).unwrap()).unwrap();
    assert_eq!(record, again.record);
}

#[test]
fn files_that_do_not_belong_together_are_damaged() {
    let (_dir, net) = founded(&Wish::default());
    fs::write(net.place.record(), r#"{"nodes": [], "accounts": []}"#).unwrap();
    let error = Net::resume(net.place.clone(), &Wish::default()).unwrap_err();
    assert!(error.to_string().contains("0 nodes"), "{error}");
    fs::write(net.place.record(), "not json").unwrap();
    let error = Net::resume(net.place.clone(), &Wish::default()).unwrap_err();
    assert!(matches!(error, NetError::Damaged { .. }));
}
