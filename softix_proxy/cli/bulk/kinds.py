"""The kinds of things that a file of `softix apply` can have: how each is found, made and changed.

A thing is described by the parameters of the commands that make and change it. So whatever these take, a file takes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from softix_proxy.domain.core.errors import BadInputError, NotFoundError

Entry = Mapping[str, Any]
ThingFields = Mapping[str, Any]
Call = Callable[[str, Entry], Awaitable[Any]]
"""Runs a command by its name and its parameters."""
Find = Callable[[Call, Entry], Awaitable[ThingFields | None]]
_STATUS: Final = "status"


@dataclass(frozen=True, slots=True)
class Kind:
    """One section of a file."""

    section: str
    names: tuple[str, ...]
    """The members by which the thing is known: they say which one it is, and are never changed."""
    find: Find
    """Returns the fields of the thing as they are, or None if there is none."""
    makes: str
    changes: str = ""
    """The command that changes one. Without it, the one that makes it does."""
    subject: str = ""
    """The parameter of `changes` that names the thing. Its value is what `name_of` returns."""
    only_new: frozenset[str] = frozenset()
    """The members that count only for a new thing."""
    statuses: Mapping[str, str] = field(default_factory=dict)
    """Status → the command that gives it."""

    def label(self, entry: Entry) -> str:
        """Returns the words by which a person knows the thing."""
        return " ".join(str(entry[name]) for name in self.names if entry.get(name) is not None)

    async def act(self, call: Call, entry: Entry, shown: ThingFields | None) -> Any:
        """Makes the thing, or changes it to what the entry says. Returns what the command printed."""
        status = entry.get(_STATUS)
        given = {name: value for name, value in entry.items() if name != _STATUS}
        printed = None
        if shown is None and status in self.statuses and status != "active":
            return None  # what is not to be used, and is not there, is as it should be
        if shown is None or not self.changes:
            printed = await call(self.makes, given)
        else:
            changed = {name: value for name, value in given.items() if name not in {*self.names, *self.only_new}}
            if changed:
                printed = await call(self.changes, {**changed, self.subject: self._reference(entry, shown)})
        if status is not None and shown is not None and shown.get(_STATUS) != status:
            await call(self.statuses[status], {self.subject: self._reference(entry, shown)})
        return printed

    def _reference(self, entry: Entry, shown: ThingFields) -> str:
        if self.section == "models":
            return f"{entry['provider']}/{entry['name']}"
        return str(shown.get("id") or entry[self.names[-1]])


def _show(command: str, **parameters: str) -> Find:
    """Returns what finds a thing by the command that shows it. `parameters` are filled from members of the entry."""

    async def find(call: Call, entry: Entry) -> ThingFields | None:
        given = {name: entry.get(member) for name, member in parameters.items()}
        try:
            shown: ThingFields = await call(
                command, {name: value for name, value in given.items() if value is not None}
            )
        except NotFoundError:
            return None
        return shown

    return find


def _listed(command: str, matches: Callable[[Entry, ThingFields], bool], *parameters: str) -> Find:
    """Returns what finds a thing in a list. Raises BadInputError if several are meant."""

    async def find(call: Call, entry: Entry) -> ThingFields | None:
        try:
            rows = await call(command, {name: entry[name] for name in parameters})
        except NotFoundError:
            return None
        found = [row for row in rows if matches(entry, row)]
        if len(found) > 1:
            raise BadInputError("several things have this name", "give each a name of its own, then apply again")
        return found[0] if found else None

    return find


async def _find_key(call: Call, entry: Entry) -> ThingFields | None:
    listed = _listed("keys.list", lambda wanted, row: _is_key(wanted, row), "user")
    row = await listed(call, entry)
    if row is None:
        return None
    shown: ThingFields = await call("keys.show", {"key": row["id"]})
    return shown


def _is_key(entry: Entry, row: ThingFields) -> bool:
    return bool(row["name"] == entry["name"] and row["status"] == "active")


async def _find_model(call: Call, entry: Entry) -> ThingFields | None:
    find = _show("models.show", model="reference")
    return await find(call, {"reference": f"{entry['provider']}/{entry['name']}"})


def _is_member(entry: Entry, row: ThingFields) -> bool:
    return entry["account"] in (row.get("id"), row.get("email"))


def _is_budget(entry: Entry, row: ThingFields) -> bool:
    whose = row["project"] if entry.get("project") is not None else row["member"]
    asked = entry.get("project") if entry.get("project") is not None else entry.get("member")
    return bool(row["period"] == entry["period"] and whose is not None and asked in (whose, row["name"]))


_PARTS: Final = ("model", "tag", "each_end_user")
"""What says which part of the requests a limit is of."""


async def _find_key_limits(call: Call, entry: Entry) -> ThingFields | None:
    found = await _show("keys.show", key="key")(call, entry)
    if found is None:
        return None
    is_part = any(entry.get(name) for name in _PARTS)
    plain = {} if is_part else {name: found[name] for name in ("rpm", "tpm", "concurrency")}
    return {"id": found["id"], **plain, **_of_model(entry, found, "limits", "model_rates")}


async def _find_user_limits(call: Call, entry: Entry) -> ThingFields | None:
    found = await _show("users.limits", user="user")(call, entry)
    return None if found is None else {"id": found["id"], **_of_model(entry, found, "limits")}


async def _find_template(call: Call, entry: Entry) -> ThingFields | None:
    found = await _show("templates.show", name="name")(call, entry)
    if found is None:
        return None
    shown = {name: found[name] for name in ("name", "for", "default", "default_of")}
    return {**shown, **_of_model(entry, found, "limits")}


def _of_model(entry: Entry, found: ThingFields, *lists: str) -> dict[str, list[Any]]:
    """Returns what these lists have for the part of the requests that the entry names, or for all."""
    part = entry.get("model"), entry.get("tag"), bool(entry.get("each_end_user"))
    return {name: [each for each in found[name] if _part_of(each) == part] for name in lists}


def _part_of(limit: ThingFields) -> tuple[Any, ...]:
    return limit["model"], limit.get("tag"), bool(limit.get("each_end_user"))


def _is_markup(entry: Entry, row: ThingFields) -> bool:
    subject = entry.get("user") or entry.get("model")
    return bool(row["state"] == "in force" and (row["subject"] == subject if subject else row["subject"] is None))


_ON_OR_OFF: Final = ("active", "disabled")


def _on_or_off(noun: str) -> Mapping[str, str]:
    return dict(zip(_ON_OR_OFF, (f"{noun}.enable", f"{noun}.disable"), strict=True))


def _users(section: str) -> Kind:
    return Kind(
        section,
        ("name",),
        _show("users.show", user="name"),
        "users.create",
        "users.update",
        "user",
        statuses=_on_or_off("users"),
    )


KINDS: Final = (
    _users("users"),
    _users("organisations"),  # an organisation is a user with members
    Kind("templates", ("name", "model"), _find_template, "templates.set"),
    Kind(
        "credit_limits",
        ("user",),
        _show("balance.show", user="user"),
        "balance.credit-limit",
    ),
    Kind(
        "projects",
        ("organisation", "name"),
        _show("projects.show", organisation="organisation", project="name"),
        "projects.create",
        "projects.rename",
        "project",
    ),
    Kind(
        "members",
        ("organisation", "account"),
        _listed("organisations.members", _is_member, "organisation"),
        "organisations.set-role",
    ),
    Kind(
        "models",
        ("provider", "name"),
        _find_model,
        "models.add",
        "models.update",
        "model",
        statuses=_on_or_off("models"),
    ),
    Kind("prices", ("model", "user", "tier", "above"), _show("prices.show", model="model", user="user"), "prices.set"),
    Kind("markups", ("default", "user", "model"), _listed("prices.markup", _is_markup), "prices.markup"),
    Kind(
        "routes",
        ("name",),
        _show("routes.show", name="name"),
        "routes.set",
        subject="name",
        statuses=_on_or_off("routes"),
    ),
    Kind(
        "keys",
        ("user", "name"),
        _find_key,
        "keys.create",
        "keys.update",
        "key",
        frozenset(("expires", "template")),
        {"active": "", "revoked": "keys.revoke"},
    ),
    Kind("key_limits", ("key", *_PARTS), _find_key_limits, "keys.limits"),
    Kind("user_limits", ("user", *_PARTS), _find_user_limits, "users.limits"),
    Kind(
        "budgets",
        ("organisation", "project", "member", "period"),
        _listed("budgets.list", _is_budget, "organisation"),
        "budgets.set",
    ),
)
"""The sections in the order in which they are done: what others name comes first."""
