"""Write what `make gpu` reads, in files small enough to carry to a machine without a network: `make gpu-inputs`.

SST-2 as ids with its own vectors, with GloVe's too, and as wordpieces, the encoder's weights in halves, IMDB's
wordpieces as 16-bit numbers, and in settings.json each model's parameters with the committed results of its training on
the CPU.
"""

import json
import shutil
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from benchmarks.data import FOLDER, ROOT, encoder_files, run_stage, sst2_ids, sst2_vectors
from stages.common import params
from stages.scoring.selection import ON_AN_ENCODER
from stages.training.inputs import read_input

OUT = ROOT / "data/gpu"
SEED = 1
ENCODER = "minilm"
INPUTS = {"glove": "vectors", "features": "wordpieces", "finetuning": "wordpieces"}  # by the kind of models


def sst2_with_glove() -> Path:
    """SST-2's ids with GloVe's vectors of 50 numbers beside its own."""
    glove, out, of_sst2 = FOLDER / "glove", FOLDER / "vectors", {"corpus": "sst2", "dimension": 50, "ids": sst2_ids()}
    run_stage("download_glove", dimension=50, downloads=FOLDER / "downloads", out=glove)
    run_stage("embed_glove", **of_sst2, glove=glove, domain=sst2_vectors(), out=out)
    return out


def sst2_wordpieces() -> Path:
    out = FOLDER / "wordpieces"
    sst2_ids()  # writes the rows too
    run_stage(
        "tokenize_wordpieces",
        corpus="sst2",
        encoder="minilm",
        rows=FOLDER / "rows/sst2",
        weights=encoder_files(),
        out=out,
    )
    return out


def write_halves(file: Path, out: Path) -> None:
    content = file.read_bytes()
    middle = len(content) // 2
    for number, half in enumerate((content[:middle], content[middle:]), start=1):
        (out / f"{file.name}.{number}").write_bytes(half)


def write_imdb(out: Path) -> None:
    """Every review's first 512 wordpieces, as 16-bit numbers."""
    raw, rows, pieces = (FOLDER / name for name in ("imdb_raw", "imdb_rows", "imdb_wordpieces"))
    run_stage("download", corpus="imdb_notebook", local="data/imdb_notebook", downloads=FOLDER / "downloads", out=raw)
    run_stage("prepare", corpus="imdb_notebook", raw=raw, out=rows)
    run_stage(
        "tokenize_wordpieces", corpus="imdb_notebook", encoder="minilm", rows=rows, weights=encoder_files(), out=pieces
    )
    out.mkdir()
    for path in sorted(pieces.glob("*.parquet")):
        table = pq.read_table(path, columns=["id", "label", "tokens"])
        small = table.set_column(2, "tokens", table["tokens"].cast(pa.list_(pa.uint16())))
        pq.write_table(small, out / path.name, compression="zstd", compression_level=19)


def settings() -> dict:
    """The parameters of every model of SST-2 by name, with its committed results."""
    everything, corpus, found = params.load(), params.corpus("sst2"), {}
    kinds = yaml.safe_load((ROOT / "runs/sst2.yaml").read_text(encoding="utf-8"))["run"]["models"]
    committed = json.loads((ROOT / "results/sst2/comparison.json").read_text(encoding="utf-8"))["models"]
    for kind in kinds.keys() - {"ngrams", "distilled"}:  # the latter are the same networks with a teacher
        for module in kinds[kind]:
            name = f"{ENCODER}_{module}" if kind in ON_AN_ENCODER else module
            curve = pd.read_csv(ROOT / f"results/sst2/learning_curves/{name}.csv").iloc[0]
            found[name] = {
                "module": module,
                "input": INPUTS.get(kind, "domain_vectors"),
                "embedded": kind == "features",
                "architecture": everything["models"][module]["architecture"],
                "optimization": everything["models"][module]["optimization"],
                "training": corpus["finetuning" if kind == "finetuning" else "training"],
                "first_epoch": {key: float(curve[key]) for key in ("train_loss", "valid_loss", "valid_accuracy")},
                "accuracies": committed[name]["accuracies"],
            }
    encoder = {key: everything["encoders"][ENCODER][key] for key in ("layers", "mix")}
    notebook = everything["models"]["notebook_bigru"] | {"training": params.corpus("imdb_notebook")["training"]}
    return {"seed": SEED, "models": found, "encoder": encoder, "precision": corpus["precision"], "notebook_n": notebook}


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    folders = {"domain_vectors": sst2_vectors(), "vectors": sst2_with_glove(), "wordpieces": sst2_wordpieces()}
    for name, folder in folders.items():
        shutil.copytree(folder, OUT / name)
        print(name, read_input(folder)["arguments"].keys(), flush=True)
    (OUT / "encoder").mkdir()
    shutil.copyfile(encoder_files() / "config.json", OUT / "encoder/config.json")
    write_halves(encoder_files() / "model.safetensors", OUT / "encoder")
    write_imdb(OUT / "imdb")
    (OUT / "settings.json").write_text(json.dumps(settings(), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
