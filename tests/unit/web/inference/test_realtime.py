from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from multidict import CIMultiDict

from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.web.inference.realtime import opening_of, told_by_protocols

HANDSHAKE = {
    "upgrade": "websocket",
    "connection": "upgrade",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


def context(query: str, **more: str) -> Any:
    named = {**HANDSHAKE, **{name.replace("_", "-"): value for name, value in more.items()}}
    request = SimpleNamespace(
        raw_path=f"/v1/realtime?{query}", headers=CIMultiDict(named), _message=SimpleNamespace(upgrade=True)
    )
    return SimpleNamespace(named=named, request=request)


@pytest.mark.parametrize(
    ("query", "model"),
    [("model=a", "a"), ("model=a%2Fb", "a/b"), ("deployment=d&model=a&api-version=2", "d"), ("", ""), ("model=", "")],
)
def test_realtime_opening_contains_the_model_of_the_address(query: str, model: str) -> None:
    assert json.loads(opening_of(context(query))) == {"model": model}


@pytest.mark.parametrize(
    ("query", "more", "code"),
    [
        ("model=a&model=b", {}, Code.INVALID_REQUEST),
        ("model=a", {"sec_websocket_protocol": "chat"}, Code.INVALID_REQUEST),
        ("model=a", {"sec_websocket_key": "short"}, Code.INVALID_REQUEST),
        ("model=a&intent=transcription", {}, Code.ENDPOINT_NOT_METERED),
        ("call_id=c", {}, Code.ENDPOINT_NOT_METERED),
    ],
)
def test_realtime_opening_of_an_invalid_session_is_refused(query: str, more: dict[str, str], code: Code) -> None:
    with pytest.raises(RefusedError) as refused:
        opening_of(context(query, **more))
    assert refused.value.code is code


def test_browser_protocols_with_a_version_return_the_version_header() -> None:
    assert told_by_protocols({"sec-websocket-protocol": "realtime, openai-beta.realtime-v1"}) == [
        ("openai-beta", "realtime=v1")
    ]
    assert told_by_protocols({"sec-websocket-protocol": "realtime"}) == []
