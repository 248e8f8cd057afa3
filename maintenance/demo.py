"""A local page on which every trained model answers about a text: `make demo`, or `make demo PORT=9000`."""

import argparse
import errno
from pathlib import Path

from stages.common import command
from stages.common.command import InputError
from stages.serving.demo.handler import ADDRESS
from stages.serving.demo.server import Demo
from stages.serving.demo.trained_models import TrainedModels

PORT = 8765


def port_number(port: str) -> int:
    if not (port.isascii() and port.isdigit() and 1024 <= int(port[:6]) <= 65535):
        raise InputError(f"{port!r} is not a port; give a whole number from 1024 to 65535: make demo PORT=9000")
    return int(port)


def started(port: int, models: TrainedModels, rows: Path) -> Demo:
    models.corpora()  # refuses to start without any
    try:
        return Demo(port, models, rows)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        other = port + 1 if port < 65535 else PORT
        raise InputError(f"port {port} is taken; choose another: make demo PORT={other}") from None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", default=str(PORT), help="of this machine: %(default)s")
    port = port_number(parser.parse_args().port)
    models = TrainedModels(Path("data/trained"), Path("data/encoders"))
    with started(port, models, Path("data/corpora")) as demo:
        print(f"open http://{ADDRESS}:{demo.server_port} in a browser on this machine; Ctrl-C ends it", flush=True)
        try:
            demo.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    command.run(main)
