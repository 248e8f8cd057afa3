"""What every stage's script does the same way: read arguments, and end in one sentence on bad input."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType


class InputError(Exception):
    """What a person gave is wrong; the message is one sentence: where, what was expected, what to do."""


HELP = {  # of every stage's options
    "benchmarks": "what `make bench` measured of attention, a JSON file",
    "checkpoints": "folder where a stopped run finds what it had",
    "confusion": "CSV file to write: actual and predicted class of every row",
    "corpus": "a name in corpora/",
    "curves": "CSV file to write: losses and accuracy by epoch",
    "dimension": "numbers in a word's vector",
    "downloads": "folder where a download that broke off goes on",
    "encoder": "a name under encoders in params.yaml",
    "encoders": "folder of all encoders",
    "glove": "folder that download_glove wrote",
    "ids": "folder that build_vocab wrote",
    "input": "folder of rows to train on, as build_vocab, embed_glove, embed_bert or tokenize_wordpieces writes it",
    "local": "folder of a corpus's own files",
    "metrics": "JSON file or folder of scores",
    "mistakes": "folder of the surest mistakes with their texts",
    "model": "a name under models in params.yaml",
    "out": "file or folder to write",
    "predictions": "Parquet file or folder of every row's probabilities",
    "pretrained": "safetensors file to start from",
    "raw": "folder that download wrote",
    "recipe": "a name under notebook in params.yaml",
    "results": "folder of results",
    "rows": "folder that prepare wrote",
    "seed": "of all that is drawn at random",
    "settings": "training or finetuning: which of the corpus's settings",
    "texts": "JSON file to write: the texts of the surest mistakes",
    "trained": "folder of a corpus's or a model's trained models",
    "weights": "folder that download_encoder wrote",
    "wordpieces": "folder that tokenize_wordpieces wrote",
    "words": "folder that tokenize_text wrote",
}


def arguments(
    description: str | None, optional: Mapping[str, Callable] = MappingProxyType({}), **required: Callable
) -> argparse.Namespace:
    """Options of the command line: `out=Path` is `--out`, read by `Path`; an optional one not given is None.

    Each has its text in `HELP`.
    """
    parser = argparse.ArgumentParser(description=description)
    for name, kind in {**required, **optional}.items():
        parser.add_argument(f"--{name}", type=kind, required=name in required, help=HELP[name])
    return parser.parse_args()


def run(main: Callable[[], None]) -> None:
    """Call `main`; bad input, a full disk or memory or a missing file become one line on stderr and exit status 1."""
    try:
        main()
        sys.stdout.flush()  # or a reader gone, or a full disk, shows only as the interpreter ends
    except InputError as error:
        sys.exit(f"error: {error}")
    except BrokenPipeError:  # who read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except MemoryError:
        sys.exit("error: this machine's memory is too small for that; give it more, or smaller data")
    except OSError as error:
        name = error.filename2 or error.filename  # of two, a copy's target
        place = f"{name}: " if name else ""
        shared = "; if it is another user's, see docs/operations.md" if isinstance(error, PermissionError) else ""
        sys.exit(f"error: {place}{error.strerror or error}{shared}")
    except KeyboardInterrupt:
        sys.exit(130)
