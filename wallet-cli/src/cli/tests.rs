use super::*;
use clap::CommandFactory;

fn parse(line: &str) -> Result<Wallet, clap::Error> {
    Wallet::try_parse_from(line.split_whitespace())
}

#[test]
fn the_definition_is_sound() {
    Wallet::command().debug_assert();
}

#[test]
fn options_stand_after_the_command_or_before_it() {
    for line in [
        "wallet balance alice --json --dir D --node http://a:1 --node b:2 --genesis G",
        "wallet --json --dir D --node http://a:1 --node b:2 --genesis G balance alice",
        "wallet --json balance --dir D --node http://a:1 alice --node b:2 --genesis G",
    ] {
        let Wallet { command, options } = parse(line).expect(line);
        assert!(matches!(command, Command::Balance { account } if account == "alice"), "{line}");
        assert!(options.json, "{line}");
        assert_eq!(options.dir, Some("D".into()), "{line}");
        assert_eq!(options.genesis, Some("G".into()), "{line}");
        assert_eq!(options.node, ["http://a:1", "b:2"], "{line}");
    }
}

#[test]
fn another_program_can_offer_the_wallet() {
    #[derive(Parser)]
    enum Testnet {
        Wallet(Wallet),
    }

    let line = "testnet wallet send --from a --to b --amount 3 --wait --json";
    let Testnet::Wallet(wallet) = Testnet::try_parse_from(line.split(' ')).expect(line);
    assert!(wallet.options.json);
    let Command::Send(transfer) = wallet.command else { panic!("it is a transfer") };
    assert_eq!((transfer.from.as_str(), transfer.fee.as_str()), ("a", "1"));
    assert_eq!((transfer.wait, transfer.timeout), (true, Duration::from_secs(30)));
}

#[test]
fn no_secret_is_an_argument() {
    for line in ["wallet import a --phrase x", "wallet import a x", "wallet new a --passphrase x"] {
        assert!(parse(line).is_err(), "{line}");
    }
}

#[test]
fn times_have_units() {
    let millis = |text: &str| duration(text).map(|time| time.as_millis());
    assert_eq!(millis("500ms"), Ok(500));
    assert_eq!(millis("30s"), Ok(30_000));
    assert_eq!(millis("2m"), Ok(120_000));
    assert_eq!(millis("7"), Ok(7_000));
    for bad in ["", "s", "-1s", "1h", "1.5s", "99999999999999999999s", "18446744073709551615m"] {
        assert!(millis(bad).is_err(), "{bad:?}");
    }
}
