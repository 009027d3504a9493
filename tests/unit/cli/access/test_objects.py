from __future__ import annotations

from collections.abc import Callable
from typing import Any

from click.testing import Result

Softix = Callable[..., Result]
Read = Callable[[str], Any]


def test_objects_share_list_and_unshare_show_what_is_shared(run: Softix, read: Read) -> None:
    read("users create ada --email ada@example.org")
    read("providers add lab --type openai-compatible --base-url http://127.0.0.1:9 --no-test")
    shared = read("objects share vector_store vs_1 --provider lab --user ada")
    assert list(shared) == ["kind", "id", "user", "provider", "provider_key", "created_at"]
    assert (shared["kind"], shared["id"], shared["user"]) == ("vector_store", "vs_1", "ada")
    assert read("objects share prompt pmpt_1 --provider lab")["user"] == "everybody"
    assert [each["id"] for each in read("objects list --shared")] == ["vs_1", "pmpt_1"]
    assert read("objects list") == [] and run("objects list --kind wombat", code=2)
    assert read("objects unshare vector_store vs_1 --provider lab --user ada")["id"] == "vs_1"
    assert "see: softix objects list --shared" in run("objects unshare prompt vs_1 --provider lab", code=1).stderr
