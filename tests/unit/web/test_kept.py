from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.ports.upstream import ProviderFault
from softix_proxy.web.batches import AnthropicBatches, OpenAIBatches, keeper_of
from softix_proxy.web.files import Files
from softix_proxy.web.kept import ONE, Keeper, Verb, Wish


class Words(Keeper):
    verbs: ClassVar[Sequence[Verb]] = (("GET", (), "all"), ("GET", ONE, "one"), ("POST", (*ONE, "break"), "broken"))
    said: str = ""

    async def all(self) -> None:
        self.said = "all"

    async def one(self, name: str) -> None:
        self.said = name

    async def broken(self, name: str) -> None:
        raise ProviderFault(Code.PROVIDER_TIMEOUT, started=True)


def words(method: str, query: str = "") -> Words:
    house = SimpleNamespace(directory=SimpleNamespace(current=None), policy=SimpleNamespace(pass_headers=frozenset()))
    clock = SimpleNamespace(monotonic_ns=lambda: 0)
    batches: Any = SimpleNamespace(
        results=None, lifecycle=house, storage=SimpleNamespace(reading=lambda: None), clock=clock
    )
    return Words(batches, None, Wish(method, query, (), None, "", None), None)  # type: ignore[arg-type]


@pytest.mark.parametrize(("names", "said"), [((), "all"), (("f1",), "f1")])
async def test_what_follows_the_folder_decides(names: tuple[str, ...], said: str) -> None:
    keeper = words("GET")
    await keeper.answer(names)
    assert keeper.said == said


@pytest.mark.parametrize(
    ("method", "names", "code"),
    [
        ("POST", (), Code.METHOD_NOT_ALLOWED),
        ("DELETE", ("f1",), Code.METHOD_NOT_ALLOWED),
        ("GET", ("f1", "other"), Code.NOT_FOUND),
        ("GET", ("f1", "break", "more"), Code.NOT_FOUND),
        ("POST", ("f1", "break"), Code.PROVIDER_TIMEOUT),
    ],
)
async def test_what_is_not_done(method: str, names: tuple[str, ...], code: Code) -> None:
    with pytest.raises(RefusedError) as refused:
        await words(method).answer(names)
    assert refused.value.code is code


@pytest.mark.parametrize(
    ("path", "keeper", "names"),
    [
        ("/files", Files, []),
        ("/files/f1/content", Files, ["f1", "content"]),
        ("/batches/b1", OpenAIBatches, ["b1"]),
        ("/messages/batches/m/results", AnthropicBatches, ["m", "results"]),
        ("/files/F1/Content", Files, ["F1", "content"]),
        ("/files/f1:download", Files, ["f1", "content"]),
        ("/batches/b1:cancel", OpenAIBatches, ["b1", "cancel"]),
        ("/batches/b1:other", OpenAIBatches, ["b1:other"]),
    ],
)
def test_whose_a_path_is(path: str, keeper: type[Keeper], names: list[str]) -> None:
    assert keeper_of(path) == (keeper, names)


@pytest.mark.parametrize("keeper", [Files, OpenAIBatches, AnthropicBatches])
def test_each_verb_is_there(keeper: type[Keeper]) -> None:
    assert all(callable(getattr(keeper, verb)) for _, _, verb in keeper.verbs)
