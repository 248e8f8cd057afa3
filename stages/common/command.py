"""What all scripts of stages do in the same way: read arguments, and end in one sentence on bad input."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType


class InputError(Exception):
    """Bad input. The message is one sentence: where, what was expected, what to do."""


HELP = {  # for the options of all stages
    "benchmarks": "JSON file with what `make bench` measured of attention",
    "checkpoints": "folder from which a stopped training or embedding resumes",
    "confusion": "CSV file to write: actual and predicted class of every row",
    "corpora": "folder of all corpora that prepare wrote",
    "corpus": "a name in corpora/",
    "curves": "CSV file to write: losses and accuracy by epoch",
    "dimension": "numbers in a word's vector",
    "domain": "folder that learn_vectors wrote",
    "downloads": "folder from which an interrupted download continues",
    "encoder": "a name under encoders in params.yaml",
    "encoders": "folder of all encoders",
    "gathered": "folder that gather_texts wrote",
    "glove": "folder that download_glove wrote",
    "ids": "folder that build_vocab wrote",
    "input": "folder of rows to train on, with an input.json that says what they are",
    "local": "folder of a corpus's own files",
    "metrics": "JSON file or folder of scores",
    "mistakes": "folder of the most confident mistakes with their texts",
    "model": "a name under models in params.yaml",
    "out": "file or folder to write",
    "predictions": "Parquet file or folder of every row's probabilities",
    "pretrained": "safetensors file to start from",
    "raw": "folder that download wrote",
    "recipe": "a name under notebook in params.yaml",
    "results": "folder of results",
    "rows": "folder that prepare wrote",
    "seed": "seed of all that is drawn at random",
    "settings": "which of the corpus's settings to use: training or finetuning",
    "teacher": "folder of a trained model that teaches others",
    "texts": "JSON file to write: the texts of the most confident mistakes",
    "tokenizer": "folder that download_tokenizer wrote",
    "trained": "folder of a corpus's or a model's trained models",
    "weights": "folder that download_encoder wrote",
    "wordpieces": "folder that tokenize_wordpieces wrote",
    "words": "folder that tokenize_text wrote",
}


def arguments(
    description: str | None, optional: Mapping[str, Callable] = MappingProxyType({}), **required: Callable
) -> argparse.Namespace:
    """Parse the command line: `out=Path` is the option `--out`, read by `Path`; a missing optional one is None.

    Every option has its text in `HELP`.
    """
    parser = argparse.ArgumentParser(description=description)
    for name, kind in {**required, **optional}.items():
        parser.add_argument(f"--{name}", type=kind, required=name in required, help=HELP[name])
    return parser.parse_args()


def run(main: Callable[[], None]) -> None:
    """Call `main`. Bad input, a full disk or memory, or a missing file end in one line on stderr and exit status 1."""
    try:
        main()
        sys.stdout.flush()  # otherwise a closed pipe or a full disk shows only when the interpreter ends
    except InputError as error:
        sys.exit(f"error: {error}")
    except BrokenPipeError:  # the reader of our output has stopped reading
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except MemoryError:
        sys.exit("error: this machine's memory is too small for that; give it more, or smaller data")
    except OSError as error:
        name = error.filename2 or error.filename  # a copy has two names; this is the target's
        place = f"{name}: " if name else ""
        shared = "; if it is another user's, see docs/operations.md" if isinstance(error, PermissionError) else ""
        sys.exit(f"error: {place}{error.strerror or error}{shared}")
    except KeyboardInterrupt:
        sys.exit(130)
