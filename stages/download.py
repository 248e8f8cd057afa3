"""Download: a corpus's files from a public address, a mirror, a package or a folder, verified by their content."""

import shutil
from pathlib import Path

from stages.common import command, files, params
from stages.corpus import archives, source_distributions, sources, text_folders


def write_tables(folder: Path, tables: dict[str, dict]) -> None:
    """Replace each folder of text files by a table, since DVC is slow with tens of thousands of files."""
    for name, described in tables.items():
        text_folders.read_folder(folder, **described).to_parquet(folder / name, index=False)
    for unpacked in text_folders.wanted_folders(tables):
        shutil.rmtree(folder / unpacked)


def main() -> None:
    arguments = command.arguments(__doc__, corpus=str, local=Path, downloads=Path, out=Path)
    source = params.section("corpora", arguments.corpus)["source"]
    tables = source.get("tables", {})
    with files.new_folder(arguments.out) as folder:
        if "address" in source:
            with sources.fetched(source["address"], arguments.downloads) as archive:
                wanted = [*text_folders.wanted_folders(tables), *text_folders.wanted_pages(tables)]
                archives.extract(archive, [*source["files"], *wanted], folder)
                sources.verify(folder, source["files"])
                write_tables(folder, tables)
        elif "package" in source:
            source_distributions.extract(source["package"], source.get("archive"), source["files"], folder)
            sources.verify(folder, source["files"])
        else:
            sources.copy_files(arguments.local, source["files"], folder)
            sources.verify(folder, source["files"])
    print(f"{arguments.corpus}: {', '.join([*source['files'], *tables])}")


if __name__ == "__main__":
    command.run(main)
