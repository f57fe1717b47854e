from connectors.contract import Change
from sync.plan_counts import counts


def change(before, after):
    return Change("contacts", "1", None, after, before)


def test_each_contact_counts_under_the_first_reason_that_fits():
    found = counts(
        [
            change({}, {"segment": "Loyal", "tags": ("Control", "Loyal"), "buy_score": 80.0}),
            change({"segment": "Loyal"}, {"segment": "Cooling", "tags": ("Cooling",)}),
            change({"buy_score": 3.0}, {"buy_score": 40.0, "reasons": "For: ..."}),
            change({"buy_score": 3.0, "segment": "Lost"}, {"buy_score": None, "segment": None}),
            change({"control_group": True}, {"control_group": False}),
        ]
    )
    assert found["reasons"] == {
        "first values": 1, "another segment": 1, "the score moved": 1, "emptied": 1, "other fields": 1,
    }  # fmt: skip
    assert found["segments"] == {"Loyal": 1, "Loyal → Cooling": 1, "Lost": 1}
    assert found["fields"] == {"buy_score": 3, "segment": 3, "tags": 2, "reasons": 1, "control_group": 1}
    assert found["control"] == 1


def test_nothing_counts_nothing():
    assert counts([]) == {"fields": {}, "reasons": {}, "segments": {}, "control": 0, "tagged": 0, "moved": 0}
