from dataclasses import replace

from support.operators_side import OperatorsSide

from softix_proxy.domain.routing.target_health import ALL_PPM, Breaker
from softix_proxy.operations.routing import routes
from softix_proxy.operations.routing.routes import TargetHealth
from softix_proxy.web.portal.admin.target_states import TargetSeverity, failing, states_of


async def reported(side: OperatorsSide, **stats: object) -> TargetHealth:
    [found] = await routes.health(side.storage)
    fields = {"breaker": Breaker(), "errors_ppm": 0, "limited_until_us": 0, **stats}
    told = replace(found.reported.stats, **fields)  # type: ignore[arg-type] # fields of the statistics
    return replace(found, reported=replace(found.reported, stats=told))


async def test_state_of_a_target_is_the_worst_that_is_reported(side: OperatorsSide) -> None:
    now_us = side.clock.us
    cases = [
        ({}, TargetSeverity.WELL),
        ({"limited_until_us": now_us + 1}, TargetSeverity.LIMITED),
        ({"errors_ppm": ALL_PPM // 2}, TargetSeverity.FAILING),
        ({"breaker": Breaker(open_until_us=now_us + 1)}, TargetSeverity.PAUSED),
        ({"breaker": Breaker(open_until_us=now_us - 1), "errors_ppm": ALL_PPM}, TargetSeverity.FAILING),
    ]
    for stats, severity in cases:
        found = await reported(side, **stats)
        [state] = states_of([found], now_us)["lab"]
        assert state.severity is severity and state.name == "lab/llama"
        assert bool(failing([found], now_us)) is (severity is not TargetSeverity.WELL)
