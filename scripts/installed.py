"""The distributions that softix needs, as they are installed here: for the bill of materials and the licences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT_NAME = "softix-proxy"
EXTRAS = ("bedrock", "vertex", "invoice", "parquet")
"""What operators may install with softix."""


def required(found: Distribution, extras: Iterable[str]) -> Iterator[Requirement]:
    """What this one needs on this machine, with these of its extras."""
    for line in found.requires or ():
        requirement = Requirement(line)
        environments = [{**default_environment(), "extra": extra} for extra in ("", *extras)]
        if requirement.marker is None or any(requirement.marker.evaluate(each) for each in environments):  # type: ignore[arg-type]
            yield requirement


def closure(
    name: str = ROOT_NAME, extras: Iterable[str] = ()
) -> tuple[Mapping[str, Distribution], Mapping[str, list[str]]]:
    """All that a distribution needs, with itself, by their names; and what each of them needs directly.

    What is not installed is left out: an extra may be missing.
    """
    found: dict[str, Distribution] = {}
    needs: dict[str, set[str]] = {}
    waiting = [(canonicalize_name(name), tuple(extras))]
    while waiting:
        name, wanted = waiting.pop()
        known = found.get(name)
        if known is None:
            try:
                known = found[name] = distribution(name)
            except PackageNotFoundError:
                continue
            needs[name] = set()
        elif not wanted:
            continue
        for requirement in required(known, wanted):
            other = canonicalize_name(requirement.name)
            if other != name and other not in needs[name]:
                needs[name].add(other)
                waiting.append((other, tuple(requirement.extras)))
            elif other == name:  # an extra that consists of others
                waiting.append((name, tuple(requirement.extras)))
    return found, {name: sorted(other for other in others if other in found) for name, others in needs.items()}


_OF_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL-2.1-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
_OF_TEXTS = {
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache license": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd": "BSD-3-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "mit license": "MIT",
    "the mit license": "MIT",
    "psf": "PSF-2.0",
}
KNOWN = frozenset(
    (
        *_OF_CLASSIFIERS.values(),
        *_OF_TEXTS.values(),
        "0BSD",
        "BSD-2-Clause",
        "GPL-3.0-only",
        "HPND",
        "LGPL-3.0-only",
        "MIT-CMU",
        "Python-2.0",
        "Zlib",
    )
)
"""Identifiers of the SPDX list. Anything else is a name."""
_SPDX = re.compile(r"[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*|[A-Za-z0-9.+() -]+")


def licence(found: Distribution) -> str:
    """Its licence as an SPDX expression, or an empty text if its metadata name none that is known."""
    told = found.metadata
    if expression := told.get("License-Expression"):
        return str(expression)
    named = [line.rpartition(" :: ")[2] for line in told.get_all("Classifier") or () if line.startswith("License ::")]
    known = sorted({_OF_CLASSIFIERS[name] for name in named if name in _OF_CLASSIFIERS})
    if known:
        return " OR ".join(known)
    text = str(told.get("License") or "").strip()
    return _OF_TEXTS.get(text.lower(), text if len(text) < 40 and _SPDX.fullmatch(text) else "")
