"""The report: a page of results that requests nothing from the network and escapes people's texts."""

import base64
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from stages import report
from stages.reporting.corpora import evaluated
from tests.commands import run_here
from tests.projects import REPOSITORY

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SECTIONS = ["corpus-movies", "claims", "gates", "attention", "parameters"]
HOSTILE = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    """The page of the committed results, with one corpus that was built here and has a hostile text."""
    folder = tmp_path_factory.mktemp("report")
    mistakes = {name: f"{HOSTILE} {name}" for name in names_of_mistakes(REPOSITORY / "results/movies/errors.json")}
    (folder / "movies.json").write_text(json.dumps(mistakes))
    return write_page(folder, folder / "report.html")


def write_page(mistakes: Path, out: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(REPOSITORY)
        paths = {"results": "results", "mistakes": mistakes, "benchmarks": "benchmarks/attention.json", "out": out}
        assert run_here(report, **paths) == ""
    return out


def names_of_mistakes(path: Path) -> list[str]:
    return [mistake["id"] for model in json.loads(path.read_text())["models"].values() for mistake in model["mistakes"]]


class Elements(HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self.found.append((tag, dict(attributes)))

    def ids(self, tag: str) -> list[str]:
        return [attributes["id"] for name, attributes in self.found if name == tag and "id" in attributes]


def test_every_section_and_every_evaluated_corpus_is_there(page):
    elements = Elements(page.read_text(encoding="utf-8"))
    corpora = {folder.name for folder in (REPOSITORY / "results").iterdir() if (folder / "comparison.json").is_file()}
    assert {name for name in elements.ids("section") if name.startswith("corpus-")} == {
        f"corpus-{name}" for name in corpora
    }
    assert elements.ids("section")[len(corpora) :] == SECTIONS[1:]
    links = {attributes["href"] for tag, attributes in elements.found if tag == "a"}
    assert {f"#{section}" for section in elements.ids("section")} <= links


def test_the_page_is_small_and_its_images_are_its_own_and_described(page):
    assert page.stat().st_size < 3_000_000
    elements = Elements(page.read_text(encoding="utf-8"))
    images = [attributes for tag, attributes in elements.found if tag == "img"]
    assert images
    assert all(image["src"].startswith("data:image/svg+xml;base64,") and image["alt"] for image in images)
    assert not {tag for tag, _ in elements.found} & {"script", "iframe", "object", "embed"}
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", page.read_text(encoding="utf-8"))


def test_the_charts_show_the_accuracies_of_the_notebooks(page):
    elements = Elements(page.read_text(encoding="utf-8"))
    charts = [attributes["src"] for tag, attributes in elements.found if tag == "img"]
    drawn = "".join(base64.b64decode(chart.partition(",")[2]).decode() for chart in charts)
    assert sorted(re.findall(r"notebook [KN]: [\d.]+", drawn)) == ["notebook K: 77.1", "notebook N: 90.9"]


def test_what_people_wrote_is_text(page):
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text and "onerror=&#34;" in text


def test_the_same_results_give_the_same_page(page, tmp_path):
    assert write_page(page.parent, tmp_path / "again.html").read_bytes() == page.read_bytes()


def test_the_selected_corpora_come_first_and_the_others_are_marked(page):
    text = page.read_text(encoding="utf-8")
    selected = yaml.safe_load((REPOSITORY / "run.yaml").read_text())["run"]["corpora"]
    names = [folder.name for folder in evaluated(REPOSITORY / "results", selected)]
    sections = [name.removeprefix("corpus-") for name in Elements(text).ids("section") if name.startswith("corpus-")]
    assert sections == names
    assert names[: len(selected)] == selected
    assert text.count("committed results, not selected now") == len(names) - len(selected)


def opened(page: Path, folder: Path, width: int = 1200) -> tuple[str, str]:
    """A page's DOM in a browser without a network, and what the browser prints, including its console."""
    command = [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--no-first-run"]
    command += [f"--user-data-dir={folder / 'browser'}", f"--window-size={width},900", "--virtual-time-budget=3000"]
    command += ["--host-resolver-rules=MAP * ~NOTFOUND", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.mark.skipif(not BROWSER, reason="no Chromium is installed")
@pytest.mark.parametrize("width", [1200, 380])
def test_a_browser_shows_it_without_a_complaint_and_without_a_request(page, tmp_path, width):
    shown, printed = opened(page, tmp_path, width)
    assert "CONSOLE" not in printed
    assert set(SECTIONS) <= set(Elements(shown).ids("section"))
    assert "<title>A ladder of sentiment classifiers</title>" in shown


@pytest.mark.skipif(not BROWSER, reason="no Chromium is installed")
@pytest.mark.parametrize("asks", ['<img src="https://example.com/a.png">', "<script>document.title = 'ran'</script>"])
def test_the_browser_would_have_complained_of_a_request_or_a_script(page, tmp_path, asks):
    copy = tmp_path / "asks.html"
    copy.write_text(page.read_text(encoding="utf-8").replace("</main>", f"{asks}</main>"), encoding="utf-8")
    shown, printed = opened(copy, tmp_path)
    assert "CONSOLE" in printed and "Content Security Policy" in printed
    assert "<title>A ladder" in shown
