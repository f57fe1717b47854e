"""The page at the health port: what `foretag status` knows, to look at. No script, no link, no personal data."""

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from jinja2 import Environment, StrictUndefined

from sync.plan import TOO_OLD

STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
caption { text-align: left; font-weight: bold; }
th, td { text-align: left; padding: 0.2rem 1rem 0.2rem 0; border-bottom: 1px solid #ccc; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.bad { color: #a00; font-weight: bold; }
"""
_TEMPLATE = """\
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>foretag</title>
<style>{{ style | safe }}</style></head>
<body>
<h1>foretag</h1>
<p>Scores: <strong class="{{ 'ok' if data.freshness == 'ok' else 'bad' }}">{{ data.freshness }}</strong>,
{% if data.scored %}of {{ data.scored[:16] }} UTC{% else %}never made{% endif %}.
{% if data.emptied %}<strong class="bad">They are {{ too_old }}.</strong>{% endif %}
{{ "{:,}".format(data.waiting_to_be_written) }} contacts wait to be written.</p>
<table><caption>Accounts</caption>
<tr><th scope="col">account</th><th scope="col">mode</th></tr>
{% for name, mode in data.accounts.items() %}<tr><td>{{ name }}</td><td>{{ mode }}</td></tr>
{% endfor %}</table>
<table><caption>On hand</caption>
{% for name, count in data.stored.items() -%}
<tr><th scope="row">{{ name }}</th><td class="number">{{ "{:,}".format(count) }}</td></tr>
{% endfor %}</table>
<table><caption>Last runs</caption>
<tr><th scope="col">run</th><th scope="col">as of (UTC)</th>
<th scope="col">verdict</th><th scope="col">written</th></tr>
{% for run in data.runs %}<tr><td class="number">{{ run.number }}</td><td>{{ run.as_of[:16] }}</td>
<td class="{{ 'ok' if run.verdict == 'ok' else 'bad' }}">{{ run.verdict }}</td><td>
{%- for account, count in run.written.items() %}{{ account }} {{ "{:,}".format(count) }}<br>{% endfor %}
{%- for objection in run.objections %}refused: {{ objection }}<br>{% endfor %}</td></tr>
{% else %}<tr><td colspan="4">none yet</td></tr>
{% endfor %}</table>
</body>
</html>
"""
_ENVIRONMENT = Environment(autoescape=True, undefined=StrictUndefined)
POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a browser may do with an answer of ours (Content-Security-Policy): show it, in our style, and nothing else."""


def page(data: Mapping[str, Any]) -> str:
    """What `sync.status.as_data` knows, as HTML; everything in it is escaped."""
    return _ENVIRONMENT.from_string(_TEMPLATE).render(data=data, style=STYLE, too_old=TOO_OLD)
