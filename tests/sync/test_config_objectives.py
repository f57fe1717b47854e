import pytest
from pydantic import ValidationError

from sync.config_sections import Objective


def test_a_conversion_says_what_counts():
    assert Objective(predict="conversion", counts="form").title == "First form"
    assert Objective(predict="conversion", counts="form", name="Asks for a demo").title == "Asks for a demo"
    for wrong in ({"predict": "conversion"}, {"predict": "churn", "counts": "form"}):
        with pytest.raises(ValidationError, match="a conversion needs it"):
            Objective(**wrong)
    with pytest.raises(ValidationError, match="counts"):
        Objective(predict="conversion", counts="dancing")
