"""One request of a batch, as it was read from its line or from the list that the client sent."""

from __future__ import annotations

from typing import NamedTuple

from softix_proxy.dialects.core.base import Endpoint, RequestSpec


class BatchRequest(NamedTuple):
    """The facts about a request that decide whether it is admitted."""

    custom_id: str
    endpoint: Endpoint
    spec: RequestSpec
    body_bytes: int
    line_bytes: int = 0
    """The length of its line with tags in the place of the client's words. 0 if it is in no file."""
    end_user: str = ""
    """The keyed digest of the user whom it names. Empty if the key does not ask for it."""
