"""The models' most confident mistakes: each text once, with all models that misclassify it."""

LONGEST = 4000  # characters of a text on the page, which has to stay small


def by_text(mistakes: dict[str, list[dict]], classes: list[str], texts: dict[str, str]) -> list[dict]:
    """Each text with the models that misclassify it; those of the most models first.

    mistakes: of each model, as `analyze` writes them; texts: by id, where they are known.
    """
    found: dict[str, dict] = {}
    for name, of_model in mistakes.items():
        for mistake in of_model:
            row = found.setdefault(mistake["id"], {"label": classes[mistake["label"]], "models": {}})
            row["models"][name] = mistake["probability_of_label"]
    for row, mistake in found.items():
        text = texts.get(row, "")
        left = len(text) - LONGEST
        mistake |= {"id": row, "text": f"{text[:LONGEST]} … and {left:,} more characters" if left > 0 else text}
    return sorted(found.values(), key=lambda mistake: -len(mistake["models"]))
