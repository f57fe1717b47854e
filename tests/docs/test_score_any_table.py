"""The example of the how-to runs as it stands there."""

import re
from pathlib import Path


def test_the_examples_run(root, capsys):
    text = (root / "docs/how-to/score-any-table.md").read_text(encoding="utf-8")
    known: dict[str, object] = {}
    for code in re.findall(r"(?ms)^```python\n(.*?)^```$", text):
        exec(compile(code, str(Path("score-any-table.md")), "exec"), known)
    assert "repeat_purchase by" in capsys.readouterr().out
    assert len(known["found"].segments) == 120
    assert len(known["wanted"]) == 6
