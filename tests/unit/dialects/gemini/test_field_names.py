from __future__ import annotations

from softix_proxy.dialects.gemini.field_names import camel, json_schema, without_dialect


def test_both_spellings() -> None:
    assert camel({"inline_data": {"mime_type": "a"}, "text": 1}) == {"inlineData": {"mime_type": "a"}, "text": 1}
    node = {"text": 1}
    assert camel(node) is node


def test_googles_schema_as_a_json_schema() -> None:
    given = {
        "type": "OBJECT",
        "properties": {"my_name": {"type": "STRING", "nullable": True}, "b": {"any_of": [{"type": "INTEGER"}]}},
        "property_ordering": ["b"],
        "required": ["b"],
        "items": {"type": "NUMBER", "min_items": 1},
    }
    assert json_schema(given) == {
        "type": "object",
        "properties": {"my_name": {"type": ["string", "null"]}, "b": {"anyOf": [{"type": "integer"}]}},
        "required": ["b"],
        "items": {"type": "number", "minItems": 1},
    }


def test_a_schema_that_is_too_deep_stays_as_it_is() -> None:
    schema: object = {"type": "STRING"}
    for _ in range(100):
        schema = {"type": "ARRAY", "items": schema}
    assert str(json_schema(schema)).count("array") == 65


def test_the_name_of_the_language() -> None:
    assert without_dialect({"$schema": "x", "type": "object"}) == {"type": "object"}
    assert without_dialect(None) is None
