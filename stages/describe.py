"""Describe: a corpus in figures: rows, balance, lengths, vocabulary, wordpieces."""

from pathlib import Path

import pandas as pd
import pyarrow.compute as pc
from tokenizers import Tokenizer

from stages.common import command, files, params
from stages.corpus.rows import read_table, table_settings
from stages.corpus.splits import files_of, share_sizes
from stages.text.wordpieces import encode, read_tokenizer, special_pieces
from stages.text.words import split_words

EXAMPLE = "Hello WORLD how ARE you?"  # the notebook's


def lengths(values: pd.Series) -> dict:
    return {"mean": round(values.mean(), 2), "median": int(values.median()), "max": int(values.max())}


def describe_split(rows: pd.DataFrame, corpus: dict, tokenizer: Tokenizer, longest: int) -> dict:
    """Rows, distinct texts, rows of each class, lengths, and rows too long for the encoder to be given whole."""
    words = pc.list_value_length(split_words(rows["text"], corpus["tokenizer"])).to_pandas()
    pieces = pd.Series([len(ids) for ids in encode(tokenizer, rows["text"])])
    return {
        "rows": len(rows),
        "distinct_texts": rows["text"].nunique(),
        "labels": {name: int((rows["label"] == number).sum()) for number, name in enumerate(corpus["labels"])},
        "words": lengths(words),
        "wordpieces": lengths(pieces) | {"cut": int((pieces > longest).sum())},
    }


def describe_vocabulary(texts: pd.Series, tokenizer: str) -> dict:
    """Sizes of the vocabulary of all training rows, held out or not, as the notebook counts them."""
    counts = split_words(texts, tokenizer).flatten().value_counts().field("counts").to_numpy()
    return {
        "with_unknown": len(counts) + 1,
        "with_unknown_and_padding": len(counts) + 2,
        "seen_twice_with_unknown_and_padding": int((counts >= 2).sum()) + 2,
        "seen_once": int((counts == 1).sum()),
    }


def describe_wordpieces(tokenizer: Tokenizer, max_length: int) -> dict:
    """The encoder's vocabulary, its special pieces, an example, and how many pieces of a text it reads."""
    added = tokenizer.num_special_tokens_to_add(is_pair=False)
    example = tokenizer.encode(EXAMPLE, add_special_tokens=False)
    return {
        "vocabulary": tokenizer.get_vocab_size(),
        "special": special_pieces(tokenizer),
        "example": {"text": EXAMPLE, "pieces": example.tokens, "ids": example.ids},
        "max_length": {"of_text": max_length - added, "special": added, "in_all": max_length},
    }


def main() -> None:
    arguments = command.arguments(__doc__, corpus=str, encoder=str, raw=Path, rows=Path, tokenizer=Path, out=Path)
    corpus = params.section("corpora", arguments.corpus)
    max_length = params.section("encoders", arguments.encoder)["max_length"]
    longest = corpus["kept_wordpieces"]["longest"] if corpus["kept_wordpieces"] else max_length
    tokenizer = read_tokenizer(arguments.tokenizer / "tokenizer.json")
    settings = table_settings(corpus)
    rows = {split: read_table(arguments.raw, file, **settings) for split, file in files_of(corpus["splits"]).items()}
    prepared = {path.stem: pd.read_parquet(path) for path in sorted(arguments.rows.glob("*.parquet"))}
    description = {
        "files": {split: len(table) for split, table in rows.items()},
        "splits": {name: describe_split(split, corpus, tokenizer, longest) for name, split in prepared.items()},
        "vocabulary": describe_vocabulary(rows["train"]["text"], corpus["tokenizer"]),
        "wordpieces": describe_wordpieces(tokenizer, max_length),
    }
    if share := corpus["splits"].get("notebook"):
        description["notebook_split"] = description["files"] | share_sizes(rows["train"], **share)
    description |= {"left_out": settings["left_out"]} if settings["left_out"] else {}
    files.write_json(arguments.out, description)


if __name__ == "__main__":
    command.run(main)
