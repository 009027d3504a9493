from __future__ import annotations

import json

import pytest

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.operations.abuse.leaks import FoundKey, read_report


def test_report_is_read_with_known_words_only() -> None:
    body = json.dumps(
        [
            {"token": "a", "type": "softix_key", "source": "Pull_request_comment", "url": ""},
            {"token": "b", "type": "<b>", "source": "a place of my own"},
            {"token": "c"},
        ]
    )
    assert read_report(body.encode()) == [
        FoundKey("a", "softix_key", "pull_request_comment"),
        FoundKey("b", "softix_api_key", "unknown"),
        FoundKey("c", "softix_api_key", "unknown"),
    ]
    assert "token" not in repr(read_report(b'[{"token": "a token"}]'))


@pytest.mark.parametrize("body", [b"", b"\xff", b"7", b"{}", b"[[]]", b'[{"token": null}]', b"[" * 100_000])
def test_report_of_another_form_is_refused_without_being_quoted(body: bytes) -> None:
    with pytest.raises(BadInputError, match="report"):
        read_report(body)


def test_report_with_too_many_matches_is_refused() -> None:
    with pytest.raises(BadInputError):
        read_report(json.dumps([{"token": "a"}] * 5001).encode())
