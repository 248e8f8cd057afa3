"""What the report shows of the studies of gates and of attention."""

from stages.reporting import charts

NEAR_1 = 0.05  # a rate this close to 1 keeps the gradient's norm
CELLS = {"rnn": "RNN", "gru": "GRU"}


def name_of(cell: str) -> str:
    return CELLS.get(cell) or f"LSTM, forget bias {cell.removeprefix('lstm_')}"


def gates(found: dict) -> dict:
    """Charts for the longest sequences, one for each state of training, and a table of all cells and lengths.

    found: what `study_gates` wrote.
    """
    cells = found["cells"]
    states = list(dict.fromkeys(cell["state"] for cell in cells))
    longest = max(cell["length"] for cell in cells)
    drawn = {
        state: charts.curves(
            {
                name_of(cell["cell"]): ([int(step) for step in cell["norms"]], list(cell["norms"].values()))
                for cell in cells
                if cell["state"] == state and cell["length"] == longest
            },
            "steps back",
            "norm",
            yscale="log",
        )
        for state in states
    }
    rows: dict[tuple, dict] = {}
    for cell in cells:
        key = name_of(cell["cell"]), cell["length"]
        rows.setdefault(key, {"cell": key[0], "length": key[1], "cells": []})["cells"].append(cell)
    at_start = [cell for cell in cells if cell["state"] == states[0] and cell["length"] == longest]
    return {
        "charts": drawn,
        "states": states,
        "longest": longest,
        "sequences": found["sequences"],
        "table": list(rows.values()),
        "left": {name_of(cell["cell"]): cell["norms"][str(longest - 1)] for cell in at_start},
        "near": [name_of(cell["cell"]) for cell in at_start if abs(cell["rate"] - 1) <= NEAR_1],
    }


def scaling(measured: dict) -> dict:
    """A chart of seconds by length as `make bench` last measured them, with the fitted powers in its caption."""
    curves = {form: (measured["lengths"], found["seconds"]) for form, found in measured["forms"].items()}
    powers = "; ".join(
        f"{form}: time to the power of {found['time_exponent']:.2f}, memory {found['memory_exponent']:.2f}"
        for form, found in measured["forms"].items()
    )
    chart = charts.curves(curves, "length, words", "seconds", xscale="log", yscale="log")
    return {"chart": chart, "caption": f"Time of one pass forward by the length of a text. Fitted growth: {powers}."}
