"""Report: all committed results as one HTML page that needs no network."""

from importlib.metadata import version
from pathlib import Path

from stages.common import command, files, params
from stages.common.command import InputError
from stages.common.files import read_json
from stages.reporting.corpora import describe, evaluated
from stages.reporting.document import document
from stages.reporting.studies import gates, scaling

PACKAGES = ("dvc", "torch", "transformers", "tokenizers", "scikit-learn", "scipy", "numpy", "pandas", "pyarrow")


def main() -> None:
    paths = {"results": Path, "mistakes": Path, "benchmarks": Path, "out": Path}
    arguments = command.arguments(__doc__, **paths)
    selected = params.load()["run"]["corpora"]
    written = {name: read_json(arguments.results / f"{name}.json") for name in ("claims", "gates")}
    if missing := [name for name, content in written.items() if not content]:
        raise InputError(f"{arguments.results}/{missing[0]}.json is missing; `dvc repro` makes it")
    claims = written["claims"]["claims"]
    folders = evaluated(arguments.results, selected)
    corpora = [
        describe(folder, arguments.mistakes / f"{folder.name}.json", folder.name in selected, claims)
        for folder in folders
    ]
    studies = {"gates": gates(written["gates"]), "attention": scaling(read_json(arguments.benchmarks))}
    described = [(corpus["name"], corpus) for corpus in corpora] + list(studies.items())
    page = document(
        charts={f"{name}-{key}": chart for name, found in described for key, chart in found["charts"].items()},
        corpora=corpora,
        claims=claims,
        versions={package: version(package) for package in PACKAGES},
        parameters={file: Path(file).read_text(encoding="utf-8") for file in ("run.yaml", "params.yaml")},
        **studies,
    )
    with files.new_file(arguments.out) as temporary:
        temporary.write_text(page, encoding="utf-8")
    print(f"the report: {arguments.out}, {arguments.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    command.run(main)
