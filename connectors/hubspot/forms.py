"""The stream `forms`: who filled in which form, told by e-mail address.

The cursor is JSON: `since` (epoch ms) is what the last finished pull reached; while a pull is under way, also `began`
and the place: `form` and `after` within it. Submissions come newest first, so `since` moves only when all is read.

Every form costs a call. So contacts are asked first whether any of them filled one in since; where none did, no form is
read and `since` stays, so that a submission whose contact is late in the search is not passed over.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from connectors.ahead import ahead
from connectors.contract import Page
from connectors.errors import NotPermitted, Rejected
from connectors.hubspot.answers import instant, millis, next_page, stuck
from connectors.hubspot.changes import OVERLAP, OVERLAP_MS
from connectors.hubspot.sdk import RAW, Api
from connectors.records import Activity, ActivityKind

STREAM = "forms"

_FORM_TYPES = ["hubspot", "captured", "flow"]  # submissions of the fourth type, blog comments, cannot be read
_FORMS_PAGE = 100
_SUBMISSIONS_PAGE = 50
_AT_ONCE = 4
_LOOK_ANYWAY = timedelta(days=1)
"""After so long the forms are read without asking contacts: their last submission is a calculated value."""


@dataclass(frozen=True, slots=True)
class _Some:
    """Some submissions of one form, newest first, and where older ones are."""

    rows: list[dict[str, Any]]
    after: str | None


class Forms:
    """Pulls form submissions."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def forms(self) -> list[dict[str, Any]]:
        """All forms, in the order of their ids. Raises NotPermitted where the token lacks the scope `forms`."""
        found: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            answer = self._api.forms.get_page(limit=_FORMS_PAGE, after=after, form_types=_FORM_TYPES, **RAW)
            found += answer["results"]
            following = next_page(answer)
            if not following:
                return sorted(found, key=lambda form: str(form["id"]))
            if following == after:
                raise stuck("list of forms")
            after = following

    def pull(self, cursor: str | None, until: datetime) -> Iterator[Page]:
        """Submissions since the last pull; one empty page that moves nothing where there are none to be read."""
        state: dict[str, Any] = json.loads(cursor) if cursor else {"since": 0}
        since, began = state["since"], state.get("began", millis(until))
        if "form" not in state and not self._any_since(since, until):
            yield Page(STREAM, json.dumps({"since": since}))
            return
        try:
            forms = self.forms()
        except NotPermitted:
            yield Page(STREAM, json.dumps({"since": since}))
            return
        places = [(form, None) for form in forms if "form" not in state or str(form["id"]) > state["form"]]
        if state.get("after"):
            places = [(form, state["after"]) for form in forms if str(form["id"]) == state["form"]] + places
        first = ahead((partial(self._some, form["id"], after, since) for form, after in places), _AT_ONCE)
        for (form, _), some in zip(places, first, strict=True):
            yield from self._submissions(form, some, {"since": since, "began": began}, until)
        yield Page(STREAM, json.dumps({"since": max(0, began - OVERLAP_MS)}))

    def _any_since(self, since: int, until: datetime) -> bool:
        """Whether a contact may have filled in a form since then."""
        if not since or millis(until) - since >= _LOOK_ANYWAY // timedelta(milliseconds=1):
            return True
        asked = {"propertyName": "recent_conversion_date", "operator": "GTE", "value": str(since)}
        question = {"filterGroups": [{"filters": [asked]}], "properties": ["email"], "limit": 1}
        try:
            return bool(self._api.contact_search.do_search(question, **RAW)["results"])
        except (NotPermitted, Rejected):
            return True

    def _submissions(self, form: dict[str, Any], some: _Some, state: dict[str, int], until: datetime) -> Iterator[Page]:
        while True:
            wanted = [row for row in some.rows if state["since"] <= int(row["submittedAt"]) <= millis(until + OVERLAP)]
            activities = tuple(activity for row in wanted for activity in _activities(form, row))
            if activities or some.after:
                place = {**state, "form": str(form["id"]), "after": some.after}
                yield Page(STREAM, json.dumps(place), activities=activities)
            if not some.after:
                return
            some = self._some(form["id"], some.after, state["since"])

    def _some(self, form: str, after: str | None, since: int) -> _Some:
        """One page; without a place to go on from where the rest is older than `since`."""
        try:
            answer = self._api.get(
                f"/form-integrations/v1/submissions/forms/{form}", limit=_SUBMISSIONS_PAGE, after=after
            )
        except Rejected as error:
            if error.status in (400, 404):  # of a type without submissions, or deleted just now
                return _Some([], None)
            raise
        rows, following = answer["results"], next_page(answer)
        if following is not None and following == after:
            raise stuck("list of submissions")
        return _Some(rows, None if rows and int(rows[-1]["submittedAt"]) < since else following)


def _activities(form: dict[str, Any], row: dict[str, Any]) -> Iterator[Activity]:
    """The submission as an activity; nothing where no address was given."""
    email = next((str(v["value"]).strip() for v in row.get("values") or [] if v.get("name") == "email"), "")
    at = instant(row["submittedAt"])
    if email and at:
        told = row.get("conversionId") or f"{row['submittedAt']}:{email.lower()}"
        yield Activity(f"{form['id']}:{told}", ActivityKind.FORM, at, email=email, campaign=form.get("name"))
