"""params.yaml, read once and checked whole before anything runs."""

import math
from difflib import get_close_matches
from pathlib import Path

import jsonschema
import yaml

from stages.common.command import InputError

# A data file and no module: it can refuse parameters but never change a result, so stages do not depend on it,
# and a new model's keys leave the other models' results standing.
SCHEMA = Path(__file__).parent.parent / "params.schema.yaml"
MODELS = Path(__file__).parent.parent / "models"


# JSON Schema takes 32.0 for an integer and NaN for a number above 0.
Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(
        {
            "integer": lambda _, value: type(value) is int,
            "number": lambda _, value: type(value) in (int, float) and math.isfinite(value),
        }
    ),
)


def load(path: Path = Path("params.yaml")) -> dict:
    """All parameters, checked against `params.schema.yaml` and each other.

    Raises:
        InputError: no file, no YAML, an unknown or missing key, a wrong type, an impossible value,
            or a corpus or model that is not there.
    """
    try:
        params = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    fault = jsonschema.exceptions.best_match(Validator(schema).iter_errors(params))
    if fault:
        raise InputError(f"{path}: {sentence(fault)}")
    check_names(path, params)
    return params


def section(group: str, name: str) -> dict:
    """One corpus, encoder or model of params.yaml, by its name.

    Raises:
        InputError: as `load`, or there is none of that name.
    """
    entries = load()[group]
    if name not in entries:
        raise InputError(f"params.yaml: {group} has no {name!r}{suggestion(name, list(entries))}")
    return entries[name]


def sentence(fault: jsonschema.ValidationError) -> str:
    """What a schema's fault says, with the key and what it should be."""
    key = ".".join(map(str, fault.absolute_path)) or "the file"
    if fault.validator == "additionalProperties":
        known = list(fault.schema.get("properties", {}))
        unknown = next(name for name in fault.instance if name not in known)
        return f"{key} has the unknown key {unknown!r}{suggestion(unknown, known)}"
    if fault.validator == "required":
        missing = next(name for name in fault.validator_value if name not in fault.instance)
        return f"{key} lacks the key {missing!r}"
    return f"{key} is {fault.instance!r}; it should be {fault.schema.get('description', fault.message)}"


def suggestion(name: object, known: list[str]) -> str:
    close = get_close_matches(str(name), known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"


def check_names(path: Path, params: dict) -> None:
    """What `run` selects must be described, and every model described must have its file."""
    for corpus in params["run"]["corpora"]:
        if corpus not in params["corpora"]:
            raise InputError(f"{path}: run.corpora names {corpus!r}{suggestion(corpus, list(params['corpora']))}")
    for kind, models in params["run"]["models"].items():
        for model in models:
            if model not in params["models"]:
                known = suggestion(model, list(params["models"]))
                raise InputError(f"{path}: run.models.{kind} names {model!r}{known}")
    for encoder in params["run"]["encoders"]:
        if encoder not in params["encoders"]:
            raise InputError(f"{path}: run.encoders names {encoder!r}{suggestion(encoder, list(params['encoders']))}")
    for name, corpus in params["corpora"].items():
        final_fit = corpus["training"]["final_fit"] or corpus["finetuning"]["final_fit"]
        valid, test = corpus["splits"]["valid"], corpus["splits"]["test"]
        if final_fit and isinstance(valid, str) and valid == test:  # a file, no share of the rows
            raise InputError(f"{path}: corpora.{name}: valid holds the test rows; set final_fit to false")
        if len(set(corpus["labels"].values())) < len(corpus["labels"]):
            raise InputError(f"{path}: corpora.{name}.labels gives one value to two classes; give each its own")
    for model in params["models"]:
        if not (MODELS / f"{model}.py").is_file():
            raise InputError(f"{path}: models.{model} has no module stages/models/{model}.py")
