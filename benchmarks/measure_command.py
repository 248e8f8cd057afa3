"""Run a command and append its wall time and peak memory to a file: `python measure_command.py <file> <command> ...`.

It runs as its own process and imports next to nothing, since Linux counts into a child's peak what its parent held
when it started the child: gigabytes if the parent had loaded torch.
"""

import json
import os
import sys
import time


def main() -> None:
    results, *command = sys.argv[1:]
    start = time.perf_counter()
    _, status, usage = os.wait4(os.posix_spawnp(command[0], command, os.environ), 0)
    seconds = time.perf_counter() - start
    gigabytes = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9
    with open(results, "a", encoding="utf-8") as file:  # noqa: PTH123, pathlib is one more import
        print(json.dumps({"command": command, "seconds": seconds, "gigabytes": gigabytes}), file=file)
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
