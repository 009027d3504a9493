"""Reads what changed in the directory since a revision."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from fractions import Fraction
from typing import Any

from softix_proxy.domain.directory import Changes
from softix_proxy.domain.keys import Key, KeyStatus, Limits
from softix_proxy.domain.models import Model, ModelStatus
from softix_proxy.domain.prices import MarkupVersion, PriceVersion
from softix_proxy.domain.pricing import Sheet
from softix_proxy.domain.providers import Provider, ProviderKey, ProviderStatus, ProviderType
from softix_proxy.domain.routes import Leg, Route, RouteStatus, Timeouts
from softix_proxy.domain.users import Role, Status, User
from softix_proxy.storage.database import DatabaseRow, DatabaseSession

USER = "id, public_id, name, email, role, status, postpaid, created_at_us, regions"
KEY = (
    "id, public_id, user_id, label, prefix, digest, models, allow_ip, rpm, tpm, concurrency, cap_pico, cap_period, "
    "status, expires_at_us, created_at_us, regions"
)
PROVIDER = (
    "id, public_id, name, type, base_url, sealed_key, on_hang_up, status, created_at_us, region, key_weight, "
    "version_in_url, drop_fields, "
    "(SELECT json_group_array(json_array(public_id, label, hex(sealed_key), weight)) FROM (SELECT * FROM provider_keys"
    " WHERE provider_id = providers.id ORDER BY id))"
)
ROUTE = "id, public_id, name, legs, retries, sticky, connect_ms, first_byte_ms, idle_ms, status, created_at_us"
MODEL = "id, name, provider_id, upstream_name, context_tokens, max_output_tokens, status, created_at_us"
PRICE = "id, model_id, user_id, source, sheet, starts_at_us, created_at_us"
MARKUP = "id, scope, subject_id, numerator, denominator, starts_at_us, created_at_us, fee_pico"


def to_user(row: DatabaseRow) -> User:
    number, public_id, name, email, role, status, postpaid, created, regions = row
    bound_to = tuple(json.loads(regions))
    return User(number, public_id, name, email, Role(role), Status(status), bool(postpaid), created, bound_to)


def to_key(row: DatabaseRow) -> Key:
    number, public_id, user_id, label, prefix, digest, models, allow_ip, *limits, status, expires, created, regions = (
        row
    )
    return Key(
        number,
        public_id,
        user_id,
        label,
        prefix,
        digest,
        tuple(json.loads(models)),
        tuple(json.loads(allow_ip)),
        Limits(*limits),
        KeyStatus(status),
        expires,
        created,
        tuple(json.loads(regions)),
    )


def to_provider(row: DatabaseRow) -> Provider:
    number, public_id, name, kind, base_url, sealed_key, on_hang_up, status, created, region, key_weight, *more = row
    version_in_url, drop_fields, more_keys = more
    return Provider(
        number,
        public_id,
        name,
        ProviderType(kind),
        base_url,
        sealed_key,
        on_hang_up,
        ProviderStatus(status),
        created,
        region,
        key_weight,
        tuple(
            ProviderKey(key_id, label, bytes.fromhex(sealed), weight)
            for key_id, label, sealed, weight in json.loads(more_keys)
        ),
        bool(version_in_url),
        tuple(json.loads(drop_fields)),
    )


def to_model(row: DatabaseRow) -> Model:
    number, name, provider_id, upstream_name, context, max_output, status, created = row
    return Model(number, name, provider_id, upstream_name, context, max_output, ModelStatus(status), created)


def to_price(row: DatabaseRow) -> PriceVersion:
    number, model_id, user_id, source, sheet, starts, created = row
    return PriceVersion(number, model_id, user_id, source, Sheet.parse(json.loads(sheet)), starts, created)


def to_markup(row: DatabaseRow) -> MarkupVersion:
    number, scope, subject_id, numerator, denominator, starts, created, fee_pico = row
    return MarkupVersion(number, scope, subject_id, Fraction(numerator, denominator), starts, created, fee_pico)


def to_route(row: DatabaseRow) -> Route:
    number, public_id, name, legs, retries, sticky, *timeouts, status, created = row
    return Route(
        number,
        public_id,
        name,
        tuple(_to_leg(leg) for leg in json.loads(legs)),
        retries,
        bool(sticky),
        Timeouts(*timeouts),
        RouteStatus(status),
        created,
    )


def _to_leg(stored: Mapping[str, Any]) -> Leg:
    timeouts = Timeouts(*(stored.get(field.name) for field in fields(Timeouts)))
    return Leg(stored["model_id"], stored["weight"], stored["tier"], timeouts, stored.get("concurrency"))


async def revision(session: DatabaseSession) -> int:
    row = await session.one("SELECT value FROM directory_revision")
    return int(row[0]) if row else 0


async def changes(session: DatabaseSession, since: int) -> Changes:
    """Every row changed after `since`, as of one revision that is read first: later changes are read again later."""
    current = await revision(session)
    if current == since:
        return Changes(current)

    async def rows(columns: str, table: str) -> list[DatabaseRow]:
        return list(await session.all(f"SELECT {columns} FROM {table} WHERE revision > ? ORDER BY id", since))

    # What refers to others is read first, so that a row never names one that was not read.
    keys = tuple(to_key(row) for row in await rows(KEY, "keys"))
    prices = tuple(to_price(row) for row in await rows(PRICE, "prices"))
    markups = tuple(to_markup(row) for row in await rows(MARKUP, "markups"))
    routes = tuple(to_route(row) for row in await rows(ROUTE, "routes"))
    models = tuple(to_model(row) for row in await rows(MODEL, "models"))
    providers = tuple(to_provider(row) for row in await rows(PROVIDER, "providers"))
    users = tuple(to_user(row) for row in await rows(USER, "users"))
    return Changes(current, users, keys, providers, models, prices, markups, routes)
