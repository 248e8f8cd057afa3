"""params.yaml, run.yaml and the files in corpora/, all checked before anything runs."""

import functools
import math
import re
import sys
from difflib import get_close_matches
from itertools import combinations, permutations
from pathlib import Path

import jsonschema
import yaml

from stages.common import strict_yaml
from stages.common.command import InputError

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
    shown = path.relative_to(folder)
    final_fit = content["training"]["final_fit"] or content["finetuning"]["final_fit"]
    valid, test = content["splits"]["valid"], content["splits"]["test"]
    if final_fit and not isinstance(valid, dict) and valid == test:  # files, not a share of the rows
        raise InputError(f"{shown}: valid holds the test rows; set final_fit to false")
    check_labels(content["labels"], shown)
    check_values(content, shown)
    check_columns(content, shown)
    shortest, longest = content["taught_sentences"]["shortest"], content["taught_sentences"]["longest"]
    if shortest > longest:
        raise InputError(
            f"{shown}: taught_sentences.shortest is {shortest}, more than longest, {longest}; exchange them"
        )
    for key in ("training", "finetuning"):
        check_class_weights(content[key].get("class_weights", "none"), content["labels"], f"{shown}: {key}")
    return content


def check_values(content: dict, shown: Path) -> None:
    """No value is of two classes, or of one and left out, whatever differences do not count."""
    classes = {name: value for name, value in content["labels"].items() if not isinstance(value, dict)}
    found, ignored = {}, content["format"].get("ignore_in_labels", [])
    for name, values in [*classes.items(), ("splits.left_out", content["splits"].get("left_out", []))]:
        for value in map(str, values if isinstance(values, list) else [values]):
            alike = value.strip() if "blanks" in ignored else value
            other = found.setdefault(alike.casefold() if "case" in ignored else alike, name)
            if other != name:
                raise InputError(f"{shown}: {value[:40]!r} is a label of both {other} and {name}; remove one")


def check_columns(content: dict, shown: Path) -> None:
    """A label is not learned from itself, and rows that are said to stay together are in shares that are drawn."""
    text, splits = content["columns"]["text"], content["splits"]
    if text == content["columns"]["label"]:
        raise InputError(f"{shown}: columns.text and columns.label are both {text!r}; name two columns")
    if "group_by" in splits and not any(isinstance(splits[name], dict) for name in ("valid", "test")):
        raise InputError(
            f"{shown}: splits.group_by holds only where valid or test is a fraction of the rows; "
            "remove it, or draw one of them"
        )


def check_labels(labels: dict[str, object], shown: Path) -> None:
    """All classes are described by values, or all by ranges, of which no number is in two and some number in each."""
    ranges = {name: ends(described) for name, described in labels.items() if isinstance(described, dict)}
    if 0 < len(ranges) < len(labels):
        raise InputError(f"{shown}: labels mixes values and ranges; describe all classes one way")
    for name, (low, high) in ranges.items():
        if low >= high:
            raise InputError(f"{shown}: labels.{name} is {labels[name]}, where no number lies; move its ends")
    for (one, (low, high)), (other, (other_low, other_high)) in combinations(ranges.items(), 2):
        if max(low, other_low) < min(high, other_high):
            raise InputError(f"{shown}: labels.{one} and labels.{other} overlap; end one where the other begins")
    for one, other in permutations(labels, 2):
        if re.fullmatch(rf"{re.escape(one)}(_\d+)+", other):  # a column of predictions is called by a class and a seed
            raise InputError(f"{shown}: labels has {one!r} and {other!r}, which reads as a seed of it; rename one")


def check_class_weights(weights: str | dict[str, float], labels: dict, shown: str) -> None:
    """A mapping has a weight for every class, and for nothing else."""
    if not isinstance(weights, dict) or set(weights) == set(labels):
        return
    if missing := [name for name in labels if name not in weights]:
        raise InputError(f"{shown}.class_weights has no weight for the class {missing[0]!r}; give each class one")
    unknown = next(name for name in weights if name not in labels)
    raise InputError(
        f"{shown}.class_weights names {unknown!r}, which is not a class{suggestion(unknown, list(labels))}"
    )


def ends(range: dict[str, float]) -> tuple[tuple[float, int], tuple[float, int]]:
    """The two ends of a range of numbers, as pairs; some number is in it if the first pair is less than the second."""
    low = (range["from"], 0) if "from" in range else (range.get("above", -math.inf), 1)
    high = (range["to"], 1) if "to" in range else (range.get("below", math.inf), 0)
    return low, high


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


def suggestion(name: object, known: list[str]) -> str:
    close = get_close_matches(str(name), known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"


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


def check_encoders(run: dict) -> None:
    """Nothing is fetched or computed for an encoder that no model reads, and every model on encoders has one.

    Raises:
        InputError: the lists of encoders and of models contradict each other.
    """
    for key, kind in (("frozen_encoders", "features"), ("finetuned_encoders", "finetuning")):
        if bool(run[key]) != bool(run["models"][kind]):
            raise InputError(
                f"run.yaml: run.{key} is {run[key]} and run.models.{kind} is {run['models'][kind]}; "
                "name some in both, or make both []"
            )
    read = list(dict.fromkeys(run["frozen_encoders"] + run["finetuned_encoders"]))
    if set(read) != set(run["encoders"]):
        raise InputError(
            f"run.yaml: run.encoders is {run['encoders']}, but the encoders of frozen_encoders and finetuned_encoders "
            f"are {read}; write encoders: [{', '.join(read)}]"
        )


def check_unlabelled(everything: dict) -> None:
    """Every corpus whose texts are read without labels is fetched, and none is fetched that nothing reads.

    Raises:
        InputError: the lists of corpora and of those that they name contradict each other.
    """
    run = everything["run"]
    corpora, unlabelled = run["corpora"], run["unlabelled_corpora"]
    if both := [name for name in unlabelled if name in corpora]:
        raise InputError(
            f"run.yaml: {both[0]!r} is in run.corpora and in run.unlabelled_corpora; "
            "take it out of unlabelled_corpora, as the texts of all corpora can be read"
        )
    read = set()
    for corpus in corpora:
        others = everything["corpora"][corpus]["unlabelled_texts"]
        read.update(others)
        if corpus in others:
            raise InputError(
                f"corpora/{corpus}.yaml: unlabelled_texts names {corpus!r} itself, whose texts are read anyway; "
                "take it out"
            )
        if missing := [name for name in others if name not in corpora + unlabelled]:
            raise InputError(
                f"corpora/{corpus}.yaml: unlabelled_texts names {missing[0]!r}, which run.yaml does not; "
                "add it to run.unlabelled_corpora there, or take it out of unlabelled_texts"
            )
    if unread := [name for name in unlabelled if name not in read]:
        raise InputError(
            f"run.yaml: run.unlabelled_corpora names {unread[0]!r}, but no corpus of run.corpora has it in "
            "unlabelled_texts; take it out, or name it there"
        )


def check_teacher(everything: dict) -> None:
    """A teacher is trained and teaches somebody, and those who learn from it say how.

    Raises:
        InputError: the teacher, the models that train encoders and those that learn contradict each other.
    """
    run, models = everything["run"], everything["models"]
    teachers, distilled = run["teachers"], run["models"]["distilled"]
    if bool(teachers) != bool(distilled):
        raise InputError(
            f"run.yaml: run.teachers is {teachers} and run.models.distilled is {distilled}; "
            "name some in both, or make both []"
        )
    for teacher in teachers:
        if teacher not in run["finetuned_encoders"]:
            raise InputError(
                f"run.yaml: run.teachers names {teacher!r}, which is not in finetuned_encoders; add it there, or name "
                "one of them"
            )
        if "finetuned" not in run["models"]["finetuning"]:
            raise InputError(
                f"run.yaml: run.teachers names {teacher!r}, but run.models.finetuning lacks 'finetuned', the model "
                "that teaches; add it, or make teachers and distilled []"
            )
    for kind, names in run["models"].items():
        for name in names:
            if ("distillation" in models[name]) != (kind == "distilled"):
                how = "lacks" if kind == "distilled" else "has"
                raise InputError(
                    f"run.yaml: run.models.{kind} names {name!r}, which {how} distillation in params.yaml; only models "
                    "under distilled learn from a teacher"
                )
