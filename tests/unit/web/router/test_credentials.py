import pytest

from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.web.router.credentials import (
    offered_protocols,
    read_credential,
    read_protocol_credential,
    refuse_key_in,
)


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({}, None),
        ({"authorization": "Bearer ada"}, "ada"),
        ({"authorization": "bearer  ada "}, "ada"),
        ({"authorization": "Basic eA=="}, None),
        ({"authorization": "Basic eA==", "x-api-key": "ada"}, "ada"),
        ({"x-api-key": "ada", "x-goog-api-key": "bob"}, "ada"),
        ({"x-goog-api-key": "bob"}, "bob"),
        ({"api-key": "eve"}, "eve"),
        ({"authorization": "Bearer ", "x-api-key": "ada"}, ""),
    ],
)
def test_credential_in_any_supported_header_is_read(headers: dict[str, str], key: str | None) -> None:
    assert read_credential(headers) == key


def test_credential_in_the_websocket_protocols_is_read() -> None:
    named = {"sec-websocket-protocol": "realtime, openai-insecure-api-key.ada,x"}
    assert read_protocol_credential(named) == "ada"
    assert offered_protocols(named) == ["realtime", "openai-insecure-api-key.ada", "x"]
    assert read_protocol_credential({}) is None and offered_protocols({"sec-websocket-protocol": " , "}) == []


@pytest.mark.parametrize("query", ["key=canary", "alt=sse&key=canary", "token=ada"])
def test_credential_in_the_query_is_refused_without_being_quoted(query: str) -> None:
    with pytest.raises(RefusedError) as refused:
        refuse_key_in(query, "ada")
    assert refused.value.code is Code.INVALID_API_KEY and "canary" not in refused.value.message


@pytest.mark.parametrize(("query", "key"), [("monkey=a", None), ("a=b&keys=1", "ada"), ("alt=sse", "")])
def test_query_without_a_credential_is_accepted(query: str, key: str | None) -> None:
    refuse_key_in(query, key)
