"""Download: a pretrained encoder, from an installed package, a folder or the hub, verified by its content."""

import shutil
from pathlib import Path

from stages.common import command, files, params
from stages.corpus import sources
from stages.corpus.packages import package_folder
from stages.encoder.encoder_files import FILES
from stages.encoder.trial import check_encoder


def source_folder(source: dict) -> Path:
    """Where the files lie on this machine: in an installed package, or in a folder."""
    return package_folder(**source) if "package" in source else Path(source["folder"])


def fetch_from_hub(source: dict, downloads: Path, folder: Path) -> None:
    address = f"https://huggingface.co/{source['hub']}/resolve/{source['revision']}"
    of_revision = downloads / source["revision"]  # a part of another revision's file must not be gone on with
    for name in FILES:
        in_mirror = f"{Path(source['hub']).name}/{name}"
        with sources.fetched(f"{address}/{name}", of_revision, in_mirror) as path:
            shutil.copyfile(path, folder / name)
    shutil.rmtree(of_revision, ignore_errors=True)


def main() -> None:
    arguments = command.arguments(__doc__, encoder=str, downloads=Path, out=Path)
    encoder = params.section("encoders", arguments.encoder)
    with files.new_folder(arguments.out) as folder:
        if "hub" in encoder["source"]:
            fetch_from_hub(encoder["source"], arguments.downloads, folder)
        else:
            sources.copy_files(source_folder(encoder["source"]), FILES, folder)
        sources.verify(folder, encoder["checksums"])
        check_encoder(folder, arguments.encoder, max_length=encoder["max_length"], layers=encoder["layers"])
    print(arguments.encoder)


if __name__ == "__main__":
    command.run(main)
