"""The operations on stored objects: the method, the path, and the handler's method that does it.

This module imports nothing that takes time to load, because the web makes its routes from this table at every start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

ONE = ("id",)
"""The path of one object below the folder of its kind."""


class Operation(NamedTuple):
    """One operation on objects of one kind."""

    method: str
    path: tuple[str, ...]
    """The path below the folder: nothing, or a name and perhaps a word."""
    function: str
    """The handler's method that does it. It is given the name, if there is one."""
    form_field: str = ""
    """The field that decides, if the body is a form with a file. It is empty for every other body."""

    def fits(self, names: Sequence[str]) -> bool:
        """Returns whether this operation has this path. `names` is the path below the folder."""
        return len(self.path) == len(names) and self.path[1:] == tuple(names[1:])


OPERATIONS: Mapping[str, Sequence[Operation]] = {
    "/messages/batches": (
        Operation("POST", (), "create"),
        Operation("GET", (), "list_all"),
        Operation("GET", ONE, "show"),
        Operation("GET", (*ONE, "results"), "read_results"),
        Operation("POST", (*ONE, "cancel"), "cancel"),
        Operation("DELETE", ONE, "delete"),
    ),
    "/batches": (
        Operation("POST", (), "create"),
        Operation("GET", (), "list_all"),
        Operation("GET", ONE, "show"),
        Operation("POST", (*ONE, "cancel"), "cancel"),
    ),
    "/files": (
        Operation("POST", (), "upload", form_field="purpose"),
        Operation("GET", (), "list_all"),
        Operation("GET", ONE, "show"),
        Operation("GET", (*ONE, "content"), "read"),
        Operation("DELETE", ONE, "delete"),
    ),
}
"""The operations by the folder of each kind of object. A folder is a path without the version."""

VERBS_OF_GOOGLE: Mapping[str, str] = {"download": "content", "cancel": "cancel"}
"""The words that follow a name in Google's paths, as in `/files/file-1:download`, and the parts that others use."""


class ObjectPath(NamedTuple):
    folder: str
    names: Sequence[str]
    """The parts below the folder: a name, and perhaps the operation."""


def parse(path: str) -> ObjectPath:
    """Splits a path that begins with one of the folders."""
    folder = next(folder for folder in OPERATIONS if path.startswith(folder))
    names = path[len(folder) :].split("/")[1:]
    if len(names) == 1 and (word := VERBS_OF_GOOGLE.get((parts := names[0].partition(":"))[2])):
        names = [parts[0], word]
    return ObjectPath(folder, [*names[:1], *(name.lower() for name in names[1:])])


def find_operation(method: str, path: str) -> Operation | None:
    """Returns the operation of a request, or None if there is none."""
    folder, names = parse(path)
    return next((each for each in OPERATIONS[folder] if each.method == method and each.fits(names)), None)
