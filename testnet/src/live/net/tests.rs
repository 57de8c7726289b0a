use super::*;
use consensus::work::Target;
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
        let config = files::settings(&net, Actor { id, second: false });
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
    assert!(files::settings(&net, Actor { id: 0, second: false }).peers.is_empty());
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
        ..Wish::default()
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

/// A wish for a chain whose blocks take work.
fn mining(settings: &[(&str, u64)]) -> Wish {
    Wish {
        consensus: Some("pow".to_owned()),
        replicas: Some(2),
        settings: settings.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect(),
        ..Wish::default()
    }
}

fn refusal(wish: &Wish) -> String {
    let (dir, place) = place();
    let message = Net::found(place, wish).unwrap_err().to_string();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was begun");
    assert_eq!(wish.check_new().unwrap_err().to_string(), message);
    message
}

#[test]
fn a_chain_that_takes_work_is_calibrated_and_its_nodes_mine_with_a_share_of_a_core() {
    let (_dir, net) = founded(&mining(&[("pow.irreversible", 20)]));
    let settings = &net.genesis.settings;
    assert_eq!(settings["pow.irreversible"], 20);
    assert_eq!(settings["ledger.reward"], 50, "a custom of the module");
    assert!(settings["pow.bits"] > 0);
    assert_eq!(net.depths(), Some(Depths { confirmations: 6, irreversible: 20 }));
    for id in net.ids() {
        let miner = NodeConfig::load(&net.place.node(id)).unwrap().settings().miner;
        assert_eq!(miner, Mining { threads: 1, share: DEFAULT_SHARE });
    }
}

#[test]
fn what_was_asked_for_is_not_calibrated_away() {
    let (_dir, net) = founded(&mining(&[("pow.bits", 0x2000_ffff), ("ledger.reward", 7)]));
    assert_eq!(net.genesis.settings["pow.bits"], 0x2000_ffff);
    assert_eq!(net.genesis.settings["ledger.reward"], 7);
}

#[test]
fn a_smaller_share_makes_easier_blocks() {
    let shared = |share| {
        let (_dir, net) = founded(&Wish { miner_share: Some(share), ..mining(&[]) });
        let bits = u32::try_from(net.genesis.settings["pow.bits"]).unwrap();
        Target::from_bits(bits).unwrap().work().hashes()
    };
    // However busy the machine is meanwhile.
    assert!(shared(0.5) > 3.0 * shared(0.001));
}

#[test]
fn a_chain_without_work_has_neither_depths_nor_miners() {
    let (_dir, net) = founded(&Wish::default());
    assert_eq!((net.depths(), net.record.miner), (None, None));
    assert!(net.genesis.settings.keys().all(|key| key.starts_with("ledger.")));
    assert_eq!(net.genesis.staking().map(|rules| rules.minimum), Some(Amount(100)));
    let message = refusal(&Wish { miner_share: Some(0.5), ..Wish::default() });
    assert!(message.contains("--miner-share") && message.contains("tendermint"), "{message}");
}

#[test]
fn settings_that_no_chain_can_have_are_refused_naming_them() {
    for (wish, words) in [
        (mining(&[("tendermint.propose_ms", 1)]), "\"pow.\""),
        (mining(&[("power", 1)]), "\"pow.\""),
        (mining(&[("pow.depth", 1)]), "pow.irreversible"),
        (mining(&[("pow.irreversible", 201)]), "at most 200"),
        (mining(&[("ledger.rewards", 1)]), "ledger.reward"),
        (Wish { block_time: Some(Duration::ZERO), ..mining(&[]) }, "--block-time"),
    ] {
        let message = refusal(&wish);
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn another_share_may_be_used_when_a_chain_goes_on_and_no_other_setting() {
    let (_dir, net) = founded(&mining(&[("pow.irreversible", 20)]));
    let wish = Wish { miner_share: Some(0.25), ..mining(&[("pow.irreversible", 20)]) };
    let again = Net::resume(net.place.clone(), &wish).unwrap();
    assert_eq!(again.genesis, net.genesis);
    let config = NodeConfig::load(&net.place.node(1)).unwrap();
    assert_eq!(config.settings().miner.share, 0.25);
    let kept = Net::resume(net.place.clone(), &Wish::default()).unwrap();
    assert_eq!(kept.record.miner, Some(Mining { threads: 1, share: 0.25 }));

    let refused = |wish: Wish| Net::resume(net.place.clone(), &wish).unwrap_err().to_string();
    let message = refused(mining(&[("pow.irreversible", 21)]));
    assert!(message.contains("has pow.irreversible=20"), "{message}");
    let message = refused(mining(&[("pow.confirmations", 3)]));
    assert!(message.contains("has pow.confirmations=its default"), "{message}");
}

#[test]
fn twins_have_one_key_two_directories_and_one_part_of_the_others_each() {
    let wish = Wish {
        byzantine: Liars([(3, "equivocate".to_owned()), (1, "silent".to_owned())].into()),
        replicas: Some(5),
        ..Wish::default()
    };
    let (dir, net) = founded(&wish);
    assert_eq!(net.seconds().collect::<Vec<_>>(), [3]);
    let key = |node: PathBuf| fs::read(node.join("validator.key")).unwrap();
    assert_eq!(key(net.place.node(3)), key(net.place.twin(3)));
    let mode = fs::metadata(net.place.twin(3).join("validator.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let met = |config: &NodeConfig| {
        let peers = config.settings().peers.iter();
        peers.map(|peer| peer.id).collect::<std::collections::BTreeSet<_>>()
    };
    let configs = [net.place.node(3), net.place.twin(3)].map(|dir| NodeConfig::load(&dir).unwrap());
    let [one, other] = configs.each_ref().map(met);
    assert!(one.is_disjoint(&other));
    assert_eq!(one.union(&other).copied().collect::<Vec<_>>(), [0, 1, 2, 4]);
    for id in [0, 1, 2, 4] {
        let config = NodeConfig::load(&net.place.node(id)).unwrap();
        assert_eq!(met(&config).len(), 4, "the others know everybody");
        let twins = config.settings().peers.iter().find(|peer| peer.id == 3).unwrap();
        let expected = &configs[usize::from(other.contains(&id))];
        assert_eq!(twins.address, expected.settings().listen);
    }
    // They lie on when the net is gone on with, and nobody else does.
    let again = Net::resume(net.place.clone(), &Wish::default()).unwrap();
    assert_eq!(again.record.byzantine, wish.byzantine);
    let other = Wish { byzantine: Liars([(3, "silent".to_owned())].into()), ..Wish::default() };
    let error = Net::resume(net.place.clone(), &other).unwrap_err().to_string();
    assert!(error.contains("--byzantine 3=silent contradicts the chain"), "{error}");
    drop(dir);
}
