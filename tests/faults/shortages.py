"""A full disk and a lost network: one sentence, no out, and a rerun that ends well."""

import random
import re

from tests.faults.case import Case
from tests.faults.outcomes import contents, whole_outs


def fill_disk(case: Case, generator: random.Random) -> list[str]:
    """Run a step with a limit on file sizes that its largest file exceeds; returns the faults."""
    limit = int(generator.uniform(0.05, 0.95) * case.largest)
    return run_short(case, f"no file over {limit:,} bytes", "error: (data|results|metrics)/", largest_file=limit)


def lose_network(case: Case) -> list[str]:
    """Run a step while every connection breaks off; returns the faults."""
    case.host.broken_off = 1.0
    return run_short(case, "no connection that lasts", f"error: {re.escape(case.host.address)}/")


def run_short(case: Case, what: str, place: str, largest_file: int | None = None) -> list[str]:
    """Run a step that lacks something; returns the faults. place: a pattern for the start of its sentence."""
    with case.copy() as folder:
        with case.start(folder, largest_file) as run:
            status = run.end()
        print(f"{case.step.name:32} {what}: {run.said}", flush=True)
        faults = case.bad_ending(run) if status == 1 else [f"{what}, and exit status {status}"]
        if not re.match(place, run.said):
            faults.append(f"{what}, and it did not say where")
        _, broken = whole_outs(contents(folder), case.expected, case.step.outs)
        case.host.broken_off = 0.0
        return faults + broken + case.finish(folder) + case.fetched_again()
