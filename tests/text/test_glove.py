"""GloVe's vectors: read from text or an array, matched with the vocabulary, loaded into a model."""

import hashlib
import importlib
import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.numpy import load_file, save

from stages import build_vocab, download_glove, embed_glove, gather_texts, learn_vectors, prepare, tokenize_text
from stages.common.command import InputError
from stages.models import glove_bilstm, glove_lstm
from stages.text import glove
from stages.training.inputs import write_input
from stages.training.sequences import Sequences
from stages.training.trainer import Trainer

ODD_WORDS = ['"', "'", "#", "null", "nan", "NA", "1.5", ",", '"quoted"', "déjà"]
NUMBERS = ["0.1 -0.2 0.30000001 4", "1e-3 -2.5 0.123456789 7", "-0.5 0.25 1 1.5"]
DOMAIN = np.float32([[0, 0], [3, 5], [2, 4], [1, -1], [0, 8], [7, 6], [5, 8]])  # one for each of the words of `ids`
TEXTS = b"text\tlabel\ngood good film\t1\nbad film zxqj\t0\n"


def lines_of(words: list[str], dimension: int = 4) -> bytes:
    """A file in GloVe's format; every word has different numbers."""
    generator = np.random.default_rng(1)
    rows = [[word, *(f"{number:.5f}" for number in generator.normal(size=dimension))] for word in words]
    return "".join(f"{' '.join(row)}\n" for row in rows).encode()


def vectors_of(content: bytes) -> dict[str, list[np.float32]]:
    rows = [line.split(" ") for line in content.decode().splitlines()]
    return {word: [np.float32(number) for number in numbers] for word, *numbers in rows}


def write_array(folder: Path, content: bytes) -> None:
    """The same vectors in the package's format, in column-major order."""
    vectors = vectors_of(content)
    array = np.asfortranarray(list(vectors.values()))
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"glove_6B_{array.shape[1]}d_emb.npy", array)
    pq.write_table(pa.table({"index": list(vectors)}), folder / "glove_6B_index.parquet")


def read(folder: Path, content: bytes, words: list[str], dimension: int = 4) -> dict[str, list[np.float32]]:
    (folder / f"glove.6B.{dimension}d.txt").write_bytes(content)
    positions, vectors = glove.read_vectors(folder, words, dimension)
    assert vectors.shape == (len(positions), dimension)
    assert vectors.dtype == np.float32
    return {words[position]: list(vector) for position, vector in zip(positions, vectors, strict=True)}


def test_only_the_given_words_are_read_with_their_positions(tmp_path):
    content = lines_of(["the", "film", "of", "good", "bad"])
    asked = ["good", "lacking", "the", "zxqj", "bad"]
    known = vectors_of(content)
    assert read(tmp_path, content, asked) == {word: known[word] for word in ("the", "good", "bad")}


@pytest.mark.parametrize("word", ODD_WORDS)
def test_a_word_of_odd_characters_is_a_word(tmp_path, word):
    content = lines_of(["the", *ODD_WORDS, "film"])
    assert read(tmp_path, content, ["film", word]) == {key: vectors_of(content)[key] for key in (word, "film")}


BROKEN = {
    "more numbers than asked for": (lines_of(["a", "b"], 5), 4),
    "fewer numbers than asked for": (lines_of(["a", "b"], 4), 5),
    "a line cut short": (lines_of(["a", "b"]) + b"c 0.1 0.2\n", 4),
    "a line too long": (lines_of(["a", "b"]) + b"c 0.1 0.2 0.3 0.4 0.5\n", 4),
    "a word instead of a number": (lines_of(["a", "b"]) + b"c 0.1 0.2 x 0.4\n", 4),
    "two blanks": (lines_of(["a", "b"]) + b"c 0.1  0.3 0.4\n", 4),
    "a line feed between numbers": (lines_of(["a", "b"]) + b"c 0.1 0.2\r0.3 0.4 0.5\n", 4),
    "a word without numbers": (lines_of(["a", "b"]) + b"c\n", 4),
    "a line without end": (lines_of(["a", "b"]) + b"c " + b"0" * (1 << 17) + b" 0.2 0.3 0.4\n", 4),
}


@pytest.mark.parametrize(("content", "dimension"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_one_sentence_with_its_name(tmp_path, content, dimension):
    with pytest.raises(
        InputError, match=rf"^glove\.6B\.{dimension}d\.txt.*: .*{dimension} numbers.*fetch it again[^\n]*$"
    ):
        read(tmp_path, content, ["a", "b", "c"], dimension)


def test_no_word_in_common_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match=r"^glove\.6B\.4d\.txt has a vector for none.*language\?$"):
        read(tmp_path, lines_of(["a", "b"]), ["c"])
    with pytest.raises(InputError, match="has a vector for none"):
        read(tmp_path, b"", ["c"])


def test_text_and_array_give_the_same_rows_in_the_same_order_in_memory(tmp_path):
    content = lines_of(["the", *ODD_WORDS, "film", "good"])
    (tmp_path / "glove.6B.4d.txt").write_bytes(content)
    write_array(tmp_path / "package", content)
    asked = ["good", "lacking", *reversed(ODD_WORDS), "the"]
    text, array = (glove.read_vectors(folder, asked, 4) for folder in (tmp_path, tmp_path / "package"))
    assert [asked[position] for position in array[0]] == ["the", *ODD_WORDS, "good"]
    assert list(array[0]) == list(text[0])
    assert array[1].dtype == text[1].dtype == np.float32
    assert array[1].strides == text[1].strides  # otherwise their sums would differ
    assert array[1].tobytes() == text[1].tobytes()


@pytest.fixture
def ids(tmp_path, monkeypatch) -> Path:
    """A folder of ids with the words good, bad, film, which have a vector, and zxqj and qqqq, which have none."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "ids"
    folder.mkdir()
    (folder / "vocab.txt").write_text("<pad>\n<unk>\ngood\nzxqj\nfilm\nqqqq\nbad\n", encoding="utf-8")
    for split, tokens in {"train": [[2, 2, 4], [6, 3]], "valid": [[1]], "test": [[2]]}.items():
        lists = pa.array(tokens, pa.list_(pa.int32()))
        table = {"id": [str(row) for row in range(len(tokens))], "label": [0] * len(tokens), "tokens": lists}
        pq.write_table(pa.table(table), folder / f"{split}.parquet")
    about = {"tokenizer": "blanks", "kept": {"longest": 9, "part": "tail"}}
    write_input(folder, kind="words", files_to_keep=["vocab.txt"], arguments={"vocabulary_size": 7}, **about)
    (tmp_path / "glove").mkdir()
    content = "".join(f"{word} {numbers}\n" for word, numbers in zip(("film", "bad", "good"), NUMBERS, strict=True))
    (tmp_path / "glove/glove.6B.4d.txt").write_text(content, encoding="utf-8")
    (tmp_path / "domain").mkdir()
    (tmp_path / "domain/vectors.safetensors").write_bytes(save({"vectors": DOMAIN}))
    return folder


def embed(run_here: Callable, out: str, dimension: int = 4) -> str:
    options = {"ids": "ids", "glove": "glove", "domain": "domain", "out": out}
    return run_here(embed_glove, corpus="own", dimension=dimension, **options)


def test_the_table_holds_zeros_the_mean_the_vectors_and_random_ones(ids, run_here, capsys):
    assert embed(run_here, "out") == ""
    table = load_file("out/vectors.safetensors")["vectors"][:, :4]
    found = np.array([[np.float32(number) for number in numbers.split()] for numbers in NUMBERS])
    assert table.dtype == np.float32
    assert table.shape == (7, 4)
    assert not table[0].any()
    np.testing.assert_allclose(table[1], found.mean(axis=0), rtol=1e-6)
    np.testing.assert_array_equal(table[[4, 6, 2]], found)
    assert np.isfinite(table).all()
    assert table[[3, 5]].all()
    assert not np.array_equal(table[3], table[5])
    assert capsys.readouterr().out == "own: 3 of 5 words and 80.00% of train's tokens have a vector\n"


def test_behind_them_are_those_learned_here_as_far_apart(ids, run_here):
    assert embed(run_here, "out") == ""
    table = load_file("out/vectors.safetensors")["vectors"]
    assert (table.dtype, table.shape) == (np.float32, (7, 6))
    spread = np.array([[float(number) for number in numbers.split()] for numbers in NUMBERS]).std()
    np.testing.assert_allclose(table[:, 4:], DOMAIN * spread / DOMAIN[2:].std(), rtol=1e-5)
    assert table[2:, 4:].std() == pytest.approx(spread, rel=1e-5)


def test_words_of_which_nothing_was_learned_have_zeros(ids, run_here):
    Path("domain/vectors.safetensors").write_bytes(save({"vectors": np.zeros_like(DOMAIN)}))
    assert embed(run_here, "out") == ""
    assert not load_file("out/vectors.safetensors")["vectors"][:, 4:].any()


def test_the_ids_come_with_the_vectors_and_say_their_size(ids, run_here):
    assert embed(run_here, "out") == ""
    about = json.loads(Path("out/input.json").read_text(encoding="utf-8"))
    before = json.loads((ids / "input.json").read_text(encoding="utf-8"))
    assert about == before | {"arguments": {"vocabulary_size": 7, "embedding_size": 6}}
    for name in ("vocab.txt", "train.parquet", "valid.parquet", "test.parquet"):
        assert (Path("out") / name).read_bytes() == (ids / name).read_bytes()


def test_two_runs_end_in_the_same_bytes(ids, run_here):
    for out in ("first", "second"):
        assert embed(run_here, out) == ""
    first, second = ({path.name: path.read_bytes() for path in Path(out).iterdir()} for out in ("first", "second"))
    assert first == second


@pytest.mark.parametrize(
    ("content", "dimension", "fragment"),
    [(lines_of(["film"], 5), 4, "4 numbers"), (lines_of(["the"]), 4, "none of"), (None, 50, "glove.6B.50d.txt")],
    ids=["another dimension", "no word in common", "file not there"],
)
def test_vectors_that_do_not_fit_end_the_stage_without_an_out(ids, run_here, content, dimension, fragment):
    if content:
        Path("glove/glove.6B.4d.txt").write_bytes(content)
    assert fragment in embed(run_here, "outs/own", dimension)
    assert not Path("outs").exists()


def test_text_and_array_end_in_the_same_bytes(ids, run_here):
    assert embed(run_here, "of_text") == ""
    text = Path("glove/glove.6B.4d.txt")
    write_array(Path("glove"), text.read_bytes())
    text.unlink()
    assert embed(run_here, "of_array") == ""
    assert Path("of_array/vectors.safetensors").read_bytes() == Path("of_text/vectors.safetensors").read_bytes()


ARRAY, INDEX = "glove_6B_4d_emb.npy", "glove_6B_index.parquet"


def array_of(vectors: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, vectors)
    return file.getvalue()


def index_of(**columns: list) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


# A file of the package, what it holds instead, and what the message names.
BAD_ARRAYS = {
    "fewer rows than words": (ARRAY, array_of(np.zeros((2, 4), np.float32)), "each of the 3 words"),
    "another dimension": (ARRAY, array_of(np.zeros((3, 5), np.float32)), "found float32 of the shape (3, 5)"),
    "other numbers": (ARRAY, array_of(np.zeros((3, 4))), "found float64"),
    "not finite": (ARRAY, array_of(np.full((3, 4), np.inf, np.float32)), "not finite"),
    "a pickle": (ARRAY, array_of(np.array([["a"] * 4] * 3, object)), "damaged"),
    "an array cut short": (ARRAY, array_of(np.zeros((3, 4), np.float32))[:-1], "damaged"),
    "a header cut short": (ARRAY, array_of(np.zeros((3, 4), np.float32)).replace(b"(3, 4)", b"(3, 4 "), "damaged"),
    "an index cut short": (INDEX, index_of(index=["film", "bad", "good"])[:-1], "damaged"),
    "a damaged page": (INDEX, b"PAR1".ljust(40, b"\xff") + index_of(index=["film", "bad", "good"])[40:], "damaged"),
    "without words": (INDEX, index_of(word=["film", "bad", "good"]), "damaged"),
    "numbers for words": (INDEX, index_of(index=[1, 2, 3]), "damaged"),
    "no word in common": (INDEX, index_of(index=["a", "b", "c"]), "none of"),
    "index not there": (INDEX, None, INDEX),
}


@pytest.mark.parametrize(("name", "content", "fragment"), BAD_ARRAYS.values(), ids=BAD_ARRAYS)
def test_a_glove_array_that_cannot_be_read_is_refused(ids, run_here, check, name, content, fragment):
    write_array(Path("glove"), Path("glove/glove.6B.4d.txt").read_bytes())
    file = Path("glove") / name
    file.unlink() if content is None else file.write_bytes(content)
    check(f"{embed(run_here, 'outs/own')}\n", Path("outs"), fragment)


def test_a_corpus_goes_through_the_real_stages_into_vectors(project, monkeypatch, run_here, capsys):
    monkeypatch.chdir(project.folder)
    for split in ("train", "valid", "test"):
        project.write(f"raw/{split}.tsv", TEXTS)
    project.write("glove/glove.6B.50d.txt", lines_of(["the", "film", "good"], 50))
    assert run_here(prepare, corpus="own", raw="raw", out="rows/own") == ""
    assert run_here(tokenize_text, corpus="own", rows="rows/own", out="words") == ""
    assert run_here(build_vocab, corpus="own", words="words", out="ids") == ""
    assert run_here(gather_texts, corpus="own", corpora="rows", out="texts") == ""
    assert run_here(learn_vectors, corpus="own", ids="ids", gathered="texts", out="domain") == ""
    read = {"ids": "ids", "glove": "glove", "domain": "domain"}
    assert run_here(embed_glove, corpus="own", dimension="50", **read, out="out") == ""
    table = load_file("out/vectors.safetensors")["vectors"][:, :50]
    words = Path("out/vocab.txt").read_text(encoding="utf-8").splitlines()
    known = vectors_of(Path("glove/glove.6B.50d.txt").read_bytes())
    assert {word: list(table[words.index(word)]) for word in ("film", "good")} == {
        word: known[word] for word in ("film", "good")
    }
    assert "2 of 4 words and 66.67% of train's tokens" in capsys.readouterr().out


def download(run_here: Callable, dimension: int) -> str:
    return run_here(download_glove, dimension=dimension, downloads="downloads", out=f"data/glove/{dimension}")


def test_the_installed_package_is_glove(project, run_here, monkeypatch):
    monkeypatch.chdir(project.folder)
    assert download(run_here, 50) == ""
    _, vectors = glove.read_vectors(Path("data/glove/50"), ["the", "sandberger"], 50)  # the first and the last word
    published = [[0.418, 0.24968, -0.41242], [0.072617, -0.51393, 0.4728]]
    np.testing.assert_array_equal(vectors[:, :3], np.float32(published))


@pytest.fixture
def package(project, monkeypatch) -> Path:
    """The folder with an installed package's files, named in params.yaml for 50 numbers; the package's code fails."""
    monkeypatch.chdir(project.folder)
    project.write("site/toy_glove/__init__.py", b"raise RuntimeError")
    monkeypatch.syspath_prepend(project.folder / "site")
    contents = {"glove_6B_index.parquet": b"words", "glove_6B_50d_emb.npy": b"numbers"}
    for name, content in contents.items():
        project.write(f"site/toy_glove/data/{name}", content)
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    project.set("glove.50d", {"package": "toy_glove", "folder": "data", "files": checksums})
    return project.folder / "site/toy_glove/data"


def test_the_files_of_a_package_are_copied_and_its_code_does_not_run(package, run_here):
    assert download(run_here, 50) == ""
    taken = {path.name: path.read_bytes() for path in Path("data/glove/50").iterdir()}
    assert taken == {"glove_6B_index.parquet": b"words", "glove_6B_50d_emb.npy": b"numbers"}


def remove_package(package: Path) -> None:
    shutil.rmtree(package.parent)


def release_another_version(package: Path) -> None:
    (package / "glove_6B_50d_emb.npy").write_bytes(b"other numbers")


def lose_a_file(package: Path) -> None:
    (package / "glove_6B_index.parquet").unlink()


@pytest.mark.parametrize(
    ("spoil", "fragment"),
    [
        (remove_package, "toy_glove is not installed; run `pip install -r requirements.txt`"),
        (release_another_version, "glove_6B_50d_emb.npy has SHA-256"),
        (lose_a_file, "toy_glove/data/glove_6B_index.parquet is not there"),
    ],
    ids=["not installed", "another version", "without a file"],
)
def test_a_package_that_does_not_hold_glove_is_refused(package, run_here, check, spoil, fragment):
    spoil(package)
    importlib.invalidate_caches()
    check(f"{download(run_here, 50)}\n", Path("data/glove"), fragment)


@pytest.fixture
def mirror(project, monkeypatch):
    """Writes an archive into the mirror; params.yaml has the checksum of the right content for 100 numbers."""
    monkeypatch.chdir(project.folder)
    monkeypatch.setenv("DATA_MIRROR", "mirror")

    def put(members: dict[str, bytes]) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            for name, content in members.items():
                file.writestr(name, content)
        project.write("mirror/glove.6B.zip", archive.getvalue())
        checksum = hashlib.sha256(lines_of(["film"], 100)).hexdigest()
        project.set("glove.100d.files", {"glove.6B.100d.txt": checksum})

    return put


def test_one_dimension_comes_from_a_mirror(mirror, run_here):
    mirror({"glove.6B.100d.txt": lines_of(["film"], 100), "glove.6B.200d.txt": lines_of(["film"], 200)})
    assert download(run_here, 100) == ""
    assert [path.name for path in Path("data/glove/100").iterdir()] == ["glove.6B.100d.txt"]
    assert Path("data/glove/100/glove.6B.100d.txt").read_bytes() == lines_of(["film"], 100)


@pytest.mark.parametrize(
    ("dimension", "fragments"),
    [
        (100, ["glove.6B.100d.txt", "SHA-256", "fetch it again"]),
        (200, ["glove.6B.zip", "lacks glove.6B.200d.txt"]),
    ],
    ids=["another content", "without the file"],
)
def test_a_wrong_archive_is_one_sentence_and_leaves_no_out(mirror, run_here, dimension, fragments):
    mirror({"glove.6B.100d.txt": lines_of(["films"], 100)})
    message = download(run_here, dimension)
    assert all(fragment in message for fragment in fragments), message
    assert list(Path("data/glove").iterdir()) == []
    assert Path("mirror/glove.6B.zip").exists()


VECTORS = torch.arange(20.0).reshape(5, 4) / 20


def lstm(freeze: bool) -> torch.nn.Module:
    sizes = {"embedding_size": 4, "hidden_size": 6, "word_dropout": 0.1}
    return glove_lstm.Classifier(5, 2, **sizes, freeze=freeze, input_dropout=0.2, output_dropout=0.2, pooling="max")


def bilstm(freeze: bool) -> torch.nn.Module:
    sizes = {"embedding_size": 4, "hidden_size": 6, "word_dropout": 0.1}
    return glove_bilstm.Classifier(5, 2, **sizes, freeze=freeze, dropout=0.2, pooling="max")


@pytest.mark.parametrize("freeze", [True, False], ids=["frozen", "trained"])
@pytest.mark.parametrize("new_model", [lstm, bilstm])
def test_only_vectors_that_are_not_frozen_change_in_training(new_model, freeze):
    torch.manual_seed(1)
    model = new_model(freeze)
    model.load_pretrained({"vectors": VECTORS})
    assert torch.equal(model.embedding.weight, VECTORS)
    output = model.output.weight.detach().clone()
    settings = {"clip_norm": 1.0, "average_decay": 0.9, "label_smoothing": 0.1}
    trainer = Trainer(model, torch.device("cpu"), learning_rate=0.1, weight_decay=0.1, **settings)
    rows = Sequences.of([[2, 3, 4], [4, 2]])
    trainer.train_epoch(rows, [np.array([0, 1])], 1, "epoch")
    for trained in (trainer.model, trainer.averaged):
        assert torch.equal(trained.embedding.weight, VECTORS) == freeze
    assert not torch.equal(model.output.weight, output)


@pytest.mark.parametrize("shape", [(5, 3), (4, 4), (6, 4)])
@pytest.mark.parametrize("new_model", [lstm, bilstm])
def test_vectors_of_another_size_are_refused(new_model, shape):
    with pytest.raises(RuntimeError, match="size"):
        new_model(True).load_pretrained({"vectors": torch.zeros(shape)})
