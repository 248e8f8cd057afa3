"""A server on this machine that serves one file by ranges, slowly, and breaks off some connections."""

import random
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CHUNK = 1 << 14
RATE = 1_500_000  # bytes a second: slow enough that kills land inside a download


class Host:
    """Answers every path with the same content, and records how many bytes its clients request again."""

    def __init__(self, content: bytes, seed: int):
        self.content = content
        self.random = random.Random(seed)
        self.broken_off = 0.0  # the share of the connections that close before their end
        self.forget()
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def forget(self) -> None:
        """Treat the next client as a new one."""
        self.furthest = self.given_up = 0  # bytes sent; the most bytes that a connection requested again

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        size = len(self.content)
        first = int(handler.headers.get("Range", "bytes=0-")[len("bytes=") : -1])
        if first >= size:
            handler.send_response(416)
            handler.end_headers()
            return
        self.given_up = max(self.given_up, self.furthest - first)
        handler.send_response(206)
        handler.send_header("Content-Length", str(size - first))
        handler.send_header("Content-Range", f"bytes {first}-{size - 1}/{size}")
        handler.end_headers()
        breaks_off = self.random.random() < self.broken_off
        self.send(handler, first, self.random.randrange(first, size) if breaks_off else size)

    def send(self, handler: BaseHTTPRequestHandler, first: int, last: int) -> None:
        for start in range(first, last, CHUNK):
            chunk = self.content[start : min(start + CHUNK, last)]
            try:
                handler.wfile.write(chunk)
            except ConnectionError:  # the reader was killed
                return
            self.furthest = max(self.furthest, start + len(chunk))
            time.sleep(len(chunk) / RATE)
