from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # so that tests can import `support`

from support.memory_folder import use_memory_folder

use_memory_folder()

pytest_plugins = ["support.plugin"]
