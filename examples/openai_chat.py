"""OpenAI's SDK through softix: two lines change.

PROXY_URL=http://127.0.0.1:8484 PROXY_KEY=sx_live_… python openai_chat.py
"""

import os

from openai import OpenAI

client = OpenAI(
    base_url=os.environ["PROXY_URL"] + "/v1",
    api_key=os.environ["PROXY_KEY"],
)
model = os.environ.get("PROXY_MODEL", "demo-small")

answer = client.chat.completions.with_raw_response.create(
    model=model, messages=[{"role": "user", "content": "Hello!"}], max_tokens=50
)
print(answer.parse().choices[0].message.content)
print("cost in USD:", answer.headers["x-softix-cost-usd"], "request:", answer.headers["x-softix-request-id"])

for chunk in client.chat.completions.create(
    model=model, messages=[{"role": "user", "content": "And again, slowly."}], max_tokens=20, stream=True
):
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
print()
