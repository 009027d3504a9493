from softix_proxy.domain.routing.routes import SETTINGS, Timeouts


def test_a_targets_own_time_outs_win_over_its_routes() -> None:
    assert Timeouts(connect_ms=1).within(Timeouts(5, 6)) == Timeouts(1, 6)
    assert SETTINGS.within(SETTINGS) == SETTINGS
