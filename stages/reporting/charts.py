"""The report's charts, each a self-contained SVG, whose curves differ in markers as well as in colours."""

import base64
import io
from collections.abc import Callable, Iterator
from itertools import count, zip_longest

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

matplotlib.rcParams.update(
    {
        "svg.hashsalt": "report",  # the same bytes every time
        "svg.fonttype": "none",  # text stays text, in the reader's own font
        "font.family": "sans-serif",
        "font.size": 10,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#dddddd",
    }
)
# Okabe and Ito's, which the colour-blind tell apart: https://jfly.uni-koeln.de/color/
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("-", "--", ":")


def styles() -> Iterator[dict[str, str]]:
    """The colours in turn, with other markers and line styles in every round."""
    for number in count():
        turn, colour = divmod(number, len(COLOURS))
        marker, line = MARKERS[(colour + turn) % len(MARKERS)], LINES[turn % len(LINES)]
        yield {"color": COLOURS[colour], "marker": marker, "ls": line}


def svg(figure: Figure) -> str:
    """The figure as a data: address, which holds the image itself."""
    written = io.BytesIO()
    figure.savefig(written, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(written.getvalue()).decode()}"


def drawn(draw: Callable[[Axes], None], size: tuple[float, float], x: str, y: str, legend: int = 0) -> str:
    """A chart with one pair of axes; `legend` is the number of columns of the legend below it, 0 for none."""
    figure = Figure(figsize=size)
    axes = figure.subplots()
    draw(axes)
    axes.set(xlabel=x, ylabel=y)
    if legend:
        axes.legend(frameon=False, ncols=legend, loc="upper center", bbox_to_anchor=(0.5, -0.15), fontsize=9)
    return svg(figure)


def ladder(models: dict[str, dict], reference: tuple[str, float] | None) -> str:
    """Accuracies with their intervals, a row for each model, and the notebook's figure as a vertical line."""

    def draw(axes: Axes) -> None:
        for row, model in enumerate(models.values()):
            low, high = (100 * end for end in model["interval"])
            axes.plot([low, high], [row, row], color=COLOURS[0], lw=2)
            axes.plot(100 * model["accuracy"], row, "o", color=COLOURS[0])
            axes.plot([100 * each for each in model["accuracies"]], [row] * model["runs"], "|", color="black", ms=9)
        if reference:
            axes.axvline(100 * reference[1], color=COLOURS[1], ls="--", lw=1.2)
            axes.text(100 * reference[1], -0.9, reference[0], color=COLOURS[1], ha="center", va="bottom", fontsize=9)
        axes.set_yticks(range(len(models)), list(models))
        axes.set_ylim(len(models) - 0.5, -0.6)

    return drawn(draw, (6.4, 0.34 * len(models) + 0.9), "accuracy, %", "")


def curves(points: dict[str, tuple[list[float], list[float]]], x: str, y: str, **scales: str) -> str:
    """A curve for each name, of its x and y values; `xscale` and `yscale` are matplotlib's."""

    def draw(axes: Axes) -> None:
        for (name, (xs, ys)), style in zip(points.items(), styles(), strict=False):
            axes.plot(xs, ys, label=name, ms=4, lw=1.3, **style)
        axes.set(**scales)
        if "xscale" not in scales:
            axes.xaxis.get_major_locator().set_params(integer=True)  # epochs and steps are whole numbers

    return drawn(draw, (6.4, 3.6), x, y, legend=3)


def reliability(models: dict[str, list[dict]]) -> str:
    """Accuracy by confidence, a panel for each model; on the diagonal the two are equal."""
    columns = 4
    figure = Figure(figsize=(8, 2 * -(-len(models) // columns)))
    panels = figure.subplots(-(-len(models) // columns), columns, sharex=True, sharey=True, squeeze=False).flat
    for axes, (name, points) in zip_longest(panels, models.items(), fillvalue=(None, None)):
        if name is None:
            axes.set_axis_off()
            continue
        rows = sum(point["rows"] for point in points)
        xs, ys = ([point[key] for point in points] for key in ("confidence", "accuracy"))
        axes.plot([0, 1], [0, 1], color="#888888", lw=1)
        axes.plot(xs, ys, color=COLOURS[0], lw=1)
        axes.scatter(xs, ys, [4 + 150 * point["rows"] / rows for point in points], color=COLOURS[0])
        axes.set(title=name, xlim=(min(0.48, *xs), 1.02), ylim=(min(0.38, *(y - 0.02 for y in ys)), 1.02))
        axes.title.set_size(9)
    figure.supxlabel("confidence", fontsize=10)
    figure.supylabel("accuracy", fontsize=10)
    figure.tight_layout()
    return svg(figure)
