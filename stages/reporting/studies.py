"""What the report shows of the studies of gates and of attention."""

from stages.reporting import charts

NEAR_1 = 0.05  # a rate this close to 1 keeps the gradient's norm
CELLS = {"rnn": "RNN", "gru": "GRU"}


def name_of(cell: str) -> str:
    return CELLS.get(cell) or f"LSTM, forget bias {cell.removeprefix('lstm_')}"


def gates(found: dict) -> dict:
    """Charts for the longest sequences, one for each state of training, and all that was measured.

    found: what `study_gates` wrote.
    """
    cells = [cell | {"name": name_of(cell["cell"])} for cell in found["cells"]]
    states = list(dict.fromkeys(cell["state"] for cell in cells))
    longest = max(cell["length"] for cell in cells)
    shown = [cell for cell in cells if cell["length"] == longest]
    at_start = [cell for cell in shown if cell["state"] == states[0]]
    return {
        "charts": {str(number): decay(shown, state) for number, state in enumerate(states)},
        "looks": charts.looks(dict.fromkeys(cell["name"] for cell in cells)),
        "states": states,
        "longest": longest,
        "sequences": found["sequences"],
        "cells": cells,
        "left": {cell["name"]: cell["norms"][str(longest - 1)] for cell in at_start},
        "near": [cell["name"] for cell in at_start if abs(cell["rate"] - 1) <= NEAR_1],
    }


def decay(cells: list[dict], state: str) -> dict:
    """A chart of the gradient's norm, a curve for each cell."""
    norms = {
        cell["name"]: ([int(step) for step in cell["norms"]], list(cell["norms"].values()))
        for cell in cells
        if cell["state"] == state
    }
    return charts.curves(norms, "steps back", "norm", yscale="log")


def scaling(measured: dict) -> dict:
    """A chart of seconds by length as `make bench` last measured them, with the fitted powers in its caption."""
    forms = measured["forms"]
    curves = {form: (measured["lengths"], of_form["seconds"]) for form, of_form in forms.items()}
    powers = "; ".join(
        f"{form}: time to the power of {of_form['time_exponent']:.2f}, memory {of_form['memory_exponent']:.2f}"
        for form, of_form in forms.items()
    )
    return {
        "charts": {"seconds": charts.curves(curves, "length, words", "seconds", xscale="log", yscale="log")},
        "looks": charts.looks(forms),
        "caption": f"Time of one pass forward by the length of a text. Fitted growth: {powers}.",
    }
