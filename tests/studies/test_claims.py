"""The notebooks' claims: each holds, differs or was not measured, and no address in them is mistyped."""

import json
from pathlib import Path

import pytest

from stages import claims
from tests.projects import REPOSITORY


@pytest.fixture
def results(tmp_path) -> Path:
    (tmp_path / "sst2").mkdir()
    (tmp_path / "sst2/corpus.json").write_text(json.dumps({"rows": [3, 4], "models": {}}))
    return tmp_path


@pytest.mark.parametrize(
    ("says", "verdict"),
    [([3, 4], "holds"), ([3, 4.5], "holds"), ([3, 5], "differs by 1"), (None, "no figure in the notebook")],
)
def test_a_claim_holds_or_differs_by_what_was_measured(results, says, verdict):
    claim = {"id": "K", "claim": "rows", "says": says, "within": 0.5, "measured_on": "sst2"}
    claim["measured"] = ["sst2/corpus.json/rows/0", "sst2/corpus.json/rows/1"]
    assert claims.checked(claim, results)["verdict"] == verdict


def test_a_claim_without_results_is_not_measured(results):
    for measured in (
        [],
        ["imdb/corpus.json/rows"],
        ["sst2/corpus.json/models/cnn/accuracy"],
        ["sst2/corpus.json/rows/9"],
    ):
        claim = {"id": "K", "claim": "rows", "says": [1], "within": 0, "measured_on": "sst2", "measured": measured}
        assert claims.checked(claim, results)["verdict"] == "not measured"


def test_every_address_that_the_committed_results_can_fill_is_filled():
    """A claim with a mistyped address would be called not measured."""
    found = json.loads((REPOSITORY / "results/claims.json").read_text(encoding="utf-8"))["claims"]
    assert {claim["id"] for claim in found if claim["verdict"] == "not measured"} == {"N4.5", "N4.6", "N4.7"}


def test_a_claim_about_test_is_not_measured_on_valid(results):
    (results / "sst2/comparison.json").write_text(json.dumps({"split": "valid", "models": {"rnn": {"accuracy": 0.9}}}))
    assert claims.value_at(results, "sst2/comparison.json/models/rnn/accuracy") is None
