from hypothesis import given
from hypothesis import strategies as st

from scoring.migration import ABSENT, moves
from scoring.segments import SEGMENTS

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
