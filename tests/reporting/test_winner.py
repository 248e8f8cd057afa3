"""What the first screen says: which model is ahead, by how much, and what less would do."""

from stages.reporting.corpora import matrix
from stages.reporting.winner import mark_frontier, winner


def models(**of_each: tuple[float, int]) -> dict[str, dict]:
    return {name: {"accuracy": accuracy, "parameters": size} for name, (accuracy, size) in of_each.items()}


def pair(first: str, second: str, difference: float, differs: bool) -> dict:
    return {"first": first, "second": second, "difference": difference, "differs": differs, "p_value_holm": 0.5}


def test_the_frontier_has_the_models_that_none_equals_at_their_size():
    found = models(small=(0.7, 10), worse=(0.6, 20), equal=(0.7, 20), better=(0.8, 20), large=(0.8, 30))
    mark_frontier(found)
    assert [name for name, model in found.items() if model["frontier"]] == ["small", "better"]


def test_two_models_alike_in_both_are_both_on_the_frontier():
    found = models(one=(0.7, 10), two=(0.7, 10))
    mark_frontier(found)
    assert all(model["frontier"] for model in found.values())


def test_the_winner_is_beside_the_next_and_the_smallest_that_is_not_told_apart():
    found = models(tiny=(0.60, 1), small=(0.88, 5), middle=(0.89, 50), best=(0.9, 100))
    pairs = [pair("tiny", "best", 0.3, True), pair("small", "best", 0.02, False), pair("best", "middle", -0.01, False)]
    cells = matrix(list(found), pairs)
    assert cells["best"]["middle"]["difference"] == 0.01 and cells["middle"]["best"]["difference"] == -0.01
    told = {"name": "best", "next": "middle", "apart": 1, "others": 3}
    assert winner(found, cells) == told | {"smaller": 3, "enough": "small"}


def test_where_the_test_tells_all_smaller_models_from_the_best_none_is_enough():
    found = models(small=(0.6, 5), best=(0.9, 100), large=(0.89, 200))
    cells = matrix(list(found), [pair("small", "best", 0.3, True), pair("best", "large", -0.01, False)])
    assert (winner(found, cells)["smaller"], winner(found, cells)["enough"]) == (1, None)


def test_a_single_model_has_none_beside_it():
    alone = winner(models(only=(0.9, 1)), {"only": {}})
    assert alone == {"name": "only", "next": None, "apart": 0, "others": 0, "smaller": 0, "enough": None}
