"""The things that users keep at providers, whose accounts they share: whose each of them is, and who may name it.

A request may name a file, a stored response or a container. The provider gives it to everybody who has the operator's
key. So softix knows the owner of each, and admission resolves every name against it. What is not here is nobody's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeGuard

from softix_proxy.domain.core.errors import Code

MOST_ID_LETTERS = 512
"""The longest id that softix keeps. Google's names of files and caches have some sixty letters."""
NO_KEY = ""
"""The label that stands for no key, at a provider that needs none."""
MOST_REFS = 1000
"""The most things that one request may name."""


NOTHING_STORED: frozenset[str] = frozenset()


class ObjectKind(NamedTuple):
    """A kind of thing that a provider keeps."""

    noun: str
    """What it is called in a message, with its article."""
    made_here: bool = False
    """Whether a request to softix can have made it. If not, only an operator can allow its use."""
    also: tuple[str, ...] = ()
    """Further kinds of which a thing of this name may be."""


KINDS: Mapping[str, ObjectKind] = {
    "file": ObjectKind("file", made_here=True),
    "batch": ObjectKind("batch", made_here=True),
    "response": ObjectKind("stored response", made_here=True),
    "item": ObjectKind("item of a stored response", made_here=True),
    "conversation": ObjectKind("conversation", made_here=True),
    "completion": ObjectKind("stored completion", made_here=True),
    "audio": ObjectKind("spoken answer", made_here=True),
    "message": ObjectKind("message", made_here=True),
    "container": ObjectKind("container", made_here=True),
    "cited_file": ObjectKind("file", made_here=True, also=("file",)),
    "vector_store": ObjectKind("vector store"),
    "prompt": ObjectKind("stored prompt"),
    "tunnel": ObjectKind("tunnel"),
    "connector": ObjectKind("connector"),
    "skill": ObjectKind("skill"),
    "voice": ObjectKind("voice of one's own"),
    "credential": ObjectKind("stored credential"),
    "user_profile": ObjectKind("user profile"),
    "credit_token": ObjectKind("credit token"),
    "cache": ObjectKind("cached content"),
    "file_uri": ObjectKind("file URI"),
    "file_search_store": ObjectKind("file search store"),
    "continuation": ObjectKind("continuation"),
    "template": ObjectKind("template"),
    "unknown": ObjectKind("stored object of an unknown kind"),
}
"""The kinds by name. Each name is also what operators type, and what the database has."""


class ObjectRef(NamedTuple):
    """A name of a thing at a provider, as a request or an answer has it."""

    kind: str
    """One of KINDS."""
    id: str


class AccountPlace(NamedTuple):
    """An account at a provider. What one of its keys stores, only the same account has."""

    provider_id: int
    provider_key: str
    """The label of the key. It is empty if the provider needs no key."""


class NewObject(NamedTuple):
    """A thing that an answer says the provider now keeps."""

    place: AccountPlace
    ref: ObjectRef
    user_id: int
    key_id: int
    created_at_us: int


@dataclass(frozen=True, slots=True)
class ObjectShare:
    """An operator's permission to name a thing that is not the user's own."""

    kind: str
    remote_id: str
    provider_id: int
    provider: str
    provider_key: str
    user_id: int | None
    """The user who may name it. None if everybody may."""
    user: str | None
    created_at_us: int


@dataclass(frozen=True, slots=True)
class OwnedObject:
    """A thing at a provider, and whose it is."""

    kind: str
    remote_id: str
    provider: str
    provider_key: str
    user: str
    created_at_us: int


class Unresolved(NamedTuple):
    """The reason why the names of a request lead nowhere."""

    code: Code
    kind: str
    """The kind of the first name that does."""


def is_storable(name: object) -> TypeGuard[str]:
    """Returns whether softix may keep an id that an outsider wrote. Ids are names: printable, and without spaces."""
    return (
        isinstance(name, str)
        and 0 < len(name) <= MOST_ID_LETTERS
        and name.isascii()
        and name.isprintable()
        and " " not in name
    )


def storable(found: Iterable[tuple[str, object]]) -> tuple[ObjectRef, ...]:
    """Returns those of the kinds and ids that softix may keep, each once."""
    return tuple(dict.fromkeys(ObjectRef(kind, name) for kind, name in found if is_storable(name)))


def asked_for(refs: Sequence[ObjectRef]) -> Iterable[tuple[int, str, str]]:
    """Yields what to look up: the number of the name, a kind of which it may be, and the id."""
    for number, (kind, name) in enumerate(refs):
        for each in (kind, *KINDS[kind].also):
            yield number, each, name


def pin(
    refs: Sequence[ObjectRef], found: Iterable[tuple[int, AccountPlace]], places: Sequence[AccountPlace]
) -> AccountPlace | Unresolved:
    """Returns the first of `places` that has all things of the names.

    `found` tells where the user may use the thing of each name, by the number of the name. A name that is unknown and
    one that is somebody else's are the same: neither is in `found`.
    """
    where: list[set[AccountPlace]] = [set() for _ in refs]
    for number, place in found:
        where[number].add(place)
    for ref, known in zip(refs, where, strict=True):
        if not known:
            return Unresolved(Code.OBJECT_NOT_FOUND, ref.kind)
    common = set.intersection(*where)
    return next((place for place in places if place in common), Unresolved(Code.OBJECT_ELSEWHERE, refs[0].kind))


class ObjectStore(Protocol):
    """Stores what is kept at providers for whom, and what operators allow beside that."""

    async def share(self, share: ObjectShare) -> None:
        """Allows the use of a thing. A second call changes nothing."""
        ...

    async def unshare(self, share: ObjectShare) -> bool:
        """Takes a permission back. Returns False if there was none."""
        ...

    async def shares(self) -> Sequence[ObjectShare]: ...

    async def list(self, user_id: int | None, kind: str | None, limit: int) -> Sequence[OwnedObject]:
        """Returns things with the newest first: of one user, and of one kind, if they are given."""
        ...

    async def resolve(self, user_id: int, refs: Sequence[ObjectRef]) -> Sequence[tuple[int, AccountPlace]]:
        """Returns where the user may use the thing of each name, as `pin` takes it."""
        ...
