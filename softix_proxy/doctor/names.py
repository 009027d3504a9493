"""Checks whether names still mean what keys and clients meant by them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from fnmatch import fnmatchcase

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, ok, warning
from softix_proxy.domain.access.authorization import AccessDenial, access, is_active
from softix_proxy.domain.access.keys import Key, KeyStatus
from softix_proxy.domain.access.rights import model_patterns
from softix_proxy.domain.catalog.models import Model
from softix_proxy.domain.routing.directory import Directory

_MOST_NAMED = 3


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    directory = Directory()
    directory.apply(await context.storage.changes(0))
    found = [*_keys(directory), *_models(directory), *_routes(directory)]
    for item in found:
        yield item
    if not found:
        yield ok("each name of a model means one provider's, for keys and for clients")


def _keys(directory: Directory) -> Iterator[Observation]:
    """Finds the keys that may use less than before, since their patterns mean one provider each."""
    for key in directory.keys.values():
        if key.status is not KeyStatus.ACTIVE or not key.earlier_models:
            continue
        lost = [*(_whole(directory, model) for model in _lost_models(directory, key)), *_lost_routes(directory, key)]
        if lost:
            before, now = ",".join(key.earlier_models), ",".join(key.models)
            yield warning(
                f"the key {key.public_id} had '{before}', now '{now}', and so no longer {_some(lost)}",
                f"to give it back: softix keys update {key.public_id} --models '{','.join((*key.models, *lost))}';"
                f" to leave it so: softix keys update {key.public_id} --models '{now}'",
            )


def _lost_models(directory: Directory, key: Key) -> Iterator[Model]:
    owner = directory.users[key.user_id]
    for model in directory.models.values():
        provider = directory.providers[model.provider_id]
        names = directory.names_of(model)
        if _matched(key, *names) and access(owner, key, provider, model) is AccessDenial.NOT_ALLOWED:
            yield model


def _lost_routes(directory: Directory, key: Key) -> Iterator[str]:
    """Finds the routes. The right to one whose name names a provider cannot be given back under this name."""
    for route in directory.active_routes():
        right = directory.right_to(route)
        if _matched(key, route.name) and not (right and model_patterns(key.models).match_route(right)):
            yield route.name


def _matched(key: Key, *names: str) -> bool:
    return any(fnmatchcase(name, pattern) for name in names for pattern in key.earlier_models)


def _models(directory: Directory) -> Iterator[Observation]:
    """Finds the models that clients cannot call by their own name, because it names another provider."""
    hidden: dict[str, list[str]] = {}
    for model in directory.models.values():
        provider = directory.providers[model.provider_id]
        if is_active(provider, model) and directory.called(model) != model.name:
            hidden.setdefault(provider.name, []).append(model.name)
    for provider_name, names in hidden.items():
        yield warning(
            f"{_some(names)} of {provider_name}: the names begin with that of another provider, and mean models there",
            f"have clients call them {provider_name}/{names[0]} and so on",
        )


def _routes(directory: Directory) -> Iterator[Observation]:
    for route in directory.active_routes():
        if not directory.right_to(route):
            yield warning(
                f"the name of the route {route.name} begins with that of a provider, so that no key can be given it",
                "give a route with another name the same targets: softix routes set, then remove this one",
            )


def _whole(directory: Directory, model: Model) -> str:
    return directory.names_of(model)[1]


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMED])
    return shown if len(names) <= _MOST_NAMED else f"{shown} and {len(names) - _MOST_NAMED} more"
