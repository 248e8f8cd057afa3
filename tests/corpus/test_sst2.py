"""The real SST-2, if DATA_MIRROR names a folder that has it: the notebook's counts of rows and words."""

import json
import os
from pathlib import Path

import pandas as pd
import pytest

from stages import describe, download, download_tokenizer, prepare
from stages.corpus.splits import contained
from tests.commands import run_here
from tests.projects import REPOSITORY

MIRROR = Path(os.environ.get("DATA_MIRROR") or "nowhere")
pytestmark = pytest.mark.skipif(
    not (MIRROR / "SST-2.zip").is_file(), reason="DATA_MIRROR names no folder that holds SST-2.zip"
)


@pytest.fixture(scope="module")
def sst2(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sst2")
    raw, rows, tokenizer, description = (folder / name for name in ("raw", "rows", "minilm", "corpus.json"))
    of_sst2, of_minilm = {"corpus": "sst2"}, {"encoder": "minilm"}
    fetching = {"downloads": folder / "downloads"}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(REPOSITORY)
        for stage, options in (
            (download, {**of_sst2, **fetching, "local": folder, "out": raw}),
            (prepare, {**of_sst2, "raw": raw, "out": rows}),
            (download_tokenizer, {**of_minilm, **fetching, "out": tokenizer}),
            (describe, {**of_sst2, **of_minilm, "raw": raw, "rows": rows, "tokenizer": tokenizer, "out": description}),
        ):
            assert run_here(stage, **options) == ""
    splits = {path.stem: pd.read_parquet(path) for path in rows.iterdir()}
    return splits, json.loads(description.read_text())


def test_rows_and_vocabulary_are_the_notebooks(sst2):
    _, description = sst2
    rows = {name: split["rows"] for name, split in description["splits"].items()}
    assert rows["train"] + rows["valid"] + rows["valid_parts"] == 67_349
    assert description["files"] == {"train": 67_349, "test": 872}
    assert description["vocabulary"] == {
        "with_unknown": 14_817,
        "with_unknown_and_padding": 14_818,
        "seen_twice_with_unknown_and_padding": 14_311,
        "seen_once": 507,
    }


def test_no_training_row_is_inside_a_validation_sentence(sst2):
    splits, _ = sst2
    assert len(splits["valid"]) == 600
    assert sum(len(splits[split]) for split in ("train", "valid", "valid_parts")) == 67_349
    assert not contained(splits["train"]["text"], splits["valid"]["text"], longer_only=False).any()


def test_the_test_split_is_glues_dev_untouched(sst2):
    test = sst2[0]["test"]
    assert len(test) == 872
    assert test["id"].iloc[0] == "SST-2/dev.tsv:2"
    assert test["label"].sum() == 444
