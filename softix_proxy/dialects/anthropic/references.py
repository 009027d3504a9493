"""The members by which requests of Anthropic's messages name things that the provider keeps.

The tables are read from the request types of anthropic 2.14, betas included, in November 2026. A test walks the types
of the installed SDK and finds each member that looks like an id in one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from softix_proxy.dialects.request.fields import MALFORMED, JsonMembers
from softix_proxy.dialects.request.references import FoundRefs, NamingRules, is_list, listed

NAMES = frozenset(
    ("container", "diagnostics", "fallback_credit_token", "mcp_servers", "system", "thread", "user_profile_id")
)
"""The members of a request that name things, beside its messages and its tools."""
_DATA = frozenset(
    ("input", "inputschema", "inputexamples", "metadata", "schema", "authorizationtoken", "cachecontrol", "configs")
)
_CALLS = frozenset(("tooluseid", "toolid", "id", "downloadid", "tabid", "customid"))
"""The ids of calls and of the client's own browser, which name parts of the same conversation."""
_NAMES: Mapping[str, str] = {
    "container": "container",
    "containerid": "container",
    "credentialid": "credential",
    "fallbackcredittoken": "credit_token",
    "fileid": "file",
    "fileids": "file",
    "memorystoreid": "unknown",
    "previousmessageid": "message",
    "skillid": "skill",
    "threadid": "message",
    "userprofileid": "user_profile",
    "vaultid": "unknown",
    "vaultids": "unknown",
}
_TYPES = frozenset(
    (
        "adaptive",
        "advisor_tool_result",
        "any",
        "auto",
        "base64",
        "bash_code_execution_output",
        "bash_code_execution_result",
        "bash_code_execution_tool_result",
        "char_location",
        "code_execution_output",
        "code_execution_result",
        "code_execution_tool_result",
        "compaction",
        "container_upload",
        "content",
        "content_block_location",
        "continue",
        "create",
        "direct",
        "document",
        "ephemeral",
        "fallback",
        "file",
        "image",
        "mcp_tool_result",
        "mcp_tool_use",
        "page_location",
        "redacted_thinking",
        "search_result",
        "search_result_location",
        "server_tool_use",
        "text",
        "text_editor_code_execution_tool_result",
        "thinking",
        "tool_reference",
        "tool_result",
        "tool_search_tool_result",
        "tool_use",
        "url",
        "web_fetch_result",
        "web_fetch_tool_result",
        "web_search_result",
        "web_search_result_location",
        "web_search_tool_result",
    )
)
RULES = NamingRules(_NAMES, opaque=_DATA, harmless=_CALLS, known=_TYPES)
_QUOTE = b'"'


class PlainNested(msgspec.Struct):
    type: Literal["text", "tool_reference"]
    file_id: None = None
    source: None = None


class PlainBlock(msgspec.Struct):
    """A block whose text is in the body."""

    type: Literal["text", "thinking", "redacted_thinking", "tool_use", "tool_result"]
    content: str | list[PlainNested] | None = None
    file_id: None = None
    source: None = None


class PlainMessage(msgspec.Struct):
    content: str | list[PlainBlock] | None = None


PLAIN = msgspec.json.Decoder(list[PlainMessage])
"""A decoder that accepts only text that is in the body.

Neither the bytes nor the URL of an image or a document bound its tokens.
"""
_PLAIN_MESSAGE = msgspec.json.Decoder(PlainMessage)
_PLAIN_BLOCKS = msgspec.json.Decoder(list[PlainNested] | None)


def message_refs(given: msgspec.Raw | None, found: FoundRefs) -> None:
    """Adds the names in messages of which a part is no plain text."""
    if given is None or not is_list(given):
        return  # The provider accepts nothing but a list.
    for message in listed(given):
        try:
            _PLAIN_MESSAGE.decode(message)
        except MALFORMED:
            found.walk(message, RULES)


def member_refs(fields: JsonMembers, found: FoundRefs) -> None:
    """Adds the names in the other members of a request."""
    for name in NAMES:
        value = fields.raw(name)
        if value is not None and not (name == "system" and _is_plain_system(value)):
            found.member(name, value, RULES)


def _is_plain_system(value: msgspec.Raw) -> bool:
    """Returns whether a system prompt is text that is in the body."""
    if memoryview(value)[:1] == _QUOTE:
        return True
    try:
        _PLAIN_BLOCKS.decode(value)
    except MALFORMED:
        return False
    return True
