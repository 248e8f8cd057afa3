"""Print how accurate the models of a run are, and what to do next, at the end of `make repro`."""

import shutil
from pathlib import Path

from stages.common import command, files, params
from stages.scoring.selection import selected_models

EXAMPLE = "A quiet triumph."


def accuracies(metrics: Path, models: list[str], split: str) -> dict[str, float]:
    """Accuracies of the evaluated models, the highest first."""
    found = {name: files.read_json(metrics / f"{name}.json").get(split, {}).get("accuracy") for name in models}
    return dict(
        sorted(((name, value) for name, value in found.items() if value is not None), key=lambda item: -item[1])
    )


def in_columns(entries: list[str], width: int) -> list[str]:
    """Lines with as many entries as fit, aligned in columns."""
    widest = max(map(len, entries)) + 3
    count = max(1, width // widest)
    return ["".join(entry.ljust(widest) for entry in entries[at : at + count]) for at in range(0, len(entries), count)]


def main() -> None:
    everything = params.load()
    models, split = selected_models(everything), everything["evaluate"]["splits"][-1]
    for corpus in everything["run"]["corpora"]:
        found = accuracies(Path("metrics", corpus), models, split)
        if found:
            print(f"{corpus}: accuracy on {split}")
            entries = [f"{name} {value:.3f}" for name, value in found.items()]
            print(*in_columns(entries, shutil.get_terminal_size((120, 24)).columns), sep="\n")
    print("all of it: data/report.html, a page for your browser")
    print("ask them:  make demo, a local page where every model answers what you type")
    print(f'ask one:   .venv/bin/python -m stages.predict --corpus {everything["run"]["corpora"][0]} "{EXAMPLE}"')


if __name__ == "__main__":
    command.run(main)
