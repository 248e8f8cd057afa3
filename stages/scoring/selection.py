"""The models that `run` builds, by the names under which their results lie."""

# Kinds whose models are built once an encoder and carry its name, and the key of `run` that lists those encoders.
ON_AN_ENCODER = {"features": "frozen_encoders", "finetuning": "finetuned_encoders"}


def selected_models(params: dict) -> list[str]:
    """The names of all, in the order in which `models` in params.yaml has them."""
    run, names = params["run"], {}
    for kind, models in run["models"].items():
        if kind != "glove" or run["glove_dimensions"]:
            prefixes = [f"{encoder}_" for encoder in run[ON_AN_ENCODER[kind]]] if kind in ON_AN_ENCODER else [""]
            names |= {model: [f"{prefix}{model}" for prefix in prefixes] for model in models}
    return [name for model in params["models"] for name in names.get(model, [])]
