"""Runs what docs/accounting.md shows on a month of made-up books, and writes down what came out.

    python scripts/make_accounting.py            write the outputs into the page
    python scripts/make_accounting.py --check    fail if they are others than the page has

Needs hledger. The books are always the same, and so are their ids and instants.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.books import StoppedClock, make_intent, make_settlement, post  # noqa: E402

from softix_proxy import assembly, settings  # noqa: E402
from softix_proxy.domain.core.clock import DAY_US, SECOND_US, parse_instant  # noqa: E402
from softix_proxy.domain.core.ids import format_request_id  # noqa: E402
from softix_proxy.operations.ledger import balance  # noqa: E402
from softix_proxy.operations.ledger.corrections import Corrections  # noqa: E402
from softix_proxy.storage.sqlite.core.database import Database  # noqa: E402
from softix_proxy.storage.sqlite.unit import SqliteStorage  # noqa: E402

PAGE = ROOT / "docs" / "accounting.md"
BLOCK = re.compile(r"(?<=```console\n).*?(?=```)", re.DOTALL)
FROM_US = parse_instant("2026-01-01")
USD = 10**12
DIRECTORY = """
INSERT INTO users (id, public_id, name, email, role, created_at_us) VALUES
  (1, 'usr_acme', 'ACME', 'acme@example.org', 'user', 1), (2, 'usr_ada', 'Ada', 'ada@example.org', 'user', 1);
INSERT INTO wallets (user_id, posted_pico) VALUES (1, 0), (2, 0);
INSERT INTO keys (id, public_id, user_id, label, prefix, digest, created_at_us) VALUES
  (1, 'key_acme', 1, '', 'sx_live_aaaa', x'01', 1), (2, 'key_ada', 2, '', 'sx_live_bbbb', x'02', 1);
INSERT INTO providers (id, public_id, name, type, base_url, on_hang_up, created_at_us) VALUES
  (1, 'prv_openai', 'openai', 'openai', '', 'cancel', 1);
INSERT INTO models (id, name, provider_id, upstream_name, created_at_us) VALUES (1, 'gpt-5-mini', 1, 'gpt-5-mini', 1);
"""
DAYS = (6, 6, 6, 13, 13, 27)
"""Of January, a request each."""


async def fill(folder: Path) -> None:
    """Two customers pay in, six requests are made, one is corrected, and one customer is given something."""
    made = settings.load(None, folder, {})
    await assembly.initialise(made)
    clock = StoppedClock(FROM_US + DAY_US)
    database = Database(made.paths.database, clock)
    connection = database.connect()
    connection.execute(DIRECTORY)
    storage = SqliteStorage(await database.open())
    await balance.add(storage, "usr_acme", 50 * USD, reference="INV-0001", note="bank transfer")
    await balance.add(storage, "usr_ada", 20 * USD, reference="INV-0002")
    for number, day in enumerate(DAYS, 1):
        at_us = FROM_US + (day - 1) * DAY_US + 10 * 3600 * SECOND_US + number
        intent = make_intent(number << 22, 0, user=1 + number % 3 // 2, started_at_us=at_us - 2 * SECOND_US)
        tokens = {"input_tokens": 40_111 * number, "output_tokens": 1_907 * number}
        cost_pico = (tokens["input_tokens"] * 250_000) + (tokens["output_tokens"] * 2_000_000)
        told = {"meters": tokens, "cost_pico": cost_pico, "charge_pico": cost_pico * 43 // 40}
        post(connection, [make_settlement(intent, **told)], at_us)
    clock.us = FROM_US + 19 * DAY_US
    await Corrections(storage, "cut short").set_charge(format_request_id(3 << 22), 0)
    clock.us = FROM_US + 27 * DAY_US
    await balance.set_to(storage, "usr_ada", 20 * USD, note="good will")
    connection.close()
    await database.close()


def shown(block: str, folder: Path) -> str:
    """The block's commands, each with what it says now."""
    lines = []
    for line in block.splitlines():
        if line.startswith("$ "):
            environ = {
                "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
                "SOFTIX_DATA_DIR": str(folder / "data"),
                "PYTHONPATH": str(ROOT),
                "HOME": str(folder),
                "LC_ALL": "C.UTF-8",
            }
            done = subprocess.run(
                ["bash", "-c", line[2:]],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                cwd=folder / "work",
                env=environ,
                check=False,
            )
            if done.returncode:
                sys.exit(f"{line}\n{done.stdout}")
            lines += [line, *(said.rstrip() for said in done.stdout.expandtabs(14).strip("\n").splitlines())]
    return "".join(f"{line}\n" for line in lines)


def page(text: str) -> str:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in ("bin", "work"):
            (folder / name).mkdir()
        asyncio.run(fill(folder / "data"))
        program = folder / "bin" / "softix"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m softix_proxy "$@"\n')
        program.chmod(0o755)
        return BLOCK.sub(lambda block: shown(block[0], folder), text)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true")
    before = PAGE.read_text("utf-8")
    after = page(before)
    if parser.parse_args().check:
        if after != before:
            sys.exit("docs/accounting.md is not what its commands say: make accounting")
    else:
        PAGE.write_text(after, "utf-8")


if __name__ == "__main__":
    main()
