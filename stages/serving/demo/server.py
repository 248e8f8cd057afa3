"""The demo's server, for this machine alone: the page, with the names of the models and examples, and who answers."""

import sys
from concurrent.futures import CancelledError
from http.server import ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stages.serving.demo.examples import examples_of
from stages.serving.demo.handler import ADDRESS, PAGE, Handler
from stages.serving.demo.trained_models import LONGEST, TrainedModels


class Demo(ThreadingHTTPServer):
    """Listens on a port of this machine, 0 for a free one.

    rows: a folder of corpora's splits, for examples.
    """

    def __init__(self, port: int, models: TrainedModels, rows: Path):
        self.models, self.rows = models, rows
        super().__init__((ADDRESS, port), Handler)

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer's would ask a name server for this machine's name
        self.server_name, self.server_port = self.server_address

    def server_close(self) -> None:
        super().server_close()
        self.models.close()

    def handle_error(self, *connection: object) -> None:
        if not isinstance(sys.exception(), (ConnectionError, CancelledError)):  # the browser or the demo has gone
            super().handle_error(*connection)

    def page(self) -> str:
        models = {corpus: list(found) for corpus, found in self.models.corpora().items()}
        examples = {corpus: examples_of(self.rows / corpus / "valid.parquet") for corpus in models}
        environment = Environment(loader=FileSystemLoader(PAGE), autoescape=True, undefined=StrictUndefined)
        content = {"models": models, "examples": examples, "longest": LONGEST}
        return environment.get_template("demo.html").render(content=content)
