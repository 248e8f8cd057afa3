"""Download: a corpus's files, from its public address, a mirror or its folder, verified by their content."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from stages.lib import archives, command, files, params, sources
from stages.lib.command import InputError


def copy_files(source: Path, names: Iterable[str], folder: Path) -> None:
    for name in names:
        if not (source / name).is_file():
            raise InputError(f"{source / name} is not there; put it there, or correct the corpus in params.yaml")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, folder / name)


def main() -> None:
    arguments = command.arguments(__doc__, corpus=str, local=Path, downloads=Path, out=Path)
    source = params.section("corpora", arguments.corpus)["source"]
    downloaded = None
    try:
        with files.new_folder(arguments.out) as folder:
            if "address" in source:
                downloaded = sources.fetch(source["address"], arguments.downloads)
                archives.extract(downloaded, source["files"], folder)
            else:
                copy_files(arguments.local, source["files"], folder)
            sources.verify(folder, source["files"])
    finally:
        # Used or wrong, a downloaded archive goes; a mirror's own file stays.
        if downloaded and downloaded.parent == arguments.downloads:
            downloaded.unlink()
    print(f"{arguments.corpus}: {', '.join(source['files'])}")


if __name__ == "__main__":
    command.run(main)
