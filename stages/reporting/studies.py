"""What the report shows of the two studies."""

from stages.reporting import charts

NEAR = 0.05  # to 1, of a rate a step
CELLS = {"rnn": "RNN", "gru": "GRU"}


def name_of(cell: str) -> str:
    return CELLS.get(cell) or f"LSTM, forget bias {cell.removeprefix('lstm_')}"


def gates(found: dict) -> dict:
    """Charts of the longest sequences, one a state of training, and a table of all cells and lengths.

    found: as `study_gates` writes it.
    """
    cells = found["cells"]
    states = list(dict.fromkeys(cell["state"] for cell in cells))
    longest = max(cell["length"] for cell in cells)
    drawn = {
        state: charts.lines(
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
        "near": [name_of(cell["cell"]) for cell in at_start if abs(cell["rate"] - 1) <= NEAR],
    }


def scaling(measured: dict) -> dict:
    """A chart of seconds by length, as `make bench` last measured them, and the fitted powers for its caption."""
    curves = {form: (measured["lengths"], of_form["seconds"]) for form, of_form in measured["forms"].items()}
    powers = "; ".join(
        f"{form}: time to the power of {of_form['time_exponent']:.2f}, memory {of_form['memory_exponent']:.2f}"
        for form, of_form in measured["forms"].items()
    )
    chart = charts.lines(curves, "length, words", "seconds", xscale="log", yscale="log")
    return {"chart": chart, "caption": f"Time of one pass forward by the length of a text. Fitted growth: {powers}."}
