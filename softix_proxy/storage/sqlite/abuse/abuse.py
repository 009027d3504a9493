"""The rows of alerts of abuse, of what was done about them, and of what operators tuned."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from softix_proxy.domain.abuse.abuse import AbuseAlert, SuspendedKey, TakenAction, Tuning
from softix_proxy.domain.abuse.evidence import Guesses, HourUse, KeyHours, PaymentTries, Registration
from softix_proxy.domain.abuse.rule import AbuseAction, Suspicion
from softix_proxy.storage.sqlite.abuse import abuse_evidence
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.paging import is_before
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, converted, selected

ALERT = RecordMapping(
    AbuseAlert,
    "id",
    "public_id",
    "rule",
    "subject",
    "key_id",
    "user_id",
    "text",
    "first_us",
    "last_us",
    "acked_us",
    figures=converted(json.loads, lambda figures: json.dumps(dict(figures))),
)
ACTION = RecordMapping(
    TakenAction,
    "id",
    "public_id",
    "alert_id",
    "key_id",
    "began_us",
    "until_us",
    "undone_us",
    action=converted(AbuseAction),
    before=converted(json.loads, lambda before: json.dumps(dict(before))),
)
TUNING = RecordMapping(
    Tuning,
    "rule",
    "key_id",
    enabled=converted(lambda value: None if value is None else bool(value)),
    action=converted(lambda value: None if value is None else AbuseAction(value)),
    thresholds=converted(json.loads, lambda thresholds: json.dumps(dict(thresholds))),
)
_SUSPENDED = RecordMapping(
    SuspendedKey,
    key=selected("k.public_id"),
    name=selected("k.label"),
    prefix=selected("k.prefix"),
    text=selected("a.text"),
    since_us=selected("t.began_us"),
)
_STANDING = "undone_us IS NULL"


class SqliteAbuseStore:
    """Stores alerts, actions and tunings."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def gather(self, most: int) -> int:
        return await abuse_evidence.gather(self._session, most)

    async def add_refusals(self, hour: int, by_key: Mapping[int, int], by_network: Mapping[str, int]) -> None:
        await abuse_evidence.add_refusals(self._session, hour, by_key, by_network)

    async def active_keys(self, hour: int, after_key_id: int, most: int) -> Sequence[tuple[int, HourUse]]:
        return await abuse_evidence.active_keys(self._session, hour, after_key_id, most)

    async def key_use(self, key_id: int, hour: int, since_hour: int) -> KeyHours:
        return await abuse_evidence.key_use(self._session, key_id, hour, since_hour)

    async def guesses(self, since_us: int, most: int) -> Sequence[Guesses]:
        return await abuse_evidence.guesses(self._session, since_us, most)

    async def registrations(self, since_us: int, most: int) -> Sequence[Registration]:
        return await abuse_evidence.registrations(self._session, since_us, most)

    async def payment_tries(self, since_us: int, most: int) -> Sequence[PaymentTries]:
        return await abuse_evidence.payment_tries(self._session, since_us, most)

    async def key_of_digest(self, digest: bytes) -> int | None:
        row = await self._session.one("SELECT id FROM keys WHERE digest = ?", digest)
        return None if row is None else int(row[0])

    async def suspended(self, user_id: int) -> Sequence[SuspendedKey]:
        rows = await self._session.all(
            f"SELECT {_SUSPENDED.select()} FROM abuse_actions AS t"
            " JOIN keys AS k ON k.id = t.key_id JOIN abuse_alerts AS a ON a.id = t.alert_id"
            " WHERE t.action = 'suspend' AND t.undone_us IS NULL AND k.user_id = ? ORDER BY t.id DESC",
            user_id,
        )
        return _SUSPENDED.read_all(rows)

    async def drop_suspension(self, key_id: int) -> None:
        await self._session.run(
            f"UPDATE abuse_actions SET undone_us = ? WHERE key_id = ? AND action = 'suspend' AND {_STANDING}",
            self._session.clock.now_us(),
            key_id,
        )

    async def notice(self, rule: str, found: Suspicion, public_id: str, quiet_us: int) -> AbuseAlert | None:
        now_us = self._session.clock.now_us()
        row = await self._session.one(
            "SELECT id, last_us FROM abuse_alerts WHERE rule = ? AND subject = ? ORDER BY last_us DESC LIMIT 1",
            rule,
            found.subject,
        )
        if row is not None and now_us - row[1] < quiet_us:
            await self._session.run("UPDATE abuse_alerts SET last_us = max(last_us, ?) WHERE id = ?", now_us, row[0])
            return None
        alert = AbuseAlert(
            id=0,
            public_id=public_id,
            rule=rule,
            subject=found.subject,
            key_id=found.key_id,
            user_id=found.user_id,
            text=found.text,
            figures=found.figures,
            first_us=now_us,
            last_us=now_us,
        )
        values = ALERT.row(alert)
        del values["id"]
        await self._session.insert("abuse_alerts", values)
        return await self.find(public_id)

    async def find(self, public_id: str) -> AbuseAlert | None:
        row = await self._session.one(f"SELECT {ALERT.select()} FROM abuse_alerts WHERE public_id = ?", public_id)
        return None if row is None else ALERT.read(row)

    async def list(
        self, *, limit: int, only_open: bool = False, before_id: int | None = None, key_id: int | None = None
    ) -> Sequence[AbuseAlert]:
        conditions = [is_before("?1"), "acked_us IS NULL" if only_open else "true"]
        conditions.append("?3 IS NULL" if key_id is None else "key_id = ?3")
        rows = await self._session.all(
            f"SELECT {ALERT.select()} FROM abuse_alerts WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT ?2",
            before_id,
            limit,
            key_id,
        )
        return ALERT.read_all(rows)

    async def open_counts(self) -> Mapping[str, int]:
        rows = await self._session.all(
            "SELECT rule, count(*) FROM abuse_alerts WHERE acked_us IS NULL GROUP BY rule ORDER BY rule"
        )
        return dict(rows)

    async def acknowledge(self, alert_id: int, now_us: int) -> bool:
        return bool(
            await self._session.run(
                "UPDATE abuse_alerts SET acked_us = ? WHERE id = ? AND acked_us IS NULL", now_us, alert_id
            )
        )

    async def act(self, action: TakenAction) -> None:
        values = ACTION.row(action)
        del values["id"]
        await self._session.insert("abuse_actions", values)

    async def actions(self, alert_id: int) -> Sequence[TakenAction]:
        return await self._actions("alert_id = ?", alert_id)

    async def standing_actions(self, key_id: int) -> Sequence[TakenAction]:
        return await self._actions(f"{_STANDING} AND key_id = ?", key_id)

    async def ended_actions(self, now_us: int, most: int) -> Sequence[TakenAction]:
        return await self._actions(f"{_STANDING} AND until_us <= ?", now_us, most=most)

    async def _actions(self, where: str, *values: object, most: int = 1000) -> Sequence[TakenAction]:
        rows = await self._session.all(
            f"SELECT {ACTION.select()} FROM abuse_actions WHERE {where} ORDER BY id LIMIT {most}", *values
        )
        return ACTION.read_all(rows)

    async def undone(self, action_id: int, now_us: int) -> bool:
        return bool(
            await self._session.run(
                f"UPDATE abuse_actions SET undone_us = ? WHERE id = ? AND {_STANDING}", now_us, action_id
            )
        )

    async def carry_throttle(self, key_id: int, new_key_id: int) -> None:
        await self._session.run(
            f"UPDATE abuse_actions SET key_id = ? WHERE key_id = ? AND action = 'throttle' AND {_STANDING}",
            new_key_id,
            key_id,
        )

    async def tunings(self, key_id: int) -> Mapping[str, Tuning]:
        rows = await self._session.all(f"SELECT {TUNING.select()} FROM abuse_tunings WHERE key_id = ?", key_id)
        return {tuning.rule: tuning for tuning in TUNING.read_all(rows)}

    async def all_tunings(self) -> Sequence[Tuning]:
        rows = await self._session.all(f"SELECT {TUNING.select()} FROM abuse_tunings ORDER BY rule, key_id")
        return TUNING.read_all(rows)

    async def tune(self, tuning: Tuning) -> None:
        values = TUNING.row(tuning)
        changed = await self._session.update(
            "abuse_tunings", values, "rule = ? AND key_id = ?", tuning.rule, tuning.key_id
        )
        if not changed:
            await self._session.insert("abuse_tunings", values)

    async def reset(self, rule: str, key_id: int) -> None:
        await self._session.run("DELETE FROM abuse_tunings WHERE rule = ? AND key_id = ?", rule, key_id)

    async def purge(self, hours_before: int, alerts_before_us: int, most: int) -> int:
        return await abuse_evidence.purge(self._session, hours_before, alerts_before_us, most)
