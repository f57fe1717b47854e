"""Every kind of trouble against everything foretag does on a platform: the end is the same as without it."""

import pytest

from benchmarks.faults import ACTS, DATE, KNOBS, ended
from benchmarks.rehearsal import RUNS, Rehearsal
from sandbox.people import PLATFORMS
from sandbox.world import small


@pytest.fixture(scope="module", params=[(kind, act) for kind in PLATFORMS for act in ACTS], ids=" ".join)
def act(request):
    """A sandbox, what is done there, and what that ends with when nothing goes wrong."""
    kind, name = request.param
    stage = Rehearsal(kind, small(30), DATE)
    with stage.sandbox:
        yield stage, name, ACTS[name](stage, list)


@pytest.mark.parametrize("knob", KNOBS, ids=lambda knob: knob.name)
def test_trouble_does_not_change_how_it_ends(act, knob):
    stage, name, undisturbed = act
    if not knob.concerns(stage.kind, name):
        pytest.skip("a pull writes nothing that could be ignored")
    assert ended(stage, name, knob) == undisturbed
    assert stage.spent.runs <= 3 * RUNS


def test_there_is_something_to_lose(act):
    stage, name, undisturbed = act
    stage.reset()
    if name == "pull":
        written = [fact["owned"] for fact in undisturbed.values() if fact.get("owned")]
        assert {"buy_score": 1.0} in [{"buy_score": values["buy_score"]} for values in written]
        assert len(undisturbed) > 3 * len(written) > 0
    else:
        assert stage.state() != undisturbed
