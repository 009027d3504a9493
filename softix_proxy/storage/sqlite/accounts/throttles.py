"""The rows of throttles: one theoretical arrival time for each rule and subject."""

from __future__ import annotations

from softix_proxy.domain.accounts.throttles import LONGEST_WINDOW_US, ThrottleRule
from softix_proxy.storage.sqlite.core.database import DatabaseSession

_SET = (
    "INSERT INTO throttles (rule, subject, tat_us) VALUES (?1, ?2, ?3)"
    " ON CONFLICT (rule, subject) DO UPDATE SET tat_us = ?3"
)


class SqliteThrottleStore:
    """Counts attempts."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def arrive(self, rule: ThrottleRule, subject: str, now_us: int) -> int:
        tat_us, wait_us = rule.arrive(await self._tat_us(rule, subject), now_us)
        if not wait_us:
            await self._session.run(_SET, rule.name, subject, tat_us)
        return wait_us

    async def wait_us(self, rule: ThrottleRule, subject: str, now_us: int) -> int:
        return rule.arrive(await self._tat_us(rule, subject), now_us)[1]

    async def give_back(self, rule: ThrottleRule, subject: str, now_us: int) -> None:
        tat_us = await self._tat_us(rule, subject)
        if tat_us:
            await self._session.run(_SET, rule.name, subject, rule.give_back(tat_us, now_us))

    async def forget(self, rule: ThrottleRule, subject: str) -> None:
        await self._session.run("DELETE FROM throttles WHERE rule = ? AND subject = ?", rule.name, subject)

    async def purge(self, now_us: int, most: int) -> int:
        return await self._session.run(
            "DELETE FROM throttles WHERE (rule, subject) IN"
            " (SELECT rule, subject FROM throttles WHERE tat_us <= ? OR tat_us > ? LIMIT ?)",
            now_us,
            now_us + LONGEST_WINDOW_US,
            most,
        )

    async def _tat_us(self, rule: ThrottleRule, subject: str) -> int:
        row = await self._session.one("SELECT tat_us FROM throttles WHERE rule = ? AND subject = ?", rule.name, subject)
        return int(row[0]) if row else 0
