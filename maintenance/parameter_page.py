"""Write docs/parameters.md: every key of the parameters, from their schema. `make docs`."""

from collections.abc import Iterator
from html import escape
from pathlib import Path

from stages.common import command, params
from stages.common.files import new_file

PAGE = Path(__file__).parent.parent / "docs/parameters.md"
HEAD = """\
# Every parameter

What each key of `params.yaml`, `run.yaml` and the files in `corpora/` means, and what it may be. A key is required
unless its line says what happens without it. `<name>` is a name of your choice; put it in quotes if YAML would read it
as a number, a date, true, false or null.

`make docs` writes this page from `stages/params.schema.yaml`, with which every stage checks the parameters.
"""


def resolved(schema: dict) -> dict:
    """A schema merged with the one that it refers to; its own keys win."""
    if "$ref" not in schema:
        return schema
    found = params.schema()
    for part in schema["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return resolved(found) | schema


def keys(schema: dict, path: str = "") -> Iterator[tuple[str, dict]]:
    """Every key below a mapping, as a dotted path, with its schema; <name> is any name."""
    for name, below in schema.get("properties", {}).items():
        below = resolved(below)
        yield f"{path}{name}", below
        yield from keys(below, f"{path}{name}.")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from keys(resolved(schema["additionalProperties"]), f"{path}<name>.")
    if schema.get("if") == {"type": "object"}:
        yield from keys(resolved(schema["then"]), path)


def may_hold(schema: dict) -> str:
    each = resolved(schema["items"]).get("description") if "items" in schema else None
    left_out = f"without it: {schema['$comment']}" if "$comment" in schema else None
    return "; ".join(filter(None, [schema["description"], each and f"each: {each}", left_out]))


def table(*columns: str, rows: list[tuple[str, ...]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def described(path: str, schema: dict) -> tuple[str, str, str]:
    cells = [escape(text, quote=False).replace("|", "\\|") for text in (schema["title"], may_hold(schema))]
    return f"`{path}`", *cells


def architectures(models: dict) -> str:
    """The models' own keys; a key with the same meaning in several models has one line."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for model, schema in models.items():
        for path, below in keys({"properties": schema["properties"]}, "models.<name>."):
            if not path.endswith(".architecture"):
                found.setdefault(described(path, below), []).append(model)
    return table(
        "key", "what it is", "what it may be", "models", rows=[(*row, ", ".join(of)) for row, of in found.items()]
    )


def page() -> str:
    schema = params.schema()
    models = schema["properties"]["models"]
    shared = {name: below for name, below in schema["properties"].items() if name != "models"}
    written = [HEAD]
    for file, content in {
        "run.yaml": schema["$defs"]["run_file"],
        "corpora/&lt;corpus&gt;.yaml": schema["$defs"]["corpus"],
        "params.yaml, but for its models": {"properties": shared},
        "params.yaml: how each network is trained": {
            "properties": {"models": {**models, "properties": {}, "additionalProperties": schema["$defs"]["model"]}}
        },
    }.items():
        rows = [described(path, below) for path, below in keys(content)]
        written += [f"## {file}\n", table("key", "what it is", "what it may be", rows=rows)]
    written += ["## params.yaml: what each model is\n", architectures(models["properties"])]
    return "\n".join(written)


def main() -> None:
    with new_file(PAGE) as temporary:
        temporary.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    command.run(main)
