import json
from dataclasses import replace

import pytest

from softix_proxy.domain.accounts.audit_heads import AuditHead, parse_head
from softix_proxy.domain.core.errors import BadInputError

HEAD = AuditHead(7, "ab" * 32, "2026-12-01T00:00:00.000000Z", "cd" * 32, "ef" * 64)


def test_signature_covers_everything_and_names_its_purpose() -> None:
    others = [
        replace(HEAD, entries=8),
        replace(HEAD, sha256="00" * 32),
        replace(HEAD, signed_at="2026-12-02T00:00:00.000000Z"),
        replace(HEAD, public_key="00" * 32),
    ]
    assert len({one.message() for one in [HEAD, *others]}) == len(others) + 1
    assert HEAD.message().startswith(b'["audit-head-1"')


def test_signature_is_checked_by_the_key_of_the_head() -> None:
    asked = []
    assert HEAD.is_signed(lambda *given: asked.append(given) is None)
    assert asked == [(HEAD.public_key, HEAD.message(), bytes.fromhex(HEAD.signature))]
    assert not replace(HEAD, signature="no hex").is_signed(lambda *given: True)


def test_head_is_read_as_it_was_told() -> None:
    assert parse_head(json.dumps(HEAD.as_fields())) == HEAD


@pytest.mark.parametrize(
    "change", [{"entries": -1}, {"entries": True}, {"sha256": 1}, {"more": 1}, {"signature": None}]
)
def test_what_is_no_head_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(BadInputError):
        parse_head(json.dumps({**HEAD.as_fields(), **change}))
