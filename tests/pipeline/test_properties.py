"""Every reader on generated input: it gives the right content or one sentence, and writes only into its folder."""

import io
import json
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stages.common.command import InputError
from stages.corpus import archives
from stages.corpus.splits import hold_out_share
from stages.serving.console import LONGEST, read_lines
from stages.text import glove
from stages.text.vocabulary import read_vocabulary, write_vocabulary
from stages.text.wordpieces import encode, read_tokenizer
from stages.text.words import split_words
from stages.training.trained import FORMAT, KEYS, read_trained
from tests.encoders import SPECIAL_PIECES, tokenizer_of

settings.register_profile("fixed", deadline=None, derandomize=True, database=None, max_examples=100)
settings.load_profile("fixed")

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
MEMBERS = {"a/x.tsv": b"text\tlabel\n" * 40, "y.tsv": bytes(range(256)), "z.tsv": b""}


def zip_of(compression: int) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", compression) as file:
        for name, content in MEMBERS.items():
            file.writestr(zipfile.ZipInfo(name), content, compression)
    return archive.getvalue()


def tar_of(mode: str, kind: int) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode=mode, format=kind) as file:
        for name, content in (*MEMBERS.items(), ("long" * 50, b"x")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    return archive.getvalue()


ARCHIVES = [zip_of(kind) for kind in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)]
ARCHIVES += [tar_of("w", kind) for kind in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT)]
ARCHIVES += [tar_of(f"w:{packing}", tarfile.PAX_FORMAT) for packing in ("gz", "bz2", "xz")]


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bytes], dict[str, bytes] | None]:
    """The members, or nothing where the archive is refused; whatever is written is in the folder."""
    outside = tmp_path_factory.mktemp("archives")
    folder = outside / "inside" / "folder"
    folder.mkdir(parents=True)  # for all examples: a folder takes longer to remove than an archive to read

    def files() -> set[Path]:
        return {path for path in outside.rglob("*") if path.is_file()}

    def extracted(content: bytes) -> dict[str, bytes] | None:
        for file in files():
            file.unlink()
        (outside / "archive").write_bytes(content)
        try:
            archives.extract(outside / "archive", MEMBERS, folder)
            found = {member: (folder / member).read_bytes() for member in MEMBERS}
        except InputError as error:
            assert str(error).startswith("archive ")
            assert "\n" not in str(error)
            found = None
        assert files() <= {outside / "archive", *(folder / member for member in MEMBERS)}
        return found

    return extracted


@settings(max_examples=1000)
@given(
    st.sampled_from(ARCHIVES),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=8),
)
def test_an_archive_with_flipped_bits_is_refused_or_gives_what_it_holds(extracted, archive, flips):
    changed = bytearray(archive)
    for place, bits in flips:
        changed[int(place * len(archive))] ^= bits
    found = extracted(bytes(changed))
    assert flips or found == MEMBERS
    if archive.startswith(b"PK"):  # a tar has no checksums; those in corpora/ replace them
        assert found in (None, MEMBERS)


@given(st.binary(max_size=2000))
@example(b"PK\x05\x06" + bytes(18))
@example(b"\x1f\x8b\x08\x00" + bytes(20))
def test_bytes_that_are_not_an_archive_are_refused(extracted, content):
    assert extracted(content) is None


def read(content: bytes) -> list[str] | None:
    try:
        return list(read_lines(io.BytesIO(content), "texts"))
    except InputError as error:
        assert str(error).startswith("texts, line ")
        return None


@given(st.binary(max_size=300) | TEXT.map(str.encode))
@example(b"\xef\xbb\xbf" + "𝒳".encode() * (LONGEST - 1) + b"\xef\xbf\xbd\na\n")
@example("𝒳".encode() * LONGEST + b"\r\n")
@example(b"x" * (LONGEST + 1))
@example(b"x\xff" * LONGEST * 4)
def test_bytes_are_read_as_lines_or_refused(content):
    texts = read(content)
    if texts is not None:
        assert all(0 < len(text) <= LONGEST and text.strip() for text in texts)
        assert len(texts) == content.count(b"\n") + (not content.endswith(b"\n") and bool(content))


@given(st.lists(TEXT.map(lambda text: text.replace("\n", "").strip("\r\ufeff")).filter(str.strip), max_size=5))
def test_texts_survive_being_written_as_lines(texts):
    content = "".join(f"{text}\n" for text in texts).encode()
    assert read(content) == texts
    assert read(content.replace(b"\n", b"\r\n").removesuffix(b"\r\n")) == texts


@given(st.lists(TEXT.map(lambda text: text.replace("\n", ""))))
def test_a_vocabulary_survives_being_written(words):
    with tempfile.TemporaryDirectory() as folder:
        write_vocabulary(Path(folder) / "vocab.txt", words)
        assert read_vocabulary(Path(folder) / "vocab.txt") == words


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
JSON = LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(st.text(max_size=9), LEAVES, max_size=3)
KNOWN = {"format": st.just(FORMAT) | JSON, "model": st.just("average") | JSON}
RUNS = st.fixed_dictionaries(dict.fromkeys(KEYS, JSON) | KNOWN)


@given(st.binary() | JSON.map(json.dumps).map(str.encode) | RUNS.map(json.dumps).map(str.encode))
def test_a_run_json_names_a_model_or_is_refused(content):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "run.json").write_bytes(content)
        try:
            run = read_trained(Path(folder))
        except InputError as error:
            assert str(error).startswith(f"{folder}/run.json ")
        else:
            assert run["model"] == "average"
            assert set(run) >= {*KEYS, "format"}


WORD = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="\ufeff"), min_size=1)
NUMBER = st.floats(-1e6, 1e6, width=32)


def read_glove(content: bytes, words: list[str]) -> dict[str, list[float]] | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "glove.6B.2d.txt"
        path.write_bytes(content)
        try:
            positions, vectors = glove.read_vectors(path.parent, words, 2)
        except InputError as error:
            assert str(error).startswith("glove.6B.2d.txt")
            assert "\n" not in str(error)
            return None
    assert vectors.shape == (len(positions), 2)
    assert np.isfinite(vectors).all()
    return {words[position]: vector.tolist() for position, vector in zip(positions, vectors, strict=True)}


@given(
    st.dictionaries(WORD, st.tuples(NUMBER, NUMBER), min_size=1, max_size=5), st.lists(WORD, unique=True, max_size=3)
)
def test_glove_gives_the_vectors_that_are_in_it(vectors, others):
    content = "".join(f"{word} {first!r} {second!r}\n" for word, (first, second) in vectors.items())
    found = read_glove(content.encode(), [*vectors, *(word for word in others if word not in vectors)])
    assert found == {word: pytest.approx(numbers, rel=1e-6) for word, numbers in vectors.items()}


@given(st.binary(max_size=200) | st.text("a \n\r\t0.1e-+naif\0").map(str.encode))
def test_bytes_are_read_as_vectors_or_refused(content):
    read_glove(content, ["a", "0", ""])


def array_files() -> dict[str, bytes]:
    """GloVe in its package's format, with two words."""
    array, table = io.BytesIO(), io.BytesIO()
    np.save(array, np.asfortranarray([[1, 2], [3, 4]], np.float32))
    pq.write_table(pa.table({"index": ["a", "b"]}), table)
    return {"glove_6B_2d_emb.npy": array.getvalue(), "glove_6B_index.parquet": table.getvalue()}


ARRAY_FILES = array_files()


@given(st.sampled_from(list(ARRAY_FILES)), st.integers(0, 1000), st.binary(max_size=3) | st.sampled_from([b"(", b"'"]))
def test_a_damaged_array_is_read_as_vectors_or_refused(name, place, other):
    with tempfile.TemporaryDirectory() as folder:
        content = ARRAY_FILES[name]
        place %= len(content)
        for file, written in (ARRAY_FILES | {name: content[:place] + other + content[place + len(other) :]}).items():
            (Path(folder) / file).write_bytes(written)
        try:
            positions, vectors = glove.read_vectors(Path(folder), ["b", "c", "a"], 2)
        except InputError as error:
            assert str(error).startswith("glove_6B_")
            assert "\n" not in str(error)
        else:
            assert vectors.shape == (len(positions), 2)


PIECES = [*SPECIAL_PIECES, *"abcdefgh", *(f"##{letter}" for letter in "abcdefgh"), "good", "film"]


@pytest.fixture(scope="module")
def tokenizer_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    path.write_text(tokenizer_of(*PIECES), encoding="utf-8")
    return path


@given(st.lists(TEXT | st.text("abc good film[CLS] "), max_size=5), st.integers(3, 20))
def test_pieces_fit_the_longest_text_and_the_vocabulary(tokenizer_file, texts, max_length):
    rows = encode(read_tokenizer(tokenizer_file, max_length), texts)
    assert len(rows) == len(texts)
    for row in rows:
        assert 2 <= len(row) <= max_length
        assert (row[0], row[-1]) == (2, 3)
        assert all(0 <= number < len(PIECES) for number in row)


@given(st.lists(st.text() | st.text(" .,'\"()[]!?…’n't\u3000aZ1\x00")))
def test_equal_texts_are_split_equally_and_none_is_without_words(texts):
    for tokenizer in ("blanks", "treebank", "raw_text"):
        together = split_words(texts, tokenizer).to_pylist()
        assert together == [split_words([text], tokenizer).to_pylist()[0] for text in texts]
        assert all(together)
        if tokenizer == "treebank":
            assert all(word and not any(map(str.isspace, word)) for words in together for word in words)


FEW = st.sampled_from("abcdefgh")
ROWS = st.lists(st.tuples(FEW | TEXT, st.integers(0, 2), FEW | TEXT), min_size=1, max_size=40)
SHARE = {"fraction": st.floats(0.01, 0.99), "seed": st.integers(0, 9)}


def drawn(rows: pd.DataFrame, **share: float) -> np.ndarray | None:
    try:
        held_out = hold_out_share(rows, **share)
    except ValueError as error:
        assert str(error).startswith(f"{len(rows)} rows in ")
        return None
    assert 0 < held_out.sum() < len(rows)
    return held_out


@given(ROWS, st.booleans(), st.booleans(), *SHARE.values())
@example([("a", 0, "x"), ("a", 1, "y"), ("b", 0, "y"), ("c", 1, "z")], True, True, 0.5, 1)
@example([("a", 0, ""), ("b", 0, ""), ("c", 1, "x"), ("d", 1, "")], True, True, 0.5, 1)
def test_a_share_has_every_class_or_at_most_the_given_rows_and_splits_no_text_or_group(
    rows, grouped, stratified, fraction, seed
):
    frame = pd.DataFrame(rows, columns=["text", "label", "group"])
    frame = frame if grouped else frame.drop(columns="group")
    held_out = drawn(frame, fraction=fraction, seed=seed, stratified=stratified)
    if held_out is None:
        return
    for column in set(frame) - {"label"}:
        assert not set(frame[column][held_out]) & set(frame[column][~held_out]) - ({""} if column == "group" else set())
    if stratified:
        assert set(frame["label"][held_out]) == set(frame["label"])
    else:
        assert held_out.sum() <= round(fraction * len(frame))


@given(st.lists(st.integers(0, 2), min_size=1, max_size=60), *SHARE.values())
@example([0] * 50 + [1] * 10, 0.2, 1)
def test_every_class_gives_its_fraction_if_all_texts_differ(labels, fraction, seed):
    frame = pd.DataFrame({"text": map(str, range(len(labels))), "label": labels})
    held_out = drawn(frame, fraction=fraction, seed=seed, stratified=True)
    if held_out is not None:
        shares = {number: int(held_out[frame["label"] == number].sum()) for number in set(labels)}
        assert shares == {number: max(1, round(fraction * labels.count(number))) for number in set(labels)}
    alike = drawn(frame.assign(label=0), fraction=fraction, seed=seed, stratified=True)
    if round(fraction * len(labels)):
        assert np.array_equal(alike, drawn(frame, fraction=fraction, seed=seed, stratified=False))
