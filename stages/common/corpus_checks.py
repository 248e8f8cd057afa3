"""A corpus's file, checked as a whole: its keys, each as the schema has it, do not contradict each other."""

import math
import re
from itertools import combinations, permutations
from pathlib import Path

from stages.common.command import InputError
from stages.common.suggestions import suggestion


def check_corpus(content: dict, shown: Path) -> None:
    """Refuse a corpus's file of which one key contradicts another.

    shown: its path, as a sentence names it.

    Raises:
        InputError: the first such contradiction.
    """
    check_final_fit(content, shown)
    check_labels(content["labels"], shown)
    check_values(content, shown)
    check_columns(content, shown)
    check_taught_sentences(content, shown)
    check_layer_decay(content["training"], shown)
    for key in ("training", "finetuning"):
        check_class_weights(content[key].get("class_weights", "none"), content["labels"], f"{shown}: {key}")


def check_final_fit(content: dict, shown: Path) -> None:
    """A model that is trained again on all rows but test has not seen test's."""
    final_fit = content["training"]["final_fit"] or content["finetuning"]["final_fit"]
    valid, test = content["splits"]["valid"], content["splits"]["test"]
    if final_fit and not isinstance(valid, dict) and valid == test:  # files, not a share of the rows
        raise InputError(f"{shown}: valid holds the test rows; set final_fit to false")


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


def ends(range: dict[str, float]) -> tuple[tuple[float, int], tuple[float, int]]:
    """The two ends of a range of numbers, as pairs; some number is in it if the first pair is less than the second."""
    low = (range["from"], 0) if "from" in range else (range.get("above", -math.inf), 1)
    high = (range["to"], 1) if "to" in range else (range.get("below", math.inf), 0)
    return low, high


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


def check_taught_sentences(content: dict, shown: Path) -> None:
    """Sentences that are to be drawn come from somewhere, and some length is allowed."""
    number, shortest, longest = (content["taught_sentences"][key] for key in ("number", "shortest", "longest"))
    if shortest > longest:
        raise InputError(
            f"{shown}: taught_sentences.shortest is {shortest}, more than longest, {longest}; exchange them"
        )
    if number and not content["unlabelled_texts"]:
        raise InputError(
            f"{shown}: taught_sentences.number is {number}, but unlabelled_texts is [], so there is nothing to draw "
            "from; name corpora there, or write number: 0"
        )


def check_layer_decay(training: dict, shown: Path) -> None:
    """Only an encoder has layers that learn at different rates, and `training` is for all other networks."""
    if "layer_decay" in training.get("optimization", {}):
        raise InputError(
            f"{shown}: training.optimization has layer_decay, which is for models that train an encoder; move it into "
            "finetuning.optimization, or take it out"
        )


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
