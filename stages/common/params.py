"""params.yaml, run.yaml and the files in corpora/, all checked before anything runs."""

import functools
import sys
from pathlib import Path

import jsonschema
import yaml

from stages.common import strict_yaml
from stages.common.command import InputError
from stages.common.corpus_checks import check_corpus
from stages.common.suggestions import suggestion

# It can refuse parameters but never change a result, so stages do not depend on it, and keys of a new model do not make
# other models run again.
SCHEMA = Path(__file__).parent.parent / "params.schema.yaml"
MODELS = Path(__file__).parent.parent / "models"

# Plain JSON Schema accepts 32.0 as an integer and NaN as a number.
Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "integer": lambda _, value: type(value) is int,
            "number": lambda _, value: type(value) in (int, float) and abs(value) <= sys.float_info.max,
        }
    ),
)


def load(folder: Path = Path()) -> dict:
    """params.yaml, `run` of run.yaml, and under `corpora` the corpora that `run` names in either list, all checked.

    Raises:
        InputError: a missing file, bad YAML, an unknown or missing key, a wrong type, an impossible value,
            or a name of a corpus or model that does not exist.
    """
    shared, run = read(folder / "params.yaml"), read(folder / "run.yaml", "run_file")
    names = dict.fromkeys(run["run"]["corpora"] + run["run"]["unlabelled_corpora"])
    everything = shared | run | {"corpora": {name: corpus(name, folder) for name in names}}
    check_names(everything)
    return everything


def corpus(name: str, folder: Path = Path()) -> dict:
    """The content of corpora/<name>.yaml.

    Raises:
        InputError: as `load`.
    """
    path = folder / "corpora" / f"{name}.yaml"
    if not path.is_file():
        known = sorted(file.stem for file in path.parent.glob("*.yaml"))
        raise InputError(f"there is no corpora/{name}.yaml{suggestion(name, known)}")
    content = read(path, "corpus")
    check_corpus(content, path.relative_to(folder))
    return content


def section(group: str, name: str) -> dict:
    """A corpus, encoder, model or recipe of notebook K, by name.

    Raises:
        InputError: as `load`, or there is no such name.
    """
    entries = load()[group]
    if group == "corpora":
        return corpus(name)
    if name not in entries:
        raise InputError(f"params.yaml: {group} has no {name!r}{suggestion(name, list(entries))}")
    return entries[name]


def read(path: Path, part: str | None = None) -> dict:
    """A YAML file, checked by the schema or a part of its $defs."""
    content = strict_yaml.load(path)
    file_schema = {"$ref": f"#/$defs/{part}", "$defs": schema()["$defs"]} if part else schema()
    fault = jsonschema.exceptions.best_match(Validator(file_schema).iter_errors(content))
    if fault:
        raise InputError(f"{path}: {sentence(fault)}")
    return content


@functools.cache
def schema() -> dict:
    """The content of stages/params.schema.yaml."""
    return yaml.load(SCHEMA.read_text(encoding="utf-8"), strict_yaml.Loader)


def sentence(fault: jsonschema.ValidationError) -> str:
    """A sentence for a fault: the key, its value, and what it should be."""
    key = ".".join(map(str, fault.absolute_path)) or "the file"
    if fault.validator == "additionalProperties":
        known = list(fault.schema.get("properties", {}))
        unknown = next(name for name in fault.instance if name not in known)
        return f"{key} has the unknown key {unknown!r}{suggestion(unknown, known)}"
    if fault.validator == "required":
        missing = next(name for name in fault.validator_value if name not in fault.instance)
        return f"{key} lacks the key {missing!r}"
    expected = fault.schema.get("description", fault.message)
    expects_text = fault.validator == "type" and "string" in fault.validator_value
    # Without quotes, YAML reads 1, no and 2020-01-01 as something else than text.
    unquoted = expects_text and not isinstance(fault.instance, dict | list | None) and "in quotes" not in expected
    return f"{key} is {fault.instance!r}; it should be {expected}{', in quotes' if unquoted else ''}"


def check_names(everything: dict) -> None:
    """Check that all names in `run` have their parameters, and all models with parameters their module."""
    run = everything["run"]
    chosen = {f"models.{kind}": ("models", names) for kind, names in run["models"].items()}
    keys = ("encoders", "frozen_encoders", "finetuned_encoders", "teachers")
    chosen |= {key: ("encoders", run[key]) for key in keys} | {"notebook": ("notebook", run["notebook"])}
    chosen["described_by"] = "encoders", [run["described_by"]]
    for key, (group, names) in chosen.items():
        for name in names:
            if name not in everything[group]:
                raise InputError(f"run.yaml: run.{key} names {name!r}{suggestion(name, list(everything[group]))}")
    for model in everything["models"]:
        if not (MODELS / f"{model}.py").is_file():
            raise InputError(f"params.yaml: models.{model} has no module stages/models/{model}.py")
