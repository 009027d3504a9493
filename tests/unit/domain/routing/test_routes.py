from softix_proxy.domain.routing.routes import SETTINGS, Timeouts


def test_timeouts_of_a_target_override_those_of_its_route() -> None:
    assert Timeouts(connect_ms=1).within(Timeouts(5, 6)) == Timeouts(1, 6)
    assert SETTINGS.within(SETTINGS) == SETTINGS
