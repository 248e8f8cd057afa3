"""DVC's two records, cut short as by a kill while DVC writes them in place: either is refused in a sentence."""

import random
import shutil
from pathlib import Path

from tests.faults.case import LOCK, RWLOCK, Case


def cut_short(case: Case, ended: Path, generator: random.Random) -> list[str]:
    """Cut each record of a project that has run; what was wrong then, or at the next end."""
    faults = []
    with case.copy() as folder:
        shutil.copytree(ended, folder, dirs_exist_ok=True)
        content = (folder / LOCK).read_text(encoding="utf-8")
        # Before a colon: cut between two entries it would be a shorter record, not a damaged one.
        cut = content.rindex(":", 0, generator.randrange(100, len(content)))
        for record, left in ((LOCK, content[:cut]), (RWLOCK, '{"re')):
            (folder / record).write_text(left, encoding="utf-8")
            before = case.mended
            print(f"{case.step.name:32} {record} cut short after {len(left):,} characters", flush=True)
            faults += case.finish(folder)
            if case.mended == before:
                faults.append(f"{record}, cut short, was not refused")
    return faults
