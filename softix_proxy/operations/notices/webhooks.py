"""The operations on endpoints of webhooks: add and change them, and replay what did not arrive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from softix_proxy.domain.catalog.forbidden_hosts import is_forbidden_host, is_private_host
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.errors import BadInputError, ConflictError, FailureError, NotFoundError
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.core.loopback import is_loopback
from softix_proxy.domain.notices.webhook_events import CHOSEN, EventKind
from softix_proxy.domain.notices.webhook_signatures import new_secret
from softix_proxy.domain.notices.webhooks import (
    Delivery,
    DeliveryState,
    EndpointStatus,
    ListedDelivery,
    WebhookEndpoint,
)
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.domain.ports.webhook_post import WebhookFault
from softix_proxy.operations.core.bound_secret import SealedCount

_LONGEST_URL = 2048
_EXAMPLE = "write one like https://example.org/softix"


@dataclass(frozen=True, slots=True)
class EndpointWithSecret:
    """An endpoint, and its secret at the only moment at which it is shown."""

    endpoint: WebhookEndpoint
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EndpointDetails:
    """An endpoint with what operators want to know of it."""

    endpoint: WebhookEndpoint
    owner: str | None
    """The name of the organisation. None means the whole instance."""
    waiting: int
    failed: int


async def add(
    storage: Storage,
    vault: Vault,
    url: str,
    *,
    kinds: Sequence[str] = (),
    user: str | None = None,
    allow_private: bool = False,
) -> EndpointWithSecret:
    """Adds an endpoint, which is told of events from now on. Raises BadInputError and NotFoundError."""
    place, public_id, secret = checked_url(url, allow_private=allow_private), new_public_id("whk"), new_secret()
    async with storage.writing() as unit:
        owner = None if user is None else await _organisation(unit, user)
        made = WebhookEndpoint(
            id=0,
            public_id=public_id,
            url=place,
            kinds=checked_kinds(kinds),
            user_id=owner,
            status=EndpointStatus.ENABLED,
            allow_private=allow_private,
            sealed_secret=vault.seal_secret(secret, *_place(public_id, place)),
            sealed_old_secret=None,
            old_secret_until_us=None,
            failing_since_us=None,
            created_at_us=unit.clock.now_us(),
        )
        return EndpointWithSecret(await unit.webhooks.add(made), secret)


async def _organisation(unit: Unit, reference: str) -> int:
    user = await unit.users.find(reference)
    if user is None:
        raise NotFoundError(f"no user {reference!r}", "see: softix users list")
    return user.id


def checked_url(text: str, *, allow_private: bool) -> str:
    """Returns the URL. Raises BadInputError if events must not go there.

    It is https, or http on this machine. What a host name leads to is looked at again with each attempt.
    """
    try:
        url = urlsplit(text)
        host, port = url.hostname or "", url.port
    except ValueError:
        raise BadInputError("not a URL", _EXAMPLE) from None
    if not (text.isascii() and text.isprintable() and " " not in text and host and port != 0):
        raise BadInputError("not a URL", _EXAMPLE)
    if len(text) > _LONGEST_URL:
        raise BadInputError(f"the URL has more than {_LONGEST_URL} letters", _EXAMPLE)
    if "@" in url.netloc or url.fragment:
        raise BadInputError("the URL has a user name or a fragment", "the signature says who sends: leave them out")
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(host)):
        raise BadInputError("events go by https only, except to a program on this machine", _EXAMPLE)
    if is_forbidden_host(host):
        raise BadInputError("a cloud keeps secrets at that address, or it is link-local", "name the receiver's host")
    if is_private_host(host) and not allow_private:
        raise BadInputError(
            "that is an address of this machine or of a private network", "if it is meant: --allow-private"
        )
    return text


def checked_kinds(kinds: Sequence[str]) -> tuple[EventKind, ...]:
    """Returns the kinds in their usual order. Raises BadInputError for one that nobody can choose."""
    unknown = sorted({*kinds} - {*CHOSEN})
    if unknown:
        raise BadInputError(f"no kind of event {unknown[0]!r}", f"choose among {', '.join(CHOSEN)}")
    return tuple(kind for kind in CHOSEN if kind in kinds)


async def find(unit: Unit, public_id: str) -> WebhookEndpoint:
    """Returns the endpoint. Raises NotFoundError."""
    found = await unit.webhooks.find(public_id)
    if found is None:
        raise NotFoundError(f"no endpoint {public_id!r}", "see: softix webhooks list")
    return found


async def list_all(storage: Storage) -> Sequence[EndpointDetails]:
    async with storage.snapshot() as unit:
        return [await _details(unit, endpoint) for endpoint in await unit.webhooks.list()]


async def show(storage: Storage, public_id: str, limit: int) -> tuple[EndpointDetails, Sequence[ListedDelivery]]:
    """Returns the endpoint, and its last deliveries. Raises NotFoundError."""
    async with storage.snapshot() as unit:
        endpoint = await find(unit, public_id)
        return await _details(unit, endpoint), await unit.webhooks.deliveries(endpoint.id, limit)


async def _details(unit: Unit, endpoint: WebhookEndpoint) -> EndpointDetails:
    counts = await unit.webhooks.counts(endpoint.id)
    owner = None if endpoint.user_id is None else (await unit.users.get(endpoint.user_id)).name
    waiting, failed = counts.get(DeliveryState.WAITING, 0), counts.get(DeliveryState.FAILED, 0)
    return EndpointDetails(endpoint, owner, waiting, failed)


async def enable(storage: Storage, public_id: str) -> WebhookEndpoint:
    """Lets the endpoint be told of events from now on. Raises NotFoundError."""
    async with storage.writing() as unit:
        endpoint = replace(await find(unit, public_id), status=EndpointStatus.ENABLED, failing_since_us=None)
        await unit.webhooks.update(endpoint)
        return endpoint


async def disable(storage: Storage, public_id: str) -> WebhookEndpoint:
    """Tells the endpoint nothing any more. What waits for it is given up, and can be replayed."""
    async with storage.writing() as unit:
        return await close(unit, await find(unit, public_id), EndpointStatus.DISABLED)


async def close(unit: Unit, endpoint: WebhookEndpoint, status: EndpointStatus) -> WebhookEndpoint:
    """Disables the endpoint in the caller's transaction, for the reason that the status names."""
    closed = replace(endpoint, status=status, failing_since_us=None)
    await unit.webhooks.update(closed)
    await unit.webhooks.give_up_waiting(endpoint.id, WebhookFault.DISABLED.value, unit.clock.now_us())
    return closed


async def rotate_secret(storage: Storage, vault: Vault, public_id: str, grace_us: int) -> EndpointWithSecret:
    """Gives the endpoint a new secret. The one before signs as well until the grace is over."""
    secret = new_secret()
    async with storage.writing() as unit:
        endpoint = await find(unit, public_id)
        rotated = replace(
            endpoint,
            sealed_secret=vault.seal_secret(secret, *place_of(endpoint)),
            sealed_old_secret=endpoint.sealed_secret if grace_us else None,
            old_secret_until_us=unit.clock.now_us() + grace_us if grace_us else None,
        )
        await unit.webhooks.update(rotated)
        return EndpointWithSecret(rotated, secret)


async def remove(storage: Storage, public_id: str) -> WebhookEndpoint:
    """Removes the endpoint with all that waits for it. Raises NotFoundError."""
    async with storage.writing() as unit:
        endpoint = await find(unit, public_id)
        await unit.webhooks.remove(endpoint.id)
        return endpoint


async def replay(storage: Storage, public_id: str) -> Delivery:
    """Lets a delivery that ended be sent again, with the same id. Raises NotFoundError and ConflictError."""
    async with storage.writing() as unit:
        delivery = await unit.webhooks.find_delivery(public_id)
        if delivery is None:
            raise NotFoundError(f"no delivery {public_id!r}", "see: softix webhooks show ENDPOINT")
        endpoint = await unit.webhooks.get(delivery.endpoint_id)
        if endpoint is None or endpoint.status is not EndpointStatus.ENABLED:
            raise ConflictError("its endpoint is disabled", "run softix webhooks enable ENDPOINT first")
        if delivery.state is DeliveryState.WAITING:
            raise ConflictError(f"{public_id} waits to be sent anyway", "see: softix webhooks show ENDPOINT")
        await unit.webhooks.replay(delivery.id, unit.clock.now_us())
        return delivery


async def replay_failed(storage: Storage, since_us: int, public_id: str | None = None) -> int:
    """Lets all that were given up be sent again, of events since then. Returns how many. Raises NotFoundError."""
    async with storage.writing() as unit:
        endpoint_id = None
        if public_id is not None:
            endpoint = await find(unit, public_id)
            endpoint_id = endpoint.id
            if endpoint.status is not EndpointStatus.ENABLED:
                raise ConflictError("the endpoint is disabled", f"run softix webhooks enable {public_id} first")
        return await unit.webhooks.replay_failed(endpoint_id, since_us, unit.clock.now_us())


def as_fields(details: EndpointDetails) -> dict[str, Any]:
    """Returns the fields that an operator is shown. The secret is not among them."""
    endpoint = details.endpoint
    return {
        "id": endpoint.public_id,
        "url": endpoint.url,
        "user": details.owner,
        "events": [kind.value for kind in endpoint.kinds],
        "status": endpoint.condition,
        "waiting": details.waiting,
        "failed": details.failed,
        "allow_private": endpoint.allow_private,
        "failing_since": format_instant(endpoint.failing_since_us),
        "old_secret_until": format_instant(endpoint.old_secret_until_us),
        "created_at": format_instant(endpoint.created_at_us),
    }


def delivery_fields(listed: ListedDelivery) -> dict[str, Any]:
    """Returns the fields of a delivery that an operator is shown."""
    delivery, is_waiting = listed.delivery, listed.delivery.state is DeliveryState.WAITING
    return {
        "id": delivery.public_id,
        "event": listed.event_public_id,
        "kind": listed.kind.value,
        "at": format_instant(listed.at_us),
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "status_code": delivery.status_code,
        "error": delivery.error,
        "next_at": format_instant(delivery.next_at_us) if is_waiting else None,
        "ended_at": format_instant(delivery.ended_at_us),
    }


def secrets_of(vault: Vault, endpoint: WebhookEndpoint, now_us: int) -> Sequence[str]:
    """Returns the secrets that sign now, the newest first. Raises FailureError if one does not open."""
    sealed = [endpoint.sealed_secret]
    if endpoint.sealed_old_secret is not None and now_us < (endpoint.old_secret_until_us or 0):
        sealed.append(endpoint.sealed_old_secret)
    return [vault.open_secret(each, *place_of(endpoint)) for each in sealed]


def place_of(endpoint: WebhookEndpoint) -> tuple[str, ...]:
    """Returns what a secret is bound to, so that it signs for no other endpoint and no other URL."""
    return _place(endpoint.public_id, endpoint.url)


def _place(public_id: str, url: str) -> tuple[str, ...]:
    return ("webhook_endpoints", public_id, "secret", url)


async def rewrap(storage: Storage, vault: Vault) -> int:
    """Wraps all secrets anew for the current master key. Returns how many. Raises FailureError if one does not open."""
    rewrapped, closed = 0, list[str]()
    for endpoint, sealed in await _outstanding(storage.reading(), vault):
        try:
            after = vault.rewrap_secret(sealed, *place_of(endpoint))
        except FailureError:
            closed.append(endpoint.public_id)
            continue
        async with storage.writing() as unit:
            rewrapped += await unit.webhooks.reseal(endpoint.id, sealed, after)
    if closed:
        raise FailureError(
            f"the secrets of these endpoints do not open: {', '.join(closed)}",
            "give each a new one with softix webhooks rotate-secret ENDPOINT --grace 0s, then run this again",
        )
    return rewrapped


async def count(unit: Unit, vault: Vault) -> SealedCount:
    """Counts the secrets of endpoints."""
    stored = sum(len(_sealed(endpoint)) for endpoint in await unit.webhooks.list())
    return SealedCount(stored, len(await _outstanding(unit, vault)))


def _sealed(endpoint: WebhookEndpoint) -> Sequence[bytes]:
    return [each for each in (endpoint.sealed_secret, endpoint.sealed_old_secret) if each is not None]


async def _outstanding(unit: Unit, vault: Vault) -> Sequence[tuple[WebhookEndpoint, bytes]]:
    return [
        (endpoint, sealed)
        for endpoint in await unit.webhooks.list()
        for sealed in _sealed(endpoint)
        if not _is_current(vault, sealed)
    ]


def _is_current(vault: Vault, sealed: bytes) -> bool:
    try:
        return vault.sealed_by(sealed) == vault.master_key_id
    except FailureError:
        return False
