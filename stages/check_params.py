"""Check the parameters before anything runs, and files outside the project that DVC does not look at."""

from collections.abc import Iterator
from pathlib import Path

from stages.common import command, files, params
from stages.common.command import InputError
from stages.common.run_checks import check_run
from stages.corpus.packages import package_folder
from stages.encoder.sources import local_folder


def local_sources(everything: dict) -> Iterator[tuple[str, Path, dict[str, str | None]]]:
    """Which of the files that are selected lie in a folder or a package: their key, their folder and their SHA-256."""
    run = everything["run"]
    for name in dict.fromkeys([run["described_by"], *run["encoders"]]):
        encoder = everything["encoders"][name]
        if "hub" not in encoder["source"]:
            yield f"encoders.{name}", local_folder(encoder["source"]), encoder["checksums"]
    for dimension in run["glove_dimensions"]:
        glove = everything["glove"][f"{dimension}d"]
        if "package" in glove:
            yield f"glove.{dimension}d", package_folder(glove["package"], glove["folder"]), glove["files"]


def check_content(key: str, folder: Path, checksums: dict[str, str | None]) -> None:
    """Files that are there are those whose checksums the parameters have; what is not there may be in DVC's cache.

    Raises:
        InputError: one has another content.
    """
    for name, expected in checksums.items():
        path = folder / name
        if expected and path.is_file() and (found := files.sha256(path)) != expected:
            raise InputError(
                f"params.yaml: {key}: {path} has SHA-256 {found}, expected {expected}; put the former file back, "
                "or correct its checksum if the change is meant"
            )


def main() -> None:
    arguments = command.arguments(__doc__, out=Path)
    everything = params.load()
    check_run(everything)
    for source in local_sources(everything):
        check_content(*source)
    with files.new_file(arguments.out) as temporary:
        temporary.write_text("params.yaml is without fault.\n", encoding="utf-8")


if __name__ == "__main__":
    command.run(main)
