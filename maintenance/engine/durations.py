"""How long stages take: what they took here before, or what their group took elsewhere."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from dvc.stage import Stage
from networkx import DiGraph

from stages.common.files import read_json, write_json

ELSEWHERE = {  # seconds, of the embedded corpus on a thread of two cores
    "train_finetuning": 250,
    "study_gates": 110,
    "embed_bert": 60,
    "train_features": 60,
    "train_glove": 40,
    "train_bilstm": 40,
    "train_lstm": 25,
    "train_gru": 25,
    "train_rnn": 15,
    "train_attention": 15,
    "train_pooled": 10,
    "train_ngrams": 10,
}
OTHERS = 3


class Durations:
    """Seconds by the stages' names, kept in a file that may be removed."""

    def __init__(self, path: Path):
        self.path = path
        self.measured: dict[str, float] = read_json(path)

    def of(self, name: str) -> float:
        return self.measured.get(name, ELSEWHERE.get(name.partition("@")[0], OTHERS))

    def add(self, name: str, seconds: float) -> None:
        self.measured[name] = round(seconds, 1)

    def write(self) -> None:
        write_json(self.path, self.measured)

    def chains(self, graph: DiGraph, plan: list[Stage]) -> dict[str, float]:
        """The seconds from each stage's start to the end of what depends on it, if nothing had to wait for room.

        plan: stages, each after those that it depends on.
        """
        chains: dict[str, float] = {}
        for stage in reversed(plan):
            after = [chains.get(other.addressing, 0.0) for other in graph.predecessors(stage)]
            chains[stage.addressing] = self.of(stage.addressing) + max(after, default=0.0)
        return chains

    def left(
        self, chains: Mapping[str, float], waiting: Iterable[str], running: Mapping[str, float], jobs: int
    ) -> float:
        """The seconds until all have run. running: the seconds since each of those was started."""
        waiting = list(waiting)
        work = sum(self.of(name) for name in waiting)
        work += sum(max(0.0, self.of(name) - spent) for name, spent in running.items())
        longest = [chains[name] for name in waiting]
        longest += [chains[name] - min(spent, self.of(name)) for name, spent in running.items()]
        return max(work / jobs, *longest, 0.0)
