"""The pipeline's contract: a stage depends on what it imports, and every model has all that it needs."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from dvc.utils.serialize import load_yaml

from tests.projects import REPOSITORY, read_params

STAGES = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text())["stages"]
PARAMS = read_params(REPOSITORY)
SCHEMA = yaml.safe_load((REPOSITORY / "stages/params.schema.yaml").read_text())
MODEL = "${item.model}"
MODEL_FILES = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for path in (REPOSITORY / "stages/models").glob("*.py")
    if "class Classifier" in path.read_text()
)
# Imported but not deps: they can refuse input or fail, but the results of what they accept do not depend on them.
HARMLESS = {
    "stages/common/command.py": "reads a command's options and puts errors into one sentence",
    "stages/common/corpus_checks.py": "says which keys of a corpus's file contradict each other",
    "stages/common/files.py": "writes what it is given, whole or not at all; JSON and SHA-256 are what they are",
    "stages/common/locks.py": "lets one process at a time write a path",
    "stages/common/params.py": "gives params.yaml as it is, or says what is wrong in it",
    "stages/common/run_checks.py": "says which lists of run.yaml contradict each other or a corpus's file",
    "stages/common/strict_yaml.py": "gives a YAML file as it is, or says what is wrong in it",
    "stages/common/suggestions.py": "adds to a sentence what may be meant",
}


def imported_files(path: str) -> set[str]:
    """The local modules that a module imports, directly or not, as paths from the root."""
    found, queue = set(), [path]
    while queue:
        for node in ast.walk(ast.parse((REPOSITORY / queue.pop()).read_text())):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            names = [alias.name for alias in node.names]
            if isinstance(node, ast.ImportFrom):
                names = [node.module, *(f"{node.module}.{name}" for name in names)]
            files = {f"{name.replace('.', '/')}.py" for name in names if name.startswith("stages")}
            new = {file for file in files if (REPOSITORY / file).is_file()} - found
            found |= new
            queue += new
    return found


def imported_packages(path: str) -> set[str]:
    trees = [ast.parse((REPOSITORY / file).read_text()) for file in {path} | imported_files(path)]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {name.split(".")[0] for name in names}


def script(stage: str) -> str:
    name = re.search(r"python -m stages[.](\w+)", STAGES[stage]["cmd"])[1]
    return f"stages/{name}.py"


def models_of(stage: str) -> list[str]:
    """The models of a stage's matrix or recipes, whether or not they are selected now."""
    if stage == "repeat_notebook":
        return sorted({recipe["model"] for recipe in PARAMS["notebook"].values()})
    group = STAGES[stage].get("matrix", {}).get("model", "")
    if not group:
        return []
    kind = re.fullmatch(r"\$\{run\.models\.(\w+)\}", group)[1]
    return sorted({model for run in runs() for model in run["models"][kind]})


def runs() -> list[dict]:
    """The ready choices of what to build."""
    return [yaml.safe_load(path.read_text())["run"] for path in (REPOSITORY / "runs").glob("*.yaml")]


def needed_files(stage: str, model: str) -> set[str]:
    """The local modules that a stage runs for a model of its matrix or "", without the harmless ones."""
    needed = {script(stage)} | imported_files(script(stage))
    if model and not stage.startswith("evaluate"):
        file = f"stages/models/{model}.py"
        needed |= {file} | imported_files(file)
    return needed - set(HARMLESS)


def code_deps(stage: str, model: str) -> set[str]:
    """The modules among a stage's deps, including those in folders."""
    paths = [REPOSITORY / dep.replace(MODEL, model) for dep in STAGES[stage]["deps"] if dep.startswith("stages/")]
    modules = [module for path in paths for module in (path.rglob("*.py") if path.is_dir() else [path])]
    return {
        str(path.relative_to(REPOSITORY)) for path in modules if path.suffix == ".py" and path.name != "__init__.py"
    }


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_every_local_module_it_imports(stage):
    for model in models_of(stage) or [""]:
        assert needed_files(stage, model) - code_deps(stage, model) == set()


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_no_module_that_it_does_not_import(stage):
    models = models_of(stage) or [""]
    needed = set.union(*(needed_files(stage, model) for model in models))
    unneeded = set.union(*(code_deps(stage, model) for model in models)) - needed
    assert unneeded - (set(MODEL_FILES) if stage == "report" else set()) == set()


def test_the_report_depends_on_every_model_whose_first_line_it_quotes():
    assert set(MODEL_FILES) - code_deps("report", "") == set()


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_no_file_that_is_not_there(stage):
    files = [dep for dep in STAGES[stage]["deps"] if dep.startswith("stages/") and MODEL not in dep]
    assert [file for file in files if not (REPOSITORY / file).exists()] == []


def test_make_repro_makes_the_folders_that_claims_reads_whether_measured_or_not():
    [made] = re.findall(r"^\t@mkdir -p (.+?) #", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    read = {dep for dep in STAGES["claims"]["deps"] if dep.startswith("results/") and not dep.endswith(".json")}
    assert set(made.split()) == read


@pytest.mark.parametrize("file", HARMLESS)
def test_what_is_harmless_is_imported_and_no_dep(file):
    assert any(file in imported_files(script(stage)) for stage in STAGES)
    assert [stage for stage in STAGES for dep in STAGES[stage]["deps"] if Path(file).is_relative_to(dep)] == []


def test_no_module_imports_a_script():
    scripts = {path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "stages").glob("*.py")}
    modules = [path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "stages").rglob("*.py")]
    assert {path: found for path in modules if (found := imported_files(path) & scripts)} == {}


def test_a_folder_holds_at_most_twelve_modules_or_all_scripts_or_models():
    folders = {path.parent.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "stages").rglob("*.py")}
    counts = {
        folder: len(list((REPOSITORY / folder).glob("[!_]*.py"))) for folder in folders - {"stages", "stages/models"}
    }
    assert {folder: count for folder, count in counts.items() if count > 12} == {}


def test_the_linter_of_imports_knows_every_folder():
    [contract] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = {name.strip() for layer in contract["layers"] for name in layer.split("|")}
    assert layers == {path.parent.name for path in (REPOSITORY / "stages").glob("*/__init__.py")}


def test_every_script_is_a_stage_and_has_a_description():
    scripts = {f"stages/{path.name}" for path in (REPOSITORY / "stages").glob("*.py")} - {"stages/__init__.py"}
    assert {script(stage) for stage in STAGES} == scripts - {"stages/predict.py"}  # which is for people
    assert [stage for stage in STAGES if not STAGES[stage].get("desc")] == []


def test_every_group_of_trainings_is_evaluated():
    trainings = {
        stage.removeprefix("train_"): STAGES[stage]["matrix"] for stage in STAGES if stage.startswith("train_")
    }
    evaluations = {
        stage.removeprefix("evaluate_"): STAGES[stage]["matrix"] for stage in STAGES if stage.startswith("evaluate_")
    }
    assert {
        name: {key: value for key, value in matrix.items() if key != "seed"} for name, matrix in trainings.items()
    } == evaluations


def test_every_model_has_a_file_parameters_a_schema_and_a_place_in_a_run():
    files = {Path(path).stem for path in MODEL_FILES}
    selectable = {model for run in runs() for models in run["models"].values() for model in models}
    assert files == set(PARAMS["models"]) == set(SCHEMA["properties"]["models"]["properties"]) == selectable


def test_run_yaml_is_the_choice_for_a_first_run():
    assert (REPOSITORY / "run.yaml").read_bytes() == (REPOSITORY / "runs/movies.yaml").read_bytes()


@pytest.mark.parametrize(
    "path", [*REPOSITORY.glob("*.yaml"), *REPOSITORY.glob("[cr]*s/*.yaml")], ids=lambda path: path.name
)
def test_dvc_reads_yaml_as_the_stages_do(path):
    """DVC's YAML is version 1.2, the stages' 1.1; only the latter has merge keys in its standard."""
    assert load_yaml(str(path)) == yaml.safe_load(path.read_text(encoding="utf-8"))


def test_a_model_has_an_optimization_of_its_own():
    """Otherwise a value set for one model would change another's too."""
    found = [model["optimization"] for model in PARAMS["models"].values() if "optimization" in model]
    assert len({id(each) for each in found}) == len(found) == len(PARAMS["models"]) - 1


def test_every_corpus_has_its_folder():
    assert [name for name in PARAMS["corpora"] if not (REPOSITORY / "data" / name).is_dir()] == []


@pytest.mark.parametrize("stage", STAGES)
def test_only_networks_need_torch(stage):
    networks = {
        "download_encoder",
        "embed_bert",
        "identities",
        "predict_sentences",
        "repeat_notebook",
        "study_gates",
        "teach",
        "train",
    }
    assert ("torch" in imported_packages(script(stage))) == (Path(script(stage)).stem in networks)


def test_packages_import_nothing_by_themselves():
    assert [path for path in (REPOSITORY / "stages").rglob("__init__.py") if path.read_text()] == []


def test_requirements_are_pinned():
    lines = (REPOSITORY / "requirements.txt").read_text().splitlines()
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+(\[\w+\])?==[\w.]+", line)] == []
