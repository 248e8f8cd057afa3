"""What the demo answers to a browser's requests, and which it refuses.

A page of another site must neither read what is answered here nor have a model work: texts come only as JSON, which
browsers let no other site send without asking, and a name that leads to 127.0.0.1 is refused (DNS rebinding).
"""

import json
import select
import socket
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING

from stages.common.command import InputError
from stages.serving.demo.trained_models import LONGEST, UnusableModelError

if TYPE_CHECKING:
    from stages.serving.demo.server import Demo

ADDRESS = "127.0.0.1"
STAGES = Path(__file__).parents[2]
PAGE = STAGES / "serving/demo/page"
FILES = {  # by their addresses: the demo looks like the report
    "/report.css": (STAGES / "reporting/page/page.css", "text/css"),
    "/demo.css": (PAGE / "demo.css", "text/css"),
    "/demo.js": (PAGE / "demo.js", "text/javascript"),
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
LARGEST = 12 * LONGEST + 1000  # bytes of a request: JSON may write a character as two escapes of six
FIELDS = {"corpus", "model", "text"}


class Handler(BaseHTTPRequestHandler):
    server: "Demo"
    protocol_version = "HTTP/1.1"  # a connection for all requests
    wbufsize = -1  # headers and body are sent together
    timeout = 60  # seconds without a word from the browser

    def do_GET(self) -> None:
        if self.refuses_host():
            return
        if self.path == "/":
            try:
                self.send(HTTPStatus.OK, "text/html", self.server.page().encode())
            except InputError as error:
                self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        elif self.path in FILES:
            file, kind = FILES[self.path]
            self.send(HTTPStatus.OK, kind, file.read_bytes())
        else:
            self.refuse(HTTPStatus.NOT_FOUND, "there is no such page; the demo is at /")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            self.refuse(HTTPStatus.LENGTH_REQUIRED, "a request says its length in Content-Length")
        elif len(length) > len(str(LARGEST)) or int(length) > LARGEST:
            sentence = f"the text has more than {LONGEST:,} characters; shorten it"
            self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, sentence)
        else:  # read it even if it is refused: what is left unread can keep the refusal from arriving
            self.reply(self.rfile.read(int(length)))

    def reply(self, body: bytes) -> None:
        models = self.server.models
        ways = {"/answer": models.answer, "/marks": partial(models.marks, go_on=self.check_browser)}
        if self.refuses_host():
            return
        if self.path not in ways:
            self.refuse(HTTPStatus.NOT_FOUND, f"there is no such page; texts are read at {' and '.join(ways)}")
            return
        if self.headers.get_content_type() != "application/json":
            self.refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "a text is sent as application/json")
            return
        try:
            found = ways[self.path](**fields(body))
        except UnusableModelError as error:
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        except InputError as error:
            self.refuse(HTTPStatus.BAD_REQUEST, str(error))
        else:
            self.send(HTTPStatus.OK, "application/json", json.dumps(found).encode())

    def check_browser(self) -> None:
        """So that no model works on marks of a text that has been written over meanwhile."""
        if select.select([self.connection], [], [], 0)[0] and not self.connection.recv(1, socket.MSG_PEEK):
            raise ConnectionAbortedError

    def refuses_host(self) -> bool:
        known = [f"{name}:{self.server.server_port}" for name in (ADDRESS, "localhost")]
        if self.headers.get("Host") in known:
            return False
        self.refuse(HTTPStatus.MISDIRECTED_REQUEST, f"the demo is at http://{known[0]}, under no other name or port")
        return True

    def refuse(self, status: HTTPStatus, sentence: str) -> None:
        self.close_connection = True
        self.send(status, "application/json", json.dumps({"error": sentence}).encode())

    def send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


def fields(body: bytes) -> dict[str, str]:
    """The corpus, the model and the text of a request."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    all_text = isinstance(found, dict) and all(isinstance(value, str) for value in found.values())
    if not all_text or set(found) != FIELDS:
        raise InputError("a request is a JSON object of corpus, model and text")
    return found
