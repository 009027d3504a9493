"""Writes a software bill of materials in CycloneDX 1.6 for softix as it is installed here.

python scripts/make_sbom.py                     write build/sbom.cdx.json
python scripts/make_sbom.py --output FILE

The same installation gives the same bytes: there is no time in it, and its serial number is made of its content.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import uuid
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.installed import EXTRAS, KNOWN, ROOT_NAME, closure, licence  # noqa: E402

LOCK = ROOT / "requirements" / "extras.lock"
_LOCKED = re.compile(r"^([a-z0-9-]+)==(\S+)[^\n]*((?:\n\s+--hash=\S+[^\n]*)+)", re.MULTILINE)


def locked() -> dict[str, tuple[str, list[str]]]:
    """Name → version and SHA-256 digests of its files, from the lock."""
    text = LOCK.read_text("utf-8") if LOCK.is_file() else ""
    return {match[1]: (match[2], re.findall(r"sha256:([0-9a-f]{64})", match[3])) for match in _LOCKED.finditer(text)}


def reference(name: str, version: str) -> str:
    """The package URL."""
    return f"pkg:pypi/{name}@{version}"


def licences(found: Distribution) -> list[dict[str, Any]]:
    expression = licence(found)
    if not expression:
        return []
    if " " in expression and all(word in KNOWN for word in re.split(r" (?:AND|OR|WITH) ", expression)):
        return [{"expression": expression}]
    return [{"license": {"id" if expression in KNOWN else "name": expression}}]


def component(name: str, found: Distribution, kind: str, files: dict[str, tuple[str, list[str]]]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "type": kind,
        "bom-ref": reference(name, found.version),
        "name": name,
        "version": found.version,
        "purl": reference(name, found.version),
    }
    if known := licences(found):
        told["licenses"] = known
    version, digests = files.get(name, ("", []))
    if version == found.version:
        hashes = [{"alg": "SHA-256", "content": digest} for digest in sorted(digests)]
        told["externalReferences"] = [
            {"type": "distribution", "url": reference(name, version), "hashes": [digest]} for digest in hashes
        ]
    return told


def document() -> dict[str, Any]:
    found, needs = closure(ROOT_NAME, EXTRAS)
    files = locked()
    names = {name: reference(name, each.version) for name, each in found.items()}
    parts = [component(name, found[name], "library", files) for name in sorted(found) if name != ROOT_NAME]
    made: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": component(ROOT_NAME, found[ROOT_NAME], "application", files)},
        "components": parts,
        "dependencies": [
            {"ref": names[name], "dependsOn": [names[other] for other in needs[name]]} for name in sorted(needs)
        ],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(made, sort_keys=True))
    return {"serialNumber": f"urn:uuid:{serial}", **made}


def main() -> int:
    parser = argparse.ArgumentParser(description="Writes a bill of materials in CycloneDX.")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "sbom.cdx.json")
    place: Path = parser.parse_args().output
    place.parent.mkdir(parents=True, exist_ok=True)
    made = document()
    place.write_text(json.dumps(made, indent=1) + "\n", "utf-8")
    print(f"written: {place} ({len(made['components'])} components)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
