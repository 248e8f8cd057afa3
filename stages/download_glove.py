"""Download: GloVe's word vectors of one dimension, from their public archive or a mirror, verified by their content."""

from pathlib import Path

from stages.common import command, files, params
from stages.common.command import InputError
from stages.corpus import archives, sources


def main() -> None:
    arguments = command.arguments(__doc__, dimension=int, downloads=Path, out=Path)
    glove = params.load()["glove"]
    name = f"glove.6B.{arguments.dimension}d.txt"
    if name not in glove["checksums"]:
        raise InputError(
            f"params.yaml: glove.checksums has no {name!r}{params.suggestion(name, list(glove['checksums']))}"
        )
    wanted = {name: glove["checksums"][name]}
    with files.new_folder(arguments.out) as folder, sources.fetched(glove["address"], arguments.downloads) as archive:
        archives.extract(archive, wanted, folder)
        sources.verify(folder, wanted)
    print(name)


if __name__ == "__main__":
    command.run(main)
