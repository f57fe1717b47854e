from hypothesis import given
from hypothesis import strategies as st

from scoring.migration import ABSENT, cause, moves
from scoring.segments import SEGMENTS, Membership, Standing
from scoring.tables import DAY

assignment = st.dictionaries(st.integers(0, 60), st.sampled_from(SEGMENTS), max_size=40)


def test_people_and_money_follow_the_move():
    before = {1: "Champions", 2: "Champions", 3: "Lost", 4: "New"}
    after = {1: "Cooling", 2: "Cooling", 3: "Lost", 5: "New"}
    found = moves(before, after, {1: 900, 2: 100, 3: 7})
    assert found.people == {
        ("Champions", "Cooling"): 2,
        ("Lost", "Lost"): 1,
        ("New", ABSENT): 1,
        (ABSENT, "New"): 1,
    }
    assert found.money[("Champions", "Cooling")] == 1000
    assert found.moved == 2
    assert found.matrix()[SEGMENTS.index("Champions")][SEGMENTS.index("Cooling")] == 2


@given(assignment, assignment)
def test_nobody_is_lost_and_back_is_the_mirror(before, after):
    there, back = moves(before, after, {}), moves(after, before, {})
    assert sum(there.people.values()) == len(before.keys() | after.keys())
    assert {(b, a): count for (a, b), count in there.people.items()} == back.people
    assert there.moved == sum(before[person] != after[person] for person in before.keys() & after.keys())


def test_the_cause_of_a_move_is_the_surest_one():
    now = 1_700_000_000_000_000
    person = Standing(1, 0, 3, now - 3 * DAY, 30.0, 0.0, 0.0)

    def why(days, *, new_model=False):
        return cause(person, Membership(1, "Loyal", 0, now - int(days * DAY)), now, new_model=new_model)

    assert why(5, new_model=True) == "event"
    assert why(2, new_model=True) == "model change"
    assert why(2) == "decay"
    quiet = Standing(1, 0, 0, None, None, 0.0, 0.0)
    assert cause(quiet, Membership(1, "New", 0, now - 8 * DAY), now, new_model=False) == "data gap"
