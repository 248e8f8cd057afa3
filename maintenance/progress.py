"""What `make repro` shows while it runs, and how long stages take: as last time here, or as measured elsewhere."""

import os
import time
from collections import Counter
from pathlib import Path

from dvc.stage import Stage
from networkx import DiGraph
from rich.live import Live
from rich.text import Text

from stages.common.files import read_json

SECONDS = Path("logs/seconds.json")  # by stage; the file may be removed
# Seconds on the embedded corpus, one of two cores.
ELSEWHERE = {"train_finetuning": 250, "study_gates": 110, "embed_bert": 60, "train_features": 60, "train_glove": 40}
ELSEWHERE |= {"train_bilstm": 40, "train_lstm": 25, "train_gru": 25, "train_rnn": 15, "train_attention": 15}
ELSEWHERE |= {"train_distilled": 25, "teach": 20, "train_pooled": 10, "train_ngrams": 10}
LAST = 50  # lines of a log that are shown


def log_of(stage: Stage) -> Path:
    return SECONDS.with_name(f"{stage.addressing.replace(os.sep, '-')}.log")


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


class Progress:
    """On a terminal, lines that change in place inside `live`; otherwise a line for each start and end."""

    def __init__(self, graph: DiGraph, plan: list[Stage], jobs: int):
        """plan: stages, each after those that it depends on."""
        self.jobs, self.seconds = jobs, read_json(SECONDS)
        self.chains: dict[Stage, float] = {}  # seconds from a stage's start to the end of all that depends on it
        for stage in reversed(plan):
            after = [self.chains.get(other, 0.0) for other in graph.predecessors(stage)]
            self.chains[stage] = self.expected(stage) + max(after, default=0.0)
        self.left, self.over = set(plan), Counter()
        self.running: dict[Stage, float] = {}  # when each was started
        self.started = time.monotonic()
        self.live = Live(get_renderable=self.lines, refresh_per_second=2, transient=True)

    def expected(self, stage: Stage) -> float:
        group = stage.addressing.partition("@")[0]
        return self.seconds.get(stage.addressing, ELSEWHERE.get(group, 3))

    def lines(self) -> Text:
        """A line of counts and one for each running stage, cut at the terminal's edge. Another thread calls this."""
        spent = {stage: time.monotonic() - start for stage, start in self.running.copy().items()}
        rest = {stage: max(0.0, self.expected(stage) - spent.get(stage, 0.0)) for stage in self.left.copy()}
        longest = max((self.chains[stage] - self.expected(stage) + rest[stage] for stage in rest), default=0.0)
        found = [f"{self.counts()}, {len(rest)} left, about {duration(max(longest, sum(rest.values()) / self.jobs))}"]
        found += [f"  {stage.addressing}  {duration(seconds)}" for stage, seconds in spent.items()]
        return Text("\n".join(found), no_wrap=True, overflow="ellipsis")

    def counts(self) -> str:
        return ", ".join(f"{number} {how}" for how, number in self.over.copy().items()) or "0 done"

    def start(self, stage: Stage) -> None:
        self.running[stage] = time.monotonic()
        self.say(f"running {stage.addressing}")

    def end(self, stage: Stage, how: str, why: str = "") -> None:
        """Note that a stage is over, with a line if it ran, and its log if it failed."""
        self.over[how] += 1
        self.left.discard(stage)
        start = self.running.pop(stage, None)
        if start and why:
            lines = log_of(stage).read_text(encoding="utf-8", errors="replace").splitlines()
            print(f"{log_of(stage)} {'ends' if len(lines) > LAST else 'is'}:", *lines[-LAST:], sep="\n", flush=True)
        if why:
            print(f"{how} {stage.addressing}: {why}", flush=True)
        elif start:
            self.seconds[stage.addressing] = round(time.monotonic() - start, 1)
            self.say(f"{how} {stage.addressing} {duration(self.seconds[stage.addressing])}")

    def say(self, line: str) -> None:
        if self.live.console.is_dumb_terminal or not self.live.console.is_terminal:  # on a terminal, `live` shows it
            print(line, flush=True)

    def summary(self) -> str:
        if self.over.keys() <= {"unchanged"} and not self.left:
            return "Data and pipelines are up to date."  # DVC's own words
        left = f", {len(self.left)} left" if self.left else ""
        return f"{self.counts()}{left}, in {duration(time.monotonic() - self.started)}"
