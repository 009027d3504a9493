"""Finds the names of things that a provider keeps in a part of a request: ids of files, containers, responses.

Most parts are plain text. A typed decoder of the dialect recognises these, and nothing here runs for them. Any other
part is walked by a table of the members that name such things. Members with the client's own data, such as schemas and
the arguments of tools, are left alone. In an object of a type that no table knows, each member that looks like an id
counts as the name of an unknown thing, so that it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from softix_proxy.dialects.request.fields import MALFORMED, SCANNED_BYTES, JsonMembers, invalid
from softix_proxy.dialects.request.scan import elements, finished
from softix_proxy.domain.access.objects import MOST_ID_LETTERS, MOST_REFS, ObjectRef
from softix_proxy.domain.core.errors import RefusedError

_MOST_OBJECTS = 3000
"""The most objects and lists that are searched in one request. Each takes some microseconds."""
_MOST_LEVELS = 24
_SCANS = 6
"""The number of times that the bytes of a part may be scanned. Each level of it is scanned once more."""
_LEAST_SCANNED_BYTES = 1024 * 1024
_OPENS_OBJECT, _OPENS_LIST, _QUOTE = b"{[" + b'"'
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_VALUE = msgspec.json.Decoder(Any)
_LONGEST_ID_BYTES = 6 * MOST_ID_LETTERS + 2
"""The length of the longest id if all of its letters are escaped."""
_SPACES = re.compile(rb"[ \t\r\n]*+")
_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", re.ASCII)
"""The words of a name in either spelling."""
_OWN = frozenset(("id", "token"))
"""The members that name the thing itself in an object of a member that names a thing."""


class NamingRules(NamedTuple):
    """The members of one dialect that name things. Names are in lower case and without underscores."""

    kinds: Mapping[str, str]
    """A mapping from a member to the kind of thing that it names: by its text, its texts, or the `id` in its object."""
    opaque: frozenset[str] = frozenset()
    """The members with the client's own data, in which no name is one of a thing."""
    harmless: frozenset[str] = frozenset()
    """The members that look like ids and name parts of the request itself."""
    known: frozenset[str] = frozenset()
    """The values of `type` whose members are all known."""
    objects_only: frozenset[str] = frozenset()
    """The members of `kinds` whose text is no id, but a word of the dialect."""
    free: frozenset[str] = frozenset()
    """The members in whose objects the names are words of the client."""
    endings: frozenset[str] = frozenset(("id", "ids"))
    """The last words of members that look like ids."""
    unknown: Mapping[str, str] = {}
    """A mapping from a member that looks like an id to the kind that it names in an object of an unknown type."""
    strict: bool = False
    """Whether members that look like ids count everywhere, because the dialect's objects have no `type`."""
    below: Mapping[str, NamingRules] = {}
    """A mapping from a member to the other rules that apply within it."""


class FoundRefs:
    """The names that were found in one request."""

    __slots__ = ("_found", "_objects_left", "_scan_bytes_left")

    def __init__(self, size_bytes: int) -> None:
        """Begins with nothing. `size_bytes` is the size of the request, which limits the work."""
        self._found: dict[ObjectRef, None] = {}
        self._objects_left = _MOST_OBJECTS
        self._scan_bytes_left = max(size_bytes * _SCANS, _LEAST_SCANNED_BYTES)

    @property
    def refs(self) -> tuple[ObjectRef, ...]:
        return tuple(self._found)

    def add(self, kind: str, name: str) -> None:
        if name:
            self._found[ObjectRef(kind, name)] = None
            if len(self._found) > MOST_REFS:
                raise too_many()

    def add_value(self, kind: str, raw: msgspec.Raw) -> None:
        """Adds a text. Null names nothing, and anything else names nothing that can exist."""
        if memoryview(raw).nbytes > _LONGEST_ID_BYTES:
            raise invalid("The name of a stored object is too long.")
        try:
            value = _VALUE.decode(raw)
        except MALFORMED:
            raise invalid("The name of a stored object is not valid.") from None
        if isinstance(value, str):
            self.add(kind, value)
        elif value is not None and value is not False:
            raise invalid("The name of a stored object must be a string.")

    def walk(self, part: bytes | msgspec.Raw, rules: NamingRules) -> None:
        """Adds all names in a part of the request. Raises RefusedError if it is too intricate to be read."""
        self._walk([_Step(part, rules, "", rules.strict, 0)])

    def member(self, name: str, value: bytes | msgspec.Raw, rules: NamingRules) -> None:
        """Adds the names in one member of an object."""
        steps: list[_Step] = []
        self._sort(name, value, _Step(b"", rules, "", rules.strict, 0), steps)
        self._walk(steps)

    def members(self, fields: JsonMembers, names: Iterable[str], rules: NamingRules) -> None:
        """Adds the names in these members of an object."""
        for name in names:
            value = fields.raw(name)
            if value is not None:
                self.member(name, value, rules)

    def _walk(self, steps: list[_Step]) -> None:
        while steps:
            step = steps.pop()
            part, rules, kind, strict, level = step
            begins = _first(part)
            if begins == _OPENS_LIST:
                self._spend(part, level)
                entries = listed(part)
                if kind and len(entries) > MOST_REFS:
                    raise too_many()
                steps += [_Step(each, rules, kind, strict, level + 1) for each in entries]
            elif begins == _OPENS_OBJECT:
                self._spend(part, level)
                self._open(step, steps)
            elif kind and begins == _QUOTE:
                self.add_value(kind, part)  # type: ignore[arg-type] # only raw values are below the first level

    def _open(self, step: _Step, steps: list[_Step]) -> None:
        """Reads the members of an object."""
        rules, strict = step.rules, step.strict
        members = list(JsonMembers(step.part, _TYPE, "An object of the request").items())
        for name, value in members:
            if name == "type" and _first(value) == _QUOTE:
                strict = strict or _text(value) not in rules.known
        for name, value in members:
            self._sort(name, value, _Step(b"", rules, step.kind, strict, step.level), steps)

    def _sort(self, name: str, value: bytes | msgspec.Raw, within: _Step, steps: list[_Step]) -> None:
        """Reads one member: it names something, it is walked, or it is left alone."""
        _, rules, own, strict, level = within
        plain = name.replace("_", "").casefold()
        if plain in rules.opaque:
            return
        begins = _first(value)
        if plain in rules.free and begins == _OPENS_OBJECT:
            self._spend(value, level + 1)
            inner = JsonMembers(value, _NONE, f"`{plain}`").items()
            steps += [_Step(each, rules, "", strict, level + 2) for _, each in inner if _first(each) in _CONTAINERS]
            return
        kind = own if own and plain in _OWN else rules.kinds.get(plain, "")
        if kind and begins == _QUOTE and plain in rules.objects_only:
            kind = ""
        if not kind and strict and plain not in rules.harmless and _last_word(name) in rules.endings:
            kind = rules.unknown.get(plain, "unknown")
        if kind and begins in _SCALARS:
            raise invalid("The name of a stored object must be a string.")
        if begins in _CONTAINERS or (kind and begins == _QUOTE):
            steps.append(_Step(value, rules.below.get(plain, rules), kind, strict, level + 1))

    def _spend(self, part: bytes | msgspec.Raw, level: int) -> None:
        self._objects_left -= 1
        self._scan_bytes_left -= memoryview(part).nbytes
        if self._objects_left < 0 or self._scan_bytes_left < 0 or level > _MOST_LEVELS:
            raise too_intricate()


def too_intricate() -> RefusedError:
    return invalid("The request is too intricate to be searched for the names of stored objects.")


def too_many() -> RefusedError:
    return invalid(f"A request may name at most {MOST_REFS} stored objects here.")


class _Step(NamedTuple):
    part: bytes | msgspec.Raw
    rules: NamingRules
    kind: str
    """The kind of thing that a text here names. It is empty if a text names nothing."""
    strict: bool
    level: int


_TYPE = frozenset(("type",))
_NONE: frozenset[str] = frozenset()
_CONTAINERS = (_OPENS_OBJECT, _OPENS_LIST)
_SCALARS = b"-0123456789t"


def _trimmed(part: bytes | msgspec.Raw) -> memoryview:
    """Returns a value without the spaces before it. Nothing is copied."""
    view = memoryview(part)
    found = _SPACES.match(view) if view.nbytes and view[0] in b" \t\r\n" else None
    return view if found is None else view[found.end() :]


def _first(part: bytes | msgspec.Raw) -> int:
    """Returns the first byte of a value, or 0 if there is none."""
    view = _trimmed(part)
    return view[0] if view.nbytes else 0


def _last_word(name: str) -> str:
    words = _WORDS.findall(name)
    return words[-1].lower() if words else ""


def _text(raw: msgspec.Raw | bytes) -> object:
    return _VALUE.decode(raw) if memoryview(raw).nbytes <= _LONGEST_ID_BYTES else None


def is_list(part: bytes | msgspec.Raw) -> bool:
    return _first(part) == _OPENS_LIST


def listed(part: bytes | msgspec.Raw) -> list[msgspec.Raw]:
    """Returns the entries of a list that can name something. A list of numbers names nothing, however long it is.

    A large list is neither copied nor decoded, since each entry of it would take a hundred bytes.
    """
    view = _trimmed(part)
    if not _has_texts_or_objects(view):
        return []
    try:
        if view.nbytes > SCANNED_BYTES:
            spans = finished(elements(view, _MOST_OBJECTS))
            entries = None if spans is None else [msgspec.Raw(view[start:end]) for start, end in spans]
        else:
            entries = _LIST.decode(view)
    except (*MALFORMED, ValueError):
        raise invalid("The request body is not a valid JSON object.") from None
    if entries is None or len(entries) > _MOST_OBJECTS:
        raise too_intricate()
    return entries


def _has_texts_or_objects(view: memoryview) -> bool:
    pieces = (bytes(view[start : start + SCANNED_BYTES]) for start in range(0, view.nbytes, SCANNED_BYTES))
    return any(b"{" in piece or b'"' in piece for piece in pieces)
