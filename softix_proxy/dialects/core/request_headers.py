"""Selects the headers of a client that a provider gets: those that are listed here with a reason, and no others.

A header may choose another price or another account, and so may a header that nobody has thought of. So every header
that is not listed is dropped. Some types of providers accept more headers, which their profiles list. Operators add
names with the setting `upstream.pass_headers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from softix_proxy.dialects.core.base import Family
from softix_proxy.domain.catalog.profiles import PROFILES
from softix_proxy.domain.catalog.provider_types import ProviderType

Reasons = Mapping[str, str]
"""A mapping from a header's name in lower case to the reason why it may pass."""

COMMON: Reasons = {
    "accept": "says which form of answer the client reads",
    "accept-language": "says in which language errors are read",
    "user-agent": "names the program, by which providers tell SDKs apart",
    "x-request-id": "names the request in the provider's support",
    "x-client-request-id": "names the request in the provider's support",
    "idempotency-key": "names a request that an SDK sends once more",
    "traceparent": "names the request in traces (W3C)",
    "tracestate": "goes with traceparent",
}
"""The headers that pass in every dialect of the client and the provider."""
_STAINLESS = "x-stainless-"
_SDK = "tells the SDK's language, version, and how often it has tried"

FAMILIES: Mapping[Family, Reasons] = {
    "openai": {
        "openai-beta": "turns a beta of the API on",
        "openai-safety-identifier": "tells users apart where the provider watches for abuse",
        "originator": "Codex: which of its programs asks",
        "version": "Codex: its version",
        "session_id": "Codex: the session, by which prompts are found in the cache",
        "session-id": "Codex: the same in newer versions",
        "conversation_id": "Codex: the conversation, by which prompts are found in the cache",
        "thread_id": "Codex: the same in newer versions",
        "thread-id": "Codex: the same in newer versions",
        "x-codex-turn-state": "Codex: what the provider gave it in its last answer, to be led to the same server",
        "x-codex-turn-metadata": "Codex: which turn of a conversation it is",
        "x-codex-beta-features": "Codex: which of its own betas are on",
        "x-codex-installation-id": "Codex: the installation",
        "x-codex-window-id": "Codex: the window",
        "x-codex-parent-thread-id": "Codex: which thread has begun this one",
        "x-openai-subagent": "Codex: which of its helpers asks",
        "x-responsesapi-include-timing-metrics": "Codex: asks for times in the answer",
        "x-session-id": "names a session, by which servers keep its prompts together",
    },
    "anthropic": {
        "anthropic-version": "names the version of the API; without it the provider refuses",
        "anthropic-beta": "turns betas of the API on; what they cost is in the body, and metered",
        "anthropic-dangerous-direct-browser-access": "lets a page in a browser ask",
        "x-app": "Claude Code: which of its programs asks",
        "x-client-app": "Claude's agent SDK: which program asks",
        "x-claude-code-session-id": "Claude Code: the session",
        "x-claude-code-agent-id": "Claude Code: which of its agents asks",
        "x-claude-code-parent-agent-id": "Claude Code: which agent has begun this one",
        "x-claude-remote-session-id": "Claude Code on the web: the session",
        "x-claude-remote-container-id": "Claude Code on the web: the container",
    },
    "gemini": {
        "x-goog-api-client": "tells the SDK's language and version",
        "x-server-timeout": "says after how many seconds the client has given up",
    },
}
PREFIXES: Mapping[Family, Reasons] = {"openai": {_STAINLESS: _SDK}, "anthropic": {_STAINLESS: _SDK}, "gemini": {}}
"""The prefixes of names that may pass, whatever follows them."""

CARRIED: Mapping[str, str] = {"raw_predict": "anthropic-beta", "stream_raw_predict": "anthropic-beta"}
"""A mapping from an endpoint to the header of Anthropic's that passes there although the body is translated."""


class Passing(NamedTuple):
    """The headers of a request that pass."""

    names: frozenset[str]
    prefixes: tuple[str, ...] = ()


@cache
def passing(family: Family, kind: ProviderType | None = None, more: frozenset[str] = frozenset()) -> Passing:
    """Returns the headers for a provider of this type that speaks the client's dialect.

    `more` are the names that the operator added.
    """
    own = () if kind is None else PROFILES[kind].request_headers
    return Passing(frozenset((*COMMON, *FAMILIES[family], *own, *more)), tuple(PREFIXES[family]))


@cache
def passing_translated(endpoint: str, kind: ProviderType, more: frozenset[str] = frozenset()) -> Passing:
    """Returns the headers for a provider of another dialect, for which the body is translated."""
    carried = (CARRIED[endpoint],) if endpoint in CARRIED else ()
    return Passing(frozenset((*COMMON, *PROFILES[kind].request_headers, *carried, *more)))
