"""Charts as Vega-Lite (https://vega.github.io/vega-lite/), which the page's own copy of it draws.

Colours are the page's variables, so that they follow light and dark. In every chart `picked` is the name of what the
reader points at, or nothing: all else fades. The page sets it, and draws each chart as wide as there is room.
"""

from collections.abc import Iterable

import altair as alt

COLOURS = 7  # that the page defines; further names take them again, with other dashes
FEW = 20  # values of x, each of which then has its tick
DASHES = ([1, 0], [6, 3], [2, 2])


def looks(names: Iterable[str]) -> dict[str, dict]:
    """Each name's colour and dashes."""
    turns = [(name, *divmod(number, COLOURS)) for number, name in enumerate(names)]
    return {
        name: {"colour": f"var(--c{colour + 1})", "dash": DASHES[turn % len(DASHES)]} for name, turn, colour in turns
    }


def faded(shown: float = 1) -> dict:
    """The opacity of a mark, unless the reader points at another name."""
    return alt.condition("picked === '' || datum.name === picked", alt.value(shown), alt.value(0.15))


def finished(chart: alt.TopLevelMixin, description: str) -> dict:
    """A chart as JSON; a screen reader says its description."""
    chart = chart.add_params(alt.param(name="picked", value="")).configure(font="system-ui, sans-serif")
    chart = chart.properties(description=description, background="transparent")
    axes = {"labelColor": "var(--ink)", "titleColor": "var(--soft)", "titleFontWeight": "normal", "labelLimit": 150}
    axes |= {"gridColor": "var(--line)", "domainColor": "var(--line)", "tickColor": "var(--line)"}
    chart = chart.configure_axis(**axes).configure_view(stroke=None)
    return chart.configure_header(labelColor="var(--ink)", labelLimit=140).to_dict()


def curves(points: dict[str, tuple[list[float], list[float]]], x: str, y: str, **scales: str) -> dict:
    """A curve for each name, of its x and y values; `xscale` and `yscale` are log where they are not linear."""
    rows = [
        {"name": name, "x": at, "y": value}
        for name, (xs, ys) in points.items()
        for at, value in zip(xs, ys, strict=True)
        if value > 0 or "yscale" not in scales  # 0 has no logarithm
    ]
    seen = looks(points).values()
    colours, dashes = (
        alt.Scale(domain=list(points), range=[each[part] for each in seen]) for part in ("colour", "dash")
    )
    x_scale, y_scale = (
        alt.Scale(type="log") if scales.get(key) == "log" else alt.Scale(zero=False) for key in ("xscale", "yscale")
    )
    x_axis, y_axis = ({"format": "~g", "tickCount": 5} if key in scales else {} for key in ("xscale", "yscale"))
    counted = sorted({row["x"] for row in rows})
    x_axis |= {"values": counted, "format": "d"} if len(counted) <= FEW and "xscale" not in scales else {}
    base = alt.Chart(alt.Data(values=rows)).encode(
        alt.X("x:Q", title=x, scale=x_scale).axis(**x_axis),
        alt.Y("y:Q", title=y, scale=y_scale).axis(**y_axis),
        alt.Color("name:N", scale=colours, legend=None),
        tooltip=["name:N", alt.Tooltip("x:Q", title=x), alt.Tooltip("y:Q", title=y)],
    )
    wide = base.mark_line(strokeWidth=14, opacity=0)  # so that a line is hit without aiming
    drawn = base.mark_line(strokeWidth=1.8).encode(alt.StrokeDash("name:N", scale=dashes, legend=None), opacity=faded())
    dots = base.mark_circle(size=28).encode(opacity=faded())
    return finished(alt.layer(wide, drawn, dots).properties(height=260), f"A line for each name: {y} by {x}")


def reliability(models: dict[str, list[dict]]) -> dict:
    """Accuracy by confidence, a panel for each model; on the diagonal the two are equal."""
    points = [
        {"name": name, "share": round(point["rows"] / sum(each["rows"] for each in of_model), 4)} | point
        for name, of_model in models.items()
        for point in of_model
    ]
    left = min(0.5, *(point["confidence"] for point in points))
    bottom = min(0.4, left, *(point["accuracy"] for point in points))
    x = alt.X("confidence:Q", scale=alt.Scale(domain=[left, 1], nice=False)).axis(format=".0%", tickCount=3)
    y = alt.Y("accuracy:Q", scale=alt.Scale(domain=[bottom, 1], nice=False)).axis(format=".0%", tickCount=3)
    base = alt.Chart().encode(
        x,
        y,
        color=alt.value("var(--accent)"),
        opacity=faded(),
        tooltip=[
            alt.Tooltip("name:N", title="model"),
            alt.Tooltip("confidence:Q", format=".1%"),
            alt.Tooltip("accuracy:Q", format=".1%"),
            alt.Tooltip("rows:Q", title="predictions", format=","),
        ],
    )
    ends = alt.Data(values=[{"confidence": left, "accuracy": left}, {"confidence": 1, "accuracy": 1}])
    size = alt.Size("share:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=[10, 160]))
    diagonal = alt.Chart(ends).mark_line(color="var(--soft)", strokeWidth=1).encode(x, y)
    panel = alt.layer(diagonal, base.mark_line(strokeWidth=1.2), base.mark_circle().encode(size))
    facet = alt.Facet("name:N", sort=list(models), title=None)
    panels = panel.properties(height=110).facet(facet, data=alt.Data(values=points), columns=4)
    return finished(
        panels, "Accuracy by confidence, a panel for each model; the ladder's table has the calibration errors"
    )
