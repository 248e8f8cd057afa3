"""A page in headless Chromium, driven by the DevTools protocol over a pipe, which needs no package.

https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"]
OPTIONS += ["--remote-debugging-pipe", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]
KEYS = {"ArrowRight": 39, "ArrowLeft": 37, "Home": 36, "End": 35, "Enter": 13, "Tab": 9}  # with their codes in Windows


class Page:
    """One tab: what it shows, what it says on its console and which addresses it asks for."""

    def __init__(self, write: int, read: int):
        self.write, self.read, self.last, self.session, self.rest = write, read, 0, None, b""
        self.events: list[dict] = []
        self.target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Page.bringToFront")  # a tab behind another is not drawn

    def call(self, method: str, **parameters: object) -> dict:
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters}
        message |= {"sessionId": self.session} if self.session else {}
        os.write(self.write, json.dumps(message).encode() + b"\0")
        while (answer := self.receive()).get("id") != self.last:
            self.events.append(answer)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def receive(self) -> dict:
        while b"\0" not in self.rest:
            got = os.read(self.read, 1 << 20)
            assert got, "Chromium has ended"
            self.rest += got
        message, _, self.rest = self.rest.partition(b"\0")
        return json.loads(message)

    def open(self, address: str, width: int = 1200, height: int = 900, dark: bool = False) -> None:
        """Until all that the page starts by itself is done."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url=address)
        self.until("document.readyState === 'complete'")

    def close(self) -> None:
        self.session = None
        self.call("Target.closeTarget", targetId=self.target)

    def evaluate(self, expression: str) -> object:
        """A JavaScript expression's value, a promise's when it is kept."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]["exception"].get("description")
        return found["result"].get("value")

    def until(self, condition: str, seconds: float = 20) -> None:
        ends = time.monotonic() + seconds
        while not self.evaluate(f"Boolean({condition})"):
            assert time.monotonic() < ends, f"never came true: {condition}"
            time.sleep(0.02)

    def at(self, selector: str) -> dict:
        """The middle of the first element that matches, scrolled to."""
        box = f"document.querySelector({json.dumps(selector)})"
        self.evaluate(f"{box}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
        middle = "(r => ({x: r.x + r.width / 2, y: r.y + r.height / 2}))"
        return self.evaluate(f"{middle}({box}.getBoundingClientRect())")

    def point(self, selector: str) -> None:
        self.call("Input.dispatchMouseEvent", type="mouseMoved", **self.at(selector))

    def click(self, selector: str) -> None:
        place = self.at(selector)
        self.call("Input.dispatchMouseEvent", type="mouseMoved", **place)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def press(self, key: str) -> None:
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=KEYS[key], **text)

    def write_text(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def complaints(self) -> list[str]:
        """What the console has, and exceptions."""
        self.evaluate("0")  # events that came meanwhile
        said = [event["params"] for event in self.events if event.get("method") == "Log.entryAdded"]
        found = [entry["entry"]["text"] for entry in said]
        found += [
            str(event["params"]["args"]) for event in self.events if event.get("method") == "Runtime.consoleAPICalled"
        ]
        thrown = [event["params"] for event in self.events if event.get("method") == "Runtime.exceptionThrown"]
        return found + [str(each["exceptionDetails"]) for each in thrown]

    def requests(self) -> list[str]:
        """Addresses asked for, less what an address itself holds."""
        sent = [event["params"] for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        return [each["request"]["url"] for each in sent if not each["request"]["url"].startswith("data:")]

    def picture(self, whole: bool = False) -> bytes:
        """A PNG file."""
        found = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        return base64.b64decode(found["data"])


@contextmanager
def browser(folder: Path) -> Iterator[Callable[[], Page]]:
    """Chromium with its files in a folder; it ends with the block."""
    command = ["sh", "-c", 'exec "$0" "$@" 3<&0 4>&1', CHROMIUM, *OPTIONS, f"--user-data-dir={folder}"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **pipes) as process:
        try:
            yield lambda: Page(process.stdin.fileno(), process.stdout.fileno())
        finally:
            process.terminate()
