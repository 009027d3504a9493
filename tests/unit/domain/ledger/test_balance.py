from softix_proxy.domain.ledger.balance import Wallet


def test_available_amount_of_wallet_is_posted_plus_credit_minus_held() -> None:
    assert Wallet(1, 100, 30, 5).available_pico == 75
    assert Wallet(1, -100, 0, 5).available_pico == -95
