"""What a person sees of a run: some lines that change in place on a terminal, else a line a start and an end."""

import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.text import Text

LAST = 50  # lines of a log


class Display:
    """Counts what has happened; `seconds_left` says how long the rest takes."""

    def __init__(self, left: int, seconds_left: Callable[[], float]):
        self.left, self.seconds_left = left, seconds_left
        self.counted = dict.fromkeys(("done", "from the cache", "taken", "unchanged", "failed", "skipped"), 0)
        self.running: dict[str, float] = {}  # when each was started
        self.started = time.monotonic()
        self.live: Live | None = None

    def __enter__(self) -> "Display":
        console = Console()
        if console.is_terminal and not console.is_dumb_terminal:
            self.live = Live(console=console, get_renderable=self.lines, refresh_per_second=2, transient=True)
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self.live.stop()

    def lines(self) -> Text:
        """A line of counts and one for each stage at work, cut at the terminal's edge."""
        found = [f"{self.counts()}, {self.left} left, about {duration(self.seconds_left())}"]
        found += [f"  {name}  {duration(seconds)}" for name, seconds in self.spent().items()]
        return Text("\n".join(found), no_wrap=True, overflow="ellipsis")

    def counts(self) -> str:
        return ", ".join(f"{number} {how}" for how, number in self.counted.items() if number) or "0 done"

    def spent(self) -> dict[str, float]:
        """The seconds since each of those at work was started."""
        now = time.monotonic()
        return {name: now - start for name, start in self.running.copy().items()}

    def start(self, name: str) -> None:
        self.running[name] = time.monotonic()
        self.say(f"running {name}")

    def count(self, name: str, how: str) -> None:
        """A stage is over; only what was at work has a line of its own."""
        start = self.running.pop(name, None)
        self.counted[how] += 1
        self.left -= 1
        if start:
            self.say(f"{how} {name} {duration(time.monotonic() - start)}")

    def fail(self, name: str, reason: str, log: Path | None) -> None:
        if log:
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            print(f"{log} {'ends' if len(lines) > LAST else 'is'}:", *lines[-LAST:], sep="\n", flush=True)
        self.running.pop(name, None)
        print(f"failed {name}: {reason}", flush=True)
        self.count(name, "failed")

    def say(self, line: str) -> None:
        """What the lines on a terminal show anyway."""
        if not self.live:
            print(line, flush=True)

    def summary(self) -> str:
        over = {how: number for how, number in self.counted.items() if number}
        if over.keys() <= {"unchanged"} and not self.left:
            return "Data and pipelines are up to date."  # as DVC says it
        left = f", {self.left} left" if self.left else ""
        return f"{self.counts()}{left}, in {duration(time.monotonic() - self.started)}"


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
