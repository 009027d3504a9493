"""bandit reads the product's code. What it finds is explained here, line by line of this table, or mended."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from support.sources import ROOT, Source

EVERYWHERE = {
    "B101": "`assert` tells mypy what is known; ruff demands a reason in each line, and softix never runs with -O",
    "B608": "statements are put together of constants; the rule `no SQL with an argument in its text` looks closer",
}
"""Tests that are not run → why."""
EXPLAINED: dict[tuple[str, str], str] = {
    ("domain: sections", "B104"): "the keys of a mapping: addresses that are replaced by others",
    ("web: day_chart", "B704"): "a drawing of softix itself, in which every text was escaped",
    ("dialects: sse", "B105"): "the word for an event that may pass",
    ("domain: account_tokens", "B105"): "the names of what a link is for",
    ("domain: audit", "B105"): "the name of a kind of actor",
    ("domain: key_text", "B105"): "what every token begins with",
    ("domain: mail", "B105"): "the names of failures",
    ("domain: outbox", "B105"): "the names of messages",
    ("domain: refusals", "B105"): "the names of reasons",
    ("domain: webhook_post", "B105"): "the names of failures",
    ("domain: sessions", "B105"): "the names of ways to sign in",
    ("storage: record_mapping", "B307"): "paths of attributes that are checked letter by letter",
    ("exports: templates", "B704"): "a text of softix itself, with values that were escaped",
    ("web: balance", "B105"): "the first letters of an id",
    ("vault: master_key", "B404"): "the operator's own command for the master key",
    ("vault: master_key", "B603"): "the same, without a shell",
    ("web: account_factors", "B704"): "an SVG that softix itself draws, without the text of the code",
}
"""Floor and name of a module, and the number of the test → why it is as it should be."""


def findings(place: Path) -> Counter[tuple[str, str]]:
    command = [
        sys.executable,
        "-m",
        "bandit",
        "--recursive",
        "--format",
        "json",
        "--quiet",
        "--skip",
        ",".join(EVERYWHERE),
        place,
    ]
    done = subprocess.run(command, cwd=place.parent, capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)
    assert told["errors"] == []
    found: Counter[tuple[str, str]] = Counter()
    for each in told["results"]:
        file = Path(each["filename"]).resolve().relative_to(place.parent.resolve()).as_posix()
        found[(Source(file, "").key, each["test_id"])] += 1
    return found


@pytest.fixture(scope="module")
def found() -> Counter[tuple[str, str]]:
    return findings(ROOT / "softix_proxy")


def test_findings_of_bandit_are_exactly_the_explained_ones(found: Counter[tuple[str, str]]) -> None:
    new = sorted(key for key in found if key not in EXPLAINED)
    assert not new, f"mend these, or explain them in EXPLAINED: {new}"
    idle = sorted(key for key in EXPLAINED if key not in found)
    assert not idle, f"take these out of EXPLAINED: {idle}"


def test_bandit_finds_what_is_dangerous(tmp_path: Path) -> None:
    """The check above can fail."""
    folder = tmp_path / "softix_proxy"
    folder.mkdir()
    (folder / "bad.py").write_text("import subprocess\nsubprocess.run('ls', shell=True)\nexec('1')\n")
    assert {test for _, test in findings(folder)} >= {"B602", "B102"}
