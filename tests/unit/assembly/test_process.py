from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from support.process import environment

from softix_proxy.assembly.process import loop_factory

PROGRAM = """
import gc, json, resource, sys
from pathlib import Path
from softix_proxy import assembly
assembly.prepare_process(assembly.read_settings(None, Path(sys.argv[1])))
from aiohttp import connector
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
print(json.dumps({
    "collects_after": gc.get_threshold()[0],
    "core_bytes": resource.getrlimit(resource.RLIMIT_CORE)[0],
    "files": [soft, hard],
    "certificates": connector._SSL_CONTEXT_VERIFIED.cert_store_stats()["x509_ca"],
}))
"""


def test_process_after_its_preparation_dumps_no_core_and_has_all_files_and_no_spare_certificates(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        ["sh", "-c", 'ulimit -Sn 64 && exec "$@"', "sh", sys.executable, "-c", PROGRAM, str(tmp_path)],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    soft, hard = found["files"]

    assert (found["core_bytes"], found["certificates"]) == (0, 0)
    assert soft == hard > 64
    assert found["collects_after"] > 700, "Python's own threshold makes a request pay for collections"


def test_process_says_that_a_configuration_in_the_data_directory_is_not_read(tmp_path: Path) -> None:
    home, other = tmp_path / "home", tmp_path / "other.toml"
    home.mkdir()
    for place in (home / "config.toml", other):
        place.write_text("")

    def log_of(config: Path) -> str:
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, str(home)],
            env=environment(SOFTIX_CONFIG=str(config)),
            capture_output=True,
            text=True,
            check=True,
        ).stderr

    assert f"{home / 'config.toml'} is not read: softix reads {other}" in log_of(other)
    assert "is not read" not in log_of(home / "config.toml")


def test_loop_factory_with_uvloop_makes_its_loop() -> None:
    make = loop_factory()
    assert make is not None
    loop = make()
    loop.close()
    assert type(loop).__module__.startswith("uvloop")
