import numpy as np
import pytest

from scoring.ledger import realised


def test_predictions_meet_outcomes_beside_the_rule():
    rng = np.random.default_rng(8)
    p = rng.beta(2, 3, 2000)
    y = (rng.random(2000) < p).astype(float)
    found = realised(p, y, np.arange(2000), seed=1, rule_p=np.full(2000, p.mean()))
    assert found.predicted_mean == pytest.approx(found.observed_mean, abs=0.03)
    assert found.model.metrics["auc"].low > 0.6
    assert found.model.metrics["ece"].value < 0.05
    assert found.rule.metrics["auc"].value == 0.5
    assert found.model.n == 2000


def test_without_a_rule_there_is_none_and_lists_must_match():
    p, y = np.array([0.2, 0.9]), np.array([0.0, 1.0])
    assert realised(p, y, np.arange(2), seed=1).rule is None
    with pytest.raises(ValueError, match="equally many"):
        realised(p, y[:1], np.arange(2), seed=1)
    with pytest.raises(ValueError, match="equally many"):
        realised(p, y, np.arange(2), seed=1, rule_p=p[:1])
