"""Texts gathered without labels, and the vectors learned from them, as the stages write them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file

from stages import build_vocab, check_params, gather_texts, learn_vectors, tokenize_text
from tests.commands import run_here
from tests.projects import REPOSITORY, Project, read_params

TRAIN = ["A fine film.", "what a dull plot", "It moved me. Twice!"]
HELD_OUT = {"valid": ["I want my two hours back!"], "test": ["a quiet triumph", "It ends. Badly so."]}
REVIEW = 'Seen twice.<br /><br />Mr. Lee is a joy. I want my two hours back! Rated "A".'


@pytest.fixture
def here(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose corpus `own` has rows, and reads the texts of `other`."""
    monkeypatch.chdir(project.folder)
    project.set("corpora.own.tokenizer", "raw_text")
    project.set("corpora.own.unlabelled_texts", ["other"])
    project.set("corpora.other", read_params(project.folder)["corpora"]["own"] | {"unlabelled_texts": []})
    project.set("run.unlabelled_corpora", ["other"])
    write_rows("own", train=TRAIN, **HELD_OUT)
    return project


@pytest.fixture
def much_held_out(here: Project) -> Project:
    """A hundred texts more in test, so that one is not many."""
    write_rows("own", test=[*HELD_OUT["test"], *(f"one more of them, number {row}" for row in range(100))])
    return here


def write_rows(corpus: str, **splits: list[str]) -> None:
    Path("data/corpora", corpus).mkdir(parents=True, exist_ok=True)
    for split, texts in splits.items():
        columns = {"id": [str(row) for row in range(len(texts))], "text": texts, "label": [0] * len(texts)}
        pq.write_table(pa.table(columns), f"data/corpora/{corpus}/{split}.parquet")


def gather(out: str = "data/texts/own") -> str:
    return run_here(gather_texts, corpus="own", corpora="data/corpora", out=out)


def gathered(name: str) -> list:
    return pq.read_table(f"data/texts/own/{name}.parquet").to_pylist()


def test_own_texts_are_words_in_order_and_others_sentences(much_held_out):
    write_rows("other", train=[REVIEW, "Plain"], valid=["never read"], test=["nor this"])
    assert gather() == ""
    assert [row["words"] for row in gathered("own")] == [
        ["a", "fine", "film", "."],
        ["what", "a", "dull", "plot"],
        ["it", "moved", "me", ".", "twice", "!"],
    ]
    assert gathered("others") == [
        {"text": "Seen twice.", "words": ["seen", "twice", "."], "corpus": "other"},
        {"text": "Mr. Lee is a joy.", "words": ["mr", ".", "lee", "is", "a", "joy", "."], "corpus": "other"},
        {"text": 'Rated "A".', "words": ["rated", '"', "a", '"', "."], "corpus": "other"},
        {"text": "Plain", "words": ["plain"], "corpus": "other"},
    ]


def test_a_sentence_that_is_in_valid_or_test_is_left_out(much_held_out, capsys):
    write_rows("other", train=[REVIEW, "A quiet TRIUMPH", "It was slow. Badly so."])
    assert gather() == ""
    assert [row["text"] for row in gathered("others")] == [
        "Seen twice.",
        "Mr. Lee is a joy.",
        'Rated "A".',
        "It was slow.",
    ]
    assert "own: 4 sentences of other, 3 left out that are in valid or test" in capsys.readouterr().out


def test_where_the_words_are_the_treebanks_so_are_the_texts(here):
    here.set("corpora.own.tokenizer", "treebank")
    write_rows("own", train=["a fine film ."], valid=["it 's funny . but it ends badly ."], test=["quiet"])
    others = ["It's funny. But it ends badly.", "Don't miss it, (really)!", "Quiet"]
    write_rows("other", train=[*others, "So slow."])
    assert "also in other" in gather("out/own")
    write_rows("own", valid=[f"row {row}" for row in range(9)] + ["do n't miss it"])
    assert gather() == ""
    texts = ["it 's funny .", "but it ends badly .", "do n't miss it , ( really ) !", "so slow ."]
    assert [row["text"] for row in gathered("others")] == texts
    assert [" ".join(row["words"]) for row in gathered("others")] == texts


SHARED = {
    "as sentences": ["We left. I want my two hours back! Well."],
    "as whole texts": ["i want my  two hours back!"],
}


@pytest.mark.parametrize("train", SHARED.values(), ids=SHARED)
def test_corpora_that_share_their_texts_are_refused(here, check, train):
    write_rows("other", train=train)
    check(gather("outs/own"), Path("outs"), "corpora/own.yaml", "50%", "take other out of unlabelled_texts")


def test_short_texts_are_shared_by_coincidence(here):
    write_rows("own", valid=["Great film!"], test=["a quiet little triumph"])
    write_rows("other", train=["Great film! Boring."])
    assert gather() == ""
    assert [row["text"] for row in gathered("others")] == ["Boring."]


def test_a_corpus_without_others_has_its_own_texts_alone(here):
    here.set("corpora.own.unlabelled_texts", [])
    assert gather() == ""
    assert len(gathered("own")) == len(TRAIN)
    assert gathered("others") == []


def test_blocks_of_rows_end_in_the_same_texts(much_held_out, monkeypatch):
    write_rows("other", train=[REVIEW, "A quiet TRIUMPH", "It was slow. Badly so.", "", "Plain"])
    assert gather() == ""
    whole = gathered("own"), gathered("others")
    monkeypatch.setattr(gather_texts, "ROWS", 2)
    assert gather() == ""
    assert (gathered("own"), gathered("others")) == whole


@pytest.fixture
def learned(here: Project) -> Callable[[str], Path]:
    write_rows("other", train=["Seen twice. It is a joy."])
    assert run_here(tokenize_text, corpus="own", rows="data/corpora/own", out="words") == ""
    assert run_here(build_vocab, corpus="own", words="words", out="ids") == ""
    assert gather() == ""
    here.set("domain_vectors.size", 8)

    def learn(out: str) -> Path:
        assert run_here(learn_vectors, corpus="own", ids="ids", gathered="data/texts/own", out=out) == ""
        return Path(out)

    return learn


def test_vectors_come_with_the_ids_and_say_their_size(learned):
    out, ids = learned("out"), Path("ids")
    words = (ids / "vocab.txt").read_text(encoding="utf-8").splitlines()
    vectors = load_file(out / "vectors.safetensors")["vectors"]
    assert (vectors.dtype, vectors.shape) == (np.float32, (len(words), 8))
    assert not vectors[0].any()
    np.testing.assert_allclose(vectors[1], vectors[2:].mean(axis=0), rtol=0, atol=6e-4)
    assert np.isfinite(vectors).all() and vectors[2:].any()
    about, before = (json.loads((folder / "input.json").read_text(encoding="utf-8")) for folder in (out, ids))
    assert about == before | {"arguments": {"vocabulary_size": len(words), "embedding_size": 8}}
    others = {path.name for path in ids.iterdir()} - {"input.json"}
    assert {path.name for path in out.iterdir()} == others | {"input.json", "vectors.safetensors"}
    assert [name for name in others if (out / name).read_bytes() != (ids / name).read_bytes()] == []


def test_the_same_texts_end_in_the_same_bytes_without_a_label(learned):
    first = (learned("first") / "vectors.safetensors").read_bytes()
    for split in ("train", "valid", "test"):
        table = pq.read_table(f"ids/{split}.parquet")
        pq.write_table(table.set_column(1, "label", pa.array([1] * len(table))), f"ids/{split}.parquet")
    assert (learned("second") / "vectors.safetensors").read_bytes() == first


# What run.yaml and the corpora's files say, and what the message names.
LISTS = {
    "a corpus in both lists": (["own", "other"], ["other"], ["other"], ["run.yaml", "'other'", "take it out"]),
    "a corpus that is not fetched": (["own"], [], ["other"], ["corpora/own.yaml", "add it to run.unlabelled_corpora"]),
    "a corpus that nothing reads": (["own"], ["other"], [], ["run.yaml", "'other'", "no corpus of run.corpora"]),
    "its own texts": (["own"], ["other"], ["own", "other"], ["corpora/own.yaml", "'own' itself"]),
}


@pytest.mark.parametrize(("corpora", "unlabelled", "named", "fragments"), LISTS.values(), ids=LISTS)
def test_lists_of_corpora_that_contradict_are_refused(here, check, corpora, unlabelled, named, fragments):
    here.set("run.corpora", corpora)
    here.set("run.unlabelled_corpora", unlabelled)
    here.set("corpora.own.unlabelled_texts", named)
    check(run_here(check_params, out="out/params.checked"), Path("out"), *fragments)


@pytest.mark.parametrize(("corpora", "unlabelled"), [(["own"], ["other"]), (["own", "other"], [])])
def test_texts_of_a_corpus_in_either_list_can_be_read(here, corpora, unlabelled):
    here.set("run.corpora", corpora)
    here.set("run.unlabelled_corpora", unlabelled)
    assert run_here(check_params, out="params.checked") == ""


def test_a_fault_in_a_corpus_that_is_read_without_labels_is_named(here, check):
    here.set("corpora.other.min_count", 0)
    check(run_here(check_params, out="out/params.checked"), Path("out"), "corpora/other.yaml", "min_count is 0")


@pytest.mark.parametrize("run", sorted((REPOSITORY / "runs").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_ready_choice_names_what_its_corpora_read(run, tmp_path, monkeypatch):
    shutil.copytree(REPOSITORY / "corpora", tmp_path / "corpora")
    shutil.copyfile(REPOSITORY / "params.yaml", tmp_path / "params.yaml")
    shutil.copyfile(run, tmp_path / "run.yaml")
    monkeypatch.chdir(tmp_path)
    assert run_here(check_params, out="params.checked") == ""
