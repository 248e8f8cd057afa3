"""The real film sentences, where DATA_MIRROR names a folder that holds them: the rows that their card tells of."""

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

import stages.prepare
from stages.common import params
from stages.corpus import sources
from tests.projects import REPOSITORY

FILE = Path(os.environ.get("DATA_MIRROR") or "nowhere") / "movieReviewSnippets_GroundTruth.txt"


@pytest.mark.skipif(not FILE.is_file(), reason=f"DATA_MIRROR names no folder that holds {FILE.name}")
def test_the_splits_are_those_of_the_card(run_here, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(REPOSITORY)
    [(name, checksum)] = params.corpus("movies")["source"]["files"].items()
    (tmp_path / "raw" / name).parent.mkdir(parents=True)
    shutil.copyfile(FILE, tmp_path / "raw" / name)
    sources.verify(tmp_path / "raw", {name: checksum})
    assert run_here(stages.prepare, corpus="movies", raw=tmp_path / "raw", out=tmp_path / "rows") == ""
    assert f"37 of {name}" in capsys.readouterr().err
    splits = {path.stem: pd.read_parquet(path) for path in (tmp_path / "rows").iterdir()}
    card = (REPOSITORY / "data/movies/README.md").read_text(encoding="utf-8")
    for split, rows in splits.items():
        negative, positive = rows["label"].value_counts().sort_index()
        assert f"| `{split}` | {len(rows):,} | {negative:,} | {positive:,} |" in card
    assert pd.concat(splits.values())["text"].nunique() == sum(map(len, splits.values())) == 10_566
