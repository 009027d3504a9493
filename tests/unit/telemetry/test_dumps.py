import subprocess
import sys

import pytest

PROBE = """
import ctypes, resource
from softix_proxy.telemetry import dumps
dumps.forbid()
print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_process_without_dumps_has_no_core_limit_and_no_debugger() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True)
    assert done.stdout == "(0, 0) 0\n", done.stderr
