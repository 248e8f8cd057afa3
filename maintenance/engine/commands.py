"""Commands beside each other, each in a process group of its own, none of which outlives the process that started them.

That process tells another, the warden, which groups there are. When it is gone, killed or not, the warden ends them.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

GRACE = 2.0  # seconds from asking a group to end until it is killed
PAUSE = 0.02  # seconds between two looks


class Command:
    """Calls, each started when the one before it has ended well, and what they print in one file."""

    def __init__(self, calls: list[list[str]], log: Path, folder: str, environment: dict[str, str]):
        self.calls, self.log, self.folder, self.environment = calls, log, folder, environment
        self.started = time.monotonic()
        log.write_bytes(b"")
        self.start_next()

    def start_next(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.calls.pop(0),
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def status(self) -> int | None:
        """The exit status, once no call is left or one has failed."""
        status = self.process.poll()
        if status == 0 and self.calls:
            self.start_next()
            return None
        return status


class Commands:
    """Those that run now, by name. Another place to run them, such as a cluster, is another class like this one."""

    def __init__(self, held: TextIO):
        """held: a file that stays open until the last command is gone."""
        self.running: dict[str, Command] = {}
        self.stopped: list[Command] = []
        # -I and -S: it imports nothing but this file.
        self.warden = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            bufsize=0,
            pass_fds=[held.fileno()],
            start_new_session=True,
        )

    def start(self, name: str, calls: list[list[str]], log: Path, folder: str, environment: dict[str, str]) -> None:
        self.running[name] = Command(calls, log, folder, environment)
        self.tell_warden()

    def ended(self, seconds: float) -> tuple[str, int, float] | None:
        """One that has ended, waited for so long: its name, its exit status and its seconds."""
        until = time.monotonic() + seconds
        while True:
            for name, command in self.running.items():
                process = command.process
                if (status := command.status()) is not None:
                    del self.running[name]
                    self.tell_warden()
                    return name, status, time.monotonic() - command.started
                if command.process is not process:
                    self.tell_warden()
            if time.monotonic() > until:
                return None
            time.sleep(PAUSE)

    def tell_warden(self) -> None:
        groups = " ".join(str(command.process.pid) for command in self.running.values())
        with suppress(BrokenPipeError):  # somebody killed it
            self.warden.stdin.write(f"{groups}\n".encode())

    def stop(self) -> None:
        """Begin to end all; those that ended before this are still to be had from `ended`."""
        for name, command in list(self.running.items()):
            if command.process.poll() is None or command.calls:
                self.stopped.append(self.running.pop(name))
        self.warden.stdin.close()

    def join(self) -> None:
        """Wait until none is left of those that were stopped."""
        while self.warden.poll() is None:
            for command in self.stopped:
                command.process.poll()  # or the system keeps it, and its group with it
            time.sleep(PAUSE)


def end_groups(groups: Iterable[int]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        left = [group for group in groups if send(group, number)]
        until = time.monotonic() + GRACE
        while left and time.monotonic() < until:
            time.sleep(PAUSE)
            left = [group for group in left if send(group, 0)]


def send(group: int, number: int) -> bool:
    """Send a signal to a process group; whether there is such a group."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # the latter from macOS, of a group that has ended
        return False
    return True


if __name__ == "__main__":  # the warden, until its pipe is closed
    groups = b""
    for line in sys.stdin.buffer:
        groups = line
    end_groups([int(group) for group in groups.split()])
