"""Download: the tokenizer of the encoder whose wordpieces describe the corpora, without its weights."""

from pathlib import Path

from stages.common import command, files, params
from stages.corpus.sources import verify
from stages.encoder.sources import fetch_files

NAME = "tokenizer.json"


def main() -> None:
    arguments = command.arguments(__doc__, encoder=str, downloads=Path, out=Path)
    encoder = params.section("encoders", arguments.encoder)
    with files.new_folder(arguments.out) as folder:
        fetch_files(encoder["source"], [NAME], arguments.downloads, folder)
        verify(folder, {NAME: encoder["checksums"][NAME]})
    print(arguments.encoder)


if __name__ == "__main__":
    command.run(main)
