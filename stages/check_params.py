"""Check the parameters before anything runs."""

from pathlib import Path

from stages.common import command, files, params


def main() -> None:
    arguments = command.arguments(__doc__, out=Path)
    params.check_encoders(params.load()["run"])
    with files.new_file(arguments.out) as temporary:
        temporary.write_text("params.yaml is without fault.\n", encoding="utf-8")


if __name__ == "__main__":
    command.run(main)
