"""The members by which requests of OpenAI's dialects name things that the provider keeps.

The tables are read from the request types of openai 3.57 and from OpenAI's API reference, in November 2026. A test
walks the types of the installed SDK and finds each member that looks like an id in one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from softix_proxy.dialects.request.fields import JsonMembers
from softix_proxy.dialects.request.references import FoundRefs, NamingRules, is_list, listed

_CALLS = frozenset(("callid", "toolcallid", "approvalrequestid", "callerid", "eventid", "itemid", "previousitemid"))
"""The ids of calls and events, which name parts of the same conversation."""
_DATA = frozenset(
    (
        "action",
        "actions",
        "arguments",
        "attributes",
        "env",
        "filters",
        "functioncall",
        "headers",
        "inputschema",
        "jsonschema",
        "metadata",
        "operation",
        "parameters",
        "schema",
        "toolcalls",
    )
)
"""The members with the client's own data, or with what a model asked a tool of the client for."""
_NAMES: Mapping[str, str] = {
    "comparisonresponseid": "response",
    "connectorid": "connector",
    "container": "container",
    "containerid": "container",
    "conversation": "conversation",
    "conversationid": "conversation",
    "fileid": "file",
    "fileids": "file",
    "inputfileid": "file",
    "partids": "file",
    "previousresponseid": "response",
    "prompt": "prompt",
    "responseid": "response",
    "skillid": "skill",
    "trainingfile": "file",
    "tunnelid": "tunnel",
    "validationfile": "file",
    "vectorstoreid": "vector_store",
    "vectorstoreids": "vector_store",
    "voice": "voice",
}
_CITED = NamingRules({"fileid": "cited_file", "containerid": "container"}, opaque=_DATA, harmless=_CALLS)
"""Within what an answer quoted, a file may be one of a vector store that an operator shares."""
_TYPES = frozenset(
    (
        # items
        "additional_tools",
        "apply_patch_call",
        "apply_patch_call_output",
        "code_interpreter_call",
        "compaction",
        "compaction_trigger",
        "computer_call",
        "computer_call_output",
        "configuration_update",
        "custom_tool_call",
        "custom_tool_call_output",
        "file_search_call",
        "function_call",
        "function_call_output",
        "image_generation_call",
        "item_reference",
        "local_shell_call",
        "local_shell_call_output",
        "mcp_approval_request",
        "mcp_approval_response",
        "mcp_call",
        "mcp_list_tools",
        "message",
        "program",
        "program_output",
        "reasoning",
        "shell_call",
        "shell_call_output",
        "tool_search_call",
        "tool_search_output",
        "web_search_call",
        # parts
        "computer_screenshot",
        "container_file_citation",
        "encrypted_content",
        "file",
        "file_citation",
        "file_path",
        "image",
        "image_url",
        "input_audio",
        "input_file",
        "input_image",
        "input_text",
        "input_video",
        "logs",
        "output_audio",
        "output_text",
        "reasoning_text",
        "refusal",
        "summary_text",
        "text",
        "thinking",
        "url_citation",
        "video_url",
        # tools, and what they have
        "allowlist",
        "apply_patch",
        "approximate",
        "auto",
        "code_interpreter",
        "computer",
        "computer_use_preview",
        "container_auto",
        "container_reference",
        "custom",
        "direct",
        "disabled",
        "exit",
        "file_search",
        "function",
        "grammar",
        "image_generation",
        "inline",
        "local",
        "local_shell",
        "mcp",
        "namespace",
        "programmatic_tool_calling",
        "shell",
        "skill_reference",
        "timeout",
        "tool_search",
        "web_search",
        "web_search_preview",
    )
)
_BELOW: Mapping[str, NamingRules] = {"annotations": _CITED, "results": _CITED}
_OBJECTS_ONLY = frozenset(("prompt", "voice"))
RULES = NamingRules(
    {name: kind for name, kind in _NAMES.items() if name != "prompt"},
    opaque=_DATA,
    harmless=_CALLS,
    known=_TYPES,
    objects_only=_OBJECTS_ONLY,
    free=frozenset(("variables",)),
    unknown={"id": "item"},
    below=_BELOW,
)
"""The rules for items, tools and other parts of OpenAI's requests."""
TOP_RULES = RULES._replace(kinds=_NAMES, objects_only=frozenset(("voice",)))
"""The rules for the members of a request. There a text can name a stored prompt."""
CHAT_RULES = RULES._replace(kinds={"audio": "audio", "fileid": "file", "fileids": "file", "voice": "voice"})
"""The rules for chat. An earlier spoken answer is named by its id, and sound itself is another member."""
EVENT_RULES = TOP_RULES._replace(
    kinds={name: kind for name, kind in _NAMES.items() if name != "conversation"}, unknown={}
)
"""The rules for the events of a realtime session, in which `conversation` is a word."""

RESPONSE_NAMES = frozenset(("previous_response_id", "conversation", "prompt", "prompt_cache_options"))
"""The members of a Responses request that name things, beside those within its input and its tools."""
CHAT_NAMES = frozenset(("audio",))
_CONTENT = (
    "content",
    "output",
    "arguments",
    "input",
    "action",
    "actions",
    "operation",
    "encrypted_content",
    "queries",
    "code",
    "result",
    "results",
    "tools",
    "approve",
)
"""The members of an input item that hold its content. An item without any of them is one that the provider keeps."""
_ITEM = frozenset(("id", "type", *_CONTENT))
_NOTHING_KEPT = frozenset(("compaction_trigger", "configuration_update"))
"""The types of items of which the provider keeps nothing."""
_NULL = b"null"


def item_refs(given: msgspec.Raw | None, is_plain: Callable[[msgspec.Raw], bool], found: FoundRefs) -> None:
    """Adds the names in the input of a Responses request, of which a part is no plain text.

    `is_plain` adds those of one item and returns True, if the item is plain text.
    """
    for item in _entries(given, found):
        if is_plain(item):
            continue
        fields = JsonMembers(item, _ITEM, "An item of `input`")
        kind = fields.text("type") or ""
        name = fields.raw("id")
        if name is not None and kind not in _NOTHING_KEPT and not any(_has(fields, part) for part in _CONTENT):
            found.add_value("item", name)
        found.walk(item, RULES)


def message_refs(given: msgspec.Raw | None, is_plain: Callable[[msgspec.Raw], bool], found: FoundRefs) -> None:
    """Adds the names in the messages of a chat request, of which a part is no plain text."""
    for message in _entries(given, found):
        if not is_plain(message):
            found.walk(message, CHAT_RULES)


def _entries(given: msgspec.Raw | None, found: FoundRefs) -> list[msgspec.Raw]:
    """Returns the entries of a list. Anything else is walked, because only the provider knows what it makes of it."""
    if given is None:
        return []
    if is_list(given):
        return listed(given)
    found.walk(given, RULES._replace(strict=True))
    return []


def _has(fields: JsonMembers, name: str) -> bool:
    raw = fields.raw(name)
    return raw is not None and bytes(memoryview(raw)[:5]) != _NULL
