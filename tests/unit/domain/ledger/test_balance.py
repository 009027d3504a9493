from softix_proxy.domain.ledger.balance import Wallet


def test_what_is_available() -> None:
    assert Wallet(1, 100, 30, 5).available_pico == 75
    assert Wallet(1, -100, 0, 5).available_pico == -95
