import errno
import os
import resource
import socket
import subprocess
import sys
from types import SimpleNamespace

import pytest
from support.open_files import used_up

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.instance import open_files

RAISED = """
import resource, sys
from softix_proxy.domain.instance import open_files
open_files.raise_limit()
print(*resource.getrlimit(resource.RLIMIT_NOFILE), open_files.clients())
"""


@pytest.mark.parametrize(("soft", "hard"), [(64, 200), (200, 200)])
def test_open_files_limit_below_the_hard_limit_is_raised_to_it(soft: int, hard: int) -> None:
    words = ["sh", "-c", f'ulimit -Sn {soft} && ulimit -Hn {hard} && exec "$@"', "sh", sys.executable, "-c", RAISED]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    assert list(map(int, told)) == [hard, hard, (hard - open_files._RESERVED) // 2]


def test_open_files_limit_that_cannot_be_raised_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[tuple[int, int]]()

    def refuse(_: int, limits: tuple[int, int]) -> None:
        asked.append(limits)
        raise ValueError

    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    open_files.raise_limit()
    assert asked == [(1 << 20, resource.RLIM_INFINITY)]


@pytest.mark.parametrize(("limit", "clients"), [(34, 1), (40, 4), (1024, 496), (resource.RLIM_INFINITY, 524_272)])
def test_clients_for_a_limit_are_half_of_the_open_files_left(
    monkeypatch: pytest.MonkeyPatch, limit: int, clients: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    assert open_files.clients() == clients


def test_clients_with_too_few_open_files_is_refused_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (33, 33))
    with pytest.raises(FailureError, match="33 open files are too few") as failure:
        open_files.clients()
    assert "LimitNOFILE=" in failure.value.remedy


def test_are_used_up_with_direct_or_wrapped_limit_error_is_true() -> None:
    for number in (errno.EMFILE, errno.ENFILE):
        error = OSError(number, os.strerror(number))
        assert open_files.are_used_up(error)
        for name in ("os_error", "reason", "__cause__"):
            outer = ValueError() if name == "__cause__" else SimpleNamespace()
            setattr(outer, name, error)
            assert open_files.are_used_up(outer)  # type: ignore[arg-type]


def test_are_used_up_with_unrelated_error_is_false() -> None:
    for error in (
        ConnectionRefusedError(),
        TimeoutError(),
        ValueError(),
        socket.gaierror(),
        OSError(errno.EHOSTUNREACH),
    ):
        assert not open_files.are_used_up(error)


def test_are_used_up_with_resolver_error_is_decided_by_opening_a_file() -> None:
    with used_up():
        resolver, refused = open_files.are_used_up(socket.gaierror()), open_files.are_used_up(ConnectionRefusedError())
    assert resolver and not refused


@pytest.mark.parametrize(("wanted", "room"), [(10, 10), (84, 84), (4096, 84)])
def test_open_files_connections_are_as_many_as_wanted_and_enough_for(
    wanted: int, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_files, "limit", lambda: 200)
    assert open_files.connections(wanted) == room
