"""The stream `forms`: who filled in which form, told by e-mail address.

The cursor is JSON: `since` (epoch ms) is what the last finished pull reached; while a pull is under way, also `began`
and the place: `form` and `after` within it. Submissions come newest first, so `since` moves only when all is read.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from connectors.contract import Page
from connectors.errors import NotPermitted, Rejected
from connectors.hubspot.answers import instant, millis, next_page
from connectors.hubspot.changes import OVERLAP
from connectors.hubspot.sdk import RAW, Api
from connectors.records import Activity, ActivityKind

STREAM = "forms"

_FORM_TYPES = ["hubspot", "captured", "flow"]  # submissions of the fourth type, blog comments, cannot be read
_FORMS_PAGE = 100
_SUBMISSIONS_PAGE = 50


class Forms:
    """Pulls form submissions."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def forms(self) -> list[dict[str, Any]]:
        """All forms, in the order of their ids. Raises NotPermitted where the token lacks the scope `forms`."""
        found, after = [], None
        while True:
            answer = self._api.forms.get_page(limit=_FORMS_PAGE, after=after, form_types=_FORM_TYPES, **RAW)
            found += answer["results"]
            after = next_page(answer)
            if not after:
                return sorted(found, key=lambda form: str(form["id"]))

    def pull(self, cursor: str | None, until: datetime) -> Iterator[Page]:
        """Submissions since the last pull; one empty page that moves nothing where forms may not be read."""
        state: dict[str, Any] = json.loads(cursor) if cursor else {"since": 0}
        since, began = state["since"], state.get("began", millis(until))
        try:
            forms = self.forms()
        except NotPermitted:
            yield Page(STREAM, json.dumps({"since": since}))
            return
        for form in forms:
            at, after = str(form["id"]), None
            if "form" in state and at <= state["form"]:
                after = state["after"]
                if at < state["form"] or after is None:
                    continue
            yield from self._submissions(form, after, {"since": since, "began": began}, until)
        yield Page(STREAM, json.dumps({"since": max(0, began - OVERLAP // timedelta(milliseconds=1))}))

    def _submissions(
        self, form: dict[str, Any], after: str | None, state: dict[str, int], until: datetime
    ) -> Iterator[Page]:
        path = f"/form-integrations/v1/submissions/forms/{form['id']}"
        more = True
        while more:
            try:
                answer = self._api.get(path, limit=_SUBMISSIONS_PAGE, after=after)
            except Rejected as error:
                if error.status in (400, 404):  # of a type without submissions, or deleted just now
                    return
                raise
            rows, after = answer["results"], next_page(answer)
            if rows and int(rows[-1]["submittedAt"]) < state["since"]:
                after = None
            more = after is not None
            wanted = [row for row in rows if state["since"] <= int(row["submittedAt"]) <= millis(until + OVERLAP)]
            activities = tuple(activity for row in wanted for activity in _activities(form, row))
            if activities or more:
                yield Page(
                    STREAM, json.dumps({**state, "form": str(form["id"]), "after": after}), activities=activities
                )


def _activities(form: dict[str, Any], row: dict[str, Any]) -> Iterator[Activity]:
    """The submission as an activity; nothing where no address was given."""
    email = next((str(v["value"]).strip() for v in row.get("values") or [] if v.get("name") == "email"), "")
    at = instant(row["submittedAt"])
    if email and at:
        told = row.get("conversionId") or f"{row['submittedAt']}:{email.lower()}"
        yield Activity(f"{form['id']}:{told}", ActivityKind.FORM, at, email=email, campaign=form.get("name"))
