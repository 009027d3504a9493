"""`make mutants`: fails where fewer than 95 % of the mutants die, or one survives that no row gives a reason for.

`--sample N` runs the N mutants whose names have the smallest hashes: always the same ones, as long as their lines stay.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from .mutants import Mutant, mutants_of
from .runs import (
    KILLED,
    NO_CODE,
    NOTHING_RAN,
    SURVIVED,
    TIMED_OUT,
    UNIMPORTABLE,
    Baseline,
    BrokenRunError,
    Run,
    judge,
    measure,
    preload,
)
from .tables import Fault, Key, Module, TableError, faults, modules, survivors

LEAST_SHARE = Fraction(95, 100)
UNCOVERED = "not covered"
_ALIVE = (SURVIVED, UNCOVERED)
_COLUMNS = (KILLED, UNIMPORTABLE, TIMED_OUT, SURVIVED, UNCOVERED)


def main() -> int:
    asked = _arguments()
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets decides which example a test tries first
        os.execve(sys.executable, [sys.executable, "-m", "scripts.mutation", *sys.argv[1:]], _environment())
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no fork and no folder is left
    try:
        code = _run(asked)
    except (TableError, BrokenRunError) as error:
        print(f"\nno result: {error}")
        code = 2
    used = os.times()
    print(f"took {time.monotonic() - began:.0f} s, of processors {sum(used[:4]):.0f} s")
    return code


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONHASHSEED": "0"}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="names in modules.toml; without any, all of them")
    parser.add_argument("--sample", type=int, metavar="N", help="only so many mutants, always the same ones")
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1, metavar="N", help="runs side by side")
    parser.add_argument("--list", action="store_true", help="name the mutants, and run nothing")
    parser.add_argument("--match", metavar="TEXT", help="only mutants whose name has this text")
    parser.add_argument("--no-faults", action="store_true", help="leave out the faults that have a name")
    return parser.parse_args()


def _run(asked: argparse.Namespace) -> int:
    wanted = [module for module in modules() if not asked.modules or module.name in asked.modules]
    unknown = set(asked.modules) - {module.name for module in wanted}
    if unknown:
        raise TableError(f"modules.toml has no {', '.join(sorted(unknown))}")
    made = {module.name: mutants_of(module.name, module.path.read_text()) for module in wanted}
    known = {key: reason for key, reason in survivors().items() if key[0] in made}
    stale = sorted(set(known) - {mutant.key for each in made.values() for mutant in each})
    if stale:
        raise TableError("survivors.toml names mutants that do not exist:\n" + "\n".join(map(str, stale)))
    chosen = _chosen([mutant for each in made.values() for mutant in each], asked)
    if asked.list:
        print("\n".join(map(str, chosen)))
        print(f"{len(chosen)} mutants")
        return 0
    preload()
    named = [] if asked.no_faults or asked.modules or asked.match else faults()
    wanted = [module for module in wanted if any(mutant.module == module.name for mutant in chosen)]
    missed = _unnoticed(named, asked.at_once)
    outcomes = _outcomes(wanted, chosen, asked.at_once)
    chosen = [mutant for mutant in chosen if outcomes[mutant.key] != NO_CODE]
    _print_table(wanted, chosen, outcomes)
    return _verdict(chosen, outcomes, known, missed, whole=asked.sample is None)


def _chosen(mutants: Sequence[Mutant], asked: argparse.Namespace) -> list[Mutant]:
    matching = [mutant for mutant in mutants if asked.match is None or asked.match in str(mutant)]
    if asked.sample is None:
        return matching
    first = sorted(matching, key=lambda mutant: hashlib.sha256(repr(mutant.key).encode()).digest())[: asked.sample]
    kept = {mutant.key for mutant in first}
    return [mutant for mutant in matching if mutant.key in kept]


def _unnoticed(named: Sequence[Fault], at_once: int) -> list[str]:
    """The names of the faults that their tests do not notice. Raises BrokenRunError where these fail without it."""
    as_is = [Run(fault.dotted, fault.path, None, fault.tests, named=fault.test) for fault in named]
    with_it = [Run(fault.dotted, fault.path, fault.source, fault.tests, named=fault.test) for fault in named]
    found: dict[int, str] = {}
    judge([*as_is, *with_it], at_once, found.__setitem__)
    missed = []
    for number, fault in enumerate(named):
        before, after = found[number], found[number + len(named)]
        if before != SURVIVED:
            raise BrokenRunError(f"{fault.test} does not pass without the fault that it is to notice: {before}")
        print(f"fault noticed by {fault.test}: {fault.name}" if after == KILLED else f"FAULT {after}: {fault.name}")
        if after != KILLED:
            missed.append(fault.name)
    return missed


def _outcomes(wanted: Sequence[Module], chosen: Sequence[Mutant], at_once: int) -> dict[Key, str]:
    as_is = [Run(module.dotted, module.path, None, module.tests) for module in wanted]
    baselines = {module.name: found for module, found in zip(wanted, measure(as_is, at_once), strict=True)}
    places = {module.name: module for module in wanted}
    found: dict[Key, str] = {}
    runs: list[tuple[Mutant, Run]] = []
    for mutant in chosen:
        run = _run_of(mutant, places[mutant.module], baselines[mutant.module])
        if run is None:
            found[mutant.key] = UNCOVERED
        else:
            runs.append((mutant, run))

    def tell(number: int, outcome: str) -> None:
        if outcome == NOTHING_RAN:
            raise BrokenRunError(f"no test ran for {runs[number][0]}")
        found[runs[number][0].key] = outcome
        if outcome in (SURVIVED, TIMED_OUT):
            print(f"{outcome}: {runs[number][0]}", flush=True)
        if len(found) % 100 == 0:
            print(f"{len(found)} of {len(chosen)}", flush=True)

    judge([run for _, run in runs], at_once, tell)
    return found


def _run_of(mutant: Mutant, module: Module, baseline: Baseline) -> Run | None:
    """None where no test executes what is changed."""
    only = baseline.covering(mutant.executes)
    if not only:
        return None
    return Run(module.dotted, module.path, mutant.source, module.tests, only, frozenset(baseline.seconds))


def _print_table(wanted: Sequence[Module], chosen: Sequence[Mutant], outcomes: dict[Key, str]) -> None:
    print(f"\n{'module':24}{'mutants':>8}" + "".join(f"{name:>18}" for name in _COLUMNS) + f"{'died':>9}")
    for module in wanted:
        counts = Counter(outcomes[mutant.key] for mutant in chosen if mutant.module == module.name)
        print(_row(module.name, counts))
    print(_row("all", Counter(outcomes[mutant.key] for mutant in chosen)))


def _row(name: str, counts: Counter[str]) -> str:
    made = sum(counts.values())
    return f"{name:24}{made:8}" + "".join(f"{counts[column]:18}" for column in _COLUMNS) + f"{_percent(counts):>9}"


def _percent(counts: Counter[str]) -> str:
    made = sum(counts.values())
    return f"{100 * (made - sum(counts[alive] for alive in _ALIVE)) / made:.1f} %" if made else "-"


def _verdict(
    chosen: Sequence[Mutant], outcomes: dict[Key, str], known: dict[Key, str], missed: Sequence[str], *, whole: bool
) -> int:
    """A sample fails by its share alone: who changes the code elsewhere has not seen the other mutants."""
    alive = [mutant for mutant in chosen if outcomes[mutant.key] in _ALIVE]
    unexplained = [mutant for mutant in alive if mutant.key not in known]
    killed = [mutant for mutant in chosen if mutant.key in known and outcomes[mutant.key] not in _ALIVE]
    for mutant in alive:
        print(f"\n{outcomes[mutant.key]}: {mutant}\n    {known.get(mutant.key, 'NO REASON in survivors.toml')}")
    for mutant in killed:
        print(f"\nSTALE: survivors.toml says why this one survives, and a test notices it: {mutant}")
    died = len(chosen) - len(alive)
    enough = died >= LEAST_SHARE * len(chosen)
    print(
        f"\n{died} of {len(chosen)} mutants died; {len(alive)} survived, {len(alive) - len(unexplained)} with a reason"
    )
    failed = [*missed, *killed, *(unexplained if whole else ())]
    if not enough:
        print(f"FAILED: fewer than {LEAST_SHARE * 100} % died")
    if missed:
        print(f"FAILED: {len(missed)} faults with a name are not noticed")
    if unexplained:
        print(f"{'FAILED' if whole else 'Note'}: {len(unexplained)} survivors without a reason")
    return int(bool(failed) or not enough)


if __name__ == "__main__":
    sys.exit(main())
