"""A process that can open no other file."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def limited_to(soft: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextmanager
def used_up() -> Iterator[None]:
    """For this process. Numbers that are free below its highest one are taken meanwhile."""
    taken, top = [os.open(os.devnull, os.O_RDONLY)], highest(os.getpid())
    while taken[-1] <= top:
        taken.append(os.open(os.devnull, os.O_RDONLY))
    try:
        with limited_to(taken[-1] + 1):
            yield
    finally:
        for each in taken:
            os.close(each)


def highest(process: int) -> int:
    return max(int(each.name) for each in Path(f"/proc/{process}/fd").iterdir())
