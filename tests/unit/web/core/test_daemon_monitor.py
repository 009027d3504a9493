from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.instance.readiness import Trouble
from softix_proxy.web.core.daemon_monitor import DaemonMonitor


async def test_daemon_monitor_calls_the_functions_that_it_was_given() -> None:
    counted: list[tuple[str, Code]] = []

    trouble = Trouble("SQLITE_FULL", "the disk is full", "make room")

    async def check() -> Trouble | None:
        return trouble

    monitor = DaemonMonitor(check, lambda: b"x", lambda endpoint, code: counted.append((endpoint, code)))
    monitor.count_refusal("-", Code.NOT_FOUND)
    assert (await monitor.check(), monitor.render_metrics(), monitor.draining) == (trouble, b"x", False)
    assert counted == [("-", Code.NOT_FOUND)]
