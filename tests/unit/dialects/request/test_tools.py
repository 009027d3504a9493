from __future__ import annotations

import msgspec
import pytest

from softix_proxy.dialects.request.tools import (
    CLIENT_SIDE,
    DEFAULT_CALLS,
    FILE_SEARCH,
    FREE,
    SEARCH,
    HostedTools,
    ToolBilling,
    ToolBillings,
    read_tools,
    with_max_uses,
)
from softix_proxy.domain.core.errors import Code, RefusedError

KINDS: ToolBillings = {
    "function": CLIENT_SIDE,
    "bash": CLIENT_SIDE,
    "web_fetch": FREE,
    "web_search": SEARCH,
    "file_search": FILE_SEARCH,
}


def raw(text: bytes) -> msgspec.Raw:
    return msgspec.Raw(text)


def test_read_tools_without_tools_returns_no_calls() -> None:
    assert read_tools(None, KINDS) == read_tools(raw(b"null"), KINDS) == read_tools(raw(b"[]"), KINDS)
    assert read_tools(None, KINDS) == HostedTools({}, False)


def test_read_tools_with_tools_of_the_client_returns_no_calls() -> None:
    tools = raw(b'[{"type":"function"},{"name":"x"},{"type":null},{"type":"bash_20250124"}]')
    assert read_tools(tools, KINDS)[:2] == ({}, False)


def test_read_tools_with_hosted_tools_counts_their_limit_or_the_default() -> None:
    tools = raw(
        b'[{"type":"web_search_20250305","max_uses":3},{"type":"web_search_2025_08_26"},{"type":"file_search"}]'
    )
    found = read_tools(tools, KINDS)
    assert found[:2] == ({"web_search_calls": 3 + DEFAULT_CALLS, "tool_calls": DEFAULT_CALLS}, True)
    assert found.unlimited
    assert read_tools(tools, KINDS, limit=4)[:2] == ({"web_search_calls": 4, "tool_calls": 4}, True)
    assert read_tools(raw(b'[{"type":"web_search","max_uses":0}]'), KINDS)[:2] == ({"web_search_calls": 0}, True)


def test_read_tools_with_limited_tools_counts_a_round_for_each_use() -> None:
    kinds = {
        "web_search": ToolBilling("web_search_calls", True, limited=True),
        "mcp": ToolBilling(None, True, rounds=9),
    }
    search = b'{"type":"web_search_20250305","max_uses":3}'
    assert read_tools(raw(b"[%b]" % search), kinds)[:4] == ({"web_search_calls": 3}, True, 4, False)
    assert read_tools(raw(b'[%b,{"type":"mcp"}]' % search), kinds).rounds == 13
    unlimited = read_tools(raw(b'[{"type":"web_search_20250305"}]'), kinds)
    assert (unlimited.rounds, unlimited.unlimited) == (1 + DEFAULT_CALLS, True)


def test_tools_with_max_uses_have_it_only_where_the_client_set_none() -> None:
    kinds = {"web_search": ToolBilling("web_search_calls", True, limited=True), "bash": CLIENT_SIDE}
    own, others = b'{"type": "web_search_20250305", "max_uses": 3}', b'{"name": "mine"},{"type":"bash_20250124"}'
    changed = with_max_uses(raw(b'[%b,{"type":"web_search"},%b]' % (own, others)), kinds, 7)
    assert changed == b'[%b,{"type":"web_search","max_uses":7},%b]' % (own, others)


def test_read_tools_with_free_hosted_tools_reports_open_input() -> None:
    assert read_tools(raw(b'[{"type":"web_fetch_20250910","max_uses":5}]'), KINDS)[:2] == ({}, True)


def test_read_tools_with_tools_that_may_name_things_returns_these() -> None:
    names = [b'{"type":"file_search"}', b'{"type":"custom","credential_id":"c"}']
    tools = raw(b"[%b,%b]" % (b'{"type":"function"},{"name":"x"}', b",".join(names)))
    assert [bytes(tool) for tool in read_tools(tools, {**KINDS, "custom": CLIENT_SIDE}).named] == names


@pytest.mark.parametrize("kind", ["code_interpreter", "wombat", "functions", "web_search_wombat", "web_searcher_2025"])
def test_read_tools_with_an_unknown_tool_is_refused_as_not_metered(kind: str) -> None:
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
def test_read_tools_with_a_value_that_is_no_list_of_tools_is_refused(tools: bytes) -> None:
    with pytest.raises(RefusedError) as refused:
        read_tools(raw(tools), KINDS)
    assert refused.value.code is Code.INVALID_REQUEST and "wombat" not in refused.value.message
