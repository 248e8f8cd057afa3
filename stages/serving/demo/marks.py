"""What moves a model's answer about a text: each of its parts is left out in turn and the rest scored again.

This is occlusion, or erasure (https://arxiv.org/abs/1612.08220). Parts that matter only together have no effect alone.
"""

import math
import re

import numpy as np

from stages.serving.scorers import Scorer

MOST_PARTS = 64
MOST_WORDS = 12_000  # in all that is scored for one text: a longer text has fewer parts, of more words each
CHINESE = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # whose words have no blanks between them: each sign is a word
WORD = re.compile(rf"\s*(?:[{CHINESE}]|[^\s{CHINESE}]+)\s*")


def parts_of(text: str) -> list[str]:
    """The text cut into its words with the blanks behind them, or into groups of words; joined, they are the text."""
    words = WORD.findall(text)
    count = max(1, min(MOST_PARTS, MOST_WORDS // len(words)))
    size = math.ceil(len(words) / count)
    return ["".join(words[at : at + size]) for at in range(0, len(words), size)]


def effects_of(parts: list[str], scorer: Scorer) -> np.ndarray:
    """How much each class's probability is higher with a part than without it: (P, C) for P parts and C classes."""
    without = ["".join(parts[:at] + parts[at + 1 :]) for at in range(len(parts))]
    probabilities = scorer(["".join(parts), *without])  # (P + 1, C)
    return probabilities[0] - probabilities[1:]  # (P, C)
