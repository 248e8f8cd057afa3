"""The demo's page in Chromium: every model answers what is typed, words are marked, two texts are compared."""

import json
import threading
from collections.abc import Callable, Iterator
from importlib.resources import files

import pytest

from stages.serving.demo.server import Demo
from stages.serving.demo.trained_models import LONGEST, TrainedModels
from tests.browser import CHROMIUM, Page, browser
from tests.serving.conftest import CORPORA, SENTENCES, TEXT, scores

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed")


@pytest.fixture(scope="module")
def new_tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Page]]:
    with browser(tmp_path_factory.mktemp("chromium")) as new_tab:
        yield new_tab


@pytest.fixture
def opened(demo: Demo, new_tab: Callable[[], Page]) -> Iterator[Callable[..., Page]]:
    """The page once its example is answered; in the end it asked only the demo, and nothing complained."""
    tab = new_tab()
    address = f"http://127.0.0.1:{demo.server_port}/"

    def opened(width: int = 1200, dark: bool = False) -> Page:
        tab.open(address, width, dark=dark)
        tab.until(answered(2))
        return tab

    yield opened
    assert tab.complaints() == []
    assert {request.removeprefix(address) for request in tab.requests()} == {
        *("", "report.css", "demo.css", "demo.js", "answer", "marks")
    }
    tab.close()


def answered(models: int, texts: int = 1) -> str:
    """That so many models have answered and marked so many texts."""
    return f"document.querySelectorAll('#answers .marked').length === {models * texts}"


def texts(tab: Page, selector: str) -> list[str]:
    return tab.evaluate(f"[...document.querySelectorAll({json.dumps(selector)})].map(each => each.textContent)")


def write(tab: Page, area: str, text: str) -> None:
    tab.evaluate(f"document.querySelector('#{area}').select()")
    tab.write_text(text)


def test_a_typed_sentence_is_answered_by_every_model_and_shown_as_it_is(opened, folder):
    tab = opened()
    assert tab.evaluate("document.getElementById('first').value") == f"{SENTENCES['bad']} number0"
    write(tab, "first", TEXT)
    tab.until(
        f"document.querySelectorAll('.marked').length === 2 && {json.dumps(TEXT)} === "
        "document.querySelector('#answers li:last-child .marked').textContent"
    )
    assert texts(tab, "#answers code") == ["tfidf", "average"]
    for row, model in enumerate(("tfidf", "average"), 1):
        bad, good = scores(folder, "own", model, TEXT)[0]
        label, probability = texts(tab, f"#answers li:nth-child({row}) .likeliest span")
        assert (label, probability) == ("good" if good > bad else "bad", f"{100 * max(bad, good):.1f} %")
    assert texts(tab, ".marked") == [TEXT, TEXT]
    assert tab.evaluate("document.querySelectorAll('.marked b').length") == 0
    assert texts(tab, "#answers li:first-child mark.towards") == ["great", "film"]
    assert texts(tab, "#answers li:first-child mark.away") == ["plot"]
    assert "good +" in tab.evaluate("document.querySelector('#answers mark.towards').title")
    assert "say" in texts(tab, "#said")[0]


def test_two_texts_are_compared_and_swapped(opened, folder):
    tab = opened()
    write(tab, "first", "a great film")
    tab.until("document.querySelector('.marked')?.textContent === 'a great film'")
    tab.click("#compare")
    tab.until(answered(2, 2))
    assert set(texts(tab, ".name span")) == {"second text: good +0.0 points"}
    write(tab, "second", "a dull film")
    tab.until(f"{answered(2, 2)} && [...document.querySelectorAll('.marked')].at(-1).textContent === 'a dull film'")
    first, second = scores(folder, "own", "tfidf", "a great film", "a dull film")
    assert texts(tab, "#answers li:first-child .name span") == [
        f"second text: good −{100 * (first - second)[1]:.1f} points"
    ]
    assert texts(tab, "#said")[0].startswith("First text: 2 say good. Second text: 2 say bad")
    tab.click("#swap")
    tab.until(f"{answered(2, 2)} && document.querySelector('.marked').textContent === 'a dull film'")
    assert texts(tab, "#answers li:first-child .name span") == [
        f"second text: good +{100 * (first - second)[1]:.1f} points"
    ]
    tab.click("#compare")
    tab.until(answered(2))


def test_another_corpus_has_its_models_classes_and_examples(opened, folder):
    tab = opened()
    tab.click("[value=three]")
    tab.until(f"{answered(2)} && document.querySelectorAll('#answers .class').length === 6")
    assert texts(tab, "#answers li:first-child .class > :first-child") == CORPORA["three"]
    examples = texts(tab, "#examples button")
    assert examples == [f"{SENTENCES[label]} number{number}" for number in range(2) for label in CORPORA["three"]]
    tab.click("#examples button:nth-child(3)")
    tab.until(f"document.querySelector('.marked')?.textContent === {json.dumps(examples[2])}")
    percents = [f"{100 * value:.1f} %" for value in scores(folder, "three", "tfidf", examples[2])[0]]
    assert texts(tab, "#answers li:first-child .class > :nth-child(2)") == percents
    assert texts(tab, "#answers li:first-child .likeliest > :first-child") == ["fair"]


def test_empty_and_long_texts_are_not_sent(opened):
    tab = opened()
    write(tab, "first", " ")
    tab.until("document.getElementById('said').textContent.startsWith('Write a text')")
    assert texts(tab, "#answers li") == []
    write(tab, "first", "🎬" * (LONGEST + 1))
    tab.until("document.getElementById('said').textContent.startsWith('The text has 20,001 characters')")
    write(tab, "first", "a great " * (LONGEST // 8))
    tab.until(answered(2))


def test_a_demo_that_has_ended_is_said_to_have(folder, new_tab):
    with Demo(0, TrainedModels(folder / "data/trained", folder), folder / "data/corpora") as demo:
        thread = threading.Thread(target=demo.serve_forever)
        thread.start()
        tab = new_tab()
        tab.open(f"http://127.0.0.1:{demo.server_port}/")
        tab.until(answered(2))
        demo.shutdown()
        thread.join()
    write(tab, "first", TEXT)
    tab.until("document.getElementById('said').textContent === 'The demo does not answer: start `make demo` again.'")
    tab.close()


def test_a_damaged_model_says_so_in_its_row(demo, new_tab):
    tab = new_tab()
    tab.open(f"http://127.0.0.1:{demo.server_port}/")
    tab.until(answered(2))
    tab.click("[value=third]")
    tab.until("document.querySelector('.fault')")
    assert "cnn/1 is damaged" in texts(tab, "#answers li")[0]
    tab.until("document.getElementById('said').textContent.startsWith('No model could answer')")
    tab.close()


@pytest.mark.parametrize("width", [1200, 768, 390])
@pytest.mark.parametrize("compared", [False, True])
def test_nothing_is_wider_than_the_window(opened, width, compared):
    tab = opened(width)
    tab.click("[value=three]")
    if compared:
        tab.click("#compare")
    write(tab, "first", f"a {'great' * 60} film")
    tab.until(f"{answered(2, 1 + compared)} && document.querySelectorAll('#answers .class').length >= 6")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    outside = "[...document.body.querySelectorAll('*')].filter(each => each.getBoundingClientRect().right > innerWidth)"
    assert tab.evaluate(f"{outside}.map(each => each.outerHTML.slice(0, 80))") == []


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (390, True)])
def test_axe_finds_nothing_serious(opened, width, dark):
    """https://github.com/dequelabs/axe-core"""
    tab = opened(width, dark)
    tab.click("#compare")
    tab.evaluate("document.querySelector('details').open = true")
    write(tab, "first", "a great and dull film " * 100)
    tab.until(answered(2, 2))
    tab.evaluate(files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8") + "; 0")
    found = tab.evaluate(
        "axe.run().then(({violations}) => violations.map(({id, impact, nodes}) => [id, impact, nodes[0].html]))"
    )
    assert [each for each in found if each[1] in ("serious", "critical")] == []
