"""How long files are, how many lie in a folder, and that each has its test."""

from __future__ import annotations

import ast
import functools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from support.sources import ROOT, Source, package, sources, texts, tracked

MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60

MOST_MODULES = 24

TESTED_ELSEWHERE = {
    ("cli", "tables"): ("tests/golden/test_tables.py", "by what it draws of each table"),
    ("__main__", "__main__"): ("tests/unit/cli/test_main.py", "one line, run as a process"),
    ("domain", "upstream"): ("tests/unit/upstream/test_client.py", "declarations, and an error that carries two facts"),
}
"""Floor and name of a source file → its test, and why it has another name."""

ALSO_TESTED_IN = {"storage": "tests/contract", "web": "tests/e2e", "cli": "tests/e2e"}
"""Floor → where else a test may lie, at any depth, that has the file's name."""

OTHERS = r"(?<!aiohttp )"
"""Other projects' numbers may be named."""
NOT_OURS = {
    "a path of one machine": (r"/(work|root|home/\w+)/", "a path from the root of the project, or tmp_path"),
    "a temporary folder of one machine": (r"(?<![\w.])/tm[p]/", "tmp_path, or mktemp -d"),
    "a number in a tracker": (OTHERS + r"\b[Ii]ssue #?\d", "the reason itself"),
    "unfinished": (r"\b(TOD[O]|FIXM[E]|XX[X])\b", "do it, or leave it out"),
    "a person": (r"[\w.+-]+@(?![\w.-]*\bexample\b)[\w-]+(\.[\w-]+)*\.[a-z]{2,}\b", "ada@example.org"),
}
"""What → pattern, and what to write instead."""


def does_something(source: Source) -> bool:
    """Other than declare: records, protocols, names of errors and tables have nothing to be tested on their own."""
    return source.place.endswith("__main__.py") or any(
        not isinstance(step, ast.Expr) or not isinstance(step.value, ast.Constant)
        for function in functions(source.tree)
        for step in function.body
    )


def mirrored(source: Source) -> str:
    """`softix_proxy/domain/access/keys.py` → `tests/unit/domain/access/test_keys.py`."""
    folder, _, name = source.inside.rpartition("/")
    return "/".join(part for part in ("tests/unit", folder, f"test_{name}") if part)


def found_tests(source: Source) -> list[str]:
    """Those that there are, of those that may be a file's test."""
    also = ALSO_TESTED_IN.get(source.floor)
    elsewhere = [path for path in files_below(also) if path.name == f"test_{source.stem}.py"] if also else []
    found = [ROOT / mirrored(source), *elsewhere]
    return [path.relative_to(ROOT).as_posix() for path in found if path.is_file()]


@functools.cache
def files_below(folder: str) -> Sequence[Path]:
    return tuple((ROOT / folder).rglob("test_*.py"))


def place_elsewhere(source: Source) -> str | None:
    return TESTED_ELSEWHERE.get((source.floor, source.stem), (None,))[0]


def crowds(known: Iterable[Source]) -> dict[str, int]:
    """Folder, from the package on → how many modules it holds, where that is too many."""
    counted = Counter(source.inside.rpartition("/")[0] for source in known if source.stem != "__init__")
    return {folder: count for folder, count in counted.items() if count > MOST_MODULES}


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """At any depth. Only statements are looked at, for no expression has one inside."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting += getattr(node, block, ())


def test_source_files_are_within_their_limit_of_lines() -> None:
    counted = {source.place: source.text.count("\n") for source in sources()}
    long = [f"{place}: {lines} lines" for place, lines in counted.items() if lines > MOST_LINES]
    assert not long, "\n".join([*long, f"instead: two files of at most {MOST_LINES}, each with one subject"])


def test_functions_are_within_their_limit_of_lines() -> None:
    long = [
        f"{source.place}:{node.lineno}: {node.name} has {lines} lines"
        for source in sources()
        for node in functions(source.tree)
        if (lines := (node.end_lineno or 0) - node.lineno + 1) > MOST_LINES_OF_A_FUNCTION
    ]
    assert not long, "\n".join([*long, f"instead: steps of at most {MOST_LINES_OF_A_FUNCTION} lines, or a table"])


def test_source_file_has_its_test() -> None:
    missing = []
    for source in filter(does_something, package()):
        elsewhere = place_elsewhere(source)
        if not ((ROOT / elsewhere).is_file() if elsewhere else found_tests(source)):
            also = ALSO_TESTED_IN.get(source.floor)
            wanted = [elsewhere or mirrored(source), *([f"{also}/…/test_{source.stem}.py"] if also else [])]
            missing.append(f"{source.place}: write {' or '.join(wanted)}")
    assert not missing, "\n".join(missing)


def test_exception_for_a_file_tested_elsewhere_is_still_needed() -> None:
    needed = {(source.floor, source.stem) for source in package() if not found_tests(source)}
    idle = [f"{floor}/…/{stem}.py" for floor, stem in TESTED_ELSEWHERE if (floor, stem) not in needed]
    assert not idle, f"take these out of TESTED_ELSEWHERE: {', '.join(idle)}"


@pytest.mark.parametrize(
    ("place", "test"),
    [
        ("settings.py", "tests/unit/test_settings.py"),
        ("domain/access/keys.py", "tests/unit/domain/access/test_keys.py"),
        ("storage/sqlite/access/keys.py", "tests/unit/storage/sqlite/access/test_keys.py"),
    ],
)
def test_test_of_a_source_lies_in_the_same_folder(place: str, test: str) -> None:
    assert mirrored(Source(f"softix_proxy/{place}", "")) == test


def test_folders_are_within_their_limit_of_modules() -> None:
    crowded = [f"softix_proxy/{folder}: {count} modules" for folder, count in crowds(package()).items()]
    assert not crowded, "\n".join([*crowded, f"instead: folders of at most {MOST_MODULES}, one a capability"])


def test_crowded_folder_at_any_depth_is_reported() -> None:
    names = [f"softix_proxy/domain/access/m{number}.py" for number in range(MOST_MODULES)]
    folder = [Source(place, "") for place in [*names, "softix_proxy/domain/access/__init__.py"]]
    assert crowds(folder) == {}
    assert crowds([*folder, Source("softix_proxy/domain/access/more.py", "")]) == {"domain/access": MOST_MODULES + 1}


def _subjects(name: str) -> list[str]:
    """`attempt_usage` → itself and `attempt`: a long test may have a file for each of its subjects."""
    words = name.split("_")
    return ["_".join(words[:end]) for end in range(len(words), 0, -1)]


def test_test_file_has_its_source() -> None:
    known = {source.inside for source in package()}
    strays = [
        f"{source.place}: there is no softix_proxy/{folder}{name}"
        for source in sources("tests/unit")
        if (match := re.fullmatch(r"tests/unit/((?:\w+/)*)test_(\w+\.py)", source.place))
        for folder, name in [match.groups()]
        if folder != "support/"
        and not any(f"{folder}{subject}.py" in known for subject in _subjects(name.removesuffix(".py")))
        and source.place not in {test for test, _ in TESTED_ELSEWHERE.values()}
    ]
    assert not strays, "\n".join([*strays, "instead: name a test after the file that it tests"])


@pytest.mark.parametrize("what", NOT_OURS)
def test_texts_mention_nothing_from_outside_the_project(what: str) -> None:
    pattern, instead = NOT_OURS[what]
    found = [
        f"{place}:{text[: match.start()].count(chr(10)) + 1}: {match[0]}"
        for place, text in texts()
        for match in re.finditer(pattern, text)
    ]
    assert not found, "\n".join([*found, f"instead: {instead}"])


def test_generated_files_are_not_committed() -> None:
    made = re.compile(
        r"(^|/)(\.venv|__pycache__|node_modules|build|dist|\.hypothesis|\.\w+_cache)/|\.egg-info/|\.(pyc|db-wal|db-shm)$"
        r"|\.(db|sqlite3?)$|(^|/)(\.env|master\.key)$"
    )
    found = [name for name in tracked() if made.search(name)]
    assert not found, "\n".join([*found, "instead: git rm --cached, and a line in .gitignore"])
