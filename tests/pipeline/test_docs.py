"""README and docs: short enough, and every link, path, command and option that they name exists."""

import importlib
import re
import shlex
import sys
from pathlib import Path

import pytest

from maintenance.notebook_parts import PAGE, page
from tests.projects import REPOSITORY

README = REPOSITORY / "README.md"
PAGES = [README, *sorted((REPOSITORY / "docs").glob("*.md"))]
MADE_UP = re.compile(r"[<*…]|\bmine\b|\breviews\.|\bscored\.|~/")  # examples
PART = r"[\w.<>*…~-]"
PATHS = re.compile(
    rf"/?{PART}+(/{PART}*)+|[\w-]+\.(csv|gz|html|json|lock|md|parquet|py|safetensors|toml|tsv|txt|yaml|zip)"
)


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def without_blocks(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def spans(text: str) -> list[str]:
    """The text in backticks, outside code blocks."""
    return re.findall(r"`([^`\n]+)`", without_blocks(text))


def commands(text: str) -> list[list[str]]:
    """The words of every command in a block or in backticks, without its comment."""
    shown = re.findall(r"^\$ (.*)$", text, re.MULTILINE)
    shown += [span for span in spans(text) if re.match(r"([A-Z_]+=\S+ )*(make|\S*python) ", span)]
    return [words for line in shown for part in line.split("&&") if (words := shlex.split(part, comments=True))]


def anchors(path: Path) -> set[str]:
    """The headings of a page as GitHub links them."""
    headings = re.findall(r"^#+ (.*)$", without_blocks(text_of(path)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_there(name: str) -> bool:
    """Whether a name is a file or folder from the root, an out of the pipeline, or a file that the parameters name."""
    made = [line.strip("/") for line in text_of(REPOSITORY / ".gitignore").splitlines()]
    made += [f".dvc{line}" for line in text_of(REPOSITORY / ".dvc/.gitignore").splitlines()]
    parameters = [REPOSITORY / "params.yaml", *(REPOSITORY / "corpora").glob("*.yaml")]
    return (
        (REPOSITORY / name).exists()
        or any(f"{name}/".startswith(f"{path}/") for path in made)
        or ("/" not in name and any(name in text_of(path) for path in parameters))
    )


def test_readme_is_short():
    text = text_of(README)
    assert len(text.splitlines()) <= 130
    assert len(text.split()) <= 1000


def test_readme_begins_with_what_a_guest_wants():
    headings = re.findall(r"^## (.*)$", text_of(README), re.MULTILINE)
    start = "\n".join(text_of(README).splitlines()[:40])
    assert {"Try it", "Results", "Your own data"} <= set(headings)
    for wanted in ("$ git clone", "$ make repro", "minilm_finetuned 0.849", "(docs/notebooks.md)"):
        assert wanted in start


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(path)):
        if not target.startswith("https://"):
            file, _, anchor = target.partition("#")
            linked = (path.parent / file).resolve() if file else path
            assert linked.exists(), target
            assert not anchor or anchor in anchors(linked), target


@pytest.mark.parametrize("path", [path for path in PAGES if path != PAGE], ids=lambda path: path.name)
def test_every_path_is_there(path):
    """In docs/layout.md, only paths from the root; another test has the rest. PAGE has its paths as links."""
    named = [name for name in spans(text_of(path)) if PATHS.fullmatch(name)]
    if path.name == "layout.md":
        named = [name for name in named if "/" in name]
    assert named
    assert [name for name in named if not MADE_UP.search(name) and not is_there(name)] == []


def test_layout_names_every_module_and_no_other():
    named, folder = set(), ""
    for line in text_of(REPOSITORY / "docs/layout.md").splitlines():
        if heading := re.match(r"## (?:`(.*)`)?", line):
            folder = heading[1]
        elif folder and folder != "benchmarks/" and line.startswith("- "):
            named |= {f"{folder}{name}" for name in re.findall(r"`([^`]+)`", line.partition(": ")[0])}
    modules = {path for part in ("stages", "maintenance", "tests") for path in (REPOSITORY / part).rglob("*.py")}
    there = {path.relative_to(REPOSITORY).as_posix() for path in modules if path.name != "__init__.py"}
    assert there - named == set()
    assert {name for name in named if not (REPOSITORY / name).is_file()} == set()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_call_of_make_names_a_target_and_what_it_reads(path):
    makefile = text_of(REPOSITORY / "Makefile")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert targets == set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())
    for words in commands(text_of(path)):
        calls = [word for word in words if "=" not in word]
        if calls[:1] == ["make"]:
            assert set(calls[1:]) <= targets, words
            settings = dict(word.split("=", 1) for word in words if "=" in word)
            assert all(re.search(rf"\b{name}\b", makefile) for name in set(settings) - {"DATA_MIRROR", "DEVICE"}), words
            run = settings.get("RUN", "mine")
            assert run == "mine" or (REPOSITORY / "runs" / f"{run}.yaml").is_file(), words


def options(module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> set[str]:
    """A command's options, from its own help."""
    monkeypatch.setattr(sys, "argv", [module, "--help"])
    with pytest.raises(SystemExit):
        importlib.import_module(module).main()
    return set(re.findall(r"--[a-z-]+", capsys.readouterr().out))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_call_of_a_module_has_options_that_exist(path, monkeypatch, capsys):
    for words in commands(text_of(path)):
        if Path(words[0]).name == "python" and words[1] == "-m":
            given = {word.partition("=")[0] for word in words[3:] if word.startswith("--")}
            assert given <= options(words[2], monkeypatch, capsys), words


def test_the_page_of_the_notebooks_is_what_make_docs_writes():
    assert text_of(PAGE) == page()
