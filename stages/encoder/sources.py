"""Where the files of a pretrained encoder come from: an installed package, a folder, a mirror, or the hub."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from stages.common.command import InputError
from stages.common.files import home_path, sha256
from stages.corpus import sources
from stages.corpus.packages import package_folder

WITHOUT = {  # a file, what a model without it has instead, and what to do
    "tokenizer.json": "it has no fast tokenizer; save one with `AutoTokenizer.from_pretrained(…).save_pretrained(…)`",
    "model.safetensors": "its weights are in several files, or pickled, which is never read; "
    "save them with `AutoModel.from_pretrained(…).save_pretrained(…)`",
}


def fetch_files(source: dict, names: Iterable[str], downloads: Path, folder: Path) -> None:
    """Copy an encoder's files into a folder.

    `DATA_MIRROR` in the environment, a folder or an address, is asked for <owner>/<model>/<file> of a model of the hub.

    Raises:
        InputError: a file is not there, or cannot be fetched.
    """
    if "hub" not in source:
        there = local_folder(source)
        for name in names:
            if (there / "config.json").is_file() and not (there / name).is_file():
                raise InputError(f"{there / name} is not there: {WITHOUT[name]}")
        sources.copy_files(there, names, folder)
    elif os.environ.get("DATA_MIRROR"):
        fetch_from_mirror(source, names, downloads, folder)
    else:
        for name in names:
            shutil.copyfile(fetch_from_hub(source, name), folder / name)


def local_folder(source: dict) -> Path:
    return package_folder(**source) if "package" in source else home_path(source["folder"], "source.folder")


def fetch_from_mirror(source: dict, names: Iterable[str], downloads: Path, folder: Path) -> None:
    address = f"https://huggingface.co/{source['hub']}/resolve/{source['revision']}"
    of_revision = downloads / source["revision"]  # a part of another revision's file must not be gone on with
    for name in names:
        with sources.fetched(f"{address}/{name}", of_revision, f"{source['hub']}/{name}") as path:
            shutil.copyfile(path, folder / name)
    shutil.rmtree(of_revision, ignore_errors=True)


def fetch_from_hub(source: dict, name: str) -> str:
    """The path of a file in the hub's own cache; HF_ENDPOINT, HF_TOKEN, HF_HOME and HF_HUB_OFFLINE are its own to read.

    Raises:
        InputError: the hub cannot be reached, or has no such model, revision or file.
    """
    from huggingface_hub import errors, hf_hub_download  # which other sources do without

    model, revision, endpoint = source["hub"], source["revision"], os.environ.get("HF_ENDPOINT") or None
    try:
        return hf_hub_download(model, name, revision=revision, endpoint=endpoint)
    except errors.LocalEntryNotFoundError:
        raise InputError(
            f"{model} could not be fetched from the hub; check the network, or set DATA_MIRROR to a folder or address "
            f"that holds {model}/{name}"
        ) from None
    except errors.EntryNotFoundError:
        without = WITHOUT.get(name, "it is not a model; name another encoder")
        raise InputError(f"{model} has no {name} at revision {revision}: {without}") from None
    except errors.RevisionNotFoundError:
        raise InputError(f"{model} has no revision {revision}; correct the encoder's revision") from None
    except errors.GatedRepoError:
        raise InputError(f"{model} asks for consent; give it on the model's page, and set HF_TOKEN") from None
    except errors.RepositoryNotFoundError:
        raise InputError(f"the hub has no {model}, or not for everybody; correct its name, or set HF_TOKEN") from None
    except (errors.HfHubHTTPError, OSError) as error:
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"{model}/{name} could not be fetched from the hub ({reason}); try again later") from None


def check_pinned(name: str, source: dict, checksums: dict[str, str | None], folder: Path) -> None:
    """A revision of the hub does not change; files of a folder or a package do, and DVC does not look at them.

    Raises:
        InputError: such a file has no checksum; the sentence has those of the files that are there now.
    """
    if "hub" not in source and None in checksums.values():
        found = ", ".join(f"{file}: {sha256(folder / file)}" for file in sorted(checksums))
        raise InputError(
            f"params.yaml: encoders.{name}.checksums holds null, and other files would go unseen; "
            f"if these are the ones that you mean, write {{{found}}}"
        )
