"""Runs tests against a changed module: each run is a fork that imports the package anew, with one module replaced."""

from __future__ import annotations

import gc
import importlib.abc
import importlib.machinery
import importlib.util
import os
import pickle
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from .tables import ROOT

_PRELOADED = (
    "_pytest.python",
    "aiohttp",
    "aiosqlite",
    "apsw",
    "click",
    "cryptography.fernet",
    "cryptography.hazmat.primitives.ciphers.aead",
    "hypothesis.strategies",
    "hypothesis.internal.conjecture.engine",
    "msgspec",
    "pytest_asyncio.plugin",
    "_hypothesis_pytestplugin",
    "uvloop",
)
"""What most tests import, and what no mutant changes."""
_PLUGINS = ("pytest_asyncio.plugin", "_hypothesis_pytestplugin", "no:unraisableexception", "no:faulthandler")
"""What else is installed may take seconds to load, and is left out."""
_MOST_MEMORY_BYTES = 4 * 2**30
_POLL_S = 0.004
_LEAST_LIMIT_S, _TIMES_SLOWER = 10.0, 6.0
"""How much processor time a run may take: the least, and so many times as long as its tests took before."""
_TIMES_WAITING = 10
"""How much longer it may take by the clock, since a busy machine must not make a survivor look endless."""

SURVIVED, KILLED, UNIMPORTABLE, TIMED_OUT = "survived", "killed", "killed at import", "timed out"
NOTHING_RAN, NO_CODE = "nothing ran", "no code"
_UNUSED, _UNPARSABLE = 70, 72
_OUTCOMES = {
    0: SURVIVED,
    1: KILLED,
    2: UNIMPORTABLE,
    3: UNIMPORTABLE,
    4: UNIMPORTABLE,
    5: NOTHING_RAN,
    _UNPARSABLE: NO_CODE,
}
"""By the exit code of pytest; the same options made no error before."""


class BrokenRunError(Exception):
    """A run told neither that a test failed nor that all passed."""


@dataclass(frozen=True, slots=True)
class Run:
    """One module as it would be, and the tests that judge it."""

    dotted: str
    path: Path
    source: str | None
    """None: as it is."""
    tests: tuple[str, ...]
    only: Mapping[str, float] = field(default_factory=dict)
    """Node id → seconds. Where given, others that were known do not run, and the quickest come first."""
    known: frozenset[str] = frozenset()
    named: str = ""
    """Where given, only tests of this name."""

    @property
    def limit_s(self) -> float:
        return _LEAST_LIMIT_S + _TIMES_SLOWER * sum(self.only.values())


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, run: Run) -> None:
        super().__init__(run.dotted, str(run.path))
        self._source = run.source or ""

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = compile(self._source, self.path, "exec", dont_inherit=True)
        return code


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, run: Run) -> None:
        self._run = run
        self.found = False

    def find_spec(self, fullname: str, *_: Any) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._run.dotted:
            return None
        self.found = True
        return importlib.util.spec_from_file_location(fullname, self._run.path, loader=_Loader(self._run))


class _Repeatable:
    """The same examples each time, and no search for the smallest once one fails."""

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        from hypothesis import HealthCheck, Phase, settings

        settings.register_profile(
            "mutants",
            derandomize=True,
            database=None,
            deadline=None,
            max_examples=60,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        settings.load_profile("mutants")


class _Chosen:
    def __init__(self, run: Run) -> None:
        self._run = run

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        only, known, named = self._run.only, self._run.known, self._run.named
        if named:
            items[:] = [item for item in items if getattr(item, "originalname", item.name) == named]
        elif only:
            items[:] = [item for item in items if item.nodeid in only or item.nodeid not in known]
            items.sort(key=lambda item: only.get(item.nodeid, 0.0))


class _Watch:
    """Which lines each test executes, and how long it takes."""

    def __init__(self, path: Path) -> None:
        os.environ["COVERAGE_CORE"] = "ctrace"
        import coverage

        self._coverage = coverage.Coverage(data_file=None, include=[str(path)], config_file=False)
        self._coverage.start()
        self._path = str(path)
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._coverage.switch_context(item.nodeid)
        began = time.perf_counter()
        yield
        self.seconds[item.nodeid] = time.perf_counter() - began
        self._coverage.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(f"{report.nodeid}: {report.longreprtext[-2000:]}")

    def lines(self) -> dict[int, set[str]]:
        """Line → tests; the empty name is what runs at import."""
        self._coverage.stop()
        found = self._coverage.get_data().contexts_by_lineno(self._path)
        return {line: set(tests) for line, tests in found.items()}


@dataclass(frozen=True, slots=True)
class Baseline:
    lines: dict[int, set[str]]
    seconds: dict[str, float]
    failed: list[str]

    def covering(self, executes: range | None) -> dict[str, float]:
        """The tests that may notice a change to these lines, and their times."""
        found = set().union(*(self.lines.get(line, ()) for line in executes)) if executes is not None else {""}
        return dict(self.seconds) if "" in found else {test: self.seconds[test] for test in sorted(found)}


def preload() -> None:
    """In the parent of all forks, so that none has to. Nothing of the package, and no thread: a fork would lose it."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for name in _PRELOADED:
        with suppress(ImportError):
            importlib.import_module(name)
    assert not any(name.split(".")[0] == "softix_proxy" for name in sys.modules)
    threads = Path("/proc/self/task")
    assert not threads.is_dir() or len(list(threads.iterdir())) == 1
    gc.collect()
    gc.freeze()  # so that no fork looks at what all share


def measure(runs: Sequence[Run], at_once: int) -> list[Baseline]:
    """Runs the tests of modules as they are. Raises BrokenRunError where one fails: it would fail with any mutant."""
    found: dict[int, Baseline] = {}

    def child(number: int, folder: Path) -> int:
        watch = _Watch(runs[number].path)
        code = _pytest(runs[number], folder, watch)
        (folder / "baseline").write_bytes(pickle.dumps((watch.lines(), watch.seconds, watch.failed)))
        return code

    def over(number: int, code: int | None, folder: Path) -> None:
        result = folder / "baseline"
        lines, seconds, failed = pickle.loads(result.read_bytes()) if result.exists() else ({}, {}, [])
        if code != 0 or failed or not seconds:
            told = "\n".join(failed) or (folder / "output").read_text(errors="replace")[-4000:]
            raise BrokenRunError(f"the tests of {runs[number].dotted} do not pass as they are ({code}):\n{told}")
        found[number] = Baseline(lines, seconds, failed)

    _fork_each(len(runs), at_once, child, over, lambda _: 600.0)
    return [found[number] for number in range(len(runs))]


def judge(runs: Sequence[Run], at_once: int, tell: Callable[[int, str], None]) -> None:
    """Tells the outcome of each as soon as it is known. Raises BrokenRunError."""

    def child(number: int, folder: Path) -> int:
        run, finder = runs[number], _Finder(runs[number])
        if run.source is None:
            return _pytest(run, folder)
        try:
            compile(run.source, str(run.path), "exec", dont_inherit=True)
        except SyntaxError:
            return _UNPARSABLE
        sys.meta_path.insert(0, finder)
        code = _pytest(run, folder)
        return code if finder.found else _UNUSED

    def over(number: int, code: int | None, folder: Path) -> None:
        outcome = TIMED_OUT if code in (None, -signal.SIGXCPU, -signal.SIGKILL) else _OUTCOMES.get(code or 0)
        if outcome is None and code is not None and code < 0:
            outcome = KILLED  # by a signal: out of memory, or of the stack
        if outcome is None:
            told = (folder / "output").read_text(errors="replace")[-4000:]
            raise BrokenRunError(f"a run of the tests of {runs[number].dotted} ended with {code}:\n{told}")
        tell(number, outcome)

    _fork_each(len(runs), at_once, child, over, lambda number: runs[number].limit_s)


def _pytest(run: Run, folder: Path, *plugins: object) -> int:
    options = ["-x", "-p", "no:cacheprovider", "-o", "addopts=", "--import-mode=importlib"]
    options += [f"-p{plugin}" for plugin in _PLUGINS]
    options += ["-q", "--tb=line", "--no-header", f"--rootdir={ROOT}", f"--basetemp={folder / 'tmp'}"]
    return int(pytest.main([*options, *run.tests], plugins=[_Repeatable(), _Chosen(run), *plugins]))


def _fork_each(
    count: int,
    at_once: int,
    child: Callable[[int, Path], int],
    over: Callable[[int, int | None, Path], None],
    limit_s: Callable[[int], float],
) -> None:
    waiting: Iterable[int] = iter(range(count))
    running: dict[int, tuple[int, float, Path]] = {}
    with tempfile.TemporaryDirectory(prefix="mutants-") as work:
        try:
            while True:
                while len(running) < at_once and (number := next(iter(waiting), None)) is not None:
                    folder = Path(work) / str(number)
                    folder.mkdir()
                    until = time.monotonic() + _TIMES_WAITING * limit_s(number)
                    running[_fork(number, folder, child, limit_s(number))] = number, until, folder
                if not running:
                    return
                _reap(running, over)
        finally:
            for pid in running:
                _kill(pid)
                os.waitpid(pid, 0)


def _reap(running: dict[int, tuple[int, float, Path]], over: Callable[[int, int | None, Path], None]) -> None:
    for pid, (number, until, folder) in list(running.items()):
        ended, status = os.waitpid(pid, os.WNOHANG)
        late = not ended and time.monotonic() > until
        if late:
            _kill(pid)
            os.waitpid(pid, 0)
        if ended or late:
            del running[pid]
            _kill(pid)  # what its tests have started and not ended
            over(number, None if late else os.waitstatus_to_exitcode(status), folder)
            shutil.rmtree(folder, ignore_errors=True)
            return
    time.sleep(_POLL_S)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _fork(number: int, folder: Path, child: Callable[[int, Path], int], limit_s: float) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        with suppress(ProcessLookupError, PermissionError):
            os.setpgid(pid, pid)  # in both: whoever comes first
        return pid
    code = 71
    try:
        os.setpgid(0, 0)
        gc.disable()
        output = os.open(folder / "output", os.O_WRONLY | os.O_CREAT)
        for stream in (1, 2):
            os.dup2(output, stream)
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY_BYTES, _MOST_MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (ceil(limit_s), ceil(limit_s) + 1))
        code = child(number, folder)
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 - nothing may run on in a copy of the parent
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)
