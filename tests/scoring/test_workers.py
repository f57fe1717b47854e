import numpy as np
import pytest
from threadpoolctl import threadpool_info

from scoring import workers
from scoring.objectives import Objective
from scoring.predict import predict
from scoring.train import train
from scoring.workers import side_by_side


def test_the_order_is_kept():
    assert side_by_side(lambda number: number * number, range(40)) == [number * number for number in range(40)]


def test_an_error_comes_through():
    with pytest.raises(ZeroDivisionError):
        side_by_side(lambda number: 1 / number, [1, 0])


def test_each_piece_has_one_thread_of_its_own():
    found = side_by_side(lambda _: [library["num_threads"] for library in threadpool_info()], range(4))
    assert {threads for each in found for threads in each} == {1}


def test_the_same_facts_give_the_same_bits_on_any_number_of_processors(tables, past, at, monkeypatch):
    def scored(threads):
        monkeypatch.setattr(workers, "MOST", threads)
        model = train(tables, Objective("x", "repeat_purchase", 30), at(300), seed=3, snapshots=past)
        found = predict(model, tables, at(300), known=past.matrix(at(300)))
        return model, found

    (one, alone), (other, beside) = scored(1), scored(3)
    assert one.candidates == other.candidates
    np.testing.assert_array_equal(alone.values, beside.values)
    assert alone.reasons == beside.reasons
