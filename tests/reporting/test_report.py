"""The report: a page of results that requests nothing from the network and escapes people's texts."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import yaml

from stages.reporting.corpora import evaluated
from stages.reporting.document import FOLDER
from stages.reporting.mistakes import LONGEST, by_text
from tests.projects import REPOSITORY
from tests.reporting.conftest import HOSTILE, THREE, write_page

SECTIONS = ["claims", "gates", "attention", "parameters"]


class Elements(HTMLParser):
    """Tags with their attributes, and by tags the texts."""

    def __init__(self, text: str):
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.text: dict[str, list[str]] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.text.setdefault(self.found[-1][0] if self.found else "", []).append(data)

    def ids(self, tag: str) -> list[str]:
        return [attributes["id"] for name, attributes in self.found if name == tag and "id" in attributes]


def read(page: Path) -> Elements:
    return Elements(page.read_text(encoding="utf-8"))


def charts_of(page: Path) -> dict[str, dict]:
    [written] = re.findall(r'<script type="application/json" id="charts">(.*?)</script>', page.read_text(), re.DOTALL)
    return json.loads(written)


def test_every_section_and_every_evaluated_corpus_is_there(page):
    elements = read(page)
    corpora = {path.parent.name for path in (page.parent / "results").glob("*/comparison.json")}
    assert "hostile" in corpora
    sections = elements.ids("section")
    assert set(sections[: len(corpora)]) == {f"corpus-{name}" for name in corpora}
    assert sections[len(corpora) :] == SECTIONS
    links = {attributes["href"] for tag, attributes in elements.found if tag == "a"}
    assert {f"#{section}" for section in sections} <= links
    assert {link.removeprefix("#") for link in links} <= {found.get("id") for _, found in elements.found}


def test_every_chart_is_there_and_says_what_it_shows(page):
    elements = read(page)
    named = [attributes["data-chart"] for _, attributes in elements.found if "data-chart" in attributes]
    charts = charts_of(page)
    assert sorted(named) == sorted(charts)
    assert {f"{name}-frontier" for name in ("movies", "sst2", "imdb", "sample", "hostile")} <= set(charts)
    assert all(len(chart["description"]) > 10 for chart in charts.values())


def test_the_charts_show_the_accuracies_of_the_notebooks(page):
    drawn = json.dumps(charts_of(page))
    assert sorted(set(re.findall(r"notebook [KN]: [\d.]+", drawn))) == ["notebook K: 77.1", "notebook N: 90.9"]


def test_the_page_is_small_and_loads_nothing(page):
    assert page.stat().st_size < 4_000_000
    elements = read(page)
    assert not {tag for tag, _ in elements.found} & {"iframe", "object", "embed", "img"}
    assert [attributes for _, attributes in elements.found if "src" in attributes] == []
    assert {attributes["href"][0] for _, attributes in elements.found if "href" in attributes} == {"#", "d"}  # data:


def test_what_people_wrote_is_text_in_elements_and_in_scripts(page):
    text = page.read_text(encoding="utf-8")
    assert text.count("<script") == 3 and "<img src=x" not in text
    assert "onerror=&#34;" in text and r"\u003c/script\u003e" in text
    assert charts_of(page)["hostile-frontier"]["data"]["values"][-1]["name"] == f"model {HOSTILE}"
    assert all(name in "".join(read(page).text["th"]) for name in THREE)


def test_what_a_small_model_learned_is_beside_the_same_model_and_its_teacher(page):
    text = page.read_text(encoding="utf-8")
    assert text.count("Learned from a teacher</h3>") == 1 + sum(
        bool(json.loads(path.read_text()).get("teacher"))
        for path in (page.parent / "results").glob("[!h]*/comparison.json")
    )
    section = text[text.index('id="hostile-taught"') : text.index('id="hostile-curves"')]
    models = json.loads((page.parent / "results/hostile/comparison.json").read_text())["models"]
    [row] = re.findall(r'<tr role="row" data-name="lstm_distilled">.*?</tr>', section, re.DOTALL)
    cells = [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td [^>]*>(.*?)</td>", row, re.DOTALL)]
    small, alone, teacher = (models[name] for name in ("lstm_distilled", "lstm", f"model {HOSTILE}"))
    gained, distance = (each["accuracy"] - alone["accuracy"] for each in (small, teacher))
    assert cells[0].startswith(f"{100 * small['accuracy']:.1f} (") and cells[1].startswith(
        f"{100 * alone['accuracy']:.1f} ("
    )
    assert cells[2].rstrip("*") == f"{100 * gained:+.1f}"
    assert cells[3:] == [f"{100 * gained / distance:.0f}", f"{100 * small['parameters'] / teacher['parameters']:.1f}"]
    assert "onerror=&#34;" in section and "<img" not in section


def test_the_same_results_give_the_same_page(page, tmp_path):
    assert write_page(page.parent, tmp_path / "again.html").read_bytes() == page.read_bytes()


def test_the_selected_corpora_come_first_and_the_others_are_marked(page):
    selected = yaml.safe_load((REPOSITORY / "run.yaml").read_text())["run"]["corpora"]
    names = [folder.name for folder in evaluated(page.parent / "results", selected)]
    sections = [name.removeprefix("corpus-") for name in read(page).ids("section") if name.startswith("corpus-")]
    assert sections == names
    assert names[: len(selected)] == selected
    text = page.read_text(encoding="utf-8")
    assert text.count("committed results, not selected now") == len(names) - len(selected)


def test_a_corpus_of_one_model_without_epochs_and_with_a_studys_name_has_its_page(page, tmp_path):
    shutil.copytree(page.parent / "results/sample", tmp_path / "results/gates")
    shutil.rmtree(tmp_path / "results/gates/learning_curves")
    for name in ("claims.json", "gates.json"):
        shutil.copy(page.parent / "results" / name, tmp_path / "results")
    path = tmp_path / "results/gates/comparison.json"
    comparison = json.loads(path.read_text())
    path.write_text(json.dumps(comparison | {"order": ["tfidf"], "pairs": []}))
    text = write_page(tmp_path, tmp_path / "report.html").read_text()
    assert "No other model is smaller" in text and "By how much" not in text
    assert {"gates-frontier", "gates-0"} <= set(charts_of(tmp_path / "report.html"))


def test_a_text_is_listed_once_with_all_models_that_are_wrong_about_it():
    wrong = {"id": "test.tsv:2", "label": 1, "probability_of_label": 0.1}
    other = {"id": "test.tsv:9", "label": 0, "probability_of_label": 0.2}
    found = by_text(
        {"rnn": [other], "gru": [wrong], "lstm": [wrong]}, ["no", "yes"], {"test.tsv:2": "a" * (LONGEST + 7)}
    )
    assert [mistake["id"] for mistake in found] == ["test.tsv:2", "test.tsv:9"]
    assert found[0]["models"] == {"gru": 0.1, "lstm": 0.1} and found[0]["label"] == "yes"
    assert found[0]["text"].startswith("a" * LONGEST + " … and 7 more")
    assert found[1]["text"] == ""


def test_the_stage_depends_on_all_parts_of_the_page():
    deps = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())["stages"]["report"]["deps"]
    assert FOLDER.relative_to(REPOSITORY).as_posix() in deps
    kept = re.findall(r"^!/stages/reporting/page/[*]([.]\w+)$", (REPOSITORY / ".dvcignore").read_text(), re.MULTILINE)
    assert sorted(kept) == sorted({path.suffix for path in FOLDER.iterdir()})


def test_classes_have_their_scores_where_the_results_have_them(page):
    text = page.read_text(encoding="utf-8")
    hostile = text.partition('id="corpus-hostile"')[2].partition("</section>")[0]
    number = len(json.loads((page.parent / "results/hostile/comparison.json").read_text())["models"])
    assert hostile.count('<table class="classes">') == hostile.count('<table class="confusion"') == number > 0
    assert hostile.count("<td>1,291</td>") == number * len(THREE)
    assert hostile.count('data-label="balanced accuracy, %"') == number
    movies = text.partition('id="corpus-movies"')[2].partition("</section>")[0]
    models = json.loads((page.parent / "results/movies/comparison.json").read_text())["models"].values()
    assert movies.count('<table class="classes">') == sum("by_class" in model for model in models)
