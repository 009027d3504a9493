"""The rows of technical data. A group of what was seen is added by one statement for each table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from softix_proxy.domain.privacy.technical_data import (
    FURTHER,
    MOST_ADDRESSES,
    MOST_AGENTS,
    MOST_NETWORKS,
    Agent,
    CallOrigin,
    GuessingNetwork,
    KeyAddress,
    KeyAgent,
    SeenGroup,
    TechnicalDataFilter,
)
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping

_ADDRESS = RecordMapping(KeyAddress, "key_id", "day", "address", "first_us", "last_us", "requests")
_AGENT = RecordMapping(
    KeyAgent, "key_id", "day", "family", "version", "device", "tls", "first_us", "last_us", "requests"
)
_GUESSES = RecordMapping(GuessingNetwork, "day", "network", "first_us", "last_us", "failed", "slowed")
_SELECTED = (
    " WHERE day >= ?1 AND last_us >= ?2 AND (?3 IS NULL OR key_id = ?3)"
    " AND (?4 IS NULL OR key_id IN (SELECT id FROM keys WHERE user_id = ?4))"
    " ORDER BY last_us DESC, key_id, day DESC, requests DESC LIMIT ?5"
)


def _added(
    table: str, place: Sequence[str], names: Sequence[str], sums: Sequence[str], most: int, *, of_keys: bool
) -> str:
    """Returns the statement that adds a JSON array of rows, each an object with its columns.

    `place` is what has the bound, and `names` is what is replaced by `FURTHER` beyond it. Rows of a key that exists no
    more are left out.
    """
    columns = (*place, *names, "first_us", "last_us", *sums)
    values = {name: f"value ->> '{name}'" for name in columns}
    how = {"first_us": "min", "last_us": "max", **dict.fromkeys(sums, "sum")}
    given = ", ".join(f"{how.get(name, '')}({text}) AS {name}" for name, text in values.items())
    grouped = ", ".join(str(at + 1) for at in range(len(place) + len(names)))
    same_place = " AND ".join(f"t.{name} = g.{name}" for name in place)
    same = " AND ".join(f"t.{name} = g.{name}" for name in (*place, *names))
    listed = ", ".join(f"g.{name}" for name in columns)
    within = ", ".join(f"g.{name}" for name in place)
    kept = ", ".join(f"CASE WHEN is_known OR number <= {most} THEN {name} ELSE '{FURTHER}' END" for name in names)
    summed = ", ".join(f"{how[name]}({name})" for name in columns if name in how)
    more = ", ".join(f"{name} = {name} + excluded.{name}" for name in sums)
    return f"""
WITH given AS MATERIALIZED (SELECT {given} FROM json_each(?1) GROUP BY {grouped}),
kept AS MATERIALIZED (
  SELECT {", ".join(f"p.{name}" for name in place)}, (
    SELECT count(*) FROM {table} AS t WHERE {same_place.replace("g.", "p.")} AND t.{names[0]} != '{FURTHER}'
  ) AS number
  FROM (SELECT DISTINCT {", ".join(place)} FROM given) AS p
),
counted AS MATERIALIZED (
  SELECT {listed}, t.{place[0]} IS NOT NULL AS is_known,
    k.number + row_number() OVER (PARTITION BY {within}, t.{place[0]} IS NULL ORDER BY g.first_us) AS number
  FROM given AS g JOIN kept AS k ON {same_place.replace("t.", "k.")} LEFT JOIN {table} AS t ON {same}
  {"WHERE g.key_id IN (SELECT id FROM keys)" if of_keys else ""}
)
INSERT INTO {table} ({", ".join(columns)})
SELECT {", ".join(place)}, {kept}, {summed} FROM counted WHERE true GROUP BY {grouped}
ON CONFLICT ({", ".join((*place, *names))}) DO UPDATE SET
  first_us = min(first_us, excluded.first_us), last_us = max(last_us, excluded.last_us), {more}"""


_ADD_ADDRESSES = _added(
    "technical_addresses", ("key_id", "day"), ("address",), ("requests",), MOST_ADDRESSES, of_keys=True
)
_ADD_AGENTS = _added(
    "technical_agents",
    ("key_id", "day"),
    ("family", "version", "device", "tls"),
    ("requests",),
    MOST_AGENTS,
    of_keys=True,
)
_ADD_GUESSES = _added("technical_guesses", ("day",), ("network",), ("failed", "slowed"), MOST_NETWORKS, of_keys=False)
_OLD = (
    "DELETE FROM technical_addresses WHERE (key_id, day, address) IN"
    " (SELECT key_id, day, address FROM technical_addresses WHERE {} LIMIT ?2)",
    "DELETE FROM technical_agents WHERE (key_id, day, family, version, device, tls) IN"
    " (SELECT key_id, day, family, version, device, tls FROM technical_agents WHERE {} LIMIT ?2)",
    "DELETE FROM technical_guesses WHERE (day, network) IN"
    " (SELECT day, network FROM technical_guesses WHERE {} LIMIT ?2)",
)
_OF_KEYS = _OLD[:2]
_OLD_ORIGINS = "DELETE FROM audit_origins WHERE entry_id IN (SELECT entry_id FROM audit_origins WHERE {} LIMIT ?2)"
_EMPTIED = (
    "UPDATE security_events SET address = '', device = '', version = '', tls = '' WHERE id IN"
    " (SELECT id FROM security_events WHERE {} AND (address, device, version, tls) != ('', '', '', '') LIMIT ?2)"
)


class SqliteTechnicalDataStore:
    """Stores technical data, until it is purged."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def note(self, seen: SeenGroup) -> None:
        for statement, rows in (
            (_ADD_ADDRESSES, seen.addresses),
            (_ADD_AGENTS, seen.agents),
            (_ADD_GUESSES, seen.guesses),
        ):
            if rows:
                await self._session.run(statement, json.dumps([row._asdict() for row in rows]))

    async def addresses_of_key(self, key_id: int, since_us: int = 0) -> Sequence[KeyAddress]:
        return await self.addresses(TechnicalDataFilter(key_id=key_id, since_us=since_us), -1)

    async def addresses(self, wanted: TechnicalDataFilter, limit: int) -> Sequence[KeyAddress]:
        statement = f"SELECT {_ADDRESS.select()} FROM technical_addresses{_SELECTED}"
        return _ADDRESS.read_all(await self._session.all(statement, *await self._selected(wanted), limit))

    async def agents(self, wanted: TechnicalDataFilter, limit: int) -> Sequence[KeyAgent]:
        statement = f"SELECT {_AGENT.select()} FROM technical_agents{_SELECTED}"
        return _AGENT.read_all(await self._session.all(statement, *await self._selected(wanted), limit))

    async def _selected(self, wanted: TechnicalDataFilter) -> tuple[object, ...]:
        since_day = (await self._session.calendar()).day(wanted.since_us)
        return since_day, wanted.since_us, wanted.key_id, wanted.user_id

    async def guesses(self, since_us: int, limit: int) -> Sequence[GuessingNetwork]:
        rows = await self._session.all(
            f"SELECT {_GUESSES.select()} FROM technical_guesses WHERE day >= ? AND last_us >= ?"
            " ORDER BY failed + slowed DESC, day DESC, network LIMIT ?",
            (await self._session.calendar()).day(since_us),
            since_us,
            limit,
        )
        return _GUESSES.read_all(rows)

    async def origin_of(self, entry_id: int) -> CallOrigin | None:
        row = await self._session.one(
            "SELECT address, family, version, device, tls FROM audit_origins WHERE entry_id = ?", entry_id
        )
        if row is None:
            return None
        address, family, version, device, tls = row
        return CallOrigin(address, Agent(family, version, device), tls)

    async def purge_before(self, before_us: int, most: int) -> int:
        day = (await self._session.calendar()).day(before_us)
        asked = [(each.format("day < ?1"), day) for each in _OLD]
        asked.append((_OLD_ORIGINS.format("at_us < ?1"), before_us))
        return await self._first_of(asked, most)

    async def purge_key(self, key_id: int, most: int) -> int:
        return await self._first_of([(each.format("key_id = ?1"), key_id) for each in _OF_KEYS], most)

    async def purge_account(self, account_id: int, public_id: str, most: int) -> int:
        origins, events = _OLD_ORIGINS.format("actor = ?1"), _EMPTIED.format("account_id = ?1")
        return await self._first_of([(origins, public_id), (events, account_id)], most)

    async def purge_all(self, most: int) -> int:
        statements = [each.format("?1 IS NULL") for each in (*_OLD, _OLD_ORIGINS, _EMPTIED)]
        return await self._first_of([(each, None) for each in statements], most)

    async def note_purge(self, subject: str, removed: int) -> None:
        row = {"at_us": self._session.clock.now_us(), "kind": "technical-data", "subject": subject, "removed": removed}
        await self._session.insert("purges", row)

    async def _first_of(self, asked: Iterable[tuple[str, object]], most: int) -> int:
        """Runs the statements until `most` rows are gone. Returns the number of rows."""
        gone = 0
        for statement, value in asked:
            if gone < most:
                gone += await self._session.run(statement, value, most - gone)
        return gone
