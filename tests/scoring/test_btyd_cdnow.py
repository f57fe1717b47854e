"""The published results on the CDNOW sample, found again."""

import pytest

from benchmarks import cdnow


@pytest.fixture(scope="module")
def sample():
    file = cdnow.path()
    if file is None:
        pytest.skip("the CDNOW sample comes with the package lifetimes, which is not installed")
    return cdnow.read(file)


def test_the_sample_is_the_published_one(sample):
    assert sample.known.person_ids.size == 2357
    assert sample.known.purchases.x.sum() == 2457
    assert (sample.known.purchases.x > 0).sum() == 946
    assert sample.later.sum() == 1882


@pytest.mark.parametrize(
    ("name", "likelihood", "mae", "correlation", "total"),
    [
        ("BG/NBD", -9582.4, 0.7855, 0.626, -0.121),
        ("MBG/NBD", -9582.1, 0.7648, 0.627, -0.162),
        ("Pareto/NBD", -9595.0, 0.7545, 0.630, -0.115),
    ],
)
def test_how_often_people_buy(sample, name, likelihood, mae, correlation, total):
    found = cdnow.counting(cdnow.MODELS[name], sample)
    assert found["LL"] == pytest.approx(likelihood, abs=0.1)
    assert found["MAE"] == pytest.approx(mae, abs=0.002)
    assert found["corr"] == pytest.approx(correlation, abs=0.001)
    assert found["total"] == pytest.approx(total, abs=0.002)
    published = cdnow.PUBLISHED[name]
    for parameter in published.keys() - {"LL", "corr"}:
        assert found[parameter] == pytest.approx(published[parameter], rel=0.005)


def test_how_much_they_spend(sample):
    found = cdnow.spending(sample)
    for parameter, value in {"p": 6.25, "q": 3.74, "v": 15.45}.items():
        assert found[parameter] == pytest.approx(value, abs=0.01)


def test_every_model_beats_the_pace_so_far(sample):
    bought = sample.known.purchases
    pace = cdnow.measures(bought.x / bought.age * cdnow.WEEKS, sample)
    for model in cdnow.MODELS.values():
        found = cdnow.counting(model, sample)
        assert found["MAE"] < pace["MAE"]
        assert abs(found["total"]) < abs(pace["total"])
        assert found["AUC"] > pace["AUC"]


def test_the_benchmark_prints_each_model_beside_its_published_values(sample, capsys):
    cdnow.main()
    lines = capsys.readouterr().out.splitlines()
    for name in cdnow.PUBLISHED:
        row = next(place for place, line in enumerate(lines) if line.startswith(name))
        assert lines[row + 1].lstrip().startswith("published")
    assert any("LL -9595.0" in line for line in lines)
