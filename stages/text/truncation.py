"""Which part of a long text is read: its head, its tail, or both (https://arxiv.org/abs/1905.05583)."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

PARTS = ("head", "tail", "head_and_tail")


def shorten(lists: pa.ListArray, longest: int, part: str, *, keep_ends: bool = False) -> pa.ListArray:
    """The lists, those of more than `longest` units cut to that many.

    part: what is kept of a longer list: its `head`, its `tail`, or `head_and_tail`, which is half of each.
    keep_ends: always keep the first and the last unit, such as [CLS] and [SEP].
    """
    head = {"head": longest - keep_ends, "tail": int(keep_ends), "head_and_tail": (longest + 1) // 2}[part]
    tail = longest - head
    sizes = pc.list_value_length(lists).to_numpy()
    starts = np.concatenate([[0], np.cumsum(sizes)])
    position = np.arange(starts[-1]) - np.repeat(starts[:-1], sizes)  # of every unit in its list
    kept = (position < head) | (position >= np.repeat(sizes, sizes) - tail)
    offsets = np.concatenate([[0], np.cumsum(np.minimum(sizes, longest))])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), lists.flatten().filter(pa.array(kept)))
