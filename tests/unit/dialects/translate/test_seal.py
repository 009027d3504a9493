from __future__ import annotations

import base64

import pytest

from softix_proxy.dialects.translate.canonical import Thinking
from softix_proxy.dialects.translate.seal import seal, unseal


@pytest.mark.parametrize("redacted", [False, True])
@pytest.mark.parametrize("own", ["responses", "generate_content"])
def test_there_and_back(redacted: bool, own: str) -> None:
    thinking = Thinking("", "EqQBCk+/=", "messages", redacted, "rs_1")
    sealed = seal(thinking, own)
    assert thinking.signature not in sealed
    assert unseal(sealed, own) == thinking
    assert unseal(sealed.replace("+", "-").replace("/", "_"), own) == thinking


def test_a_dialects_own_stays_bare() -> None:
    assert seal(Thinking("a", "s", "messages"), "messages") == "s"
    assert unseal("s", "messages", "a") == Thinking("a", "s", "messages")
    assert unseal("d", "messages", redacted=True) == Thinking("", "d", "messages", redacted=True)


def test_nothing_is_nothing() -> None:
    assert seal(Thinking("a"), "messages") == ""
    assert unseal("", "messages", "a") == Thinking("a")


@pytest.mark.parametrize(
    "packed", [b"softix1", b"softix1\nmessages\nx\n\ns", b"softix1\n\xff\nt\n\ns", b"softix2\na\nt\n\ns"]
)
def test_what_only_looks_sealed_is_the_dialects_own(packed: bytes) -> None:
    value = base64.b64encode(packed).decode()
    assert unseal(value, "messages") == Thinking("", value, "messages")
    assert unseal(value + "!", "messages").signature == value + "!"
