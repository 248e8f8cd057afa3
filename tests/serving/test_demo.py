"""The demo's server: what it answers, what it refuses, and what `make demo` says."""

import http.client
import json
import shutil
import signal
import socket
import threading
import time
import urllib.request

import numpy as np
import pandas as pd
import pytest

from maintenance import demo as command
from stages.serving.demo.examples import examples_of
from stages.serving.demo.handler import LARGEST
from stages.serving.demo.marks import MOST_PARTS, MOST_WORDS, effects_of, parts_of
from stages.serving.demo.server import Demo
from stages.serving.demo.trained_models import LONGEST, TOGETHER, TrainedModels
from tests.commands import run_here, start
from tests.serving.conftest import CORPORA, TEXT, scores


def said(demo: Demo, path: str, body: str | bytes | None = None, **headers: str) -> tuple[int, dict | str]:
    """Status and content of what the server answers: to GET, or to POST if there is a body."""
    connection = http.client.HTTPConnection("127.0.0.1", demo.server_port, timeout=60)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    announced = {"Content-Length", "Transfer-Encoding"} & set(headers)  # a body that is not sent
    connection.request("GET" if body is None and not announced else "POST", path, body, headers)
    response = connection.getresponse()
    content = response.read().decode()
    connection.close()
    return response.status, json.loads(content) if response.headers.get_content_subtype() == "json" else content


def asked(demo: Demo, way: str, **changes: object) -> tuple[int, dict]:
    request = {"corpus": "own", "model": "tfidf", "text": TEXT} | changes
    return said(demo, f"/{way}", json.dumps(request), Content_Type="application/json")


@pytest.mark.parametrize("model", ["tfidf", "average"])
@pytest.mark.parametrize("corpus", CORPORA)
def test_every_class_has_its_probability_as_the_model_scores_it(demo, folder, corpus, model):
    status, found = asked(demo, "answer", corpus=corpus, model=model)
    assert (status, found["labels"]) == (200, CORPORA[corpus])
    assert found["probabilities"] == pytest.approx(scores(folder, corpus, model, TEXT)[0], abs=1e-4)


def test_a_mark_is_what_a_probability_loses_without_the_word(demo, folder):
    status, found = asked(demo, "marks", corpus="three", text="a great\n dull ")
    assert (status, found["parts"]) == (200, ["a ", "great\n ", "dull "])
    whole, *without = scores(folder, "three", "tfidf", "a great\n dull ", "great\n dull ", "a dull ", "a great\n ")
    assert np.array(found["effects"]) == pytest.approx(whole - without, abs=1e-4)
    effects = dict(zip(CORPORA["three"], found["effects"][1], strict=True))  # of "great"
    assert effects["good"] > 0.05 > -0.05 > effects["bad"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (" two  words\n", [" two  ", "words\n"]),
        ("这部电影 is 好!", ["这", "部", "电", "影 ", "is ", "好", "!"]),
        ("!", ["!"]),
    ],
)
def test_a_text_is_cut_into_words_with_the_blanks_behind_them(text, parts):
    assert parts_of(text) == parts


@pytest.mark.parametrize("words", [MOST_PARTS, MOST_PARTS + 1, 1000, LONGEST // 2])
def test_a_long_text_is_cut_into_groups_of_words_so_that_the_work_is_bounded(words):
    scored = []

    def scorer(texts: list[str]) -> np.ndarray:
        scored.extend(texts)
        return np.array([[text.count("good")] for text in texts])

    text = "good " * words
    parts = parts_of(text)
    assert "".join(parts) == text
    assert len(parts) <= MOST_PARTS
    effects = effects_of(parts, scorer)
    assert effects.sum() == words
    assert sum(len(text.split()) for text in scored) <= max(2 * words, MOST_WORDS + words)


@pytest.mark.parametrize(
    ("changes", "status", "sentence"),
    {
        "empty": ({"text": " \n"}, 400, "the text is empty; write something or remove it"),
        "long": ({"text": "a" * (LONGEST + 1)}, 400, "has 20,001 characters, and the demo reads at most 20,000"),
        "surrogate": ({"text": "\ud800"}, 400, "the text is not UTF-8"),
        "no text": ({"text": None}, 400, "a request is a JSON object of corpus, model and text"),
        "more": ({"seed": "1"}, 400, "a request is a JSON object of corpus, model and text"),
        "model": ({"model": "tfidff"}, 400, "did you mean 'tfidf'?"),
        "path": ({"model": "../three/tfidf"}, 400, "has no '../three/tfidf'"),
        "corpus": ({"corpus": ".."}, 400, "has no '..'; known are own, third, three"),
        "damaged": ({"corpus": "third", "model": "cnn"}, 503, "cnn/1 is damaged"),
    }.values(),
)
@pytest.mark.parametrize("way", ["answer", "marks"])
def test_what_cannot_be_answered_is_refused_in_one_sentence(demo, way, changes, status, sentence):
    found = asked(demo, way, **changes)
    assert found[0] == status and list(found[1]) == ["error"]
    assert sentence in found[1]["error"] and "\n" not in found[1]["error"]


REQUEST = json.dumps({"corpus": "own", "model": "tfidf", "text": "a text"})
JSON = {"Content_Type": "application/json"}


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    {
        "another name": ("/", None, {"Host": "example.com"}, 421),
        "another port": ("/", None, {"Host": "127.0.0.1:1"}, 421),
        "another name asks": ("/answer", REQUEST, {**JSON, "Host": "example.com"}, 421),
        "a form": ("/answer", REQUEST, {"Content_Type": "text/plain"}, 415),
        "no type": ("/answer", REQUEST.encode(), {}, 415),
        "no length": ("/answer", None, {**JSON, "Transfer_Encoding": "chunked"}, 411),
        "length": ("/answer", None, {**JSON, "Content_Length": "0" * 20 + "9" * 20}, 413),
        "large": ("/answer", None, {**JSON, "Content_Length": str(LARGEST + 1)}, 413),
        "not JSON": ("/answer", "a", JSON, 400),
        "deep": ("/answer", "[" * 100_000, JSON, 400),
        "no JSON in UTF-8": ("/answer", b"\xff\xfe\xff", JSON, 400),
        "no such way": ("/train", REQUEST, JSON, 404),
        "a file": ("/demo.py", None, {}, 404),
        "outside": ("/../server.py", None, {}, 404),
        "an answer as a page": ("/answer", None, {}, 404),
    }.values(),
)
def test_other_requests_are_refused(demo, path, body, headers, status):
    found, content = said(demo, path, body, **headers)
    assert found == status and content["error"]
    assert asked(demo, "answer")[0] == 200


def test_marks_end_when_nobody_waits_for_them_and_others_have_their_turn(folder, monkeypatch):
    monkeypatch.setenv("DEVICE", "cpu")
    models = TrainedModels(folder / "data/trained", folder / "data/encoders")
    answers, turns = [], []

    def go_on() -> None:
        turns.append(len(answers))
        if len(turns) == 2:
            answers.append(models.answer("own", "average", TEXT))
        if len(turns) == 3:
            raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        models.marks("own", "tfidf", "word " * 5 * TOGETHER, go_on)
    assert turns == [0, 0, 1]
    models.close()


def test_a_browser_that_has_gone_ends_its_marks(demo, monkeypatch):
    scored, gone = [], threading.Event()

    def scorer(texts: list[str]) -> np.ndarray:
        scored.extend(texts)
        gone.wait(60)
        return np.zeros((len(texts), 2))

    monkeypatch.setattr(demo.models, "load", lambda corpus, model: (CORPORA["own"], scorer))
    connection = http.client.HTTPConnection("127.0.0.1", demo.server_port)
    body = json.dumps({"corpus": "own", "model": "tfidf", "text": "word " * 5 * TOGETHER})
    connection.request("POST", "/marks", body, {"Content-Type": "application/json"})
    while not scored:
        time.sleep(0.01)
    connection.sock.shutdown(socket.SHUT_RDWR)
    connection.close()
    gone.set()
    assert asked(demo, "answer")[0] == 200
    assert len(scored) <= 2 * TOGETHER + 1


def test_the_page_is_there_under_both_names_and_lets_nothing_else_run(demo):
    for name in ("127.0.0.1", "localhost"):
        assert said(demo, "/", Host=f"{name}:{demo.server_port}")[0] == 200
    with urllib.request.urlopen(f"http://127.0.0.1:{demo.server_port}/") as response:
        policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_no_text_is_written_anywhere(demo, capfd):
    asked(demo, "answer")
    said(demo, "/secret")
    assert capfd.readouterr() == ("", "")


def test_a_model_that_was_trained_again_answers_as_it_is_now(demo, folder, tmp_path):
    trained = shutil.copytree(folder / "data/trained/own", tmp_path / "own")
    models = TrainedModels(tmp_path, tmp_path)
    before = models.answer("own", "tfidf", TEXT)
    shutil.rmtree(trained / "tfidf")
    shutil.copytree(folder / "data/trained/three/tfidf", trained / "tfidf")
    after = models.answer("own", "tfidf", TEXT)
    assert (before["labels"], after["labels"]) == (CORPORA["own"], CORPORA["three"])
    assert len(after["probabilities"]) == 3


def test_a_page_without_models_says_so(folder, tmp_path):
    with Demo(0, TrainedModels(tmp_path, tmp_path), tmp_path) as demo:
        thread = threading.Thread(target=demo.serve_forever)
        thread.start()
        status, content = said(demo, "/")
        demo.shutdown()
        thread.join()
    assert status == 503 and "holds no trained model; `make repro` trains some" in content["error"]


def test_models_of_words_come_before_those_that_read_an_encoders_pieces(folder, tmp_path):
    kinds = {"a": "features", "b": "wordpieces", "c": "words", "d": "text"}
    for name, kind in kinds.items():
        (tmp_path / "own" / name).mkdir(parents=True)
        (tmp_path / "own" / name / "run.json").write_text(json.dumps({"input": {"kind": kind}}))
    (tmp_path / "own/0").mkdir()
    (tmp_path / "own/0/run.json").write_text("[")
    assert list(TrainedModels(tmp_path, tmp_path).corpora()["own"]) == ["d", "c", "b", "a", "0"]


def test_examples_are_of_every_class_by_turns(tmp_path):
    rows = [(0, "short"), (1, "b" * 30), (1, "c" * 40), (1, "d" * 50), (0, "e" * 60), (0, "f" * 5000)]
    frame = pd.DataFrame({"text": [text for _, text in rows], "label": [label for label, _ in rows]})
    frame.to_parquet(tmp_path / "valid.parquet")
    assert examples_of(tmp_path / "valid.parquet") == ["e" * 60, "b" * 30, "c" * 40]
    frame[:0].to_parquet(tmp_path / "empty.parquet")
    assert examples_of(tmp_path / "empty.parquet") == examples_of(tmp_path / "missing.parquet") == []


@pytest.mark.parametrize("port", ["80", "65536", "ninety", ""])
def test_a_port_that_is_not_one_is_refused(check, tmp_path, port):
    check(run_here(command, port=port), tmp_path / "outs", "make demo PORT=9000")


def test_a_demo_without_trained_models_is_refused(check, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check(run_here(command), tmp_path / "outs", "data/trained holds no trained model; `make repro` trains some")


def test_a_taken_port_is_refused(folder, demo, monkeypatch):
    monkeypatch.chdir(folder)
    port = demo.server_port
    said = run_here(command, port=port)
    assert said.startswith(f"error: port {port} is taken; choose another: make demo PORT=")


def test_it_says_where_it_is_and_ends_on_ctrl_c(folder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with start(folder, "python", "-m", "maintenance.demo", f"--port={port}") as process:
        address = f"http://127.0.0.1:{port}"
        assert process.stdout.readline() == f"open {address} in a browser on this machine; Ctrl-C ends it\n"
        with urllib.request.urlopen(address) as response:
            assert b"<title>Ask the models</title>" in response.read()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "\n", "")
