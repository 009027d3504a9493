from __future__ import annotations

import base64

import pytest

from softix_proxy.dialects.canonical.signature_tagging import tag_signature, untag_signature
from softix_proxy.dialects.canonical.types import Thinking


@pytest.mark.parametrize("redacted", [False, True])
@pytest.mark.parametrize("own", ["responses", "generate_content"])
def test_signature_of_another_dialect_after_tagging_and_untagging_is_the_same(redacted: bool, own: str) -> None:
    thinking = Thinking("", "EqQBCk+/=", "messages", redacted, "rs_1")
    sealed = tag_signature(thinking, own)
    assert thinking.signature not in sealed
    assert untag_signature(sealed, own) == thinking
    assert untag_signature(sealed.replace("+", "-").replace("/", "_"), own) == thinking


def test_signature_of_the_same_dialect_stays_untagged() -> None:
    assert tag_signature(Thinking("a", "s", "messages"), "messages") == "s"
    assert untag_signature("s", "messages", "a") == Thinking("a", "s", "messages")
    assert untag_signature("d", "messages", redacted=True) == Thinking("", "d", "messages", redacted=True)


def test_signature_tagging_without_a_signature_returns_nothing() -> None:
    assert tag_signature(Thinking("a"), "messages") == ""
    assert untag_signature("", "messages", "a") == Thinking("a")


@pytest.mark.parametrize(
    "packed", [b"softix1", b"softix1\nmessages\nx\n\ns", b"softix1\n\xff\nt\n\ns", b"softix2\na\nt\n\ns"]
)
def test_signature_with_a_malformed_tag_is_the_own_one_of_the_dialect(packed: bytes) -> None:
    value = base64.b64encode(packed).decode()
    assert untag_signature(value, "messages") == Thinking("", value, "messages")
    assert untag_signature(value + "!", "messages").signature == value + "!"
