"""Which model is the most accurate, by how much, and what less would do."""


def mark_frontier(models: dict[str, dict]) -> None:
    """Put into each model whether no other is as small, as accurate and better in one of the two."""
    for name, model in models.items():
        model["frontier"] = not any(beats(other, model) for key, other in models.items() if key != name)


def beats(other: dict, model: dict) -> bool:
    """Whether another model is as accurate and as small, and better in one of the two."""
    better = (other["accuracy"] - model["accuracy"], model["parameters"] - other["parameters"])
    return min(better) >= 0 and max(better) > 0


def winner(models: dict[str, dict], matrix: dict[str, dict[str, dict]]) -> dict:
    """The most accurate model beside the next, and of those that are smaller the smallest that would do.

    `enough` is the smallest that the test does not tell from the best; None if it tells all smaller ones from it.
    """
    best, *others = sorted(models, key=lambda name: -models[name]["accuracy"])
    tested = matrix[best]
    alike = [name for name in others if not tested[name]["differs"]]
    smaller = [name for name in others if models[name]["parameters"] < models[best]["parameters"]]
    return {
        "name": best,
        "next": others[0] if others else None,
        "apart": len(others) - len(alike),
        "others": len(others),
        "smaller": len(smaller),
        "enough": min(set(smaller) & set(alike), key=lambda name: (models[name]["parameters"], name), default=None),
    }
