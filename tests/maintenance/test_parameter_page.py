"""docs/parameters.md: what the schema says, and a line for every key that there is."""

import re
from collections.abc import Iterator

import jsonschema
import pytest
import yaml

from maintenance.parameter_page import PAGE, keys, page, resolved
from stages.common import params
from tests.projects import REPOSITORY

FILES = ["params.yaml", "run.yaml", *(f"corpora/{path.name}" for path in sorted((REPOSITORY / "corpora").glob("*")))]
NAMES = ("encoders", "models", "notebook", "source.tables")  # mappings whose keys are names
VALUES = ("files", "labels")  # the same, with a value each
SCHEMAS = [params.schema(), params.schema()["$defs"]["run_file"], params.schema()["$defs"]["corpus"]]


def paths(content: dict, path: str = "") -> Iterator[str]:
    """Every key as a dotted path, as the page has it."""
    for name, below in content.items():
        here = f"{path}{name}"
        yield here
        if here in NAMES:
            for each in below.values():
                yield from paths(each, f"{here}.<name>.")
        elif isinstance(below, dict) and name not in VALUES:
            yield from paths(below, f"{here}.")


def mappings(schema: dict) -> Iterator[dict]:
    """A schema's mappings with keys of their own, itself and all below."""
    if "properties" in schema:
        yield schema
    below = [*schema.get("properties", {}).values(), schema.get("additionalProperties"), schema.get("then")]
    for each in below:
        if isinstance(each, dict):
            yield from mappings(resolved(each))


def test_the_page_is_what_the_schema_says():
    assert PAGE.read_text(encoding="utf-8") == page(), "`make docs` writes it again"


@pytest.mark.parametrize("file", FILES)
def test_every_key_that_is_used_has_a_line(file):
    found = set(re.findall(r"^\| `([^`]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    used = paths(yaml.safe_load((REPOSITORY / file).read_text(encoding="utf-8")))
    assert {path for path in used if not path.startswith("notebook.<name>.architecture.")} - found == set()


@pytest.mark.parametrize("schema", SCHEMAS, ids=["params", "run", "corpus"])
def test_every_key_says_what_it_means_and_what_it_may_hold(schema):
    assert [path for path, below in keys(schema) if not path.startswith("models.") and not below.get("title")] == []
    assert [path for path, below in keys(schema) if not below.get("description")] == []


@pytest.mark.parametrize("schema", SCHEMAS, ids=["params", "run", "corpus"])
def test_a_key_that_may_be_left_out_says_what_holds_without_it(schema):
    found = [
        name
        for mapping in mappings(schema)
        for name, below in mapping["properties"].items()
        if mapping.get("type") and name not in mapping.get("required", []) and "$comment" not in resolved(below)
    ]
    assert set(found) <= set(params.schema()["properties"]["models"]["properties"])  # run.yaml says which are built


def test_the_schema_has_no_word_that_json_schema_does_not_know():
    """A comma in a text without quotes ends it, and what follows is a key of its own."""
    known = {*jsonschema.Draft202012Validator.VALIDATORS, "$schema", "$defs", "$comment", "title", "description"}
    known |= {"then", "else"}

    def unknown(schema: object) -> Iterator[str]:
        if isinstance(schema, dict):
            yield from set(schema) - known
            for key, below in schema.items():
                if key in ("properties", "$defs", "dependentSchemas"):
                    for each in below.values():
                        yield from unknown(each)
                elif key != "dependentRequired":
                    yield from unknown(below)
        elif isinstance(schema, list):
            for each in schema:
                yield from unknown(each)

    assert list(unknown(params.schema())) == []
