from __future__ import annotations

from typing import Any

from softix_proxy import assembly
from softix_proxy.doctor.findings import Severity
from softix_proxy.domain.abuse.rule import Suspicion
from softix_proxy.settings import Settings


async def test_abuse_check_names_the_open_alerts_by_rule(made: Settings, look: Any) -> None:
    [found] = await look("abuse", settings=made)
    assert (found.severity, found.message) == (Severity.OK, "no alert of abuse is open")
    async with assembly.open_instance(made) as opened, opened.storage.writing() as unit:
        for number, rule in enumerate(("spend", "spend", "guessing")):
            await unit.abuse.notice(rule, Suspicion(f"s{number}", "Much.", {}), f"abu_{number}", 1)
    [found] = await look("abuse", settings=made)
    assert (found.severity, found.message) == (Severity.WARNING, "3 alerts of abuse are open: guessing 1, spend 2")
    assert "softix abuse list --open" in found.remedy
