"""A project in which a tiny encoder is fine-tuned and teaches small models, and the stages that do it, in order."""

from pathlib import Path
from types import ModuleType

import stages.build_vocab
import stages.check_params
import stages.download
import stages.download_encoder
import stages.evaluate
import stages.gather_texts
import stages.learn_vectors
import stages.prepare
import stages.teach
import stages.tokenize_text
import stages.tokenize_wordpieces
import stages.train
from tests.encoders import checksums
from tests.projects import Project, only

TEACHER, OUT, TRAINED = "data/trained/own/tiny_finetuned/1", "data/taught/own", "data/trained/own"
TEACH = {"corpus": "own", "teacher": TEACHER, "rows": "data/corpora/own", "input": "data/domain_vectors/own"}
TEACH |= {"gathered": "data/texts/own"}
PARTIAL = {"corpus": "own", "checkpoints": "data/checkpoints", "seed": 1}
Calls = list[tuple[ModuleType, dict[str, object]]]


def choose_teacher(project: Project, encoder: Path, distilled: list[str], **described: object) -> None:
    """Of the corpora `own` and, without labels, `more`, build models that learn from an encoder; all are small.

    described: keys of the encoder in params.yaml.
    """
    tiny = {"source": {"folder": str(encoder)}, "checksums": checksums(encoder), "layers": [2], "mix": "mean"}
    project.set("encoders.tiny", tiny | {"optimization": {}} | described)
    run = {"corpora": ["own"], "unlabelled_corpora": ["more"], "described_by": "tiny", "seeds": [1], "notebook": []}
    run |= {key: ["tiny"] for key in ("encoders", "finetuned_encoders", "teachers")}
    run |= {"frozen_encoders": [], "glove_dimensions": []}
    project.set("run", run | {"models": only(finetuning=["finetuned"], distilled=distilled)})
    project.set("domain_vectors.size", 8)
    for model in distilled:
        project.set(f"models.{model}.architecture.hidden_size", 8)
        project.set(f"models.{model}.optimization.learning_rate", 0.02)
        project.set(f"models.{model}.optimization.average_decay", 0.5)


def rows_of(corpus: str) -> Calls:
    """The stages that make a corpus's rows."""
    download = {"local": f"data/{corpus}", "downloads": "data/downloads", "out": f"data/raw/{corpus}"}
    prepare = {"raw": f"data/raw/{corpus}", "out": f"data/corpora/{corpus}"}
    return [(stages.download, {"corpus": corpus} | download), (stages.prepare, {"corpus": corpus} | prepare)]


def taught() -> Calls:
    """The stages up to what a teacher says of the rows of `own`, with all that it needs."""
    words, pieces, weights = "data/words/own", "data/wordpieces/own/tiny", "data/encoders/tiny"
    own, of_encoder = {"corpus": "own"}, {"encoder": "tiny"}
    tune = {"model": "finetuned", "settings": "finetuning", "pretrained": f"{weights}/model.safetensors"}
    cut = {**own, **of_encoder, "weights": weights, "rows": "data/corpora/own", "out": pieces}
    return [
        (stages.check_params, {"out": "data/params.checked"}),
        *rows_of("own"),
        *rows_of("more"),
        (stages.tokenize_text, {**own, "rows": "data/corpora/own", "out": words}),
        (stages.build_vocab, {**own, "words": words, "out": "data/ids/own"}),
        (stages.gather_texts, {**own, "corpora": "data/corpora", "out": "data/texts/own"}),
        (stages.learn_vectors, {**own, "ids": "data/ids/own", "gathered": "data/texts/own", "out": TEACH["input"]}),
        (stages.download_encoder, {**of_encoder, "downloads": "data/downloads", "out": weights}),
        (stages.tokenize_wordpieces, cut),
        (stages.train, {**PARTIAL, **tune, **of_encoder, "input": pieces, "out": TEACHER}),
        (stages.teach, {**TEACH, "out": OUT}),
    ]


def learned(model: str) -> Calls:
    """The stages that train a model on what the teacher said, and score it."""
    learn = {"model": model, "settings": "training", "input": OUT, "pretrained": f"{OUT}/vectors.safetensors"}
    evaluate = {"metrics": f"metrics/own/{model}.json", "confusion": f"data/plots/{model}.csv"}
    evaluate |= {"predictions": f"results/own/predictions/{model}.parquet", "trained": f"{TRAINED}/{model}"}
    return [
        (stages.train, {**PARTIAL, **learn, "out": f"{TRAINED}/{model}/1"}),
        (stages.evaluate, evaluate),
    ]
