"""The endpoint POST /v1/responses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import msgspec

from softix_proxy.dialects.core.base import CallShare, RequestSpec, StreamMeter, UsageReport
from softix_proxy.dialects.core.errors import classify_event
from softix_proxy.dialects.core.hosted_work import hosted_work
from softix_proxy.dialects.core.sse import EventAction, EventMeter
from softix_proxy.dialects.core.tokens import openai_report, tier
from softix_proxy.dialects.openai import visible_members
from softix_proxy.dialects.openai.members import INPUT_TOKENS, RESPONSES
from softix_proxy.dialects.openai.references import RESPONSE_NAMES, RULES, TOP_RULES, item_refs
from softix_proxy.dialects.openai.shared import OpenAIEndpoint
from softix_proxy.dialects.openai.stored_refs import STORED, stored_refs_of
from softix_proxy.dialects.request.fields import (
    MALFORMED,
    SHARED,
    JsonMembers,
    invalid,
    is_heavy,
    read_request,
    unmetered,
)
from softix_proxy.dialects.request.hiding import HIDES_ANYTHING, hidden_parts
from softix_proxy.dialects.request.references import FoundRefs
from softix_proxy.dialects.request.tags import WATCHED as TAGGED
from softix_proxy.dialects.request.tags import read_tags
from softix_proxy.dialects.request.tools import (
    CLIENT_SIDE,
    DEFAULT_CALLS,
    FILE_SEARCH,
    FREE,
    SEARCH,
    TOOLS,
    ToolBillings,
    read_tools,
)
from softix_proxy.domain.access.objects import NOTHING_STORED

_LIMIT, _CALL_LIMIT = "max_output_tokens", "max_tool_calls"
_OUTSIDE = frozenset(("previous_response_id", "conversation", "prompt", "context_management"))
"""The fields that add input, or further rounds of it, that is not in the body."""
_MORE = RESPONSE_NAMES | TAGGED
"""The members that name things, or are words of the client's own."""
_OWN = frozenset((_LIMIT, _CALL_LIMIT, "background", "background_options", "tools", "input", "store"))
_WATCHED = SHARED | RESPONSES.watched | _MORE | _OWN
_OF_PROMPTS = ("web_search_calls", "tool_calls")
"""The meters of the tools that a stored prompt may bring."""
_TOOLS: ToolBillings = {
    "function": CLIENT_SIDE,
    "custom": CLIENT_SIDE,
    "namespace": CLIENT_SIDE,
    "local_shell": CLIENT_SIDE,
    "apply_patch": CLIENT_SIDE,
    "computer": CLIENT_SIDE,
    "computer_use_preview": CLIENT_SIDE,
    "tool_search": CLIENT_SIDE,
    "mcp": FREE,
    "web_search": SEARCH,
    "web_search_preview": SEARCH,
    "file_search": FILE_SEARCH,
}


class _Annotation(msgspec.Struct):
    file_id: None = None
    container_id: None = None


class _Part(msgspec.Struct):
    type: Literal["input_text", "output_text", "text", "refusal", "summary_text", "reasoning_text"]
    annotations: list[_Annotation] | None = None
    file_id: None = None


_ABSENT = msgspec.Raw()


class _Item(msgspec.Struct):
    type: Literal[
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
        "local_shell_call",
        "local_shell_call_output",
        "apply_patch_call",
        "apply_patch_call_output",
    ] = "message"
    content: str | list[_Part] | None = None
    output: str | list[_Part] | None = None
    id: Any = None
    arguments: Any = None
    input: Any = None
    action: msgspec.Raw = _ABSENT
    operation: msgspec.Raw = _ABSENT
    encrypted_content: Any = None

    @property
    def is_reference(self) -> bool:
        """Whether the item contains only an id, and its content is at the provider.

        A summary is not all of the item's thoughts.
        """
        if self.output is not None or self.arguments is not None or self.input is not None:
            return False
        if self.action is not _ABSENT or self.operation is not _ABSENT:
            return False
        return self.encrypted_content is None and not (self.type == "reasoning" and self.id is None)


_TEXT, _LIST = b'"['
_MOST_ITEMS = 2000
"""The most items that are looked at for tools. A list of more has to be text only."""
_TOOLS_ONLY = frozenset(("tools",))
_TEXT_ONLY = msgspec.json.Decoder(str | list[_Item])
"""A decoder that accepts text only."""
_ONE_ITEM = msgspec.json.Decoder(_Item)


def _is_here(given: msgspec.Raw | None, found: FoundRefs) -> bool:
    """Returns whether the input is text, and all of it is in the body. Adds the names of things in it."""
    if given is None:
        return True
    if is_heavy(given):
        item_refs(given, partial(_is_plain, found), found)
        return memoryview(given)[0] == _TEXT
    try:
        items = _TEXT_ONLY.decode(given)
    except MALFORMED:
        item_refs(given, partial(_is_plain, found), found)
        return False
    if isinstance(items, str):
        return True
    named = [item.id for item in items if item.content is None and item.is_reference]
    for name in named:
        _add(name, found)
    return not named


def _is_plain(found: FoundRefs, raw: msgspec.Raw) -> bool:
    """Returns whether an item is plain text. Adds its name if its content is at the provider."""
    try:
        item = _ONE_ITEM.decode(raw)
    except MALFORMED:
        return False
    if item.content is None and item.is_reference:
        _add(item.id, found)
    return True


def _add(name: object, found: FoundRefs) -> None:
    if isinstance(name, str):
        found.add("item", name)
    elif name is not None:
        raise invalid("The `id` of an item must be a string.")


class Responses(OpenAIEndpoint):
    """Meters OpenAI's responses. They report usage in their last event and hosted tools in their output."""

    name = "responses"
    path = "/v1/responses"
    output_fields: tuple[str, ...] = (_LIMIT,)
    members = RESPONSES

    def read(self, body: bytes) -> RequestSpec:
        model, fields = read_request(body, _WATCHED)
        if fields.flag("background"):
            raise unmetered(
                "`background` cannot be metered here, since its answer is fetched later. Send the request without it."
            )
        members = RESPONSES.read(fields)
        limit = fields.count(_CALL_LIMIT, least=0)
        hosted = read_tools(fields.raw("tools"), _TOOLS, limit)
        found = FoundRefs(len(body))
        text_only = _is_here(fields.raw("input"), found)
        if not text_only:
            for added in _added(fields):
                hosted = hosted.also(read_tools(added, _TOOLS, limit), limit)
        for tool in hosted.named:
            found.walk(tool, RULES)
        if more := fields.has_any(_MORE):
            found.members(fields, RESPONSE_NAMES, TOP_RULES)
        calls, stored, outside = hosted.calls, fields.has("prompt"), fields.having(_OUTSIDE)
        tools = hosted.open_calls
        if stored:
            calls = dict.fromkeys(_OF_PROMPTS, DEFAULT_CALLS if limit is None else limit) | calls
            tools = dict.fromkeys(_OF_PROMPTS, 1) | {**tools}
        works = stored or hosted.rounds > 1
        times, writes = 2 if fields.has("context_management") else 1, works and limit is None
        stream = fields.flag("stream")
        open_input = members.opens or hosted.open_input or bool(outside) or is_heavy(body) or not text_only
        hides = HIDES_ANYTHING
        if stream and not (open_input or calls):
            hides = hidden_parts(body, fields, visible_members.RESPONSES)
        return RequestSpec(
            model=model,
            stream=stream,
            max_output_tokens=fields.count(_LIMIT),
            service_tier=tier(fields.text("service_tier")),
            # A summary is billed beside the answer, and all of the input is read for it.
            choices=times,
            open_input=open_input,
            calls=calls,
            rounds=(1 + (DEFAULT_CALLS if limit is None else limit) if works else 1) * times,
            call_limit=DEFAULT_CALLS if writes else None,
            call_share=CallShare(tools, times, times) if writes else None,
            members=(*outside, *TOOLS) if works else outside,
            unknown_members=members.unknown,
            fees=members.fees,
            refs=found.refs,
            stored_kinds=NOTHING_STORED if _stores_nothing(fields) else STORED,
            tags=read_tags(fields) if more else (),
            hides=hides,
        )

    def limit_calls(self, body: bytes, limit: int) -> bytes:
        return JsonMembers(body, frozenset()).replaced({_CALL_LIMIT: b"%d" % limit})

    def report(self, body: bytes) -> UsageReport | None:
        try:
            return _report(_RESPONSE.decode(body))
        except MALFORMED:
            return None

    def stream(self, *, hide_usage: bool) -> StreamMeter:
        """Returns the meter.

        The usage comes without a request, in an event that every client needs, so it is never hidden.
        """
        return ResponsesMeter()


_FALSE = msgspec.Raw(b"false")
_NAMING = RESPONSE_NAMES | {"tools"}
_COUNTED = SHARED | INPUT_TOKENS.watched | _NAMING | {"input"}


def _stores_nothing(fields: JsonMembers) -> bool:
    """Returns whether the request says that the provider shall keep nothing. It keeps a response if nothing is said."""
    store = fields.raw("store")
    return store is not None and store == _FALSE


def _added(fields: JsonMembers) -> Iterator[msgspec.Raw]:
    """Yields the tools that input items add: `additional_tools`, and the results of a search for tools.

    Raises RefusedError if there are too many items to look at each of them.
    """
    given = fields.raw("input")
    if given is None or memoryview(given)[0] != _LIST:
        return  # The input is text, or nothing that OpenAI accepts.
    items = fields.objects("input", _TOOLS_ONLY, "An item of `input`", _MOST_ITEMS)
    if items is None:
        raise invalid(f"`input` has more than {_MOST_ITEMS} items, or too large ones, of which some are not text.")
    for item in items:
        tools = item.raw("tools")
        if tools is not None:
            yield tools


class InputTokens(Responses):
    """Counts the input of a response, which costs nothing."""

    name = "input_tokens"
    path = "/v1/responses/input_tokens"
    output_fields = ()
    metered = False
    members = INPUT_TOKENS

    def read(self, body: bytes) -> RequestSpec:
        """Reads the model and the names of things, since nothing is produced and nothing charged."""
        model, fields = read_request(body, _COUNTED)
        found = FoundRefs(len(body))
        _is_here(fields.raw("input"), found)
        found.members(fields, _NAMING, TOP_RULES)
        unknown = INPUT_TOKENS.read(fields).unknown
        return RequestSpec(
            model=model,
            stream=fields.flag("stream"),
            max_output_tokens=0,
            unknown_members=unknown,
            refs=found.refs,
        )

    def report(self, body: bytes) -> UsageReport | None:
        return None


class _Response(msgspec.Struct):
    id: Any = None
    conversation: Any = None
    usage: Any = None
    model: Any = None
    service_tier: Any = None
    error: Any = None
    output: msgspec.Raw = msgspec.Raw()
    tool_usage: Any = None


class _Event(msgspec.Struct):
    type: Any = None
    code: Any = None
    error: Any = None
    delta: Any = None
    response: _Response | None = None


_RESPONSE = msgspec.json.Decoder(_Response)
_EVENT = msgspec.json.Decoder(_Event)
_ENDS = frozenset(("response.completed", "response.incomplete", "response.failed", "response.cancelled", "error"))


def _report(response: _Response) -> UsageReport | None:
    report = openai_report(response.usage, response.model, response.service_tier)
    if report is None:
        return None
    hosted = hosted_work(response.output, response.tool_usage)
    if not hosted.calls and not hosted.unpriced:
        return report
    return replace(report, meters={**hosted.calls, **report.meters}, unpriced=hosted.unpriced)


class ResponsesMeter(EventMeter):
    """Meters a stream.

    It ends at `response.completed`, `.incomplete` or `.failed`, which carry usage, or at an error.
    """

    def inspect(self, data: bytes) -> EventAction:
        try:
            frame = _EVENT.decode(data)
        except MALFORMED:
            return EventAction.PASS
        self.weigh(frame.delta)
        response = frame.response
        if response is not None:
            self.report = _report(response) or self.report
            if response.id is not None and (not self.stored_refs or response.output):
                self.stored_refs = stored_refs_of(response.id, response.conversation, response.output)
        if not frame.error and (not isinstance(frame.type, str) or frame.type not in _ENDS):
            return EventAction.PASS
        if frame.error or frame.type in ("error", "response.failed"):
            error = frame.error or (response.error if response is not None else None)
            self.failure = classify_event(error or {"code": frame.code})
        self.finishing = True
        return EventAction.END
