"""Embed: a frozen encoder's hidden states of every wordpiece, computed once for all models that read them."""

import argparse
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from tqdm import tqdm

from stages.common import command, files, params
from stages.common.locks import alone
from stages.encoder.feature_file import FeatureFile, check_space
from stages.encoder.frozen import FrozenEncoder
from stages.training.accelerator.devices import choose_device
from stages.training.checkpoints import remove_checkpoints, resume_key
from stages.training.inputs import read_input, write_input
from stages.training.sequences import Sequences, read_splits


def write_rows(path: Path, rows: Sequences) -> None:
    pq.write_table(pa.table({"id": rows.ids, "label": rows.labels, "length": rows.lengths}), path)


def embed(arguments: argparse.Namespace) -> None:
    chosen, corpus = params.section("encoders", arguments.encoder), params.section("corpora", arguments.corpus)
    settings = {"layers": chosen["layers"], "mix": chosen["mix"], "precision": corpus["precision"]}
    torch.set_num_threads(corpus["threads"])  # features depend on their number
    device = choose_device(settings["precision"])
    encoder = FrozenEncoder(arguments.weights, **settings, device=device)
    weights = files.sha256(arguments.weights / "model.safetensors")
    about, rows = read_input(arguments.wordpieces), read_splits(arguments.wordpieces)
    read = [*arguments.weights.iterdir(), *arguments.wordpieces.iterdir()]
    key = resume_key(read, settings, device.type, corpus["threads"])
    width = encoder.states * encoder.feature_size
    partial = {split: FeatureFile(arguments.checkpoints / f"{key}-{split}.npy", rows[split], width) for split in rows}
    check_space(partial.values())

    for split, file in partial.items():
        with tqdm(desc=split, total=file.tokens, initial=file.written, unit=" tokens", disable=None) as progress:
            for part, features in file.missing():
                encoder.write(part, features, progress)
        print(f"{arguments.corpus} {split}: {len(rows[split]):,} rows, {file.tokens:,} tokens", flush=True)
    with files.new_folder(arguments.out) as folder:
        for name in about["files"]:
            shutil.copyfile(arguments.wordpieces / name, folder / name)
        write_input(
            folder,
            kind="features",
            files_to_keep=about["files"],
            arguments={"feature_size": encoder.feature_size, "states": encoder.states},
            **{name: about[name] for name in ("max_length", "kept") if name in about},
            encoder={"name": arguments.encoder, "weights": weights, **settings},
        )
        for split in rows:
            write_rows(folder / f"{split}.parquet", rows[split])
        for split, file in partial.items():
            file.path.rename(folder / f"{split}.npy")
    remove_checkpoints(arguments.checkpoints)


def main() -> None:
    paths = {"wordpieces": Path, "weights": Path, "checkpoints": Path, "out": Path}
    arguments = command.arguments(__doc__, corpus=str, encoder=str, **paths)
    with alone(arguments.checkpoints):
        embed(arguments)


if __name__ == "__main__":
    command.run(main)
