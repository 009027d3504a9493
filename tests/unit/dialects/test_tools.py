from __future__ import annotations

import msgspec
import pytest

from softix_proxy.dialects.tools import CLIENT_SIDE, DEFAULT_CALLS, FILE_SEARCH, FREE, SEARCH, ToolBillings, read_tools
from softix_proxy.domain.errors import Code, RefusedError

KINDS: ToolBillings = {
    "function": CLIENT_SIDE,
    "bash": CLIENT_SIDE,
    "web_fetch": FREE,
    "web_search": SEARCH,
    "file_search": FILE_SEARCH,
}


def raw(text: bytes) -> msgspec.Raw:
    return msgspec.Raw(text)


def test_no_tools() -> None:
    assert read_tools(None, KINDS) == read_tools(raw(b"null"), KINDS) == read_tools(raw(b"[]"), KINDS) == ({}, False)


def test_client_side_tools_cost_nothing() -> None:
    tools = raw(b'[{"type":"function"},{"name":"x"},{"type":null},{"type":"bash_20250124"}]')
    assert read_tools(tools, KINDS) == ({}, False)


def test_hosted_tools_are_counted_by_their_own_limit_or_the_default() -> None:
    tools = raw(
        b'[{"type":"web_search_20250305","max_uses":3},{"type":"web_search_2025_08_26"},{"type":"file_search"}]'
    )
    assert read_tools(tools, KINDS) == ({"web_search_calls": 3 + DEFAULT_CALLS, "tool_calls": DEFAULT_CALLS}, True)
    assert read_tools(tools, KINDS, limit=4) == ({"web_search_calls": 4, "tool_calls": 4}, True)
    assert read_tools(raw(b'[{"type":"web_search","max_uses":0}]'), KINDS) == ({"web_search_calls": 0}, True)


def test_free_tools_still_bring_input_in() -> None:
    assert read_tools(raw(b'[{"type":"web_fetch_20250910","max_uses":5}]'), KINDS) == ({}, True)


@pytest.mark.parametrize("kind", ["code_interpreter", "wombat", "functions", "web_search_wombat", "web_searcher_2025"])
def test_what_is_not_known_cannot_be_metered(kind: str) -> None:
    with pytest.raises(RefusedError) as refused:
        read_tools(raw(b'[{"type":"function"},{"type":"%s"}]' % kind.encode()), KINDS)
    assert refused.value.code is Code.ENDPOINT_NOT_METERED
    assert "wombat" not in refused.value.message and "web_fetch" in refused.value.message


@pytest.mark.parametrize(
    "tools",
    [
        b"{}",
        b'"wombat"',
        b"[1]",
        b"[" + b"{}," * 10_000 + b"{}]",
        b'[{"name":"' + b"x" * 4 * 1024 * 1024 + b'"}]',
        b"[null]",
        b'[{"type":1}]',
        b'[{"type":"web_search","max_uses":-1}]',
        b'[{"type":"web_search","max_uses":"wombat"}]',
        b'[{"type":"function","type":"web_search"}]',
        b'[{"type":"function","Type":"web_search"}]',
        b'[{"type":"web_search","max_uses":1,"max_uses":99}]',
    ],
)
def test_what_is_no_list_of_tools(tools: bytes) -> None:
    with pytest.raises(RefusedError) as refused:
        read_tools(raw(tools), KINDS)
    assert refused.value.code is Code.INVALID_REQUEST and "wombat" not in refused.value.message
