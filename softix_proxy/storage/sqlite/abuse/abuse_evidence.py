"""Gathers what the rules against abuse look at, in portions.

The newest rows of `usage` are found by their number, which is a time, so that nothing scans the table.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256

from softix_proxy.domain.abuse.evidence import (
    HOUR_US,
    Everyone,
    Guesses,
    HourUse,
    KeyHours,
    PaymentTries,
    Registration,
    mailbox_of,
)
from softix_proxy.domain.access.networks import client_network
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.domain.pricing.meters import INPUT_METERS, OUTPUT_METERS
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping

_CURSOR = "usage"
_HISTORY_US = 36 * DAY_US
"""How far back the first portion begins."""
_HUNG_UP = "client_hung_up"
_TOKENS = " + ".join(f"coalesce({name}, 0)" for name in sorted(INPUT_METERS | OUTPUT_METERS))
_USE = RecordMapping(HourUse, *HourUse._fields)
_EVERYONE = RecordMapping(Everyone, *Everyone._fields)
_TRIES = RecordMapping(PaymentTries, *PaymentTries._fields)
_ADD_USE = ", ".join(f"{name} = {name} + excluded.{name}" for name in HourUse._fields)
_END = "SELECT max(id), count(*) FROM (SELECT id FROM usage WHERE id > ? AND id <= ? ORDER BY id LIMIT ?)"
_GATHER = f"""
INSERT INTO abuse_hours (key_id, hour, {", ".join(HourUse._fields)})
SELECT key_id, id / {HOUR_US}, count(*), count(*) FILTER (WHERE error IS NOT NULL AND error <> '{_HUNG_UP}'), 0,
  count(*) FILTER (WHERE error = '{_HUNG_UP}'), sum({_TOKENS}), sum(charge_pico)
FROM usage WHERE id > ?1 AND id <= ?2 AND corrects_row_id IS NULL AND key_id IN (SELECT id FROM keys) GROUP BY 1, 2
ON CONFLICT (key_id, hour) DO UPDATE SET {_ADD_USE}"""
_REFUSED = """
INSERT INTO abuse_hours (key_id, hour, refused)
SELECT CAST(key AS INTEGER), ?1, value FROM json_each(?2) WHERE CAST(key AS INTEGER) IN (SELECT id FROM keys)
ON CONFLICT (key_id, hour) DO UPDATE SET refused = refused + excluded.refused"""
_GUESSED = """
INSERT INTO abuse_guesses (hour, network, failed) SELECT ?1, key, value FROM json_each(?2) WHERE true
ON CONFLICT (hour, network) DO UPDATE SET failed = failed + excluded.failed"""
_MOST_EVENTS = 5000
_MOST_PAYMENTS = 5000
_SMALL_CENTS = 1000
_PURGED_HOURS = (
    "DELETE FROM abuse_hours WHERE (key_id, hour) IN"
    " (SELECT key_id, hour FROM abuse_hours INDEXED BY abuse_hours_by_hour WHERE hour < ? LIMIT ?)"
)


async def gather(session: DatabaseSession, most: int) -> int:
    """Adds the next rows of usage to the sums of hours, in the caller's transaction. Returns how many there were."""
    now_us = session.clock.now_us()
    row = await session.one("SELECT at FROM abuse_cursors WHERE name = ?", _CURSOR)
    begun_us = min(row[0], now_us) if row else now_us - _HISTORY_US
    [(end, count)] = await session.all(_END, begun_us, now_us, most)
    if count:
        await session.run(_GATHER, begun_us, end)
    reached_us = end if count else begun_us
    if row is None or reached_us != row[0]:
        await session.run("INSERT OR REPLACE INTO abuse_cursors (name, at) VALUES (?, ?)", _CURSOR, reached_us)
    return int(count)


async def add_refusals(
    session: DatabaseSession, hour: int, by_key: Mapping[int, int], by_network: Mapping[str, int]
) -> None:
    if by_key:
        await session.run(_REFUSED, hour, json.dumps(dict(by_key)))
    if by_network:
        await session.run(_GUESSED, hour, json.dumps(dict(by_network)))


async def active_keys(
    session: DatabaseSession, hour: int, after_key_id: int, most: int
) -> Sequence[tuple[int, HourUse]]:
    rows = await session.all(
        f"SELECT {_USE.select()}, key_id FROM abuse_hours WHERE hour = ? AND key_id > ? ORDER BY key_id LIMIT ?",
        hour,
        after_key_id,
        most,
    )
    return [(row[-1], _USE.read(row)) for row in rows]


async def key_use(session: DatabaseSession, key_id: int, hour: int, since_hour: int) -> KeyHours:
    """Returns what the key did up to this hour, and what all others did in it. Raises NotFoundError."""
    key = await session.one("SELECT public_id, user_id FROM keys WHERE id = ?", key_id)
    if key is None:
        raise NotFoundError(f"no key with the number {key_id}")
    rows = await session.all(
        f"SELECT {_USE.select()}, hour FROM abuse_hours WHERE key_id = ? AND hour BETWEEN ? AND ?",
        key_id,
        since_hour,
        hour,
    )
    sums = await session.one(
        f"SELECT {_EVERYONE.select()} FROM (SELECT coalesce(sum(requests), 0) AS requests,"
        " coalesce(sum(failures), 0) AS failures, coalesce(sum(refused), 0) AS refused"
        " FROM abuse_hours WHERE hour = ? AND key_id <> ?)",
        hour,
        key_id,
    )
    by = await session.calendar()
    [piece] = list(by.pieces(hour * HOUR_US, hour * HOUR_US + 1))
    return KeyHours(
        key_id=key_id,
        public_id=key[0],
        user_id=key[1],
        hour=hour,
        hours={row[-1]: _USE.read(row) for row in rows},
        everyone=Everyone() if sums is None else _EVERYONE.read(sums),
        offset_hours=piece.offset_us // HOUR_US,
    )


async def guesses(session: DatabaseSession, since_us: int, most: int) -> Sequence[Guesses]:
    rows = await session.all(
        "SELECT network, sum(failed) FROM abuse_guesses WHERE hour >= ? GROUP BY network"
        " ORDER BY sum(failed) DESC LIMIT ?",
        since_us // HOUR_US,
        most,
    )
    keys: Counter[str] = Counter(dict(rows))
    sign_ins: Counter[str] = Counter()
    for (address,) in await session.all(
        "SELECT address FROM security_events WHERE at_us >= ? AND kind = 'sign_in_failed' AND address <> '' LIMIT ?",
        since_us,
        _MOST_EVENTS,
    ):
        sign_ins[client_network(address)] += 1
    networks = {network for network, _ in (keys + sign_ins).most_common(most)}
    return [Guesses(network, keys[network], sign_ins[network]) for network in sorted(networks)]


async def registrations(session: DatabaseSession, since_us: int, most: int) -> Sequence[Registration]:
    rows = await session.all(
        "SELECT a.public_id, e.address, a.folded_email, e.device FROM security_events AS e"
        " JOIN login_accounts AS a ON a.id = e.account_id"
        " WHERE e.at_us >= ? AND e.kind = 'registered' ORDER BY e.at_us DESC LIMIT ?",
        since_us,
        most,
    )
    return [
        Registration(
            account,
            client_network(address) if address else "",
            sha256(mailbox_of(email).encode()).hexdigest(),
            device,
        )
        for account, address, email, device in rows
    ]


async def payment_tries(session: DatabaseSession, since_us: int, most: int) -> Sequence[PaymentTries]:
    rows = await session.all(
        f"SELECT {_TRIES.select()} FROM (SELECT user_id,"
        " (SELECT public_id FROM users WHERE id = user_id) AS organisation, count(*) AS tried,"
        " count(*) FILTER (WHERE state = 'failed') AS failed,"
        f" count(*) FILTER (WHERE state = 'failed' AND asked_cents <= {_SMALL_CENTS}) AS small_failed,"
        " count(*) FILTER (WHERE state IN ('open', 'processing')) AS open,"
        " count(*) FILTER (WHERE state = 'paid') AS paid"
        " FROM (SELECT user_id, kind, state, asked_cents, created_at_us FROM payments"
        f" ORDER BY id DESC LIMIT {_MOST_PAYMENTS})"
        " WHERE created_at_us >= ? AND kind = 'checkout' GROUP BY user_id) ORDER BY tried DESC LIMIT ?",
        since_us,
        most,
    )
    return _TRIES.read_all(rows)


async def purge(session: DatabaseSession, hours_before: int, alerts_before_us: int, most: int) -> int:
    removed = await session.run(_PURGED_HOURS, hours_before, most)
    removed += await session.run(
        "DELETE FROM abuse_guesses WHERE (hour, network) IN (SELECT hour, network FROM abuse_guesses"
        " WHERE hour < ? LIMIT ?)",
        session.clock.now_us() // HOUR_US - 48,
        most,
    )
    old = (
        "SELECT id FROM abuse_alerts WHERE last_us < ? AND acked_us IS NOT NULL AND id NOT IN"
        " (SELECT alert_id FROM abuse_actions WHERE undone_us IS NULL) LIMIT ?"
    )
    await session.run(f"DELETE FROM abuse_actions WHERE alert_id IN ({old})", alerts_before_us, most)
    return removed + await session.run(f"DELETE FROM abuse_alerts WHERE id IN ({old})", alerts_before_us, most)
