"""One name for one thing: public classes and types, and the paths of nouns."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import pytest
from support.sources import Source, nouns, package

TYPE_NAME = re.compile(r"[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*")
FLOORS_OF_A_NOUN = ("domain", "storage", "operations", "cli")
ENGINES = ("sqlite", "postgres")
"""Folders of storage, between the floor and its capabilities."""


class Role(NamedTuple):
    floors: frozenset[str]
    """Where the name may be defined; twice on one floor only if `peers`."""
    reason: str
    peers: bool = False


def role(floors: str, reason: str, *, peers: bool = False) -> Role:
    return Role(frozenset(floors.split()), reason, peers)


_ENDPOINT = "an endpoint of a provider: its dialect meters it, and the demo answers it"
ROLES: Mapping[str, Role] = {
    "Account": role("domain relay", "who signs in (domain), and an account at a provider (relay): no file has both"),
    "Completions": role("demo dialects", _ENDPOINT),
    "Embeddings": role("demo dialects", _ENDPOINT),
    "Messages": role("demo dialects", _ENDPOINT),
    "PageRequest": role("dialects web", "a request for one page: of a provider's list, and of the portal"),
    "ReadAnswer": role("dialects", "reads an answer of its dialect into the canonical form", peers=True),
    "Responses": role("demo dialects", _ENDPOINT),
    "Session": role("domain relay", "of a person who signed in (domain), and of realtime (relay): no file has both"),
    "WriteParts": role("dialects", "writes canonical parts in its dialect", peers=True),
    "WriteStream": role("dialects", "writes canonical events as a stream of its dialect", peers=True),
}
"""Names that are defined in several places, since each is the same thing there."""


WITHOUT_COMMAND = {
    "account_tokens": "in the links that other commands and messages have",
    "caps": "set by `softix keys limits` and `softix users limits`",
    "ceremonies": "what is under way between two pages, for minutes",
    "federated_identities": "linked and removed by the person, in the portal",
    "instance": "made by `softix init`; it has one row, and nothing to list",
    "invitations": "sent, listed and cancelled by `softix organisations`",
    "live": "one picture of all of it, shown by `softix top`",
    "key_owners": "changed by `softix projects assign`",
    "notice_conditions": "what the job remembers of what it told",
    "notice_preferences": "each person's own choice, in the portal",
    "repeatable_calls": "the answers that a repeated call of the admin API gets, for a day",
    "security_events": "shown by the portal, to the person and to operators",
    "sessions": "ended by `softix accounts sign-out`; the person lists them in the portal",
    "throttles": "they empty by themselves",
}
OTHER_PATHS: Mapping[str, str] = {
    "caps": "decided with budgets (domain, storage), and set with the limits of keys (operations), below organisations",
    "config": "how a setting is declared (domain), and the command that shows them (cli)",
    "migrations": "what a migration changes (domain), and how it is applied (storage)",
    "spans": "the options that name a span (cli), and half-open spans of time (domain)",
}
"""A file name that stands in different folders on the floors of nouns → why it is another thing there."""


def public_types(source: Source) -> Iterator[tuple[str, int]]:
    """Classes and type aliases that others may import, with their lines."""
    for node in source.tree.body:
        names = (
            [node.name]
            if isinstance(node, ast.ClassDef)
            else [target.id for target in node.targets if isinstance(target, ast.Name)]
            if isinstance(node, ast.Assign)
            else [node.target.id]
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
            else []
        )
        yield from ((name, node.lineno) for name in names if TYPE_NAME.fullmatch(name))


def definitions(sources: Iterable[Source]) -> dict[str, list[tuple[str, str]]]:
    """Name → floor and place of each definition of it."""
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for source in sources:
        for name, line in public_types(source):
            found[name].append((source.floor, f"{source.place}:{line}"))
    return {name: places for name, places in found.items() if len(places) > 1}


def clashes(sources: Iterable[Source], roles: Mapping[str, Role]) -> list[str]:
    found = []
    for name, places in definitions(sources).items():
        floors = [floor for floor, _ in places]
        known = roles.get(name)
        if known is None or not known.floors.issuperset(floors) or (len(set(floors)) < len(floors) and not known.peers):
            found.append(f"{name}: {', '.join(place for _, place in places)}")
    return found


def module(place: str, code: str = "") -> Source:
    return Source(f"softix_proxy/{place}", code)


def test_public_type_has_a_name_of_its_own() -> None:
    found = clashes(package(), ROLES)
    instead = "instead: a name that says what it is, as in DocumentKind and TransferKind; or a line in ROLES"
    assert not found, "\n".join([*found, instead])


def test_exception_for_a_shared_name_is_still_needed() -> None:
    known = definitions(package())
    idle = [name for name, role in ROLES.items() if not role.floors <= {floor for floor, _ in known.get(name, [])}]
    assert not idle, f"take these out of ROLES, or name fewer floors: {', '.join(idle)}"


@pytest.mark.parametrize(
    ("first", "second", "seen"),
    [
        (
            module("domain/billing/bill.py", "class Kind: ..."),
            module("domain/ledger/ledger.py", "class Kind: ..."),
            True,
        ),
        (module("domain/billing/bill.py", "class Kind: ..."), module("domain/ledger/x.py", "Kind = int | str"), True),
        (
            module("domain/billing/bill.py", "class Kind: ..."),
            module("exports/ledger/form.py", "Kind: TypeAlias = int"),
            True,
        ),
        (module("a/x.py", "class Reader: ..."), module("a/y/z.py", "class Reader: ..."), False),
        (module("a/x.py", "class Store: ..."), module("b/x.py", "class Store: ..."), False),
        (module("a/x.py", "class Store: ..."), module("a/y.py", "class Store: ..."), True),
        (module("a/x.py", "class Store: ..."), module("c/x.py", "class Store: ..."), True),
        (module("a/x.py", "class _Kind: ..."), module("a/y.py", "class _Kind: ..."), False),
        (module("a/x.py", "KIND = 1"), module("a/y.py", "KIND = 1"), False),
        (module("a/x.py", "def f():\n class Kind: ..."), module("a/y.py", "class Kind: ..."), False),
    ],
)
def test_rule_of_names_reports_exactly_the_clashes(first: Source, second: Source, seen: bool) -> None:
    roles = {"Reader": role("a", "one a dialect", peers=True), "Store": role("a b", "the port, and what fulfils it")}
    assert bool(clashes([first, second], roles)) is seen


def path_on_its_floor(source: Source) -> str:
    """`access/keys`: without the floor, and without the engine of a storage."""
    parts = source.inside.removesuffix(".py").split("/")[1:]
    return "/".join(parts[1:] if parts[0] in ENGINES and len(parts) > 1 else parts)


def paths(sources: Iterable[Source]) -> dict[str, dict[str, list[str]]]:
    """File name → floor → its paths there, on the floors of nouns."""
    found: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for source in sources:
        if source.floor in FLOORS_OF_A_NOUN and source.stem != "__init__" and "/" in source.inside:
            found[source.stem][source.floor].append(path_on_its_floor(source))
    return {stem: dict(floors) for stem, floors in found.items()}


def strays(sources: Iterable[Source], others: Mapping[str, str]) -> list[str]:
    """File names that do not have one path on all floors of nouns."""
    return [
        f"{stem}: {', '.join(f'{floor}/{path}' for floor, found in floors.items() for path in found)}"
        for stem, floors in paths(sources).items()
        if stem not in others and len({path for found in floors.values() for path in found}) > 1
    ]


def test_noun_has_its_file_on_every_floor() -> None:
    known = paths(package())
    missing = [
        f"{floor}/…/{noun}.py"
        for noun in sorted(nouns())
        for floor in FLOORS_OF_A_NOUN
        if floor not in known.get(noun, {}) and not (floor == "cli" and noun in WITHOUT_COMMAND)
    ]
    assert not missing, f"instead of another name: {', '.join(missing)}"


def test_file_name_has_the_same_path_on_every_floor() -> None:
    found = strays(package(), OTHER_PATHS)
    assert not found, "\n".join([*found, "instead: the same folder on each floor, or another name for another thing"])


def test_nouns_are_recognised_and_their_exceptions_exist() -> None:
    found = nouns()
    assert {"users", "keys", "balance", "ledger", "providers", "models", "prices", "usage"} <= found
    assert set(WITHOUT_COMMAND) <= found
    assert set(OTHER_PATHS) <= set(paths(package()))


@pytest.mark.parametrize(
    ("places", "seen"),
    [
        (("domain/access/keys.py", "storage/sqlite/access/keys.py"), False),
        (("domain/access/keys.py", "storage/sqlite/access/keys.py", "cli/access/keys.py"), False),
        (("domain/access/keys.py", "storage/access/keys.py"), False),
        (("domain/access/keys.py", "operations/catalog/keys.py"), True),
        (("domain/access/keys.py", "storage/sqlite/keys.py"), True),
        (("domain/access/keys.py", "domain/ledger/keys.py"), True),
        (("domain/access/keys.py", "web/keys.py"), False),
        (("domain/access/health.py", "storage/sqlite/instance/health.py"), False),
    ],
)
def test_rule_of_paths_reports_exactly_the_different_paths(places: tuple[str, ...], seen: bool) -> None:
    assert bool(strays(map(module, places), {"health": "of targets, and of a database"})) is seen
