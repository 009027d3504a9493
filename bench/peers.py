"""Other gateways in front of the same provider: measured where they are installed, said so where they are not."""

from __future__ import annotations

import shutil
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path

from bench.proxies import Proxy, Stand
from bench.rows import Cell, Options, compared, ratio, table

_KEY = "sk-bench-0123456789"
_LITELLM = """
model_list:
  - model_name: gpt-bench
    litellm_params: {{model: openai/gpt-bench, api_base: "{url}/v1", api_key: sk-x}}
general_settings: {{master_key: {key}}}
"""


def litellm(stand: Stand) -> Proxy | None:
    """pip install 'litellm[proxy]'"""
    program = shutil.which("litellm")
    if program is None:
        return None
    config = stand.folder / "litellm.yaml"
    config.write_text(_LITELLM.format(url=stand.provider_url, key=_KEY))
    port = _free_port()
    process = stand.run([program, "--config", str(config), "--port", str(port), "--num_workers", "1"])
    return _ready(Proxy("LiteLLM", process, f"http://127.0.0.1:{port}", _KEY), "/health/liveliness")


def portkey(stand: Stand) -> Proxy | None:
    """npm install @portkey-ai/gateway; the program is looked for in node_modules of the current folder."""
    script = Path("node_modules/@portkey-ai/gateway/build/start-server.js")
    node = shutil.which("node")
    if node is None or not script.exists():
        return None
    port = _free_port()
    process = stand.run([node, str(script), f"--port={port}", "--headless"])
    told = f"x-portkey-provider: openai\r\nx-portkey-custom-host: {stand.provider_url}/v1\r\n"
    return _ready(Proxy("Portkey", process, f"http://127.0.0.1:{port}", _KEY, headers=told), "/")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ready(proxy: Proxy, path: str) -> Proxy | None:
    for _ in range(300):
        try:
            urllib.request.urlopen(proxy.url + path, timeout=1)
            return proxy
        except urllib.error.HTTPError:
            return proxy
        except OSError:
            time.sleep(0.1)
    return None


def peers(stand: Stand, options: Options) -> list[Cell]:
    """CPU for a small JSON request beside other gateways."""
    found_peers = {"LiteLLM": litellm(stand), "Portkey": portkey(stand)}
    running = [proxy for proxy in found_peers.values() if proxy is not None]
    cells = [Cell(name, "not installed") for name, proxy in found_peers.items() if proxy is None]
    if not running:
        return cells
    requests = min(options.requests, 3000)
    found = compared([stand.softix(), *running], requests, mode="closed", requests=requests, connections=32)
    bars = {"LiteLLM": 40, "Portkey": 4}
    for proxy in running:
        times = ratio(found, proxy.name, "softix")
        bar = bars[proxy.name]
        cells.append(Cell(f"{proxy.name} / softix", f"{times:.1f} ×", f"≥ {bar} ×", times >= bar))
    return [*table(found, "a request"), *cells]
