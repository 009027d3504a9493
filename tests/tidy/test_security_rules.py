"""What code of a proxy must not do with what strangers send, and with what providers answer.

Some of these are rules of ruff as well. There a comment in the line turns them off; here a table with a reason does.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from support.code_rules import Rule, dotted, uses
from support.sources import sources

_MAPS = re.compile(r"(^|[._])(headers|fields|members|query|queries|parameters|params|body)([._]|$)")
_TESTED = re.compile(r"\w*(names?|headers?|fields?|key|part)|\w+\[0\]")


def _conditions(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _conditions(value)
    else:
        yield node


def _name(node: ast.expr) -> str:
    """`name` of `header.name.lower()`; `header[0]` as it stands."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
        node = node.func.value
    return ast.unparse(node).rpartition(".")[2]


def _is_deny_list(test: ast.expr) -> bool:
    """`name not in _LISTED`, `not name.startswith(_LISTED)`."""
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.NotIn):
        listed = test.comparators[0]
        is_table = isinstance(listed, (ast.Tuple, ast.Set, ast.List)) or dotted(listed).rpartition(".")[2].isupper()
        return is_table and bool(_TESTED.fullmatch(_name(test.left)))
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and isinstance(test.operand, ast.Call):
        return isinstance(test.operand.func, ast.Attribute) and test.operand.func.attr == "startswith"
    return False


def deny_lists(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Comprehensions over headers, members or parts of a query that leave out what a list names."""
    for node in ast.walk(tree):
        if not isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            continue
        for generator in node.generators:
            if _MAPS.search(ast.unparse(generator.iter).partition("(")[0]):
                for test in (one for condition in generator.ifs for one in _conditions(condition)):
                    if _is_deny_list(test):
                        yield test, ast.unparse(test)


_SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|FROM|WHERE|VALUES|ORDER BY|PRAGMA|CREATE|DROP|ATTACH)\b")


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    arguments = function.args
    listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return {each.arg for each in listed if each is not None} - {"self", "cls"}


def _filled_in(node: ast.AST) -> list[ast.expr]:
    """What is put into a text of SQL, by whatever means."""
    if isinstance(node, ast.JoinedStr):
        texts = [str(part.value) for part in node.values if isinstance(part, ast.Constant)]
        filled = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
        return filled if _SQL.search(" ".join(texts)) else []
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mod, ast.Add)):
        sides = (node.left, node.right)
        text = next((side.value for side in sides if isinstance(side, ast.Constant)), None)
        return [*sides] if isinstance(text, str) and _SQL.search(text) else []
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        text = node.func.value
        found = isinstance(text, ast.Constant) and isinstance(text.value, str) and _SQL.search(text.value)
        return [*node.args, *(keyword.value for keyword in node.keywords)] if found else []
    return []


def sql_of_arguments(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Arguments of a public function that become part of a statement's text, and not a parameter of it.

    A private function gets the names of tables and columns from its own module.
    """
    for function in ast.walk(tree):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) or function.name.startswith("_"):
            continue
        given = _parameters(function)
        for node in ast.walk(function):
            for value in _filled_in(node):
                names = {each.id for each in ast.walk(value) if isinstance(each, ast.Name)} & given
                if names:
                    yield node, f"{function.name} writes {', '.join(sorted(names))} into SQL"


def _caught(handler: ast.ExceptHandler) -> Iterator[tuple[ast.AST, str]]:
    def is_error(node: ast.AST) -> bool:
        return isinstance(node, ast.Name) and node.id == handler.name

    for node in ast.walk(handler):
        if isinstance(node, ast.FormattedValue) and is_error(node.value):
            yield node, f"f'{{{handler.name}}}'"
        elif isinstance(node, ast.Call):
            function = dotted(node.func)
            if function in ("str", "repr", "format") and any(map(is_error, node.args)):
                yield node, f"{function}({handler.name})"
            elif function.split(".")[0] in ("log", "logger", "logging") and any(map(is_error, node.args)):
                yield node, f"{function}(…, {handler.name})"
        elif isinstance(node, ast.Attribute) and node.attr in ("args", "doc", "object") and is_error(node.value):
            yield node, f"{handler.name}.{node.attr}"


def texts_of_exceptions(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """The text of a caught exception, which may quote a request, an answer, a key or a URL."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.name:
            yield from _caught(node)
        elif isinstance(node, ast.Call) and re.fullmatch(r"traceback\.(format|print)_\w+", dotted(node.func)):
            yield node, dotted(node.func)


def code_from_data(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = dotted(node.func)
            constant = bool(node.args) and isinstance(node.args[0], ast.Constant)
            if function in ("eval", "exec", "compile") or function in ("yaml.load", "yaml.unsafe_load"):
                yield node, f"{function}()"
            elif function in ("__import__", "importlib.import_module", "import_module") and not constant:
                yield node, f"{function}() of what is not written here"
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            unsafe = ("pickle", "marshal", "shelve", "dill", "xml")
            yield from ((node, name) for name in names if name.split(".")[0] in unsafe)


def shells(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = dotted(node.func)
            if re.fullmatch(
                r"(os\.(system|popen|exec\w+|spawn\w+)|subprocess\.\w+|asyncio\.create_subprocess_\w+)", function
            ):
                yield node, function
            for keyword in node.keywords:
                if keyword.arg == "shell" and not (isinstance(keyword.value, ast.Constant) and not keyword.value.value):
                    yield node, "shell=True"


_SECRET = re.compile(r"(\w*_)?(digest|signature|mac|hmac|password|api_key|secret|token_hash)")


def compared_secrets(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
            for side in (node.left, *node.comparators):
                if _SECRET.fullmatch(dotted(side).rpartition(".")[2]):
                    yield node, ast.unparse(node)
                    break


_MAKES_A_FILE = frozenset(
    ("write_text", "write_bytes", "mkstemp", "TemporaryFile", "NamedTemporaryFile", "SpooledTemporaryFile")
)
_PLACE_OF_THE_MODE = {"Path.open": 0, "open": 1, "fdopen": 1}


def written_files(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        is_method = isinstance(node.func, ast.Attribute) and dotted(node.func) != "os.fdopen"
        name = node.func.attr if isinstance(node.func, ast.Attribute) else dotted(node.func)
        if name in _MAKES_A_FILE:
            yield node, f"{name}()"
        elif name in ("open", "fdopen"):
            place = _PLACE_OF_THE_MODE["Path.open" if is_method else name]
            given = [keyword.value for keyword in node.keywords if keyword.arg == "mode"] or node.args[place:][:1]
            modes = [str(each.value) for each in given if isinstance(each, ast.Constant)]
            if any(re.fullmatch("[rwaxbt+]+", mode) and set(mode) & set("wax+") for mode in modes):
                yield node, f"{name}() for writing"


def other_clients(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        yield from ((node, name) for name in names if name.split(".")[0] in ("requests", "httpx", "urllib3"))
    yield from uses(r"aiohttp\.(ClientSession|request)", r"urllib\.request\.(urlopen|install_opener)")(tree)


_PATH_OF_A_REQUEST = tuple(f"softix_proxy/{floor}/*" for floor in ("web", "relay", "dialects", "upstream"))
RULES = {
    "no header, member or parameter by a list of bad ones": Rule(
        deny_lists,
        "a list of the good ones, each with its reason: what nobody thought of must not pass",
        bad=(
            "x = [h for h in headers if h[0] not in _DROPPED]",
            "x = {name: v for name, v in request.headers.items() if name.lower() not in ('a', 'b')}",
            "x = [(n, v) for name, v in headers if a and not name.startswith(_PRIVATE)]",
            "x = {name: v for name, v in fields.items() if name not in _COSTLY}",
        ),
        good=(
            "x = [h for h in headers if h[0] in _PASSING]",
            "x = [n for n in names if n not in _KNOWN]",
            "x = {name: v for name, v in fields.items() if name in known or name.startswith(_OURS)}",
        ),
        where=_PATH_OF_A_REQUEST,
        allowed={
            "relay: interpret": "leaves out the three that it writes itself",
            "upstream: inflation": "the two headers that are no longer true of the inflated body",
        },
    ),
    "no SQL with an argument in its text": Rule(
        sql_of_arguments,
        "a `?` and a parameter; the names of columns and tables are constants of the module",
        bad=(
            "def f(name):\n    return f'SELECT * FROM users WHERE name = {name}'",
            "async def f(self, *, order):\n    x = f'SELECT a FROM b ORDER BY {order.text}'",
            "def f(name):\n    return 'SELECT * FROM users WHERE name = %s' % name",
            "def f(name):\n    return 'DELETE FROM {}'.format(name)",
            "def f(name):\n    return 'SELECT a FROM ' + name",
        ),
        good=(
            "def f(name):\n    return run(f'SELECT {COLUMNS} FROM users WHERE name = ?', name)",
            "def f(name):\n    return f'{name} is from here'",
        ),
        allowed={
            "storage: directory": "tables of its own list",
            "storage: record_mapping": "writes statements of the names of columns, which are constants of its callers",
            "storage: statements": "repeats a group of placeholders",
            "storage: usage_sql": "chooses among its own columns by a word of a fixed set",
        },
    ),
    "no text of an exception": Rule(
        texts_of_exceptions,
        "the class of the error, and a message of our own: an exception's text may quote what it failed on",
        bad=(
            "try: f()\nexcept Exception as error: log.error('failed: %s', error)",
            "try: f()\nexcept ValueError as e: x = str(e)",
            "try: f()\nexcept ValueError as e: raise Refused(f'not JSON: {e}') from None",
            "try: f()\nexcept ValueError as e: x = e.args[0]",
            "x = traceback.format_exc()",
        ),
        good=(
            "try: f()\nexcept Exception as error: log.error('failed', extra={'error': type(error).__name__})",
            "try: f()\nexcept Refused as error: x = error.message",
            "x = str(value)",
        ),
        allowed={
            "dialects: scan": "finds the place in msgspec's message, of which nothing is shown",
            "imports: mapping": "where the operator's own file is not TOML, it says at which line",
            "imports: tables": "what csv says names no cell",
            "domain: toml_text": "takes line and column out of it",
        },
    ),
    "no code from data": Rule(
        code_from_data,
        "a table of functions, or msgspec and json for data",
        bad=(
            "eval(x)",
            "exec(x)",
            "import pickle",
            "from marshal import loads",
            "yaml.load(x)",
            "importlib.import_module(name)",
        ),
        good=(
            "literal_eval(x)",
            "YAML(typ='safe').load(x)",
            "importlib.import_module('softix_proxy.cli')",
            "re.compile(x)",
        ),
        allowed={
            "cli: main": "names of its own table",
            "operations: client_files": "ruamel's own loader, which makes texts, numbers, lists and mappings only",
            "storage: record_mapping": "paths of attributes that it checks letter by letter",
            "web: inflate": "names of its own tuple",
        },
    ),
    "no shell, and no program": Rule(
        shells,
        "a library; where a program has to run, it is the operator's own, without a shell",
        bad=("os.system(x)", "subprocess.run(x)", "run(x, shell=True)", "asyncio.create_subprocess_exec(x)"),
        good=("run(x, shell=False)", "os.path.join(a, b)"),
        allowed={"vault: master_key": "the operator's own command for the master key, without a shell"},
    ),
    "no secret compared letter by letter": Rule(
        compared_secrets,
        "hmac.compare_digest, or a look-up by the digest: the time must not tell how much was right",
        bad=("x = given == self.signature", "if digest != expected_digest: f()", "x = password == 'a'"),
        good=("x = compare_digest(a, b)", "x = found[digest]", "x = digests == 5"),
        allowed={},
    ),
    "no file on the way of a request": Rule(
        written_files,
        "memory, and only while it passes: no content is kept",
        bad=(
            "open('a', 'w')",
            "path.open('ab')",
            "path.write_text(x)",
            "tempfile.NamedTemporaryFile()",
            "os.fdopen(d, 'w')",
        ),
        good=("open('w')", "open('a')", "path.open('rb')", "webbrowser.open(url)"),
        where=_PATH_OF_A_REQUEST,
    ),
    "no redirect, proxy or cookie of a provider's": Rule(
        other_clients,
        "upstream/client.py, which follows no redirect, reads no proxy from the environment and keeps no cookie",
        bad=(
            "import requests",
            "from httpx import Client",
            "from aiohttp import ClientSession",
            "x = aiohttp.ClientSession()",
            "urllib.request.urlopen(u)",
        ),
        good=("from aiohttp import web", "x = urllib.request.Request(u)"),
        allowed={
            "cli: remote_view": "the same, to the admin API of another machine; its own tests show it",
            "demo: check": "asks softix itself",
            "upstream: openid_provider": "the same as the probe, to the provider by which people sign in",
            "upstream: probe": "follows no redirect, and keeps no cookie; its own tests show it",
            "upstream: webhook_client": "the same, to receivers of events, whose bodies are not read",
            "upstream: websocket_client": "the same, for realtime",
        },
    ),
}
each_rule = pytest.mark.parametrize("rule", [pytest.param(rule, id=name) for name, rule in RULES.items()])


@each_rule
def test_code_keeps_each_security_rule(rule: Rule) -> None:
    broken = rule.breaches(sources("softix_proxy"))
    assert not broken, "\n".join([*broken, f"instead: {rule.instead}"])


@each_rule
def test_exception_to_a_security_rule_is_still_needed(rule: Rule) -> None:
    idle = rule.idle_exceptions(sources("softix_proxy"))
    assert not idle, f"take these out of `allowed`: {', '.join(idle)}"


@each_rule
def test_security_rule_finds_its_bad_examples_and_accepts_its_good_ones(rule: Rule) -> None:
    assert rule.blind_to() == []
