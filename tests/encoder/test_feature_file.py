"""A file of hidden states: begun, gone on with, torn, read in batches."""

from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch

from stages import embed_bert
from stages.common.command import InputError
from stages.encoder import feature_file
from stages.training.sequences import OnDisk, Sequences, read_splits
from tests.encoder.features import CPU, rows_of


def fill(path: Path, rows: Sequences, shards: int | None = None) -> feature_file.FeatureFile:
    """Write features that follow from the tokens, and stop in the middle of the shard after so many."""
    file = feature_file.FeatureFile(path, rows, 4)
    for number, (part, array) in enumerate(file.missing()):
        if number == shards:
            break
        array[:] = part.tokens[:, None] * np.array([1, 0.5, -1, 3])
    return file


@pytest.mark.parametrize("tail", [b"", b"x", b"torn" * 30], ids=["whole", "torn", "torn by more than a token"])
def test_a_feature_file_goes_on_after_each_shard_to_the_same_bytes(tmp_path, monkeypatch, tail):
    monkeypatch.setattr(feature_file, "SHARD", 50)
    rows = rows_of(30)
    shards = len(fill(tmp_path / "whole.npy", rows).ends)
    assert 5 < shards < 30
    expected = (tmp_path / "whole.npy").read_bytes()
    for kept in range(shards + 1):
        path = tmp_path / f"{kept}.npy"
        fill(path, rows, kept)
        assert (len(path.read_bytes()) == len(expected)) == (kept == shards)
        with path.open("ab") as file:
            file.write(tail)
        resumed = fill(path, rows)
        assert resumed.written == rows.offsets[[0, *resumed.ends]][kept]
        assert path.read_bytes() == expected


@pytest.mark.parametrize("size", [0, 1, 60])
def test_a_feature_file_torn_in_its_header_is_begun_again(tmp_path, size):
    rows = rows_of(30)
    fill(tmp_path / "whole.npy", rows)
    expected = (tmp_path / "whole.npy").read_bytes()
    (tmp_path / "torn.npy").write_bytes(expected[:size])
    fill(tmp_path / "torn.npy", rows)
    assert (tmp_path / "torn.npy").read_bytes() == expected


def test_a_disk_without_room_is_reported_before_anything_is_computed(tmp_path, monkeypatch):
    rows = rows_of(30)
    files = [feature_file.FeatureFile(tmp_path / f"{name}.npy", rows, 4) for name in "ab"]
    needed = 2 * 8 * len(rows.tokens)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(feature_file.shutil, "disk_usage", lambda _: usage(0, 0, needed))
    feature_file.check_space(files)
    monkeypatch.setattr(feature_file.shutil, "disk_usage", lambda _: usage(0, 0, needed - 1))
    with pytest.raises(InputError, match=r"the features take .* GB and .* GB are free; free some"):
        feature_file.check_space(files)


@pytest.fixture
def feature_splits(tmp_path) -> dict[str, Sequences]:
    for split, seed in (("train", 1), ("valid", 2)):
        rows = rows_of(6, seed)
        fill(tmp_path / f"{split}.npy", rows)
        embed_bert.write_rows(tmp_path / f"{split}.parquet", rows)
    return read_splits(tmp_path)


def test_a_batch_of_features_is_padded_with_zeros(feature_splits):
    rows, tokens = feature_splits["train"], rows_of(6, 1)
    batch, lengths, _ = rows.batch(np.array([4, 0, 2]), CPU)
    assert isinstance(rows.tokens, OnDisk)
    assert batch.dtype == torch.float16
    assert batch.shape == (3, lengths.max(), 4)
    for number, row in enumerate([4, 0, 2]):
        expected = np.zeros((lengths.max(), 4))
        words = tokens.part(row, row + 1).tokens
        expected[: len(words)] = words[:, None] * np.array([1, 0.5, -1, 3])
        np.testing.assert_array_equal(batch[number], expected)


def test_two_splits_of_features_are_read_as_one(feature_splits):
    train, valid = feature_splits["train"], feature_splits["valid"]
    both = train + valid + train
    assert len(both) == 18
    for row in range(18):
        split = valid if 6 <= row < 12 else train
        assert torch.equal(both.batch(np.array([row]), CPU)[0], split.batch(np.array([row % 6]), CPU)[0])
    mixed, lengths, _ = both.batch(np.array([13, 7, 1]), CPU)
    assert torch.equal(mixed[0], mixed[2])
    assert torch.equal(mixed[1, : lengths[1]], valid.batch(np.array([1]), CPU)[0][0])
