"""What small models learned from a teacher: each beside the same model without one, and beside the teacher."""

SUFFIX = "_distilled"  # of a model's name, behind that of the same model without a teacher


def taught(models: dict[str, dict], matrix: dict[str, dict[str, dict]], teacher: str | None) -> dict[str, dict]:
    """By its name, each model that has learned from a teacher and has both beside it.

    `share` is its share of the teacher's parameters; `covered` is its share of the way from the accuracy of the model
    without a teacher up to the teacher's, None where there is no way up.
    """
    found = {}
    for name in models:
        alone = name.removesuffix(SUFFIX)
        if alone == name or alone not in models or teacher not in models:
            continue
        gained, distance = (models[other]["accuracy"] - models[alone]["accuracy"] for other in (name, teacher))
        found[name] = {
            "alone": alone,
            "gained": gained,
            "differs": matrix[name][alone]["differs"],
            "covered": gained / distance if distance > 0 else None,
            "share": models[name]["parameters"] / models[teacher]["parameters"],
        }
    return found
