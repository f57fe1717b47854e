"""The first load starts no automation on Mailchimp by our tags, unless the admin wants it to."""

import pytest
from click.testing import CliRunner

from sync import cli
from sync.configfile import load


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("", "0 automations start by the tags of {} contacts: they are set silently"),
        ("fire_automations = true\n", "automations on our tags can start for {} contacts"),
    ],
)
def test_automations_start_by_our_tags_only_where_they_may(tiny, setting, told):
    text = tiny.config_file.read_text().replace("[[mailchimp]]\n", f"[[mailchimp]]\n{setting}")
    tiny.config_file.write_text(text.replace('mode = "full"', 'mode = "shadow"'))
    tiny.config = load(tiny.config_file)
    assert tiny.run().plan.size
    tiny.config_file.write_text(text)
    tiny.config = load(tiny.config_file)
    shown = CliRunner().invoke(cli.main, ["--config", str(tiny.config_file), "plan"])
    outcome = tiny.run()
    (applied,) = (each for each in outcome.applied if each.account == "mailchimp")
    assert applied.written
    assert f"mailchimp    {told.format(applied.written)}" in shown.output
    assert shown.exit_code == 2
    assert bool(tiny.sandbox.platform("mailchimp").started()) == bool(setting)
