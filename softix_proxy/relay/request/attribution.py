"""Says to what the usage of a request belongs: the tags of its key and of its header, and the user whom it names."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.dialects.request.end_users import named_user
from softix_proxy.domain.access.keys import Key
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.metering.usage_tags import BadTagError, combined, split_header
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.relay.core.plan import Caller
from softix_proxy.relay.core.policy import Policy

_PURPOSE = "end-user"


def usage_tags(key: Key, values: Sequence[str], policy: Policy) -> str:
    """Returns the tags of a request as they are stored. `values` are those of its header. Raises RefusedError."""
    if not values:
        return " ".join(key.tags)
    try:
        return combined(key.tags, split_header(values), policy.tags)
    except BadTagError as error:
        raise RefusedError(Code.INVALID_REQUEST, f"The header x-softix-tag: {error.message}.") from None


def end_user(caller: Caller, body: bytes, vault: Vault) -> str:
    """Returns the keyed digest of the user whom the request names. Empty if it names none.

    The same word means the same person for all keys of an organisation, and another one in any other organisation.
    """
    word = named_user(body)
    return vault.keyed_digest(_PURPOSE, f"{caller.user.id}\0{word}") if word else ""
