"""The endpoints POST /v1/messages and /v1/messages/count_tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from softix_proxy.dialects.anthropic import betas, visible_members
from softix_proxy.dialects.anthropic.members import COUNT_TOKENS, MESSAGES
from softix_proxy.dialects.anthropic.references import NAMES, PLAIN, RULES, member_refs, message_refs
from softix_proxy.dialects.anthropic.stored_refs import STORED, THREAD_STORED, stored_refs_of
from softix_proxy.dialects.core.base import CallShare, Family, RequestSpec, StreamMeter, UsageReport
from softix_proxy.dialects.core.errors import classify_event
from softix_proxy.dialects.core.hosted_work import UNKNOWN_TOOL
from softix_proxy.dialects.core.sse import EventAction, EventMeter
from softix_proxy.dialects.core.tokens import count, model_name, modes, read_answer, tier
from softix_proxy.dialects.request.fields import MALFORMED, SHARED, JsonMembers, fits, is_heavy, read_request, unmetered
from softix_proxy.dialects.request.hiding import HIDES_ANYTHING, hidden_parts
from softix_proxy.dialects.request.references import FoundRefs
from softix_proxy.dialects.request.tools import (
    CLIENT_SIDE,
    DEFAULT_CALLS,
    TOOLS,
    HostedTools,
    ToolBilling,
    ToolBillings,
    read_tools,
    with_max_uses,
)
from softix_proxy.domain.access.objects import ObjectRef
from softix_proxy.domain.pricing.rates import STANDARD, UNKNOWN_TIER

_LIMIT = "max_tokens"
_COMPACTING = frozenset(("context_management", "compaction"))
"""The fields by which the model may summarise its input before it answers."""
_BILLED_TO = "billing_policy"
_WATCHED = SHARED | MESSAGES.watched | NAMES | {_LIMIT, _BILLED_TO, "messages", "tools", "speed", "inference_geo"}
_GLOBAL = (None, "global")
_LOOP_ROUNDS = 10
"""The most times that Anthropic has the model read on before it pauses, whatever tools there are.

Source: "The server-side loop and pause_turn" in Anthropic's documentation of server tools.
"""
_TOOLS: ToolBillings = {
    "custom": CLIENT_SIDE,
    "bash": CLIENT_SIDE,
    "text_editor": CLIENT_SIDE,
    "memory": CLIENT_SIDE,
    "computer": CLIENT_SIDE,
    "computer_toolset": CLIENT_SIDE,
    "browser_toolset": CLIENT_SIDE,
    "tool_search_tool_regex": CLIENT_SIDE,
    "tool_search_tool_bm25": CLIENT_SIDE,
    "mcp_toolset": ToolBilling(None, open_input=True, rounds=_LOOP_ROUNDS - 1),
    "web_fetch": ToolBilling(None, open_input=True, limited=True),
    "web_search": ToolBilling("web_search_calls", open_input=True, limited=True),
}
"""The tool types that can be metered.

Code execution is not among them, since it is paid by the container's time, which no response reports.
"""


class Messages:
    """Meters Anthropic's messages. Their input excludes the cache, and their streamed usage is cumulative."""

    name = "messages"
    family: Family = "anthropic"
    path = "/v1/messages"
    metered = True
    framed = True
    form_fields: frozenset[str] | None = None
    members = MESSAGES
    bound_header = betas.HEADER

    def read(self, body: bytes) -> RequestSpec:
        model, fields = read_request(body, _WATCHED)
        members = MESSAGES.read(fields)
        hosted = read_tools(fields.raw("tools"), _TOOLS)
        outside = fields.having(MESSAGES.opens)
        compacts, mcp = _compacts(fields), fields.has("mcp_servers")
        _check_who_is_billed(fields)
        if fields.text("inference_geo") not in _GLOBAL:
            raise unmetered("`inference_geo` raises the price, which cannot be metered here. Send none, or `global`.")
        limit = fields.count(_LIMIT, least=0)
        text_only = fits(fields.raw("messages"), PLAIN)
        refs = _refs(fields, hosted.named, len(body), text_only=text_only)
        fast = fields.text("speed") == "fast"
        open_input = members.opens or hosted.open_input or is_heavy(body) or not text_only
        stream = fields.flag("stream")
        hides = HIDES_ANYTHING
        if stream and not (open_input or hosted.calls or visible_members.CACHES in body):
            hides = hidden_parts(body, fields, visible_members.MESSAGES)
        return RequestSpec(
            model=model,
            stream=stream,
            # A limit of 0 only fills the cache. The hold counts it as one token.
            max_output_tokens=None if limit is None else max(limit, 1),
            service_tier="fast" if fast else tier(fields.text("service_tier")),
            # A summary is billed beside the answer, and all of the input is read for it.
            choices=2 if compacts else 1,
            open_input=open_input,
            calls=hosted.calls,
            rounds=_rounds(hosted, mcp=mcp, compacts=compacts),
            call_limit=DEFAULT_CALLS if hosted.unlimited else None,
            call_share=_call_share(hosted, mcp=mcp, compacts=compacts) if hosted.unlimited else None,
            members=(*outside, *TOOLS) if hosted.open_input else outside,
            unknown_members=members.unknown,
            refs=refs,
            stored_kinds=THREAD_STORED if fields.has_any(_HELD) else STORED,
            hides=hides,
        )

    def with_header(self, spec: RequestSpec, value: str) -> RequestSpec:
        return betas.with_betas(spec, value)

    def limit_calls(self, body: bytes, limit: int) -> bytes:
        fields = JsonMembers(body, _WATCHED)
        tools = fields.raw("tools")
        return body if tools is None else fields.replaced({"tools": with_max_uses(tools, _TOOLS, limit)})

    def rewrite(
        self,
        body: bytes,
        *,
        model: str | None,
        max_output_tokens: int | None,
        ask_usage: bool,
        output_fields: tuple[str, ...] = (),
    ) -> bytes:
        changes: dict[str, bytes] = {}
        if model is not None:
            changes["model"] = msgspec.json.encode(model)
        if max_output_tokens is not None and self.metered:
            changes[_LIMIT] = b"%d" % max_output_tokens
        return JsonMembers(body, frozenset()).replaced(changes) if changes else body

    def report(self, body: bytes) -> UsageReport | None:
        answer = read_answer(body)
        return anthropic_report(answer.usage, answer.model) if answer is not None else None

    def stream(self, *, hide_usage: bool) -> StreamMeter:
        """Returns the meter.

        The usage comes without a request, in events that every client needs, so it is never hidden.
        """
        return MessagesMeter()


def _compacts(fields: JsonMembers) -> bool:
    """Returns whether the model may summarise its input first. Edits that only clear parts of it cost nothing."""
    if not fields.has_any(_COMPACTING):
        return False
    edits = bytes(fields.raw("context_management") or b"")
    return fields.has("compaction") or b"compact" in edits or b"\\u" in edits


def _rounds(hosted: HostedTools, *, mcp: bool, compacts: bool) -> int:
    rounds = _LOOP_ROUNDS if mcp else min(hosted.rounds, _LOOP_ROUNDS)
    return rounds * 2 if compacts else rounds


def _call_share(hosted: HostedTools, *, mcp: bool, compacts: bool) -> CallShare:
    """Returns the part that depends on the limit on calls. With DEFAULT_CALLS, it comes to what `_rounds` returns."""
    times, most = 2 if compacts else 1, _LOOP_ROUNDS
    if mcp:
        return CallShare(hosted.open_calls, most * times, 0)
    fixed = hosted.rounds - hosted.open_rounds * DEFAULT_CALLS
    return CallShare(hosted.open_calls, fixed * times, hosted.open_rounds * times, most * times)


class MessagesCountTokens(Messages):
    """Counts tokens at Anthropic, which costs nothing."""

    name = "count_tokens"
    path = "/v1/messages/count_tokens"
    metered = False
    members = COUNT_TOKENS
    bound_header = ""

    def read(self, body: bytes) -> RequestSpec:
        """Reads the model and the names of things, since nothing is produced and nothing charged."""
        model, fields = read_request(body, _IN_A_COUNT)
        _check_who_is_billed(fields)
        unknown = COUNT_TOKENS.read(fields).unknown
        tools = fields.raw("tools")
        text_only = fits(fields.raw("messages"), PLAIN)
        refs = _refs(fields, () if tools is None else (tools,), len(body), text_only=text_only)
        return RequestSpec(
            model=model, stream=fields.flag("stream"), max_output_tokens=0, unknown_members=unknown, refs=refs
        )

    def report(self, body: bytes) -> UsageReport | None:
        return None


_IN_A_COUNT = SHARED | COUNT_TOKENS.watched | NAMES | {_BILLED_TO, "messages", "tools"}
_HELD = frozenset(("thread", "diagnostics"))
"""The members by which later requests can name this answer."""


def _refs(
    fields: JsonMembers, tools: Sequence[msgspec.Raw], size_bytes: int, *, text_only: bool
) -> tuple[ObjectRef, ...]:
    """Returns the names of things in a request. `tools` are those that may name some."""
    if text_only and not tools and not fields.has_any(NAMES):
        return ()
    found = FoundRefs(size_bytes)
    if not text_only:
        message_refs(fields.raw("messages"), found)
    for tool in tools:
        found.walk(tool, RULES)
    member_refs(fields, found)
    return found.refs


def _check_who_is_billed(fields: JsonMembers) -> None:
    """Raises RefusedError if the request names another account to bill.

    The value `self` is the account that is billed anyway.
    """
    policy = fields.raw(_BILLED_TO)
    if policy is None or not fields.has(_BILLED_TO):
        return
    if JsonMembers(policy, _BILL_TO, f"`{_BILLED_TO}`").text("bill_to") not in _SELF:
        raise unmetered(
            f"`{_BILLED_TO}` has another account billed at the provider than the one that softix keeps the books of. "
            "Leave it out."
        )


_BILL_TO = frozenset(("bill_to",))
_SELF = (None, "self")


def anthropic_report(usage: object, model: object) -> UsageReport | None:
    """Reads the usage. Its input already excludes the cache. Rounds of compaction are counted only in `iterations`."""
    if not isinstance(usage, dict) or count(usage, "input_tokens", "output_tokens") is None:
        return None
    meters = {name: quantity for name in _ALWAYS if (quantity := count(usage, name)) is not None}
    rounds = usage.get("iterations")
    apart = [entry for entry in rounds if _is_apart(entry)] if isinstance(rounds, list) else []
    for source in (usage, *apart):
        for name, quantity in _parts(source).items():
            if quantity and (source is not usage or name not in _ALWAYS):
                meters[name] = meters.get(name, 0) + quantity
    used = usage.get("server_tool_use")
    searches = count(used, "web_search_requests")
    if searches:
        meters["web_search_calls"] = searches
    served = modes(tier(usage.get("speed")), tier(usage.get("service_tier")), _geo(usage.get("inference_geo")))
    return UsageReport(meters, served, model_name(model), unpriced=_beyond(used, rounds))


_ALWAYS = ("input_tokens", "output_tokens")
_GEOS: Mapping[object, str] = {None: STANDARD, "": STANDARD, "global": STANDARD, "not_available": STANDARD, "us": "us"}
"""A mapping from the location where a model ran to its tier. A particular location has a price of its own."""


def _geo(name: object) -> str:
    return _GEOS.get(name, UNKNOWN_TIER) if name is None or isinstance(name, str) else UNKNOWN_TIER


_COUNTED = frozenset(("web_search_requests", "web_fetch_requests"))
"""The counts that are known: searches have a meter, and to fetch a page is free."""
_ROUNDS: Mapping[object, str] = {"advisor_message": "advisor", "fallback_message": "fallback_model"}
_OWN_ROUNDS = (None, "message", "compaction")


def _beyond(used: object, rounds: object) -> tuple[str, ...]:
    """Returns the names of work that no meter of this model counts.

    Other tools do such work, or other models between the rounds of this one.
    """
    if not used and not rounds:
        return ()
    tools = [name for name in used if name not in _COUNTED and count(used, name)] if isinstance(used, dict) else []
    listed = [entry for entry in rounds if isinstance(entry, dict)] if isinstance(rounds, list) else []
    kinds = [kind for entry in listed if isinstance(kind := entry.get("type"), str) and kind not in _OWN_ROUNDS]
    names = [*(UNKNOWN_TOOL for _ in tools), *(_ROUNDS.get(kind, UNKNOWN_TOOL) for kind in kinds)]
    return tuple(dict.fromkeys(names))


def _is_apart(entry: object) -> bool:
    return isinstance(entry, dict) and entry.get("type") == "compaction"


def _parts(usage: dict[str, Any]) -> dict[str, int]:
    split = usage.get("cache_creation")
    hour = count(split, "ephemeral_1h_input_tokens") or 0
    five_minutes = count(split, "ephemeral_5m_input_tokens") or 0
    written = count(usage, "cache_creation_input_tokens") or 0
    return {
        "input_tokens": count(usage, "input_tokens") or 0,
        "cached_input_tokens": count(usage, "cache_read_input_tokens") or 0,
        "cache_write_5m_tokens": max(five_minutes, written - hour),
        "cache_write_1h_tokens": hour,
        "output_tokens": count(usage, "output_tokens") or 0,
    }


_READ = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_COUNTS = (frozenset((*_READ, "cache_creation")), frozenset(("output_tokens",)))


def grown(before: dict[str, Any], usage: dict[str, Any]) -> dict[str, Any]:
    """Returns the members of a later usage that replace earlier ones.

    Counts only grow. If all counts of the input or of the output are zero, a gateway filled them in, and they do not
    count.
    """
    said = {name: value for name, value in usage.items() if value is not None}
    if before:
        for names in _COUNTS:
            if not any(count(said, name) for name in names) and any(count(before, name) for name in names):
                said = {name: value for name, value in said.items() if name not in names}
    return said


class _Start(msgspec.Struct):
    id: Any = None
    container: Any = None
    usage: Any = None
    model: Any = None


class _Delta(msgspec.Struct, gc=False):
    stop_reason: Any = None
    text: Any = None
    thinking: Any = None
    partial_json: Any = None
    container: Any = None


class _Event(msgspec.Struct):
    type: Any = None
    message: _Start | None = None
    usage: Any = None
    delta: _Delta | None = None
    error: Any = None


_EVENT = msgspec.json.Decoder(_Event)


class MessagesMeter(EventMeter):
    """Meters a stream. It ends at `message_stop` or an error.

    The usage in `message_delta` replaces that of `message_start` field by field.
    """

    def __init__(self) -> None:
        super().__init__()
        self._usage: dict[str, Any] = {}
        self._model: Any = None

    def inspect(self, data: bytes) -> EventAction:
        try:
            frame = _EVENT.decode(data)
        except MALFORMED:
            return EventAction.PASS
        if frame.type == "message_stop":
            return EventAction.END
        if frame.error:
            self.failure = classify_event(frame.error)
            return EventAction.END
        delta = frame.delta
        if delta is not None:
            self.weigh(delta.text or delta.thinking or delta.partial_json)
            self.finishing = self.finishing or delta.stop_reason is not None
            if delta.container is not None:
                self.stored_refs += stored_refs_of(None, delta.container)
        if frame.message is not None:
            self._model = frame.message.model
            self.stored_refs += stored_refs_of(frame.message.id, frame.message.container)
        usage = frame.usage if frame.message is None else frame.message.usage
        if isinstance(usage, dict):
            self._usage |= grown(self._usage, usage)
            self.report = anthropic_report(self._usage, self._model)
        return EventAction.PASS
