"""Fuzzes the parsers: `python -m scripts.fuzz --seconds 600` for all, or `… --target bill` for one.

With atheris (`pip install atheris`) coverage guides it. Without, it makes one change of the known inputs after another.
Both begin with the same seed. A finding is written as a file for `tests/security/corpus/`, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOUND = ROOT / "build" / "fuzz"
_SHOWN = 4000
"""The last characters of a target's output that are shown if it found something."""
GUIDED = importlib.util.find_spec("atheris") is not None


def main() -> int:
    parser = argparse.ArgumentParser(description="Looks for bytes that a parser does not take as it should.")
    parser.add_argument("--target", action="append", help="a target; all of them if there is none")
    parser.add_argument("--seconds", type=int, default=600, help="how long for each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=2, help="how many targets run at the same time")
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.alone:
        return _alone(told.alone, told.seconds, told.seed)
    from scripts.fuzz.all_targets import TARGETS

    names = told.target or list(TARGETS)
    if unknown := [name for name in names if name not in TARGETS]:
        parser.error(f"there is no target {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    print(f"{len(names)} targets, {told.seconds} s each, {'with' if GUIDED else 'without'} coverage", flush=True)
    return _run(names, told.seconds, told.seed, told.at_once)


def _run(names: list[str], seconds: int, seed: int, at_once: int) -> int:
    waiting, running, failed = list(names), dict[str, subprocess.Popen[bytes]](), list[str]()
    while waiting or running:
        while waiting and len(running) < at_once:
            name = waiting.pop(0)
            arguments = ["--alone", name, "--seconds", str(seconds), "--seed", str(seed)]
            with _log(name).open("wb") as log:
                command = [sys.executable, "-m", "scripts.fuzz", *arguments]
                running[name] = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        time.sleep(0.2)
        for name, process in [(name, process) for name, process in running.items() if process.poll() is not None]:
            del running[name]
            print(f"{name}: {'FOUND SOMETHING' if process.returncode else 'nothing found'}", flush=True)
            if process.returncode:
                print(_log(name).read_text(errors="replace")[-_SHOWN:], flush=True)
            failed += [name] if process.returncode else []
    print(f"findings: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


def _log(name: str) -> Path:
    FOUND.mkdir(parents=True, exist_ok=True)
    return FOUND / f"{name}.log"


def _alone(name: str, seconds: int, seed: int) -> int:
    return _guided(name, seconds, seed) if GUIDED else _blind(name, seconds, seed)


def _guided(name: str, seconds: int, seed: int) -> int:
    import atheris

    with atheris.instrument_imports(include=["softix_proxy"]):
        from scripts.fuzz.all_targets import TARGETS
        from scripts.fuzz.corpus import seeds
    target = TARGETS[name]

    def one(data: bytes) -> None:
        try:
            target(data)
        except BaseException:
            _write(name, data)
            raise

    with tempfile.TemporaryDirectory() as known:
        for data in seeds(name):
            (Path(known) / hashlib.sha256(data).hexdigest()).write_bytes(data)
        options = [
            f"-max_total_time={seconds}",
            f"-seed={seed}",
            "-max_len=16384",
            "-timeout=20",
            "-print_final_stats=1",
        ]
        FOUND.mkdir(parents=True, exist_ok=True)
        atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={FOUND}/{name}-", known], one)
        atheris.Fuzz()  # ends the process
    return 0


def _blind(name: str, seconds: int, seed: int) -> int:
    from scripts.fuzz.all_targets import TARGETS
    from scripts.fuzz.corpus import seeds
    from scripts.fuzz.mutator import inputs

    target, end_s, done = TARGETS[name], time.monotonic() + seconds, 0
    for data in inputs(name, seeds(name), sys.maxsize, seed):
        try:
            target(data)
        except Exception:  # noqa: BLE001 - whatever it is, it is a finding
            traceback.print_exc()
            _write(name, data)
            return 1
        done += 1
        if time.monotonic() > end_s:
            break
    print(f"{name}: {done} inputs", flush=True)
    return 0


def _write(name: str, data: bytes) -> None:
    FOUND.mkdir(parents=True, exist_ok=True)
    place = FOUND / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}.txt"
    place.write_text(f"{data!r}\n", "utf-8")
    print(f"{name}: {data!r}\nkeep it: cp {place.relative_to(ROOT)} tests/security/corpus/{name}/", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
