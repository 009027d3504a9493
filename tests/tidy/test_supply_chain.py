"""Each dependency is locked with hashes, named in the bill of materials, and licensed as is allowed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from support.sources import ROOT

sys.path.insert(0, str(ROOT))  # scripts are no part of the package

from scripts.installed import EXTRAS, KNOWN, ROOT_NAME, closure, licence
from scripts.make_lock import LOCKS

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
ENTRY = re.compile(
    r"^([a-z0-9][a-z0-9-]*)==([^\s;]+)(?: *; *([^\\\n]+?))? *\\\n((?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)",
    re.MULTILINE,
)
ALLOWED = frozenset(
    (
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "0BSD",
        "ISC",
        "MIT",
        "MIT-0",
        "MIT-CMU",
        "HPND",
        "PSF-2.0",
        "Python-2.0",
        "Unlicense",
        "Zlib",
    )
)
"""Licences that ask for nothing but their own text."""
OTHERWISE: dict[str, str] = {
    "apsw": "any licence that the Open Source Initiative approves, at one's choice",
    "certifi": "MPL-2.0: a list of certificates, passed on unchanged; of the extras only",
    "fpdf2": "LGPL-3.0: the extra `invoice` imports it unchanged, and whoever wants another one may install it",
    "iso4217": "public domain; of the extra `invoice` only",
    "python-stdnum": "LGPL-2.1: as fpdf2; of the extra `invoice` only",
    "zxcvbn-rs-py": "MIT, as its repository says; its metadata name no licence",
}
"""Distribution → why its licence is allowed although it is not one of these."""


def locked(name: str) -> dict[str, tuple[str, int]]:
    """Distribution → version and number of hashes."""
    text = (ROOT / "requirements" / name).read_text("utf-8")
    return {match[1]: (match[2], match[4].count("--hash")) for match in ENTRY.finditer(text)}


def wanted(name: str) -> list[Requirement]:
    extras = PROJECT["optional-dependencies"]
    lines = [*PROJECT["dependencies"], *(line for extra in LOCKS[name] for line in extras[extra])]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("name", LOCKS)
def test_lock_has_every_dependency_with_its_hashes(name: str) -> None:
    found = locked(name)
    lines = [line for line in (ROOT / "requirements" / name).read_text("utf-8").splitlines() if "==" in line]
    assert len(lines) == len(found), "an entry has no hash"
    for requirement in wanted(name):
        version, hashes = found[canonicalize_name(requirement.name)]
        assert version in requirement.specifier and hashes >= 1, f"{requirement}: make lock"
    installed, needs = closure(ROOT_NAME, LOCKS[name])
    for each, others in needs.items():
        if each == ROOT_NAME or found.get(each, ("",))[0] == installed[each].version:
            assert set(others) <= set(found), f"{each} needs more than is locked: make lock"


@pytest.mark.parametrize("name", LOCKS)
def test_lock_names_no_place_to_fetch_from(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text("utf-8")
    assert "://" not in text and "--index" not in text and "--find-links" not in text


def test_bill_of_materials_names_exactly_what_is_installed_for_softix(tmp_path: Path) -> None:
    places = [tmp_path / "one.json", tmp_path / "two.json"]
    for place in places:
        command = [sys.executable, ROOT / "scripts" / "make_sbom.py", "--output", place]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert places[0].read_bytes() == places[1].read_bytes()
    made = json.loads(places[0].read_text())
    assert (made["bomFormat"], made["specVersion"], made["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", made["serialNumber"])
    installed, _ = closure(ROOT_NAME, EXTRAS)
    named = {part["name"]: part for part in [made["metadata"]["component"], *made["components"]]}
    assert {name: part["version"] for name, part in named.items()} == {n: d.version for n, d in installed.items()}
    assert all(part["purl"] == part["bom-ref"] == f"pkg:pypi/{name}@{part['version']}" for name, part in named.items())
    told = [entry for part in named.values() for entry in part.get("licenses", ())]
    assert all("expression" in entry or entry["license"].get("id", "MIT") in KNOWN for entry in told)
    references = {part["bom-ref"] for part in named.values()}
    assert {row["ref"] for row in made["dependencies"]} == references
    assert all(set(row["dependsOn"]) <= references for row in made["dependencies"])
    direct = next(row["dependsOn"] for row in made["dependencies"] if row["ref"].startswith("pkg:pypi/softix-proxy@"))
    assert {f"pkg:pypi/{canonicalize_name(each.name)}" for each in wanted("softix.lock")} <= {
        each.partition("@")[0] for each in direct
    }


def alternatives(expression: str) -> list[set[str]]:
    """`MIT AND (A OR B)` is not taken apart that far: each side of an OR has to be a list of ANDs."""
    return [
        set(re.split(r" AND ", part.strip("() ")))
        for part in expression.replace("(", "").replace(")", "").split(" OR ")
    ]


def test_licence_of_every_dependency_is_allowed() -> None:
    """Of what operators install. What only tests need is on nobody's server."""
    installed, _ = closure(ROOT_NAME, EXTRAS)
    found = {name: licence(each) for name, each in installed.items()}
    wrong = [
        f"{name}: {text or 'its metadata name no licence'}"
        for name, text in found.items()
        if name not in OTHERWISE and not any(part <= ALLOWED for part in alternatives(text))
    ]
    assert not wrong, "\n".join([*wrong, "instead: another package, or a line in OTHERWISE that says why"])
    assert set(OTHERWISE) <= set(installed), "an exception that is not needed any more"


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("", False),
        ("AGPL-3.0-only", False),
    ],
)
def test_licence_is_allowed_exactly_if_one_alternative_is(expression: str, allowed: bool) -> None:
    assert any(part <= ALLOWED for part in alternatives(expression)) is allowed
