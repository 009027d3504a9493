#!/bin/sh
# PROXY_URL=http://127.0.0.1:8484 PROXY_KEY=sx_live_… sh curl.sh
set -eu

curl --fail-with-body -sN "$PROXY_URL/v1/chat/completions" \
  -H "Authorization: Bearer $PROXY_KEY" -H 'Content-Type: application/json' \
  -d '{"model": "demo-small", "max_tokens": 20, "stream": true, "messages": [{"role": "user", "content": "Hello!"}]}'

curl --fail-with-body -s "$PROXY_URL/v1/key" -H "x-api-key: $PROXY_KEY"
