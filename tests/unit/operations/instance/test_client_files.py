from __future__ import annotations

import json
import tomllib

import pytest

from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.operations.instance.client_files import FileSyntax, changed


def test_json_file_after_a_change_keeps_its_other_members() -> None:
    text = changed("json", '{"theme": "dark", "env": {"A": "ä"}}', {"env": {"B": "2"}})
    assert json.loads(text) == {"theme": "dark", "env": {"A": "ä", "B": "2"}}
    assert list(json.loads(text)) == ["theme", "env"] and "ä" in text


def test_toml_file_after_a_change_keeps_comments_and_order() -> None:
    before = '# mine\nmodel = "o3" # dear\n\n[model_providers.other]\nname = "x"\n'
    text = changed("toml", before, {"model": "gpt-5", "model_providers": {"softix": {"name": "softix"}}})
    assert "# mine" in text and "# dear" in text
    assert tomllib.loads(text) == {
        "model": "gpt-5",
        "model_providers": {"other": {"name": "x"}, "softix": {"name": "softix"}},
    }
    fresh = changed("toml", "", {"model_provider": "softix", "model_providers": {"softix": {"name": "softix"}}})
    assert tomllib.loads(fresh)["model_provider"] == "softix"
    top = changed("toml", "[tui]\nx = 1\n", {"model_provider": "softix"})
    assert tomllib.loads(top) == {"model_provider": "softix", "tui": {"x": 1}}


def test_yaml_file_after_a_change_replaces_the_entry_of_the_same_name() -> None:
    before = "# mine\nname: Local\nmodels:\n- name: other\n  model: a\n- name: softix\n  model: old\n"
    text = changed("yaml", before, {"models": [{"name": "softix", "model": "new"}, {"name": "more", "model": "b"}]})
    assert "# mine" in text and "old" not in text
    assert text.count("- name:") == 3 and text.index("other") < text.index("new") < text.index("more")
    assert changed("yaml", "", {"models": []}) == "models: []\n"


def test_env_file_after_a_change_has_each_name_once() -> None:
    before = "# mine\nexport A=1\nB=2\nA=3\n"
    assert changed("env", before, {"A": "x", "C": "y"}) == "# mine\nexport A=x\nB=2\nC=y\n"
    assert changed("env", "", {"A": "x"}) == "A=x\n"


@pytest.mark.parametrize("form", ["json", "toml", "yaml", "env"])
def test_client_file_after_a_second_change_is_the_same(form: FileSyntax) -> None:
    changes = {"A": "x"} if form == "env" else {"env": {"A": "x"}}
    once = changed(form, "", changes)
    assert changed(form, once, changes) == once


@pytest.mark.parametrize(
    ("form", "text", "message"),
    [
        ("json", "{", "not a JSON object"),
        ("json", "[]", "not a JSON object"),
        ("json", '{"env": 1}', "another env"),
        ("toml", "= 1", "not TOML"),
        ("toml", "env = 1", "another env"),
        ("yaml", "a: [", "not YAML"),
        ("yaml", "- a", "not a YAML mapping"),
        ("yaml", "env: 1", "another env"),
    ],
)
def test_client_file_that_cannot_be_changed_is_refused(form: FileSyntax, text: str, message: str) -> None:
    with pytest.raises(ConflictError, match=message):
        changed(form, text, {"env": {"A": "x"}})
