"""The models of a corpus with their intervals as a table in the terminal: `make show`, or `make show CORPUS=sst2`."""

import sys
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from stages.common import command, params
from stages.common.command import InputError
from stages.common.files import read_json
from stages.common.suggestions import suggestion

RESULTS = Path("results")
DRAWN, WIDE = 24, 90  # characters of a drawn interval, which a terminal of so many has


def chosen(names: list[str]) -> dict[str, dict]:
    """The comparisons of the corpora that are named, or else of those that run.yaml selects."""
    known = sorted(path.parent.name for path in RESULTS.glob("*/comparison.json"))
    for name in names:
        if name not in known:
            raise InputError(f"there are no results of a corpus {name}{suggestion(name, known)}")
    selected = names or params.load()["run"]["corpora"]
    if missing := [name for name in selected if name not in known]:
        raise InputError(f"{RESULTS / missing[0]}/comparison.json is missing; `make repro` makes it")
    return {name: read_json(RESULTS / name / "comparison.json") for name in selected}


def drawn(model: dict, low: float, high: float) -> str:
    """The interval and the accuracy on a line from the lowest to the highest of all."""
    step = (high - low) / (DRAWN - 1) or 1  # all may be the same
    start, middle, end = (
        round((value - low) / step) for value in (model["interval"][0], model["accuracy"], model["interval"][1])
    )
    return "".join("●" if at == middle else "─" if start <= at <= end else " " for at in range(DRAWN))


def table_of(name: str, found: dict, width: int) -> Table:
    """The most accurate model first, and by how much each other is behind it."""
    models = dict(sorted(found["models"].items(), key=lambda item: -item[1]["accuracy"]))
    best, first = next(iter(models.items()))
    pairs = [{pair["first"], pair["second"]} for pair in found["pairs"] if pair["differs"]]
    low, high = (edge(model["interval"][end] for model in models.values()) for end, edge in ((0, min), (1, max)))

    table = Table(
        title=f"{name}: {found['rows']:,} rows of {found['split']}",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title_justify="left",
    )
    table.add_column("model", overflow="fold")
    table.add_column("accuracy, %", justify="right", overflow="fold")
    if width >= WIDE:
        table.add_column("", no_wrap=True)
    for heading in ("to the best", "parameters"):
        table.add_column(heading, justify="right", overflow="fold")
    for model, scores in models.items():
        accuracy, start, end = (100 * value for value in (scores["accuracy"], *scores["interval"]))
        behind = f"{accuracy - 100 * first['accuracy']:+.1f}{'*' if {model, best} in pairs else ' '}"
        cells = [f"{accuracy:.1f} ({start:.1f}–{end:.1f})", *([drawn(scores, low, high)] if width >= WIDE else [])]
        cells += ["" if model == best else behind, f"{scores['parameters']:,}"]
        table.add_row(model, *cells, style="bold" if model == best else None)
    table.caption = f"{100 * found['confidence']:g} % intervals; * the test tells it from the best"
    return table


def main() -> None:
    console = Console()
    for name, found in chosen(sys.argv[1:]).items():
        console.print(table_of(name, found, console.width))


if __name__ == "__main__":
    command.run(main)
