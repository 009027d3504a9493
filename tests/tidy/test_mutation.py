"""`make mutants`: its tables name what there is, and it tells a test that can fail from one that cannot."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.sources import ROOT

sys.path.insert(0, str(ROOT))  # scripts are no part of the package

from scripts.mutation.mutants import mutants_of
from scripts.mutation.tables import faults, modules, survivors

SOURCE = '''
LIMIT = 5


class Rates(Protocol):
    def of(self, name: str) -> int: ...


def least(price: int, held: int = 1) -> int:
    """Returns the lower one."""
    if price:
        log.warning("low", extra={"a": 1})
        return min(price, held) + LIMIT
    raise BadInputError("no price", Code.LOW, held * 2)
'''


def test_mutants_listed_as_survivors_still_exist() -> None:
    made = {mutant.key for module in modules() for mutant in mutants_of(module.name, module.path.read_text())}
    stale = sorted(set(survivors()) - made)
    assert not stale, f"take these out of scripts/mutation/survivors.toml, or put them right: {stale}"


def test_named_faults_change_code_that_exists() -> None:
    named = faults()
    assert len({fault.name for fault in named}) == len(named) >= 7
    assert all(fault.source != fault.path.read_text() for fault in named)


@pytest.mark.parametrize(
    ("function", "was", "now"),
    [
        ("", "LIMIT = 5", "LIMIT = 6"),
        ("least", "def least(price: int, held: int = 1) -> int:", "def least(price: int, held: int = 2) -> int:"),
        ("least", "if price:", "if (not (price)):"),
        ("least", "return min(price, held) + LIMIT", "return max(price, held) + LIMIT"),
        ("least", "return min(price, held) + LIMIT", "return min(price, held) - LIMIT"),
        ("least", "return min(price, held) + LIMIT", "return None"),
        (
            "least",
            'raise BadInputError("no price", Code.LOW, held * 2)',
            'raise BadInputError("no price", Code.LOW, held / 2)',
        ),
    ],
)
def test_mutants_of_a_source_differ_from_it_in_one_place(function: str, was: str, now: str) -> None:
    [found] = [each for each in mutants_of("m", SOURCE) if (each.function, each.was, each.now) == (function, was, now)]
    assert found.source == SOURCE.replace(was, now)


def test_mutants_leave_declarations_and_texts_unchanged() -> None:
    changed = {mutant.was for mutant in mutants_of("m", SOURCE)}
    assert not any("Protocol" in was or "def of" in was or "log." in was or "Returns" in was for was in changed)
    assert not any("XX" in mutant.now for mutant in mutants_of("m", SOURCE))


TOY = "def double(n):\n    return n * 2\n\n\ndef idle(n):\n    while n:\n        n -= 1\n    return n\n"
TESTS = """
from toy_module import double, idle

def test_double():
    assert double(3) == 6

def test_nothing():
    assert idle(2) is not None
"""
JUDGE = """
import json, sys
from pathlib import Path
from scripts.mutation import runs

runs._LEAST_LIMIT_S = 2.0
folder = Path(sys.argv[1])
sys.path.insert(0, str(folder))
path, source = folder / "toy_module.py", (folder / "toy_module.py").read_text()
changes = [("n * 2", "n * 3"), ("n * 2", "n + n"), ("n -= 1", "n -= 0"), ("def idle", "raise ValueError\\ndef idle")]
runs.preload()
tests = (str(folder / "test_toy.py"),)
[baseline] = runs.measure([runs.Run("toy_module", path, None, tests)], 1)
only = {"double": sorted(baseline.covering(range(2, 3))), "none": baseline.covering(range(40, 41))}
made = [runs.Run("toy_module", path, source.replace(*change), tests, baseline.seconds) for change in changes]
found = {}
runs.judge(made, 2, found.__setitem__)
print("RESULT " + json.dumps([[found[number] for number in range(len(made))], only]))
"""


def test_mutation_run_distinguishes_killed_survived_endless_and_broken_mutants(tmp_path: Path) -> None:
    """In a process of its own, which has no threads: each mutant is a fork of it."""
    (tmp_path / "toy_module.py").write_text(TOY)
    (tmp_path / "test_toy.py").write_text(TESTS)
    command = [sys.executable, "-c", JUDGE, str(tmp_path)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    [line] = [line for line in told.stdout.splitlines() if line.startswith("RESULT ")]
    outcomes, only = json.loads(line.removeprefix("RESULT "))
    assert outcomes == ["killed", "survived", "timed out", "killed at import"]
    assert [name.rpartition("::")[2] for name in only["double"]] == ["test_double"] and only["none"] == {}
