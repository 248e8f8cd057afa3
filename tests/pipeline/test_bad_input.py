"""Bad input ends a stage in one line that says where, with exit status 1 and without an out."""

import io
import socket
import tarfile
import zipfile
from collections.abc import Callable

import pytest

import stages.build_vocab
import stages.download
import stages.prepare
import stages.tokenize_text
import stages.train
from stages.corpus import sources
from tests.projects import REPOSITORY, Project, read_params, write_params

GOOD = b"text\tlabel\ngood one\t1\nbad one\t0\n"
SPLITS = ("train", "valid", "test")

# What train.tsv holds, and what the message names.
TABLES = {
    "missing column": (b"sentence\tlabel\na b\t1\nc d\t0\n", ["train.tsv", "'text'"]),
    "label not 0 or 1": (b"text\tlabel\na b\t1\nc d\t2\ne f\t0\n", ["train.tsv, line 3", "'2'"]),
    "empty text": (b"text\tlabel\na b\t1\n \t0\ne f\t0\n", ["train.tsv, line 3"]),
    "blank line": (b"text\tlabel\na b\t1\n\nc d\t0\n", ["train.tsv, line 3"]),
    "invalid UTF-8": (b"text\tlabel\na b\t1\nc\xe9 d\t0\n", ["train.tsv, line 3", "UTF-8"]),
    "too many fields": (b"text\tlabel\na b\t1\nc d\t0\textra\n", ["train.tsv", "line 3"]),
    "too many fields in the first row": (b"text\tlabel\na b\t1\textra\nc d\t0\n", ["train.tsv", "line 2"]),
    "too few fields": (b"text\tlabel\na b\t1\nc d\n", ["train.tsv", "line 3"]),
    "too few fields beyond text and label": (b"text\tlabel\tsource\na b\t1\tx\nc d\t0\n", ["train.tsv", "line 3"]),
    "only a header": (b"text\tlabel\n", ["train.tsv", "no rows"]),
    "empty file": (b"", ["train.tsv", "empty"]),
    "one class alone": (b"text\tlabel\na b\t1\nc d\t1\n", ["train.tsv", "'0'"]),
}

# A key of params.yaml, run.yaml or a corpus's file, what is put there, and what the message names.
FILES_OF = {"run": ".yaml", "corpora": "corpora/own.yaml"}
PACKAGE = {"name": "own", "version": "1.0", "checksum": "0" * 64}
RUN = read_params(REPOSITORY)["run"] | {"corpora": ["own"]}
PARAMS = {
    "unknown top key": ("evalute", {}, ["'evalute'", "'evaluate'"]),
    "unknown nested key": (
        "models.average.architecture.hiden_size",
        256,
        ["models.average.architecture", "'hiden_size'", "did you mean 'hidden_size'"],
    ),
    "unknown key that is a number": ("run", RUN | {1: 2}, ["run.yaml, line", "the key 1", "in quotes"]),
    "a column's name without quotes": ("corpora.own.columns.label", 2024, ["columns.label is 2024", "in quotes"]),
    "a class without a name": ("corpora.own.labels", {"": "0", "good": "1"}, ["labels is ''", "a class's name"]),
    "a class and one of its seeds": (
        "corpora.own.labels",
        {"good": "1", "good_1": "2"},
        ["'good' and 'good_1'", "rename one"],
    ),
    "one column for text and label": (
        "corpora.own.columns",
        {"text": "label", "label": "label"},
        ["columns.text", "'label'", "two columns"],
    ),
    "a group where nothing is drawn": ("corpora.own.splits.group_by", "film", ["splits.group_by", "a fraction"]),
    "a delimiter that ends lines": ("corpora.own.format.delimiter", "\n", ["format.delimiter", "one character"]),
    "more threads than a machine has": ("corpora.own.threads", 10**20, ["threads", "1 to 1024"]),
    "a corpus's name without quotes": ("run.corpora", [False], ["run.corpora.0 is False", "in quotes"]),
    "an encoder's name without quotes": ("run.encoders", [384], ["run.encoders.0 is 384", "in quotes"]),
    "a model's name without quotes": ("run.models.pooled", [2], ["run.models.pooled.0 is 2", "in quotes"]),
    "a training's name without quotes": ("run.notebook", [3.1], ["run.notebook.0 is 3.1", "in quotes"]),
    "a seed in quotes": ("run.seeds", ["1"], ["run.seeds.0 is '1'", "a whole number"]),
    "clipping to nothing": (
        "models.average.optimization.clip_norm",
        0,
        ["optimization.clip_norm is 0", "null or a number above 0"],
    ),
    "unknown encoder": ("run.encoders", ["minilmm"], ["run.encoders", "'minilmm'", "did you mean 'minilm'"]),
    "GloVe of a dimension that there is not": (
        "run.glove_dimensions",
        [64],
        ["run.glove_dimensions", "64", "50, 100, 200 or 300"],
    ),
    "GloVe from nowhere": ("glove.50d", {"files": {"a.txt": None}}, ["glove.50d", "address", "package"]),
    "GloVe from two places": ("glove.100d.package", "a", ["glove.100d", "'package': 'a'", "address and files, or"]),
    "GloVe of no file": ("glove.100d.files", {}, ["glove.100d.files", "one or more files"]),
    "two teachers": ("run.teachers", ["minilm", "mpnet"], ["run.teachers", "a list of one name"]),
    "a teacher that there is not": ("run.teachers", ["minilmm"], ["run.teachers", "'minilmm'", "'minilm'"]),
    "a model that learns from nobody": (
        "models.lstm_distilled",
        {"architecture": {"hidden_size": 8, "word_dropout": 0, "pooling": "max"}, "optimization": {}},
        ["models.lstm_distilled", "lacks"],
    ),
    "a teacher above all": ("models.lstm_distilled.distillation.teacher_weight", 1.5, ["teacher_weight", "0 to 1"]),
    "sentences longer than the longest": (
        "corpora.own.taught_sentences",
        {"number": 9, "shortest": 8, "longest": 7},
        ["taught_sentences.shortest is 8", "longest, 7"],
    ),
    "sentences of no text": (
        "corpora.own.taught_sentences.number",
        9,
        ["taught_sentences.number is 9", "unlabelled_texts is []", "number: 0"],
    ),
    "texts without labels twice": ("corpora.own.unlabelled_texts", ["b", "b"], ["unlabelled_texts", "different names"]),
    "layers' rates where no encoder is trained": (
        "corpora.own.training.optimization",
        {"layer_decay": 0.8},
        ["training.optimization has layer_decay", "finetuning.optimization"],
    ),
    "an unknown key of an encoder's training": (
        "encoders.minilm.optimization",
        {"layerdecay": 0.8},
        ["encoders.minilm.optimization", "'layerdecay'", "did you mean 'layer_decay'"],
    ),
    "an encoder that is chosen twice": ("run.encoders", ["minilm", "minilm"], ["run.encoders", "different names"]),
    "two GloVes": ("run.glove_dimensions", [50, 100], ["run.glove_dimensions", "[50, 100]"]),
    "empty sentence": ("predict.sentences", ["Good.", " "], ["predict.sentences.1", "' '"]),
    "unknown precision": ("corpora.own.precision", "fp16", ["corpora/own.yaml", "precision", "'fp16'", "bf16"]),
    "nothing to search": ("models.tfidf.search.weighting", [], ["models.tfidf.search.weighting", "[]"]),
    "unknown weighting": ("models.tfidf.search.weighting", ["idff"], ["search.weighting.0", "'idff'"]),
    "missing key": ("models.average.optimization", {"learning_rate": 0.1}, ["models.average.optimization", "lacks"]),
    "wrong type": ("corpora.own.min_count", "two", ["corpora/own.yaml", "min_count", "'two'", "whole number"]),
    "fraction for a count": (
        "corpora.own.training.batch_size",
        32.0,
        ["corpora/own.yaml", "training.batch_size", "32.0"],
    ),
    "learning rate of 0": ("models.average.optimization.learning_rate", 0, ["optimization.learning_rate", "above 0"]),
    "learning rate as YAML text": (
        "models.average.optimization.learning_rate",
        "1e-3",
        ["optimization.learning_rate", "'1e-3'", "with a point"],
    ),
    "learning rate that is not a number": (
        "models.average.optimization.learning_rate",
        float("nan"),
        ["optimization.learning_rate", "above 0"],
    ),
    "unknown corpus": ("run.corpora", ["owm"], ["corpora/owm.yaml", "did you mean 'own'"]),
    "unknown model": ("run.models.pooled", ["averige"], ["run.models.pooled", "'averige'", "did you mean 'average'"]),
    "same seed twice": ("run.seeds", [1, 1], ["run.seeds", "[1, 1]"]),
    "no seeds": ("run.seeds", [], ["run.seeds", "[]"]),
    "path out of the folder": ("corpora.own.source.files", {"../train.tsv": None}, ["source.files", "'../train.tsv'"]),
    "splits in another order": ("evaluate.splits", ["test", "valid"], ["evaluate.splits", "[valid, test]"]),
    "a recipe's unknown key": (
        "notebook.average_by_sgd.architecture.hiden_size",
        3,
        ["average_by_sgd.architecture", "'hidden_size'"],
    ),
    "no corpus": ("run.corpora", [], ["run.corpora", "one or more"]),
    "split out of the folder": ("corpora.own.splits.train", "a/../../x.tsv", ["splits.train", "'a/../../x.tsv'"]),
    "an address and a package": (
        "corpora.own.source",
        {"address": "https://data.example/own.zip", "package": PACKAGE, "files": {"a.tsv": None}},
        ["corpora/own.yaml", "source", "either an address or a package"],
    ),
    "an archive inside of no package": (
        "corpora.own.source",
        {"archive": "own-1.0/data.zip", "files": {"a.tsv": None}},
        ["source", "'own-1.0/data.zip'", "a package"],
    ),
    "a package whose name is more": (
        "corpora.own.source",
        {"package": PACKAGE | {"name": "own --index-url=x"}, "files": {"a.tsv": None}},
        ["source.package.name", "a package's name"],
    ),
    "a package's version without quotes": (
        "corpora.own.source",
        {"package": PACKAGE | {"version": 1.0}, "files": {"a.tsv": None}},
        ["source.package.version", "in quotes"],
    ),
    "a package without a checksum": (
        "corpora.own.source",
        {"package": PACKAGE | {"checksum": None}, "files": {"a.tsv": None}},
        ["source.package.checksum", "64 hexadecimal digits"],
    ),
    "a score to choose by that there is not": (
        "corpora.own.training.choose_by",
        "f1",
        ["training.choose_by", "'f1'", "loss, accuracy or macro_f1"],
    ),
    "class weights of another word": (
        "corpora.own.finetuning.class_weights",
        "balance",
        ["finetuning.class_weights", "'balance'", "none, balanced"],
    ),
    "class weights that are null": ("corpora.own.training.class_weights", None, ["training.class_weights", "none,"]),
    "a weight for one class of two": (
        "corpora.own.training.class_weights",
        {"negative": 1},
        ["training.class_weights", "'positive'", "give each class one"],
    ),
    "a weight for a class that there is not": (
        "corpora.own.finetuning.class_weights",
        {"negative": 1, "positive": 2, "neutral": 3},
        ["finetuning.class_weights", "'neutral'", "known are negative, positive"],
    ),
    "weights of classes without one of them": (
        "corpora.own.training.class_weights",
        {"negative": 1, "positve": 2},
        ["training.class_weights", "'positive'"],
    ),
    "a class weight of 0": (
        "corpora.own.training.class_weights",
        {"negative": 1, "positive": 0},
        ["training.class_weights.positive", "above 0"],
    ),
    "a class weight without end": (
        "corpora.own.training.class_weights",
        {"negative": 1, "positive": float("inf")},
        ["training.class_weights.positive", "above 0"],
    ),
    "split carved out that cannot be": ("corpora.own.splits.test", "sentences", ["splits.test", "sentences"]),
}


# Mappings whose keys are names: a dotted key, and such a name.
NAMES = {
    "classes": ("corpora.own.labels", "0"),
    "files": ("corpora.own.source.files", "2024"),
    "models": ("models", "2"),
    "encoders": ("encoders", "384"),
    "checksums": ("encoders.minilm.checksums", "null"),
    "vectors": ("glove", "50"),
    "vectors' files": ("glove.50d.files", "2024-01-01"),
    "trainings": ("notebook", "yes"),
    "kinds of models": ("run.models", "~"),
}

# What a line of a corpus's file is, and what the message says of it.
LINES = {
    "classes yes and no": ("labels: {no: no, yes: yes}", ["reads the key no as true or false", 'in quotes: "no"']),
    "classes in stars": ('labels: {1: "1", 2: "2"}', ["reads the key 1 as a number", 'in quotes: "1"']),
    "a table whose name is a number": ("source: {files: {}, tables: {1.5: {}}}", ["the key 1.5 as a number"]),
    "a class of two words in brackets": ('labels: {[not, good]: "0", good: "1"}', ["a list or a mapping"]),
    "the same class twice": ('labels: {bad: "0", bad: "1", good: "2"}', ["'bad'", "a second time"]),
    "a number that begins with 0": ("min_count: 010", ["010", "plain digits"]),
    "a number of minutes": ("min_count: 1:30", ["1:30", "plain digits"]),
    "a range that ends in seconds": ("labels: {a: {below: 1:30.5}, b: {from: 91}}", ["1:30.5", "plain digits"]),
    "a number with an underscore": ("labels: {a: {below: 1_0.5}, b: {from: 91}}", ["1_0.5", "plain digits"]),
    "a day that no month has": ("labels: {a: 2001-13-45, b: x}", ["2001-13-45 as a date", "in quotes"]),
    "a number of 5,000 digits": (f"labels: {{a: {5000 * '1'}, b: x}}", ["1111 as a number", "in quotes"]),
    "a truth that is none": ("labels: {a: !!bool maybe, b: x}", ["maybe as true or false"]),
    "lists in lists in lists": (f"labels: {2000 * '['}{2000 * ']'}", ["nested too deeply"]),
}


@pytest.fixture
def prepare(project: Project, run_here: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    def prepare(**tables: bytes) -> str:
        monkeypatch.chdir(project.folder)
        for split in SPLITS:
            project.write(f"data/raw/own/{split}.tsv", tables.get(split, GOOD))
        return run_here(stages.prepare, corpus="own", raw="data/raw/own", out="data/corpora/own")

    return prepare


@pytest.fixture
def download(project: Project, run_here: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    def download(mirror: str = "") -> str:
        monkeypatch.chdir(project.folder)
        monkeypatch.setenv("DATA_MIRROR", mirror)
        paths = {"local": "data/own", "downloads": "data/downloads", "out": "data/raw/own"}
        return run_here(stages.download, corpus="own", **paths)

    return download


def zip_of(names: list[str]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name in names:
            file.writestr(name, GOOD)
    return archive.getvalue()


def tar_with_link_of(names: list[str]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as file:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(GOOD)
            file.addfile(member, io.BytesIO(GOOD))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        file.addfile(link)
    return archive.getvalue()


FILES = [f"{split}.tsv" for split in SPLITS]

# The archive that a mirror holds, and what the message names.
ARCHIVES = {
    "truncated": (zip_of(FILES)[:-40], ["own.zip"]),
    "path out of the folder": (zip_of([*FILES, "../evil.tsv"]), ["own.zip", "'../evil.tsv'"]),
    "absolute path": (zip_of([*FILES, "/evil.tsv"]), ["own.zip", "'/evil.tsv'"]),
    "link": (tar_with_link_of(FILES), ["own.zip", "'link'"]),
    "without a wanted file": (zip_of(FILES[:2]), ["own.zip", "test.tsv"]),
}


@pytest.mark.parametrize(("train", "fragments"), TABLES.values(), ids=TABLES)
def test_bad_table_is_refused_with_file_and_line(project, prepare, check, train, fragments):
    check(prepare(train=train), project.folder / "data/corpora", *fragments)


@pytest.mark.parametrize(("key", "value", "fragments"), PARAMS.values(), ids=PARAMS)
def test_bad_parameter_is_refused_with_its_key(project, download, check, key, value, fragments):
    project.set(key, value)
    check(download(), project.folder / "data/raw", FILES_OF.get(key.partition(".")[0], "params.yaml"), *fragments)


@pytest.mark.parametrize(("key", "name"), NAMES.values(), ids=NAMES)
def test_a_name_that_yaml_does_not_read_as_text_is_refused(project, download, check, key, name):
    project.set(f"{key}.the_name", None)
    file = next(path for path in sorted(project.folder.rglob("*.yaml")) if "the_name" in path.read_text())
    text = file.read_text(encoding="utf-8")
    line = text[: text.index("the_name")].count("\n") + 1
    file.write_text(text.replace("the_name", name), encoding="utf-8")
    where = f"{file.relative_to(project.folder)}, line {line}"
    check(download(), project.folder / "data/raw", where, f"the key {name} ", f'put it in quotes: "{name}"')


@pytest.mark.parametrize(("line", "fragments"), LINES.values(), ids=LINES)
def test_a_line_that_reads_as_another_is_refused(project, download, check, line, fragments):
    everything = read_params(project.folder)
    del everything["corpora"]["own"][line.partition(":")[0]]
    write_params(project.folder, everything)
    file = project.folder / "corpora/own.yaml"
    file.write_text(f"{line}\n{file.read_text(encoding='utf-8')}", encoding="utf-8")
    check(download(), project.folder / "data/raw", "corpora/own.yaml", *fragments)


def test_two_encoders_of_one_name_are_refused(project, download, check):
    file = project.folder / "params.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("\n  mpnet:\n", "\n  minilm:\n"), encoding="utf-8")
    check(download(), project.folder / "data/raw", "params.yaml, line", "'minilm' is there a second time")


def test_params_that_are_not_yaml_are_refused(project, download, check):
    project.write("params.yaml", b"run: [1, 2\nevaluate: {}\n")
    check(download(), project.folder / "data/raw", "params.yaml", "line 2")


def test_missing_file_of_a_local_corpus_is_named(project, download, check):
    for name in FILES[:2]:
        project.write(f"data/own/{name}", GOOD)
    check(download(), project.folder / "data/raw", "data/own/test.tsv")


def test_changed_byte_is_refused(project, download, check):
    for name in FILES:
        project.write(f"data/own/{name}", GOOD)
    project.set("corpora.own.source.files", dict.fromkeys(FILES) | {"valid.tsv": "0" * 64})
    check(download(), project.folder / "data/raw", "valid.tsv", "SHA-256")


@pytest.mark.parametrize(("archive", "fragments"), ARCHIVES.values(), ids=ARCHIVES)
def test_bad_archive_is_refused_and_the_mirror_keeps_it(project, download, check, archive, fragments):
    project.set("corpora.own.source.address", "https://data.example/own.zip")
    kept = project.write("mirror/own.zip", archive)
    check(download("mirror"), project.folder / "data/raw", *fragments)
    assert kept.read_bytes() == archive
    assert list(project.folder.rglob("evil.tsv")) == []


def test_good_archive_from_a_mirror_is_taken(project, download):
    project.set("corpora.own.source.address", "https://data.example/own.zip")
    project.write("mirror/own.zip", zip_of(FILES))
    assert download("mirror") == ""
    assert sorted(path.name for path in (project.folder / "data/raw/own").iterdir()) == sorted(FILES)


def test_host_out_of_reach_leads_to_the_mirror(project, download, check, monkeypatch):
    monkeypatch.setattr(sources, "PAUSE", 0)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/own.zip"
    project.set("corpora.own.source.address", address)
    check(download(), project.folder / "data/raw", address, "DATA_MIRROR")


@pytest.mark.parametrize("rows", [2, 3], ids=["no row left to train on", "more than there are"])
def test_too_many_held_out_sentences_are_refused(project, prepare, check, rows):
    project.set(
        "corpora.own.splits",
        {
            "train": "train.tsv",
            "valid": "sentences",
            "test": "test.tsv",
            "repeated": "keep",
            "held_out": {"rows": rows, "min_words": 1, "seed": 1},
        },
    )
    check(prepare(), project.folder / "data/corpora", "train", "splits")


def test_a_final_fit_on_test_rows_is_refused(project, prepare, check):
    project.set("corpora.own.splits.valid", "test.tsv")
    project.set("corpora.own.training.final_fit", True)
    check(prepare(), project.folder / "data/corpora", "corpora/own.yaml", "final_fit")


def test_vocabulary_without_words_is_refused(project, prepare, run_here, check):
    assert prepare() == ""
    assert run_here(stages.tokenize_text, corpus="own", rows="data/corpora/own", out="data/words/own") == ""
    project.set("corpora.own.min_count", 1000)
    said = run_here(stages.build_vocab, corpus="own", words="data/words/own", out="data/ids/own")
    check(said, project.folder / "data/ids", "corpora/own.yaml", "min_count")
