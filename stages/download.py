"""Download: a corpus's files, from its public address, a mirror or its folder, verified by their content."""

from pathlib import Path

from stages.lib import archives, command, files, params, sources


def main() -> None:
    arguments = command.arguments(__doc__, corpus=str, local=Path, downloads=Path, out=Path)
    source = params.section("corpora", arguments.corpus)["source"]
    with files.new_folder(arguments.out) as folder:
        if "address" in source:
            with sources.fetched(source["address"], arguments.downloads) as archive:
                archives.extract(archive, source["files"], folder)
                sources.verify(folder, source["files"])
        else:
            sources.copy_files(arguments.local, source["files"], folder)
            sources.verify(folder, source["files"])
    print(f"{arguments.corpus}: {', '.join(source['files'])}")


if __name__ == "__main__":
    command.run(main)
