"""Anthropic's SDK through softix: two lines change.

PROXY_URL=http://127.0.0.1:8484 PROXY_KEY=sx_live_… python anthropic_messages.py
"""

import os

from anthropic import Anthropic

client = Anthropic(
    base_url=os.environ["PROXY_URL"],
    api_key=os.environ["PROXY_KEY"],
)

with client.messages.stream(
    model=os.environ.get("PROXY_MODEL", "demo-small"),
    max_tokens=50,
    messages=[{"role": "user", "content": "Hello!"}],
) as stream:
    for text in stream.text_stream:
        print(text, end="", flush=True)
    usage = stream.get_final_message().usage
print(f"\ntokens: {usage.input_tokens} in, {usage.output_tokens} out")
