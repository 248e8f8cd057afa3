"""A small BERT, fine-tuned on a part of the embedded corpus, teaches an LSTM, which then answers like any model."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import stages.predict
import stages.teach
import stages.train
from stages.serving.scorers import load_scorer
from stages.text.truncation import shorten
from stages.text.vocabulary import read_vocabulary, word_ids
from stages.text.words import split_words
from stages.training.distillation import LOGITS, UNLABELLED
from stages.training.inputs import read_input
from tests.commands import run_here, run_stages
from tests.encoders import bytes_of
from tests.projects import REPOSITORY, new_project, read_params
from tests.serving.teaching import OUT, TEACH, TEACHER, TRAINED, choose_teacher, learned, taught

KEPT = {"longest": 6, "part": "tail"}
STUDENT = f"{TRAINED}/lstm_distilled"
FITS = ["Nobody laughed, and nobody cried in that long and empty room!", "The end came as no surprise."]
OTHERS = [f"A slow start. {FITS[0]}", "Too short.", FITS[1]]


def write_sample(folder: Path) -> None:
    """A part of the embedded corpus as `own`, and sentences of the corpus `more`, half of them in one text."""
    for split, rows in (("train", 60), ("valid", 20), ("test", 20)):
        lines = (REPOSITORY / f"data/sample/{split}.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
        more = [
            f"{text}\t{number % 2}\n" for number, text in enumerate(OTHERS if split == "train" else ["No.", "Yes."])
        ]
        for corpus, written in (("own", lines[: rows + 1]), ("more", ["text\tlabel\n", *more])):
            (folder / f"data/{corpus}").mkdir(parents=True, exist_ok=True)
            (folder / f"data/{corpus}/{split}.tsv").write_text("".join(written), encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a project in which all of that has been done."""
    sample = read_params(REPOSITORY)["corpora"]["sample"]
    once = {"batch_size": 16, "epochs": 2, "patience": 2, "final_fit": True}
    own = sample | {"unlabelled_texts": ["more"], "kept_words": KEPT, "training": once, "finetuning": once}
    own |= {"taught_sentences": {"number": 9, "shortest": 5, "longest": 20}}
    project = new_project(tmp_path_factory.mktemp("taught"), own)
    project.set("corpora.more", sample | {"splits": sample["splits"] | {"repeated": "keep"}})
    choose_teacher(project, tiny, ["lstm_distilled"], max_length=64)
    write_sample(project.folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.folder)
        patch.setenv("DEVICE", "cpu")
        run_stages(*taught(), *learned("lstm_distilled"))
    return project.folder


def test_labelled_rows_come_first_as_they_were_then_sentences_without_a_label(here):
    rows, before = (pd.read_parquet(f"{path}/train.parquet") for path in (OUT, TEACH["input"]))
    assert len(before) == 60
    pd.testing.assert_frame_equal(rows[:60], before)
    assert rows["id"][60:].tolist() == ["more-1", "more-3"]  # those of 5 to 20 words
    assert rows["label"][60:].tolist() == [UNLABELLED] * 2
    words = split_words([FITS[0], FITS[1]], "raw_text")
    expected = shorten(word_ids(words, read_vocabulary(Path(OUT, "vocab.txt"))), **KEPT)
    assert [list(tokens) for tokens in rows["tokens"][60:]] == expected.to_pylist()


def test_the_logits_are_those_of_the_teacher_for_each_row_in_order(here):
    logits = np.load(Path(OUT, LOGITS))
    texts = pd.read_parquet("data/corpora/own/train.parquet")["text"].tolist() + FITS
    given = load_scorer(Path(TEACHER), Path(TEACHER))[1](texts)
    assert (logits.dtype, logits.shape) == (np.float32, (62, 2))
    assert np.exp(logits) == pytest.approx(given, abs=1e-5)
    assert np.ptp(given[:, 1]) > 0.01


def test_all_else_is_as_it_was_and_says_who_taught(here):
    kept, before = bytes_of(OUT), bytes_of(TEACH["input"])
    assert set(kept) == {*before, LOGITS}
    assert {name for name in before if kept[name] != before[name]} == {"train.parquet", "input.json"}
    teacher = {"name": "tiny_finetuned", "rows": 60, "sentences": 2}
    assert read_input(Path(OUT)) == read_input(Path(TEACH["input"])) | {"teacher": teacher}


def test_a_teacher_asked_again_says_the_same(here, tmp_path):
    run_stages((stages.teach, {**TEACH, "out": tmp_path / "again"}))
    assert bytes_of(tmp_path / "again") == bytes_of(OUT)


def test_certainty_is_a_finite_logit():
    logits = stages.teach.logits_of(["a", "b"], lambda texts: np.array([[0, 1], [0.5, 0.5]], dtype=np.float32))
    assert np.isfinite(logits).all() and logits.dtype == np.float32
    assert np.exp(logits) == pytest.approx(np.array([[0, 1], [0.5, 0.5]]))


def test_the_model_that_learned_answers_like_any_other(here, capsys):
    assert json.loads(Path("metrics/own/lstm_distilled.json").read_text())["test"]["n"] == 20
    assert run_here(stages.predict, "A slow start.", corpus="own", model="lstm_distilled") == ""
    [answer] = map(json.loads, capsys.readouterr().out.splitlines())
    _, scorer = load_scorer(here / STUDENT / "1", here / "data/encoders")
    assert answer["probability"] == pytest.approx(scorer(["A slow start."])[0, 1], abs=1e-3)
    assert scorer(["A slow start."])[0, 1] != pytest.approx(0.5, abs=1e-6)


def test_it_learns_what_the_teacher_says_and_not_the_labels(here, tmp_path):
    """A teacher that is sure of one class for every row, whatever the labels are."""
    source = Path(shutil.copytree(OUT, tmp_path / "taught"))
    np.save(source / LOGITS, np.tile(np.array([[9, -9]], np.float32), (62, 1)))
    learn = {"corpus": "own", "model": "lstm_distilled", "seed": 1, "settings": "training", "input": source}
    learn |= {"pretrained": source / "vectors.safetensors", "checkpoints": tmp_path / "checkpoints"}
    run_stages((stages.train, {**learn, "out": tmp_path / "out"}))
    column, files = "probability_positive", (tmp_path / "out", Path(STUDENT, "1"))
    sure, before = (pd.read_parquet(path / "predictions.parquet")[column].mean() for path in files)
    assert sure < before - 0.01


def test_rows_of_another_corpus_are_refused(here, check):
    said = run_here(stages.teach, **TEACH | {"rows": "data/corpora/more"}, out="out/taught")
    check(said, here / "out", "data/domain_vectors/own", "data/corpora/more", "other rows")
