"""The charts of a corpus's accuracies, each with its interval."""

import altair as alt

from stages.reporting.charts import faded, finished

BLUE = {"color": alt.value("var(--accent)")}


def of_models(models: dict[str, dict]) -> alt.Chart:
    """What both charts show of each model, in per cent, with what they say where one is pointed at."""
    sizes = [model["parameters"] for model in models.values()]
    rows = [
        {
            "name": name,
            "accuracy": round(100 * model["accuracy"], 2),
            "low": round(100 * model["interval"][0], 2),
            "high": round(100 * model["interval"][1], 2),
            "parameters": model["parameters"],
            "frontier": model["frontier"],
            "left": model["parameters"] ** 2 <= min(sizes) * max(sizes),  # of the middle, on a logarithmic scale
        }
        for name, model in models.items()
    ]
    return alt.Chart(alt.Data(values=rows)).encode(
        tooltip=[
            alt.Tooltip("name:N", title="model"),
            alt.Tooltip("accuracy:Q", title="accuracy, %", format=".1f"),
            alt.Tooltip("low:Q", title="from", format=".1f"),
            alt.Tooltip("high:Q", title="to", format=".1f"),
            alt.Tooltip("parameters:Q", format=","),
        ]
    )


def frontier(models: dict[str, dict], corpus: str) -> dict:
    """Accuracy against parameters; a line connects the models for which no other is both smaller and more accurate."""
    scale = alt.Scale(type="log", nice=False, padding=30)
    base = of_models(models).encode(
        alt.X("parameters:Q", title="trained parameters", scale=scale).axis(format=".3~s", tickCount=6, grid=False)
    )
    accuracy = alt.Y("accuracy:Q", title="accuracy, %", scale=alt.Scale(zero=False))
    colour = alt.condition("datum.frontier", alt.value("var(--accent)"), alt.value("var(--soft)"))
    line = base.transform_filter("datum.frontier").mark_line(interpolate="step-after", strokeWidth=1, opacity=0.6)
    intervals = base.mark_rule(strokeWidth=2).encode(alt.Y("low:Q"), alt.Y2("high:Q"), color=colour, opacity=faded(0.6))
    dots = base.mark_circle(size=90).encode(accuracy, color=colour, opacity=faded())
    named = alt.condition("picked === '' ? datum.frontier : datum.name === picked", alt.value(1), alt.value(0))
    inside = {"align": alt.expr("datum.left ? 'left' : 'right'"), "dx": alt.expr("datum.left ? 8 : -8")}
    names = base.mark_text(dy=-9, limit=240, fontSize=12, fontWeight="bold", color="var(--ink)", **inside)
    chart = alt.layer(
        line.encode(accuracy, **BLUE), intervals, dots, names.encode(accuracy, text="name:N", opacity=named)
    ).properties(height=330)
    return finished(chart, f"Accuracy on {corpus} against trained parameters; the ladder's table has the figures")


def ladder(models: dict[str, dict], reference: tuple[str, float] | None, corpus: str) -> dict:
    """A row for each model, a tick for each of its trainings, and the notebook's figure as a vertical line."""
    row = alt.Y("name:N", sort=None, title=None)
    base = of_models(models).encode(row.axis(grid=False, domain=False, ticks=False), **BLUE)
    accuracy = alt.X("accuracy:Q", title="accuracy, %", scale=alt.Scale(zero=False)).axis(tickCount=8)
    layers = [base.mark_rule(strokeWidth=2).encode(alt.X("low:Q"), alt.X2("high:Q"), opacity=faded())]
    trainings = [
        {"name": name, "training": 100 * accuracy}
        for name, model in models.items()
        if model["runs"] > 1
        for accuracy in model["accuracies"]
    ]
    if trainings:
        ticks = alt.Chart(alt.Data(values=trainings)).mark_tick(thickness=1.5, color="var(--ink)")
        layers += [ticks.encode(alt.X("training:Q"), row, opacity=faded(0.7))]
    layers += [base.mark_circle(size=80).encode(accuracy, opacity=faded())]
    if reference:
        said = alt.Chart(alt.Data(values=[{"said": reference[0], "figure": 100 * reference[1]}]))
        said = said.encode(alt.X("figure:Q"), color=alt.value("var(--c2)"))
        layers += [said.mark_rule(strokeDash=[4, 3]), said.mark_text(y=-8).encode(text="said:N")]
    return finished(
        alt.layer(*layers).properties(height=24 * len(models)),
        f"Accuracy on {corpus}, a row for each model; the table has the figures",
    )
