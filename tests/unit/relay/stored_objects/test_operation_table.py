import subprocess
import sys

import pytest

from softix_proxy.relay.stored_objects.operation_table import OPERATIONS, find_operation, parse


@pytest.mark.parametrize(
    ("path", "folder", "names"),
    [
        ("/files", "/files", []),
        ("/files/f1/content", "/files", ["f1", "content"]),
        ("/batches/b1", "/batches", ["b1"]),
        ("/messages/batches/m/results", "/messages/batches", ["m", "results"]),
        ("/files/F1/Content", "/files", ["F1", "content"]),
        ("/files/f1:download", "/files", ["f1", "content"]),
        ("/batches/b1:cancel", "/batches", ["b1", "cancel"]),
        ("/batches/b1:other", "/batches", ["b1:other"]),
    ],
)
def test_parse_of_path_returns_the_folder_and_the_names_after_it(path: str, folder: str, names: list[str]) -> None:
    assert parse(path) == (folder, names)


@pytest.mark.parametrize(
    ("method", "path", "function", "form_field"),
    [
        ("POST", "/files", "upload", "purpose"),
        ("GET", "/files/f1", "show", ""),
        ("GET", "/files/f1:download", "read", ""),
        ("POST", "/messages/batches/m1/cancel", "cancel", ""),
        ("DELETE", "/messages/batches/m1", "delete", ""),
    ],
)
def test_find_operation_with_known_path_returns_function_and_form_field(
    method: str, path: str, function: str, form_field: str
) -> None:
    found = find_operation(method, path)
    assert found is not None and (found.function, found.form_field) == (function, form_field)


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/batches/b1"), ("HEAD", "/files"), ("GET", "/files/f1/x"), ("PUT", "/files")]
)
def test_find_operation_with_unknown_method_or_path_returns_none(method: str, path: str) -> None:
    assert find_operation(method, path) is None


def test_operations_of_a_folder_differ_in_method_or_path() -> None:
    for operations in OPERATIONS.values():
        assert len({(each.method, each.path) for each in operations}) == len(operations)


def test_operation_table_import_loads_no_other_module_of_the_relay() -> None:
    """The web reads it at every start."""
    code = "import sys, softix_proxy.relay.stored_objects.operation_table; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in loaded if name.startswith("softix_proxy.")] == [
        "softix_proxy.relay",
        "softix_proxy.relay.stored_objects",
        "softix_proxy.relay.stored_objects.operation_table",
    ]
