from __future__ import annotations

from collections.abc import Callable
from typing import Any

from click.testing import Result

Softix = Callable[..., Result]
Read = Callable[[str], Any]


def test_audit_of_an_instance_without_a_portal_is_empty_and_whole(run: Softix, read: Read) -> None:
    assert read("audit list") == []
    assert read("audit verify") == {"entries": 0, "broken_at": None, "whole": True}
    assert "whole" in run("audit verify").output
