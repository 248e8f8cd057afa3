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
        command = ["gc", "--workspace", *sys.argv[1:], "--projects", *map(str, projects)]
        sys.exit(subprocess.run([sys.executable, "-m", "dvc", *command]).returncode)


if __name__ == "__main__":
    main()
