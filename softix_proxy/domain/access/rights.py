"""The names of rights: which models at which providers the patterns of a key stand for.

A provider and its model are apart in them. `openai/gpt-4o` is the model `gpt-4o` at the provider `openai`, and never a
model of another provider whose own name happens to be `openai/gpt-4o`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Sequence
from fnmatch import translate
from functools import lru_cache

from softix_proxy.domain.catalog.models import NAME_LETTERS

ANY_PROVIDER = "*/"
"""The beginning of a pattern for models of that name at any provider: `*/meta-llama/*`."""
_Matches = Callable[[str], object]
_KEPT = 4096
_PATTERN = re.compile(rf"[*?\[\]!{NAME_LETTERS}]{{1,128}}", re.ASCII)
_GLOB = frozenset("*?[]!")


def is_pattern(text: str) -> bool:
    """Returns whether this is a pattern of model names, as keys have them."""
    return _PATTERN.fullmatch(text) is not None


def has_glob(text: str) -> bool:
    """Returns whether the text has a sign that makes it a pattern."""
    return bool(_GLOB & {*text})


class ModelPatterns:
    """The patterns of one key, compiled.

    A pattern without a slash is compared with a model's own name, whatever the provider, and with the whole name of a
    route. In any other pattern, what comes before the first slash is compared with the provider's name, and the rest
    with the model's own name.
    """

    __slots__ = ("_anywhere", "_apart")

    def __init__(self, patterns: Sequence[str]) -> None:
        self._anywhere: list[_Matches] = []
        self._apart: list[tuple[_Matches, _Matches]] = []
        for pattern in patterns:
            head, slash, rest = pattern.partition("/")
            if slash:
                self._apart.append((_compiled(head), _compiled(rest)))
            else:
                self._anywhere.append(_compiled(pattern))

    def match(self, provider: str, model: str) -> bool:
        """Returns whether any pattern stands for this model at this provider.

        A model whose own name begins with its provider's name may be named without saying it twice.
        """
        if any(matches(model) for matches in self._anywhere):
            return True
        head, _, rest = model.partition("/")
        short = rest if head == provider else ""
        return any(fits(provider) and (matches(model) or (short and matches(short))) for fits, matches in self._apart)

    def match_route(self, name: str) -> bool:
        """Returns whether any pattern stands for the route of this name. Its name may have a slash too."""
        if any(matches(name) for matches in self._anywhere):
            return True
        head, slash, rest = name.partition("/")
        return bool(slash) and any(fits(head) and matches(rest) for fits, matches in self._apart)


@lru_cache(_KEPT)
def model_patterns(patterns: tuple[str, ...]) -> ModelPatterns:
    """Returns the compiled patterns. They are compiled once, because every request of the key compares them."""
    return ModelPatterns(patterns)


def provider_named_in(name: str, providers: Container[str]) -> str:
    """Returns the provider that a name begins with, as in `openai/gpt-4o`, or an empty text if it names none."""
    head, slash, _ = name.partition("/")
    return head if slash and head in providers else ""


def _compiled(pattern: str) -> _Matches:
    return re.compile(translate(pattern)).match
