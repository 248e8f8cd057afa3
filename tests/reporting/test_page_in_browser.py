"""The page in Chromium: nothing wider than the window, every control does what it says, no request, accessible."""

import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from tests.browser import CHROMIUM, Page, browser
from tests.reporting.conftest import HOSTILE

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed")
DRAWN = "[...document.querySelectorAll('.chart')].every(chart => !chart.clientWidth || views.has(chart))"
TOO_WIDE = """[...document.querySelectorAll('.wide, .confusion, .classes, .chart svg, .glance')]
    .filter(each => each.clientWidth && (each.scrollWidth > each.clientWidth + 1
            || each.getBoundingClientRect().right > innerWidth + 1))
    .map(each => each.ariaLabel ?? each.outerHTML.slice(0, 80))"""
SELECTED = "document.querySelector('[role=tab][aria-selected=true]').textContent"
MOVIES = "#corpus-movies"


@pytest.fixture(scope="module")
def new_tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Page]]:
    with browser(tmp_path_factory.mktemp("chromium")) as new_tab:
        yield new_tab


@pytest.fixture
def opened(page: Path, new_tab: Callable[[], Page]) -> Iterator[Callable[..., Page]]:
    """The page with its charts, at a place and a width; in the end nothing was asked for and nothing complained."""
    tab = new_tab()

    def opened(place: str = "", width: int = 1200, dark: bool = False) -> Page:
        tab.open(f"{page.as_uri()}#{place}", width, dark=dark)
        tab.until(DRAWN)
        return tab

    yield opened
    assert tab.complaints() == []
    assert {address.partition("#")[0] for address in tab.requests()} == {page.as_uri()}
    assert tab.evaluate("document.title") == "A ladder of sentiment classifiers"
    tab.close()


def texts(tab: Page, selector: str) -> list[str]:
    """Of the elements that are shown."""
    shown = f"[...document.querySelectorAll({json.dumps(selector)})].filter(each => each.checkVisibility())"
    return tab.evaluate(f"{shown}.map(each => each.textContent.trim())")


def opacities(tab: Page, chart: str) -> list[float]:
    """Of the dots of a chart, in the order of its models."""
    dots = f"document.querySelectorAll('[data-chart={chart}] .mark-symbol path')"
    return tab.evaluate(f"[...{dots}].map(dot => Number(dot.getAttribute('opacity') ?? 1))")


@pytest.mark.parametrize("width", [1200, 1000, 768, 390])
@pytest.mark.parametrize("corpus", ["movies", "hostile"])
def test_nothing_is_wider_than_the_window(opened, corpus, width):
    tab = opened(f"corpus-{corpus}", width)
    tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert tab.evaluate(TOO_WIDE) == []
    assert tab.evaluate("document.querySelectorAll('table').length") > 40


def test_each_tab_shows_its_corpus_alone_with_all_its_charts(opened):
    tab = opened()
    for corpus in ("imdb", "hostile", "sst2", "sample", "movies"):
        tab.click(f"#tab-{corpus}")
        tab.until(DRAWN)
        assert tab.evaluate(SELECTED) == corpus
        assert [text.split()[0] for text in texts(tab, ".corpus > h2")] == [corpus]
        assert len(texts(tab, f"#corpus-{corpus} .chart")) == 5
        shown = tab.evaluate("[...document.querySelectorAll('section:not([hidden])')].map(each => each.id)")
        assert shown == [f"corpus-{corpus}", "claims", "gates", "attention", "parameters"]


def test_the_first_screen_says_what_won_by_how_much_at_what_cost(opened):
    tab = opened()
    assert texts(tab, f"{MOVIES} .glance b") == ["84.9 %", "+1.0 points", "22,566,146"]
    assert tab.evaluate("document.querySelector('[data-chart=movies-frontier] svg').getBoundingClientRect().top") < 500


def test_tabs_answer_the_keyboard_and_links_lead_into_other_corpora(opened):
    tab = opened("sst2-mistakes")
    assert tab.evaluate(SELECTED) == "sst2"
    assert tab.evaluate("Math.abs(document.getElementById('sst2-mistakes').getBoundingClientRect().top) < 200")
    tab.evaluate("document.getElementById('tab-sst2').focus()")
    for key, corpus in (("ArrowRight", "sample"), ("ArrowRight", "movies"), ("End", "sample"), ("Home", "movies")):
        tab.press(key)
        assert tab.evaluate(SELECTED) == tab.evaluate("document.activeElement.textContent") == corpus
    tab.until(DRAWN)


def test_pointing_at_a_model_fades_the_others_and_pressing_keeps_them_so(opened):
    tab = opened()
    button = f"{MOVIES} .legend button[data-name=gru]"
    assert set(opacities(tab, "movies-frontier")) == {1}
    tab.point(button)
    tab.until("document.querySelector('#corpus-movies tr.picked')?.dataset.name === 'gru'")
    names = texts(tab, f"{MOVIES} .legend:first-of-type button")
    for chart in ("movies-frontier", "movies-ladder"):
        tab.evaluate("new Promise(requestAnimationFrame)")
        assert [value == 1 for value in opacities(tab, chart)] == [name == "gru" for name in names]
    tab.point("h1")
    tab.until("!document.querySelector('.picked')")
    tab.click(button)
    tab.point("h1")
    assert tab.evaluate("document.querySelector('#corpus-movies tr.picked').dataset.name") == "gru"
    assert tab.evaluate(f"document.querySelector('{button}').ariaPressed") == "true"
    tab.click(button)
    tab.point("h1")
    assert tab.evaluate("document.querySelector('.picked')") is None


def test_pointing_at_a_curve_fades_the_others_and_says_which_it_is(opened):
    tab = opened()
    tab.point("[data-chart=movies-curves] .mark-symbol path")
    tab.until("document.querySelector('#corpus-movies tr.picked')")
    name = tab.evaluate("document.querySelector('#corpus-movies tr.picked').dataset.name")
    assert name in tab.evaluate("document.getElementById('vg-tooltip-element').textContent")
    tab.evaluate("new Promise(requestAnimationFrame)")
    assert sorted(set(opacities(tab, "movies-losses"))) == [0.15, 1]


def test_a_table_sorts_by_click_and_by_keyboard(opened):
    tab = opened()
    column = f"{MOVIES} .ladder td:nth-child(2)"
    before = texts(tab, column)
    heading = f"{MOVIES} .ladder th:nth-child(2) button"
    tab.click(heading)
    assert texts(tab, column) == sorted(before, key=float, reverse=True) != before
    assert tab.evaluate(f"document.querySelector('{heading}').parentElement.ariaSort") == "descending"
    tab.evaluate(f"document.querySelector('{heading}').focus()")
    tab.press("Enter")
    assert texts(tab, column) == sorted(before, key=float)
    tab.click(f"{MOVIES} .ladder th:first-child button")
    names = texts(tab, f"{MOVIES} .ladder tbody code")
    assert names == sorted(names)
    tab.click(f"{MOVIES} .ladder th:last-child button")
    sizes = [int(text.replace(",", "")) for text in texts(tab, f"{MOVIES} .ladder td:last-child")]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > 20_000_000


def choose(tab: Page, selector: str, value: str) -> None:
    """As a person does: the browser's list of choices is not part of the page."""
    chosen = f"Object.assign(document.querySelector({json.dumps(selector)}), {{value: {json.dumps(value)}}})"
    tab.evaluate(f"{chosen}.dispatchEvent(new Event('input', {{bubbles: true}}))")


def test_mistakes_are_filtered_by_model_and_searched(opened):
    tab = opened()
    form, entries = f"{MOVIES} form[data-list=movies-mistake-list]", "#movies-mistake-list li"
    assert len(texts(tab, entries)) == 5
    assert all("by minilm_finetuned" in entry for entry in texts(tab, entries))
    choose(tab, f"{form} select", "")
    everything = texts(tab, entries)
    assert len(everything) > 20 and texts(tab, f"{form} output") == [f"{len(everything)} of {len(everything)}"]
    tab.click(f"{form} input")
    tab.write_text("NUMBER7 ")
    assert len(texts(tab, entries)) == 1 and HOSTILE in texts(tab, entries)[0]
    choose(tab, f"{form} input", "means well")  # in long texts, which are folded
    assert 0 < len(texts(tab, entries)) < len(everything)
    tab.click(f"{entries}:not([hidden]) summary")
    assert tab.evaluate("document.querySelector('#movies-mistake-list details[open] p').textContent").count("film") > 30


def test_claims_confusions_and_rates_are_filtered(opened):
    tab = opened()
    choose(tab, "form[data-list=claim-list] select", "holds")
    assert set(texts(tab, "#claim-list td[data-label=verdict]")) == {"holds"}
    assert texts(tab, "#movies-confusions .confusion caption") == ["minilm_finetuned"]
    choose(tab, "form[data-list=movies-confusions] select", "")
    assert texts(tab, "#movies-confusions .confusion caption") == texts(tab, f"{MOVIES} .legend:first-of-type button")
    assert set(texts(tab, "#decay td:nth-child(3)")) == {"at the start"}


def test_on_a_narrow_screen_a_matrix_shows_the_column_that_is_chosen(opened):
    tab = opened(width=390)
    heads = "#movies-differences thead th"
    assert texts(tab, heads) == ["model", "minilm_finetuned"]
    choose(tab, "select[data-column=movies-differences]", "gru")
    assert texts(tab, heads) == ["model", "gru"]
    assert texts(tab, "#movies-differences td") == texts(tab, "#movies-differences td.shown")
    tab.call("Emulation.setDeviceMetricsOverride", width=1200, height=900, deviceScaleFactor=1, mobile=False)
    assert texts(tab, heads) == ["model", *texts(tab, f"{MOVIES} .legend:first-of-type button")]


def test_charts_are_drawn_again_when_the_window_changes_those_of_hidden_tabs_too(opened):
    tab = opened()
    tab.click("#tab-sst2")
    tab.until(DRAWN)
    tab.call("Emulation.setDeviceMetricsOverride", width=500, height=900, deviceScaleFactor=1, mobile=False)
    drawn = "Number(document.querySelector('[data-chart={}-frontier] svg').getAttribute('width'))"
    tab.until(f"{drawn.format('sst2')} < 500")
    assert tab.evaluate(drawn.format("movies")) > 1000
    tab.click("#tab-movies")
    tab.until(f"{drawn.format('movies')} < 500")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_its_first_chart_is_there_within_two_seconds(page, new_tab):
    """The best of some tries, since other processes may have the processor meanwhile."""
    seconds = []
    while len(seconds) < 5 and min(seconds, default=2) >= 2:
        tab = new_tab()
        tab.call("Page.navigate", url=page.as_uri())
        tab.until("document.querySelector('[data-chart=movies-frontier] svg')")
        seconds.append(tab.evaluate("performance.now() / 1000"))
        tab.close()
    assert min(seconds) < 2


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (390, True)])
def test_axe_finds_nothing_serious(opened, width, dark):
    """https://github.com/dequelabs/axe-core"""
    tab = opened(width=width, dark=dark)
    tab.evaluate(files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8") + "; 0")
    found = tab.evaluate(
        "axe.run().then(({violations}) => violations.map(({id, impact, nodes}) => [id, impact, nodes.length]))"
    )
    assert [each for each in found if each[1] in ("serious", "critical")] == []
    light = tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert light is not dark


@pytest.mark.parametrize("asks", ['<img src="https://example.com/a.png">', "<script>document.title = 'ran'</script>"])
def test_the_browser_would_have_complained_of_a_request_or_a_script(page, tmp_path, new_tab, asks):
    copy = tmp_path / "asks.html"
    copy.write_text(page.read_text(encoding="utf-8").replace("</main>", f"{asks}</main>"), encoding="utf-8")
    tab = new_tab()
    tab.open(copy.as_uri())
    tab.until(DRAWN)
    assert any("Content Security Policy" in said for said in tab.complaints())
    assert tab.evaluate("document.title") == "A ladder of sentiment classifiers"
    tab.close()
