"""How files are named, how long they are, and that each has its test."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from support.sources import ROOT, Source, sources, texts, tracked

from softix_proxy.domain.ports.storage import Unit

MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60

TESTED_ELSEWHERE = {
    "cli/console/tables.py": ("tests/golden/test_tables.py", "by what it draws of each table"),
    "__main__.py": ("tests/unit/cli/test_main.py", "one line, run as a process"),
    "domain/ports/upstream.py": (
        "tests/unit/upstream/test_client.py",
        "declarations, and an error that carries two facts",
    ),
}
"""Source file → its test, and why it has another name."""

ALSO_TESTED_IN = {"storage": "tests/contract", "web": "tests/e2e", "cli": "tests/e2e"}
"""Room → where else a test may lie that has the file's name."""

NOUNS = sorted(name for name, item in vars(Unit).items() if isinstance(item, property) and name != "clock")
FLOORS_OF_A_NOUN = ("domain", "storage", "operations", "cli")
WITHOUT_COMMAND = {"instance": "made by `softix init`; it has one row, and nothing to list"}

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


def own(place: str) -> str:
    return place.removeprefix("softix_proxy/")


def modules() -> dict[str, Source]:
    """The package's files, by their place in it."""
    return {own(source.place): source for source in sources("softix_proxy")}


def does_something(source: Source) -> bool:
    """Other than declare: records, protocols, names of errors and tables have nothing to be tested on their own."""
    return source.place.endswith("__main__.py") or any(
        not isinstance(step, ast.Expr) or not isinstance(step.value, ast.Constant)
        for function in functions(source.tree)
        for step in function.body
    )


def places_of_tests(place: str) -> tuple[str, ...]:
    room, _, name = place.rpartition("/")
    mirrored = "/".join(part for part in ("tests/unit", room, f"test_{name}") if part)
    return (mirrored, f"{ALSO_TESTED_IN[room]}/test_{name}") if room in ALSO_TESTED_IN else (mirrored,)


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def test_files_are_short() -> None:
    counted = {source.place: source.text.count("\n") for source in sources()}
    long = [f"{place}: {lines} lines" for place, lines in counted.items() if lines > MOST_LINES]
    assert not long, "\n".join([*long, f"instead: two files of at most {MOST_LINES}, each with one subject"])


def test_functions_are_short() -> None:
    long = [
        f"{source.place}:{node.lineno}: {node.name} has {lines} lines"
        for source in sources()
        for node in functions(source.tree)
        if (lines := (node.end_lineno or 0) - node.lineno + 1) > MOST_LINES_OF_A_FUNCTION
    ]
    assert not long, "\n".join([*long, f"instead: steps of at most {MOST_LINES_OF_A_FUNCTION} lines, or a table"])


def test_each_source_file_has_its_test() -> None:
    missing = []
    for place in (place for place, source in modules().items() if does_something(source)):
        wanted = (TESTED_ELSEWHERE[place][0],) if place in TESTED_ELSEWHERE else places_of_tests(place)
        if not any((ROOT / test).is_file() for test in wanted):
            missing.append(f"softix_proxy/{place}: write {' or '.join(wanted)}")
    assert not missing, "\n".join(missing)


def test_no_file_is_tested_elsewhere_without_need() -> None:
    known = modules()
    idle = [
        place
        for place in TESTED_ELSEWHERE
        if place not in known or any((ROOT / test).is_file() for test in places_of_tests(place))
    ]
    assert not idle, f"take these out of TESTED_ELSEWHERE: {', '.join(idle)}"


def _subjects(name: str) -> list[str]:
    """`attempt_usage` → itself and `attempt`: a long test may have a file for each of its subjects."""
    words = name.split("_")
    return ["_".join(words[:end]) for end in range(len(words), 0, -1)]


def test_each_test_file_has_its_source() -> None:
    known = modules()
    strays = [
        f"{source.place}: there is no softix_proxy/{room}{name}"
        for source in sources("tests/unit")
        if (match := re.fullmatch(r"tests/unit/((?:\w+/)*)test_(\w+\.py)", source.place))
        for room, name in [match.groups()]
        if room != "support/"
        and not any(f"{room}{subject}.py" in known for subject in _subjects(name.removesuffix(".py")))
        and source.place not in {test for test, _ in TESTED_ELSEWHERE.values()}
    ]
    assert not strays, "\n".join([*strays, "instead: name a test after the file that it tests"])


@pytest.mark.parametrize("noun", NOUNS)
def test_a_noun_has_the_same_file_name_on_every_floor(noun: str) -> None:
    known = modules()
    floors = [floor for floor in FLOORS_OF_A_NOUN if floor != "cli" or noun not in WITHOUT_COMMAND]
    missing = [f"softix_proxy/{floor}/{noun}.py" for floor in floors if f"{floor}/{noun}.py" not in known]
    assert not missing, f"instead of another name: {', '.join(missing)}"


def test_the_nouns_are_known() -> None:
    assert {"users", "keys", "balance", "ledger", "providers", "models", "prices", "usage"} <= set(NOUNS)
    assert set(WITHOUT_COMMAND) <= set(NOUNS)
    assert Unit.users.fget.__annotations__["return"] == "UserStore"


@pytest.mark.parametrize("what", NOT_OURS)
def test_the_project_speaks_of_itself_alone(what: str) -> None:
    pattern, instead = NOT_OURS[what]
    found = [
        f"{place}:{text[: match.start()].count(chr(10)) + 1}: {match[0]}"
        for place, text in texts()
        for match in re.finditer(pattern, text)
    ]
    assert not found, "\n".join([*found, f"instead: {instead}"])


def test_nothing_made_is_committed() -> None:
    made = re.compile(
        r"(^|/)(\.venv|__pycache__|node_modules|build|dist|\.hypothesis|\.\w+_cache)/|\.egg-info/|\.(pyc|db-wal|db-shm)$"
        r"|\.(db|sqlite3?)$|(^|/)(\.env|master\.key)$"
    )
    found = [name for name in tracked() if made.search(name)]
    assert not found, "\n".join([*found, "instead: git rm --cached, and a line in .gitignore"])
