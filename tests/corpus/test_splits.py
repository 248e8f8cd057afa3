"""Shares of a table's rows: by class, with rows of one group or of one text together."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import stages.prepare
from stages.corpus.splits import hold_out_share, share_sizes
from tests.commands import run_here
from tests.projects import Project

TWO = {"negative": "0", "positive": "1"}
THREE = {"usual": "0", "fewer": "1", "rare": "2"}
SHARES = {"valid": {"fraction": 0.1, "seed": 1}, "test": {"fraction": 0.1, "seed": 1}}


def table(labels: list[str], **columns: list) -> pd.DataFrame:
    return pd.DataFrame({"text": [f"text {row}" for row in range(len(labels))], "label": labels, **columns})


@pytest.fixture
def prepare(project: Project, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Split a table as `splits` says; what is said where that ends in an error."""
    monkeypatch.chdir(project.folder)

    def prepare(frame: pd.DataFrame, labels: dict[str, str] = TWO, **splits: object) -> str:
        project.set("corpora.own.labels", labels)
        project.write("raw/a.csv", frame.to_csv(index=False).encode())
        project.set("corpora.own.splits", {"train": "a.csv", "repeated": "drop", **SHARES, **splits})
        return run_here(stages.prepare, corpus="own", raw="raw", out="rows")

    return prepare


def splits() -> dict[str, pd.DataFrame]:
    return {name: pd.read_parquet(Path("rows", f"{name}.parquet")) for name in ("train", "valid", "test")}


def lines(rows: pd.DataFrame) -> np.ndarray:
    """Positions in the table, from the ids."""
    return rows["id"].str.removeprefix("a.csv:").astype(int).to_numpy() - 2


def test_a_rare_class_gives_its_share_to_every_split(prepare):
    assert prepare(table(["1"] * 10 + ["0"] * 190)) == ""
    assert {name: rows["label"].value_counts().to_dict() for name, rows in splits().items()} == {
        "test": {0: 19, 1: 1},
        "valid": {0: 17, 1: 1},
        "train": {0: 154, 1: 8},
    }


def test_without_stratification_a_share_is_drawn_of_all_rows_alike(prepare):
    unlike = {name: share | {"stratified": False} for name, share in SHARES.items()}
    said = prepare(table(["1"] * 3 + ["0"] * 190), **unlike)
    assert said.startswith("error: test is left without rows of the class 'positive'; every split needs some")


@pytest.mark.parametrize("rare", [3, 4])
def test_a_class_of_as_many_rows_as_there_are_splits_is_in_each(prepare, rare):
    assert prepare(table(["1"] * rare + ["0"] * 190)) == ""
    assert all(set(rows["label"]) == {0, 1} for rows in splits().values())


def test_a_class_of_fewer_rows_is_named(project, prepare, check):
    check(prepare(table(["1"] * 2 + ["0"] * 190)), project.folder / "rows", "train", "'positive'", "add rows")


@pytest.mark.parametrize("together", ["group", "text"])
def test_classes_of_80_15_and_5_per_cent_keep_their_shares_where_rows_are_together(prepare, together):
    labels = np.random.default_rng(1).choice(["0", "1", "2"], 1000, p=[0.8, 0.15, 0.05])
    number = np.random.default_rng(2).integers(300, size=1000)
    frame = table(labels, user=[f"u{user}" for user in number])
    options = {"group_by": "user"}
    if together == "text":
        frame, options = frame.assign(text=[f"text {user}" for user in number]), {"repeated": "refuse"}
    shares = {name: {"fraction": 0.2, "seed": 1} for name in ("test", "valid")}
    assert prepare(frame, THREE, **shares, **options) == ""
    found = splits()
    for rows, fraction in ((found["test"], 0.2), (found["valid"], 0.16), (found["train"], 0.64)):
        for value in range(3):
            share = (rows["label"] == value).sum() / (labels == str(value)).sum()
            assert share == pytest.approx(fraction, abs=0.05)
    of_splits = [set(number[lines(rows)]) for rows in found.values()]
    assert sum(map(len, of_splits)) == len(set.union(*of_splits))


@pytest.mark.parametrize("gap", ["", " ", "\t"])
def test_every_row_without_a_group_is_a_group_of_its_own(prepare, capsys, gap):
    groups = [gap if row % 10 else f"p{row}" for row in range(100)]
    shares = {name: {"fraction": 0.2, "seed": 1} for name in ("test", "valid")}
    assert prepare(table(["0", "1"] * 50, product=groups), **shares, group_by="product") == ""
    assert {name: len(rows) for name, rows in splits().items()} == {"train": 64, "valid": 16, "test": 20}
    assert "90 of 100 rows of a.csv have no 'product'" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["NA", "nan", "<NA>"])
def test_a_group_that_other_programs_write_for_a_gap_is_warned_of(prepare, capsys, word):
    groups = [f"p{row}" if row % 5 else word for row in range(100)]
    shares = {name: {"fraction": 0.3, "seed": 1} for name in ("test", "valid")}
    assert prepare(table(["0", "1"] * 50, product=groups), **shares, group_by="product") == ""
    assert f"20 of 100 rows of a.csv have 'product' '{word}'" in capsys.readouterr().err
    assert sum(set(range(0, 100, 5)) & set(lines(rows)) != set() for rows in splits().values()) == 1


def test_gaps_in_a_column_of_numbers_part_no_group(prepare, project):
    users = [None if row % 3 else float(row % 5) for row in range(120)]
    project.write("raw/a.parquet", b"")
    table(["0", "1"] * 60, user=users).to_parquet("raw/a.parquet")
    shares = {name: {"fraction": 0.2, "seed": 1} for name in ("test", "valid")}
    assert prepare(table([]), train="a.parquet", **shares, group_by="user") == ""
    of_splits = [
        {users[int(name.removeprefix("a.parquet:")) - 2] for name in rows["id"]} - {None} for rows in splits().values()
    ]
    assert sum(map(len, of_splits)) == len(set.union(*of_splits)) == 5


def test_rows_without_a_group_stay_with_rows_of_the_same_text():
    rows = pd.DataFrame({"text": ["a", "a", "b", "c", "d"], "label": 0, "group": ["", "x", "x", "", ""]})
    for seed in range(10):
        drawn = hold_out_share(rows, 0.6, seed)
        assert len(set(drawn[:3])) == 1


def test_a_class_in_large_groups_alone_is_drawn_by_its_smallest():
    rows = table([0] * 90 + [1] * 10).assign(group=[str(row) for row in range(90)] + ["a"] * 5 + ["b"] * 3 + ["c"] * 2)
    drawn = hold_out_share(rows, 0.1, seed=1)
    assert drawn[90:].tolist() == [False] * 8 + [True] * 2
    assert drawn[:90].sum() == 9


def test_the_sizes_that_describe_tells_are_those_drawn_by_class_or_not():
    rows = table([0] * 75 + [1] * 25).assign(text=[f"text {row % 90}" for row in range(100)])
    for stratified in (True, False):
        drawn = hold_out_share(rows, 0.3, 1, stratified)
        assert share_sizes(rows, fraction=0.3, seed=1, stratified=stratified)["valid"] == drawn.sum()
