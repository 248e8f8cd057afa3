"""What the page says that small models learned from a teacher."""

import pytest

from stages.reporting.corpora import matrix
from stages.reporting.taught import taught
from tests.reporting.test_winner import models, pair

FOUND = models(
    lstm=(0.80, 40), average=(0.9, 10), lstm_distilled=(0.86, 25), average_distilled=(0.89, 5), big=(0.9, 100)
)
PAIRS = [pair("lstm", "lstm_distilled", 0.06, True), pair("average", "average_distilled", -0.01, False)]


def test_a_model_is_beside_itself_without_a_teacher_and_beside_the_teacher():
    found = taught(FOUND, matrix(list(FOUND), PAIRS), "big")
    assert list(found) == ["lstm_distilled", "average_distilled"]
    assert found["lstm_distilled"] == {
        "alone": "lstm",
        "gained": pytest.approx(0.06),
        "differs": True,
        "covered": pytest.approx(0.6),  # 6 of 10 points
        "share": 0.25,
    }


def test_where_the_teacher_is_not_ahead_there_is_no_way_to_cover():
    found = taught(FOUND, matrix(list(FOUND), PAIRS), "big")["average_distilled"]
    assert (found["covered"], found["differs"]) == (None, False)


@pytest.mark.parametrize(
    ("missing", "teacher"), [("lstm", "big"), ("big", "big"), ("lstm_distilled", "big"), ("", None)]
)
def test_without_one_of_the_three_nothing_is_said(missing, teacher):
    left = {name: model for name, model in FOUND.items() if name != missing and not name.startswith("average")}
    assert taught(left, matrix(list(left), PAIRS), teacher) == {}
