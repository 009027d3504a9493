from softix_proxy.domain.errors import Code
from softix_proxy.web.monitor import Monitor


async def test_it_hands_on() -> None:
    counted: list[tuple[str, Code]] = []

    async def check() -> str | None:
        return "no"

    monitor = Monitor(check, lambda: b"x", lambda endpoint, code: counted.append((endpoint, code)))
    monitor.count_refusal("-", Code.NOT_FOUND)
    assert (await monitor.check(), monitor.render_metrics(), monitor.draining) == ("no", b"x", False)
    assert counted == [("-", Code.NOT_FOUND)]
