"""`dvc gc`, but nothing goes that a run in runs/ needs: `make gc`. By itself `dvc gc -w` keeps what run.yaml names."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from maintenance.projects import project_of, runs


def main() -> None:
    root = Path()
    with ExitStack() as stack:
        projects = [stack.enter_context(project_of(run, root)) for run in runs(root)]
        kept = [option for folder in projects for option in ("--projects", str(folder))]
        sys.exit(subprocess.run([sys.executable, "-m", "dvc", "gc", "--workspace", *kept, *sys.argv[1:]]).returncode)


if __name__ == "__main__":
    main()
