"""Every parser, given all known inputs and some thousand changes of them, always the same ones. `make fuzz` goes on."""

from __future__ import annotations

import subprocess
import sys

import pytest
from support.sources import ROOT

sys.path.insert(0, str(ROOT))  # scripts are no part of the package

from scripts.fuzz import corpus
from scripts.fuzz.all_targets import TARGETS
from scripts.fuzz.mutator import inputs
from scripts.fuzz.targets import FindingError

RUNS = 1500
"""A second or two for each target."""


@pytest.mark.parametrize("name", TARGETS)
def test_parser_given_changed_inputs_keeps_its_promises(name: str) -> None:
    seeds = corpus.seeds(name)
    assert seeds, f"no seed in tests/security/corpus/{name}"
    for data in inputs(name, seeds, RUNS):
        try:
            TARGETS[name](data)
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            pytest.fail(f"{what}\ntests/security/corpus/{name}/new.txt:\n{data!r}")


def test_fuzzer_reports_a_parser_that_breaks_its_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check above can fail."""

    def fragile(data: bytes) -> None:
        if b"\xff\xff" in data:
            raise FindingError("two of them")

    with pytest.raises(FindingError):
        for data in inputs("fragile", [b"some text that is changed"], RUNS):
            fragile(data)


def test_fuzzer_makes_the_same_inputs_for_the_same_seed() -> None:
    made = [list(inputs("bill", [b"one", b"two"], 50, seed)) for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]


def test_fuzzer_run_by_its_command_ends_in_time() -> None:
    command = [sys.executable, "-m", "scripts.fuzz", "--target", "request_path", "--seconds", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "findings: none" in done.stdout


def test_corpus_has_a_folder_only_for_targets_that_exist() -> None:
    assert {path.name for path in corpus.KEPT.iterdir()} <= set(TARGETS)
