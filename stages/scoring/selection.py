"""The models that `run` builds, by the names under which their results lie."""

# Kinds whose models are built once an encoder and carry its name, and the key of `run` that lists those encoders.
ON_AN_ENCODER = {"features": "frozen_encoders", "finetuning": "finetuned_encoders"}
NEEDED = {"glove": "glove_dimensions", "distilled": "teachers"}  # without which a kind's models are not built


def selected_models(params: dict) -> list[str]:
    """The names of all, in the order in which `models` in params.yaml has them."""
    run, names = params["run"], {}
    for kind, models in run["models"].items():
        if kind not in NEEDED or run[NEEDED[kind]]:
            prefixes = [f"{encoder}_" for encoder in run[ON_AN_ENCODER[kind]]] if kind in ON_AN_ENCODER else [""]
            names |= {model: [f"{prefix}{model}" for prefix in prefixes] for model in models}
    return [name for model in params["models"] for name in names.get(model, [])]


def teacher(params: dict) -> str | None:
    """The name of the model that teaches others, if any does."""
    return next((f"{encoder}_finetuned" for encoder in params["run"]["teachers"]), None)
