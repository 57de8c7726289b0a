use super::*;

#[test]
fn amounts_never_wrap() {
    let most = Amount(u64::MAX);
    assert_eq!(most.checked_add(Amount(1)), None);
    assert_eq!(Amount::ZERO.checked_sub(Amount(1)), None);
    assert_eq!(most.checked_sub(most), Some(Amount::ZERO));
    assert_eq!(Amount(2).checked_add(Amount(3)), Some(Amount(5)));
}

#[test]
fn amounts_read_as_they_are_written() {
    assert_eq!(Amount(1_234).to_string().parse(), Ok(Amount(1_234)));
    assert!("-1".parse::<Amount>().is_err());
    assert!("18446744073709551616".parse::<Amount>().is_err());
    assert_eq!(format!("{:>5}|{:>5}", Amount(7), Stake(8)), "    7|    8");
}
