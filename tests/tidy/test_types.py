"""What is told to the type checker must be true, and where it cannot see that, a reason stands beside it."""

from __future__ import annotations

import io
import re
import tokenize

import pytest
from support.sources import sources

CLAIM = re.compile(r"#\s*type:\s*ignore|(?<![\w.])cast\(|(?<![\w.])assert isinstance\(")
REASON = re.compile(r"#\s*(?!noqa|type:)\w[^#]{10,}|#\s*(?:noqa|type:)[^#-]*(?:-|#)\s*\w[^#]{10,}")


def unexplained(text: str) -> list[int]:
    """Lines that claim a type without a comment that says why it holds."""
    comments = {
        token.start[0]: token.string
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    }
    lines = text.splitlines()
    return [
        number
        for number, line in enumerate(lines, 1)
        if CLAIM.search(line) and not REASON.search(comments.get(number, ""))
    ]


@pytest.mark.parametrize(
    ("line", "explained"),
    [
        ("x = f()  # type: ignore[arg-type]", False),
        ("x = f()  # type: ignore[arg-type] # the stub is older than the library", True),
        ("assert isinstance(x, A)  # noqa: S101", False),
        ("assert isinstance(x, A)  # noqa: S101 - the factory makes no other", True),
        ("x = cast(A, y)", False),
        ("x = cast(A, y)  # the queue answers with nothing else", True),
        ("x = broadcast(y)", True),
        ("x = y.cast('B')", True),
    ],
)
def test_unexplained_finds_claims_without_a_reason(line: str, explained: bool) -> None:
    assert unexplained(f"{line}\n") == ([] if explained else [1])


def test_type_claim_has_its_reason_on_its_line() -> None:
    found = [f"{source.place}:{line}" for source in sources("softix_proxy") for line in unexplained(source.text)]
    assert not found, f"say on the line why it holds, or give the value a type that needs no claim: {found}"
