"""Kill the pipeline's steps at random points, restart them, and compare with steps left alone: `make faults`.

The time of a kill is a share of a clean run's time, which includes start-up. The seed decides the shares and the
signals; where in the work a kill lands depends on how busy the machine is.
"""

import argparse
import itertools
import random
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.encoders import write_encoder
from tests.faults.case import Case
from tests.faults.concurrent_starts import start_twice
from tests.faults.host import Host
from tests.faults.kills import kill_anywhere
from tests.faults.outcomes import leftovers
from tests.faults.project import ENCODER, PIECES, REPRO, STEPS, Step, archive, write_project
from tests.faults.shortages import fill_disk, lose_network
from tests.faults.truncated_records import cut_short

ROWS = 30_000  # of the corpus; `dvc repro`, which runs every stage, gets a sixth of them
NEED_ENCODER = ("download_encoder", REPRO.name)
VICTIMS = {step.name: step for step in [*STEPS, REPRO] if step.share}


def shares(steps: list[Step], kills: int) -> dict[str, int]:
    """How often to kill each step, in proportion to its share."""
    total = sum(step.share for step in steps)
    ends = [round(kills * end / total) for end in itertools.accumulate(step.share for step in steps)]
    return {step.name: end - start for step, start, end in zip(steps, [0, *ends], ends, strict=False)}


def try_step(
    step: Step, folder: Path, host: Host, kills: int, seed: int, signals: Iterator[signal.Signals]
) -> list[str]:
    """Run a step in its project's folder, then kill copies of it and let them run out of space; returns the faults."""
    with TemporaryDirectory() as before:
        case = Case(step, Path(shutil.copytree(folder, before, dirs_exist_ok=True)), host)
        case.run_cleanly(folder)
        if not kills:
            return []
        generator = random.Random(f"{seed} {step.name}")
        faults = leftovers(case.expected) + kill_anywhere(case, kills, generator, signals)
        if step.runs_dvc:
            print(f"{step.name:32} of {kills} kills, {case.repaired} damaged a file of DVC's", flush=True)
            faults += cut_short(case, folder, generator)
        else:
            faults += fill_disk(case, generator) + start_twice(case, generator)
        if step.name == "download":
            faults += lose_network(case)
    for fault in faults:
        print(f"FAULT: {step.name}: {fault}", flush=True)
    return faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=40, help="how many in all; 40")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=ROWS, help=f"of the corpus; more take longer; {ROWS}")
    parser.add_argument("--stages", nargs="+", choices=VICTIMS, default=list(VICTIMS), help="which to kill; all")
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored if this was started in the background
    kills = shares([VICTIMS[name] for name in arguments.stages], arguments.kills)
    signals, faults = itertools.cycle((signal.SIGKILL, signal.SIGTERM, signal.SIGINT)), {}
    with TemporaryDirectory() as name:
        for folder, steps, rows in (("stages", STEPS, arguments.rows), ("repro", [REPRO], arguments.rows // 6)):
            host = Host(archive(rows), arguments.seed)
            wanted = [number for number, step in enumerate(steps, 1) if kills.get(step.name)]
            needed = steps[: max(wanted, default=0)]
            if any(step.name in NEED_ENCODER for step in needed):
                write_encoder(Path(name) / folder / "encoder", PIECES, ENCODER)
            if needed:
                write_project(Path(name) / folder, host.address)
            for step in needed:
                number = kills.get(step.name, 0)
                found = try_step(step, Path(name) / folder, host, number, arguments.seed, signals)
                if number:
                    faults[step.name] = found

    for step, found in faults.items():
        print(f"{step:32} {kills[step]:3} kills  {f'{len(found)} FAULTS' if found else 'identical'}")
    count = sum(map(len, faults.values()))
    print(f"{sum(kills.values())} kills, {f'{count} faults' if count else 'every result identical, nothing lost'}")
    sys.exit(count > 0)


if __name__ == "__main__":
    main()
