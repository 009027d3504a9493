"""The certificates that aiohttp reads when it is imported stay unread."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import sys
from pathlib import Path

import softix_proxy

COUNTS = """
import json, ssl
from softix_proxy.upstream import tls_defaults
{prepare}
from aiohttp import connector
print(json.dumps([
    connector._SSL_CONTEXT_VERIFIED.cert_store_stats()["x509_ca"],
    connector._SSL_CONTEXT_VERIFIED.verify_mode == ssl.CERT_REQUIRED,
    ssl.create_default_context().cert_store_stats()["x509_ca"],
]))
"""


def counts(prepare: str) -> tuple[int, bool, int]:
    done = subprocess.run(
        [sys.executable, "-c", COUNTS.format(prepare=prepare)], capture_output=True, text=True, check=True
    )
    in_default, verifies, afterwards = json.loads(done.stdout)
    return in_default, verifies, afterwards


def test_default_context_after_our_import_trusts_nobody_and_still_verifies() -> None:
    system = ssl.create_default_context().cert_store_stats()["x509_ca"]

    assert counts("tls_defaults.import_aiohttp()") == (0, True, system)


def test_default_context_after_a_plain_import_has_the_systems_certificates() -> None:
    """Else the detour serves nothing any more."""
    system = ssl.create_default_context().cert_store_stats()["x509_ca"]

    assert counts("import aiohttp") == (system, True, system)


def test_aiohttp_clients_all_name_whom_they_trust() -> None:
    sources = [
        (path, path.read_text("utf-8"))
        for path in Path(softix_proxy.__file__).parent.rglob("*.py")
        if "demo" not in path.parts  # it asks this machine, without TLS
    ]

    bare = [
        path.name for path, text in sources for each in re.findall(r"TCPConnector\(([^)]*)", text) if "ssl=" not in each
    ]
    unnamed = [
        path.name
        for path, text in sources
        for each in re.findall(r"ClientSession\(\s*([^)]*)", text)
        if "connector" not in each
    ]

    assert (bare, unnamed) == ([], [])
