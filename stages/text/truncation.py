"""Which part of a long text is read: its head, its tail, or both (https://arxiv.org/abs/1905.05583)."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

PARTS = ("head", "tail", "head_and_tail")


def shorten(lists: pa.ListArray, longest: int, part: str, *, keep_ends: bool = False) -> pa.ListArray:
    """Lists of at most `longest` units; of a longer one the `part` that is named, in its order.

    part: `head`, `tail` or `head_and_tail`, which is half of each.
    keep_ends: the first and the last unit stay, as [CLS] and [SEP] do.
    """
    head = {"head": longest - keep_ends, "tail": int(keep_ends), "head_and_tail": (longest + 1) // 2}[part]
    tail = longest - head
    sizes = pc.list_value_length(lists).to_numpy()
    starts = np.concatenate([[0], np.cumsum(sizes)])
    position = np.arange(starts[-1]) - np.repeat(starts[:-1], sizes)  # of every unit in its list
    kept = (position < head) | (position >= np.repeat(sizes, sizes) - tail)
    offsets = np.concatenate([[0], np.cumsum(np.minimum(sizes, longest))])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), lists.flatten().filter(pa.array(kept)))
