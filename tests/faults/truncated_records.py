"""DVC's two files that it writes in place, truncated as by a kill: DVC must refuse either in a sentence."""

import random
import re
import shutil
from pathlib import Path

from tests.faults.case import LOCK, RWLOCK, Case


def cut_short(case: Case, ended: Path, generator: random.Random) -> list[str]:
    """Truncate each file in a project that has run, and run the step again; returns the faults."""
    faults = []
    with case.copy() as folder:
        shutil.copytree(ended, folder, dirs_exist_ok=True)
        content = (folder / LOCK).read_text(encoding="utf-8")
        # Behind a key that follows another: between two entries, the file would be shorter but valid.
        cut = generator.choice([key.end() for key in re.finditer(r"\n +(?:hash|md5|size)(?=:)", content)])
        for record, left in ((LOCK, content[:cut]), (RWLOCK, '{"re')):
            (folder / record).write_text(left, encoding="utf-8")
            before = case.repaired
            print(f"{case.step.name:32} {record} truncated to {len(left):,} characters", flush=True)
            faults += case.finish(folder)
            if case.repaired == before:
                faults.append(f"{record}, truncated, was not refused")
    return faults
