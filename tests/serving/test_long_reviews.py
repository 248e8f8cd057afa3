"""A few hundred reviews as IMDB has them, a file each and with their films, go through every stage that teaches."""

import io
import json
import random
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import stages.predict
import stages.train_linear
from stages.text.vocabulary import read_vocabulary, word_ids
from stages.text.words import split_words
from stages.training.distillation import LOGITS
from stages.training.inputs import UNKNOWN, read_input
from tests.commands import run_here, run_stages
from tests.encoders import BERT, NEUTRAL, OPINIONS, write_encoder
from tests.projects import REPOSITORY, new_project, read_params
from tests.serving.teaching import OUT, TRAINED, choose_teacher, learned, taught

CLASSES = ("neg", "pos")
REVIEWS = {"train": 100, "test": 30}  # of each class
LONGEST = 256
STUDENTS = ["lstm_distilled", "average_distilled"]


def review(generator: random.Random, opinions: list[str], sentences: int) -> str:
    """Sentences of 5 to 12 words, an opinion in each, on several lines as a web page has them."""
    written = []
    for _ in range(sentences):
        words = [*generator.choices(NEUTRAL, k=generator.randint(4, 11)), generator.choice(opinions)]
        generator.shuffle(words)
        written.append(f"{' '.join(words)}.".capitalize())
    return "<br /><br />".join(" ".join(written[start : start + 5]) for start in range(0, len(written), 5))


def archive(splits: dict[str, int]) -> bytes:
    """IMDB's archive of so many reviews of each class, of 3 to 35 sentences; every film has several of both classes."""
    generator, content = random.Random(1), io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as file:

        def add(name: str, text: str) -> None:
            header = tarfile.TarInfo(f"aclImdb/{name}")
            header.size = len(text)
            file.addfile(header, io.BytesIO(text.encode()))

        for split, reviews in splits.items():
            for name, opinions in zip(CLASSES, OPINIONS, strict=True):
                films = [f"tt{split == 'test':d}{number // 4}" for number in range(reviews)]
                pages = [f"http://www.imdb.com/title/{film}/usercomments\n" for film in films]
                add(f"{split}/urls_{name}.txt", "".join(pages))
                for number in range(reviews):
                    add(f"{split}/{name}/{number}_5.txt", review(generator, opinions, generator.randint(3, 35)))
    return content.getvalue()


def without_checksums(source: dict) -> dict:
    """IMDB's source, whatever its files hold."""
    tables = {name: table | {"checksum": None} for name, table in source["tables"].items()}
    return source | {"files": dict.fromkeys(source["files"]), "tables": tables}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a project in which all of that has been done, with IMDB's own settings but for their sizes."""
    everything, once = read_params(REPOSITORY), {"epochs": 1, "patience": 1, "final_fit": False}
    imdb, sample = everything["corpora"]["imdb"], everything["corpora"]["sample"]
    own = imdb | {"source": without_checksums(imdb["source"]), "unlabelled_texts": ["more"]}
    own |= {"taught_sentences": imdb["taught_sentences"] | {"number": 50}}
    own |= {"training": {"batch_size": 8} | once, "finetuning": {"batch_size": 16} | once}
    project = new_project(tmp_path_factory.mktemp("reviews"), own)
    project.set("corpora.more", sample | {"splits": sample["splits"] | {"repeated": "keep"}})
    encoder = write_encoder(project.folder / "encoder", config=BERT | {"max_position_embeddings": LONGEST})
    choose_teacher(project, encoder, STUDENTS, max_length=LONGEST, optimization={"layer_decay": 0.8})
    project.set("run.models.ngrams", ["tfidf"])
    generator = random.Random(2)
    for split in ("train", "valid", "test"):
        rows = [f"In another film, {review(generator, OPINIONS[number % 2], 2)}\t{number % 2}" for number in range(60)]
        project.write(f"data/more/{split}.tsv", "\n".join(["text\tlabel", *rows, ""]).encode())
    project.write("mirror/aclImdb_v1.tar.gz", archive(REVIEWS))
    linear = {"corpus": "own", "model": "tfidf", "words": "data/words/own", "out": f"{TRAINED}/tfidf"}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.folder)
        patch.setenv("DEVICE", "cpu")
        patch.setenv("DATA_MIRROR", "mirror")
        run_stages(*taught(), *(call for model in STUDENTS for call in learned(model)), (stages.train_linear, linear))
    return project.folder


def rows_of(split: str, of: str = "data/corpora/own") -> pd.DataFrame:
    return pd.read_parquet(f"{of}/{split}.parquet")


def test_all_reviews_are_in_a_split_and_no_film_in_two(here):
    raw = {name: rows_of(name, "data/raw/own") for name in REVIEWS}
    films = pd.concat([table["film"].set_axis(table["text"]) for table in raw.values()])
    splits = {split: rows_of(split) for split in ("train", "valid", "test")}
    assert len(splits["train"]) + len(splits["valid"]) == 2 * REVIEWS["train"]
    assert len(splits["test"]) == 2 * REVIEWS["test"]
    of_train, of_valid = (set(films[splits[split]["text"]]) for split in ("train", "valid"))
    assert of_valid
    assert of_train & of_valid == set()


def test_of_a_long_review_its_two_ends_are_learned(here):
    texts, taught = rows_of("train")["text"], rows_of("train", OUT)["tokens"]
    ids = word_ids(split_words(texts.tolist(), "raw_text"), read_vocabulary(Path(OUT, "vocab.txt"))).to_pylist()
    long = [number for number, row in enumerate(ids) if len(row) > LONGEST]
    assert 10 < len(long) < len(ids)
    for number, row in enumerate(ids):
        both = [*row[: LONGEST // 2], *row[-LONGEST // 2 :]] if number in long else row
        assert taught[number].tolist() == both
        assert UNKNOWN not in row


def test_the_teacher_says_something_of_every_review_and_of_sentences_of_the_other_corpus(here):
    rows = rows_of("train", OUT)
    assert read_input(Path(OUT))["teacher"] == {"name": "tiny_finetuned", "rows": len(rows) - 50, "sentences": 50}
    assert rows["id"][: len(rows) - 50].tolist() == rows_of("train")["id"].tolist()
    assert {row.partition("-")[0] for row in rows["id"][len(rows) - 50 :]} == {"more"}
    logits = np.load(Path(OUT, LOGITS))
    assert logits.shape == (len(rows), 2)
    assert np.ptp(logits[:, 0]) > 0.01


@pytest.mark.parametrize("model", [*STUDENTS, "tfidf"])
def test_a_model_answers_as_it_was_scored(here, capsys, model):
    saved = pd.read_parquet(Path(TRAINED, model, "" if model == "tfidf" else "1", "predictions.parquet"))
    saved = saved[saved["split"] == "test"].set_index("id")
    texts = rows_of("test").set_index("id")["text"]
    Path("texts").write_text("\n".join(texts) + "\n", encoding="utf-8")
    assert run_here(stages.predict, corpus="own", model=model, file="texts") == ""
    answers = [json.loads(line)["probability"] for line in capsys.readouterr().out.splitlines()]
    assert answers == pytest.approx(saved["probability_positive"][texts.index].tolist(), abs=1e-5)
    of_class = [saved.loc[saved["label"] == label, "probability_positive"].to_numpy() for label in (0, 1)]
    assert (of_class[0][:, None] < of_class[1]).mean() > 0.9  # one pass over so few rows, and it tells them apart
