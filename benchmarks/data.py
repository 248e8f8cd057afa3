"""What the benchmarks read: SST-2, GloVe and the encoder, made by the project's own stages, and reviews of IMDB."""

import functools
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from stages.common import params
from stages.common.command import InputError
from stages.corpus import archives, sources

ROOT = Path(__file__).parent.parent
IMDB = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
KEPT = tempfile.TemporaryDirectory()  # as long as the benchmarks run
FOLDER = Path(KEPT.name)


def run_stage(name: str, **options: object) -> None:
    """Run a stage as `dvc repro` does, with outs in the benchmarks' temporary folder.

    Raises:
        InputError: the stage failed; the sentence is the stage's.
    """
    given = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    done = subprocess.run([sys.executable, "-m", f"stages.{name}", *given], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise InputError(done.stderr.strip().splitlines()[-1].removeprefix("error: "))


@functools.cache
def sst2_files() -> Path:
    """The folder with `SST-2/train.tsv`."""
    raw = FOLDER / "raw"
    run_stage("download", corpus="sst2", local="data/sst2", downloads=FOLDER / "downloads", out=raw)
    return raw


@functools.cache
def sst2_rows() -> Path:
    """SST-2's splits, as texts."""
    rows = FOLDER / "rows/sst2"
    run_stage("prepare", corpus="sst2", raw=sst2_files(), out=rows)
    return rows


@functools.cache
def sst2_ids() -> Path:
    """SST-2 as word ids, with its vocabulary."""
    words, ids = (FOLDER / name for name in ("words", "ids"))
    run_stage("tokenize_text", corpus="sst2", rows=sst2_rows(), out=words)
    run_stage("build_vocab", corpus="sst2", words=words, out=ids)
    return ids


@functools.cache
def sst2_vectors() -> Path:
    """SST-2's word ids with the vectors learned from its texts and IMDB's, which its file in corpora/ names.

    Raises:
        InputError: an archive cannot be fetched.
    """
    ids, raw, texts, vectors = sst2_ids(), FOLDER / "unlabelled", FOLDER / "texts", FOLDER / "domain_vectors"
    for name in params.corpus("sst2")["unlabelled_texts"]:
        run_stage("download", corpus=name, local=f"data/{name}", downloads=FOLDER / "downloads", out=raw / name)
        run_stage("prepare", corpus=name, raw=raw / name, out=FOLDER / "rows" / name)
    run_stage("gather_texts", corpus="sst2", corpora=FOLDER / "rows", out=texts)
    run_stage("learn_vectors", corpus="sst2", ids=ids, gathered=texts, out=vectors)
    return vectors


@functools.cache
def glove_text() -> Path:
    """The folder with GloVe's published text file of 50 numbers a word; the pipeline reads a package instead.

    Raises:
        InputError: the archive cannot be fetched.
    """
    with sources.fetched(params.section("glove", "100d")["address"], FOLDER / "downloads") as archive:
        archives.extract(archive, ["glove.6B.50d.txt"], FOLDER / "glove_text")
    return FOLDER / "glove_text"


@functools.cache
def encoder_files() -> Path:
    """The folder with all-MiniLM-L6-v2."""
    run_stage("download_encoder", encoder="minilm", downloads=FOLDER / "downloads", out=FOLDER / "minilm")
    return FOLDER / "minilm"


@functools.cache
def imdb_reviews(number: int) -> list[str]:
    """The first test reviews in the archive, half of them positive; the rest of it is not unpacked.

    Raises:
        InputError: the archive cannot be fetched.
    """
    with sources.fetched(IMDB, FOLDER / "downloads") as path, tarfile.open(path) as archive:
        reviews = {"aclImdb/test/pos": [], "aclImdb/test/neg": []}
        for member in archive:
            found = reviews.get(str(PurePosixPath(member.name).parent))
            if found is not None and len(found) < number // 2:
                found.append(archive.extractfile(member).read().decode().replace("<br />", " "))
            if all(len(found) == number // 2 for found in reviews.values()):
                break
    return [text for texts in reviews.values() for text in texts]
