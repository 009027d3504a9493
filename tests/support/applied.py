"""A file for `softix apply`."""

from __future__ import annotations

TOML = """
[[users]]
name = "bob"
email = "bob@example.org"
postpaid = true

[[organisations]]
name = "acme"
email = "acme@example.org"
display_name = "Acme Ltd"

[[credit_limits]]
user = "bob@example.org"
amount = 50

[[projects]]
organisation = "acme"
name = "search"

[[budgets]]
organisation = "acme"
project = "search"
period = "month"
amount = "100.00"

[[models]]
name = "llama"
provider = "lab"
context = 100000

[[prices]]
model = "lab/llama"
input = "2.00"
output = 8

[[markups]]
default = "10%"

[[routes]]
name = "best"
targets = "lab/llama weight 3"
sticky = false

[[keys]]
user = "bob"
name = "ci"
rpm = 60
models = ["gpt-*", "best"]
allow_ip = ["10.0.0.0/8"]
expires = "30d"
"""
"""One thing of most sections, for an instance that has nothing but the provider `lab`."""
