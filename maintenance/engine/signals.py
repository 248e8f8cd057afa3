"""A person's or the system's wish that a run ends soon."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

HURRY = 2  # seconds from a signal until what has not noticed it is broken off


class Signals:
    """Notes the first of them."""

    def __init__(self) -> None:
        self.received = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup hands on
                signal.signal(number, self.receive)
        signal.signal(signal.SIGALRM, signal.default_int_handler)

    def receive(self, number: int, _: object) -> None:
        if not self.received:
            self.received = number
            signal.alarm(HURRY)

    @contextmanager
    def breaking_off(self) -> Iterator[None]:
        """End the block early where it does not end soon after a signal; nothing later is broken off."""
        try:
            yield
        except KeyboardInterrupt:
            pass
        finally:
            signal.alarm(0)
