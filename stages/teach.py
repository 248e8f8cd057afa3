"""Teach: what a fine-tuned encoder says of a corpus's training texts, and of sentences that nobody has labelled."""

import shutil
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from tqdm import tqdm

from stages.common import command, files, params
from stages.common.command import InputError
from stages.serving.scorers import Scorer, load_scorer
from stages.text.drawn_sentences import draw
from stages.text.truncation import shorten
from stages.text.vocabulary import read_vocabulary, word_ids
from stages.training.distillation import LOGITS, UNLABELLED
from stages.training.inputs import NAME, read_input, write_input

TEXTS = 2_000  # of which the teacher is asked at a time
TAUGHT = "train.parquet"


def logits_of(texts: list[str], scorer: Scorer) -> np.ndarray:
    """Logits of a teacher, (N, C) float32: its probabilities' logarithms, all finite.

    A text's differ by one number from what the network gave, and a softmax does not see that number.
    """
    blocks = [texts[start : start + TEXTS] for start in range(0, len(texts), TEXTS)]
    shown = tqdm(blocks, desc="blocks of texts", leave=False, disable=None)
    probabilities = np.concatenate([scorer(block) for block in shown])
    return np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))


def unlabelled_rows(sentences: pa.Table, vocabulary: list[str], kept: dict | None) -> pa.Table:
    """Sentences as rows to train on; `kept` says how long texts are shortened."""
    ids = word_ids(sentences["words"].combine_chunks(), vocabulary)
    labels = pa.array(np.full(len(sentences), UNLABELLED))
    return pa.table({"id": sentences["id"], "label": labels, "tokens": shorten(ids, **kept) if kept else ids})


def main() -> None:
    paths = dict.fromkeys(("teacher", "rows", "input", "gathered", "out"), Path)
    arguments = command.arguments(__doc__, corpus=str, **paths)
    corpus, described = params.section("corpora", arguments.corpus), read_input(arguments.input)
    rows = pq.read_table(arguments.rows / TAUGHT, columns=["id", "text"])
    taught = pq.read_table(arguments.input / TAUGHT)
    if rows["id"] != taught["id"]:
        raise InputError(f"{arguments.input} and {arguments.rows} have other rows; make both again with `dvc repro`")
    known = pq.read_table(arguments.gathered / "own.parquet", columns=["words"])["words"].combine_chunks()
    others = pq.read_table(arguments.gathered / "others.parquet")
    sentences = draw(others, known, **corpus["taught_sentences"])

    torch.set_num_threads(corpus["threads"])  # results depend on their number
    _, scorer = load_scorer(arguments.teacher, arguments.teacher)  # which reads no other encoder's hidden states
    texts, start = rows["text"].to_pylist() + sentences["text"].to_pylist(), time.monotonic()
    logits = logits_of(texts, scorer)
    print(f"{len(texts):,} texts, {len(texts) / (time.monotonic() - start):,.0f} a second")

    unlabelled = unlabelled_rows(sentences, read_vocabulary(arguments.input / "vocab.txt"), described.get("kept"))
    about = {"name": arguments.teacher.parent.name, "rows": len(rows), "sentences": len(sentences)}
    with files.new_folder(arguments.out) as folder:
        for source in arguments.input.iterdir():
            if source.name not in (NAME, TAUGHT):
                shutil.copyfile(source, folder / source.name)
        pq.write_table(pa.concat_tables([taught, unlabelled.cast(taught.schema)]), folder / TAUGHT)
        np.save(folder / LOGITS, logits)
        write_input(folder, files_to_keep=described.pop("files"), **described, teacher=about)


if __name__ == "__main__":
    command.run(main)
