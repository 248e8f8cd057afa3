"""YAML without its traps: keys and numbers that YAML reads differently than people are refused."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from stages.common.command import InputError

# libyaml's parser, if PyYAML has it; the parser in Python would take half a second in every stage.
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

TAG = "tag:yaml.org,2002:"
PLAIN = {  # how a number is written so that nobody reads another
    "int": re.compile(r"[-+]?(0|[1-9]\d*)"),
    "float": re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"),
}
READ_AS = {"bool": "true or false", "float": "a number", "int": "a number", "null": "nothing", "timestamp": "a date"}


def load(path: Path) -> object:
    """The content of a YAML file in which every key is text and unique, and every whole number has plain digits.

    Raises:
        InputError: the file is not such YAML.
    """
    try:
        loader = Loader(path.read_text(encoding="utf-8"))
        try:
            document = loader.get_single_node()
            for node in nodes(document, set()):
                check(node, path, loader)
            return loader.construct_document(document) if document else None
        finally:
            loader.dispose()
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise InputError(f"{path} is nested too deeply; write lists and mappings that hold few others") from None


def nodes(node: yaml.Node | None, seen: set[int]) -> Iterator[yaml.Node]:
    """A node and all nodes below it, each once, even if aliases repeat it."""
    if node is not None and id(node) not in seen:
        seen.add(id(node))
        yield node
        below = node.value if isinstance(node, yaml.CollectionNode) else []
        for each in below:
            for part in each if isinstance(each, tuple) else (each,):
                yield from nodes(part, seen)


def check(node: yaml.Node, path: Path, loader: yaml.SafeLoader) -> None:
    """Refuse keys that are not unique text, and values that YAML 1.1 (here) and 1.2 (DVC) read differently, or not."""
    kind, where = node.tag.removeprefix(TAG), f"{path}, line {node.start_mark.line + 1}"
    if isinstance(node, yaml.MappingNode):
        names = set()
        for key, _ in node.value:
            where, key_kind = f"{path}, line {key.start_mark.line + 1}", key.tag.removeprefix(TAG)
            if key_kind == "merge":
                continue
            if not isinstance(key, yaml.ScalarNode):
                raise InputError(f"{where}: a key is a list or a mapping; it should be a name")
            if key_kind != "str":
                read_as = READ_AS.get(key_kind, key_kind)
                raise InputError(
                    f'{where}: YAML reads the key {key.value} as {read_as}; put it in quotes: "{key.value}"'
                )
            if key.value in names:
                raise InputError(f"{where}: the key {key.value!r} is there a second time; leave one")
            names.add(key.value)
    elif kind in PLAIN and not PLAIN[kind].fullmatch(node.value):
        number = "a whole number" if kind == "int" else "a number"
        raise InputError(f"{where}: {node.value} is not {number} in plain digits, and may be read as another")
    elif kind in READ_AS:
        try:
            loader.construct_object(node)
        except (ValueError, TypeError, KeyError, AttributeError):  # the 45th of a month, or 5,000 digits
            raise InputError(
                f"{where}: YAML cannot read {node.value[:40]} as {READ_AS[kind]}; put it in quotes, or correct it"
            ) from None
