"""Associations, forms and their submissions, and what the account tells about itself."""

from datetime import timedelta
from typing import Any

from flask import Response, jsonify, request

from sandbox.hubspot.errors import bad_request, not_found
from sandbox.hubspot.limits import Limits
from sandbox.hubspot.portal import ALIASES, CUSTOM_LIMIT, PORTAL_ID, TYPE_IDS, Portal, unknown_kind
from sandbox.hubspot.router import DATED, Router, batch_answer, inputs, next_page, page_limit
from sandbox.hubspot.timeline import FORM_NAME
from sandbox.hubspot.values import iso
from sandbox.platform import SandboxClock

FORM_GUID = "c0de1a55-0000-4000-8000-c0a90a11e5ce"
ASSOCIATIONS_PAGE, ASSOCIATIONS_INPUTS, SUBMISSIONS_PAGE = 500, 1_000, 50
_TYPE_OF_TIE = {"contacts": 4, "deals": 3}


class OtherRoutes:
    """The views; `add` mounts them."""

    def __init__(self, portal: Portal, limits: Limits, clock: SandboxClock) -> None:
        self._portal, self._limits, self._clock = portal, limits, clock

    def add(self, router: Router) -> None:
        for kind, other in (("contacts", "deals"), ("deals", "contacts")):
            for from_name, to_name in zip(ALIASES[kind], ALIASES[other], strict=True):
                rest = f"{from_name}/{to_name}/batch/read"
                paths = (f"/crm/v4/associations/{rest}", f"/crm/associations/{DATED}/{rest}")
                scope = f"crm.objects.{kind}.read"
                router.add("POST", paths, self.associations, scope, "none", kind=kind, other=other)
        unknown = (
            "/crm/v4/associations/<kind>/<other>/batch/read",
            f"/crm/associations/{DATED}/<kind>/<other>/batch/read",
        )
        router.add("POST", unknown, self.unknown_association, "oauth")
        router.add(
            "GET",
            ("/marketing/v3/forms", "/marketing/v3/forms/", f"/marketing/forms/{DATED}-beta"),
            self.forms,
            "forms",
        )
        router.add("GET", ("/form-integrations/v1/submissions/forms/<guid>",), self.submissions, "forms")
        router.add("GET", ("/crm/v3/schemas", f"/crm-object-schemas/{DATED}/schemas"), self.custom_objects, "oauth")
        router.add("GET", _account("details"), self.details, "oauth")
        router.add("GET", _account("api-usage/daily/private-apps"), self.usage, "oauth")
        limits = ("/crm/v3/limits/custom-properties", f"/crm/limits/{DATED}/custom-properties")
        router.add("GET", limits, self.property_limits, "crm.schemas.contacts.read")

    def associations(self, kind: str, other: str) -> tuple[Response, int]:
        """Who belongs to whom; records without any are listed as errors, which is no failure."""
        started, results, errors = self._portal.now(), [], []
        for row in inputs(ASSOCIATIONS_INPUTS):
            id_ = str(row.get("id", ""))
            ids = self._portal.associated(kind, other, id_)
            start = ids.index(str(row["after"])) if str(row.get("after")) in ids else 0
            following = start + ASSOCIATIONS_PAGE
            if not ids:
                errors.append(_no_associations(kind, other, id_))
                continue
            tie = {"category": "HUBSPOT_DEFINED", "typeId": _TYPE_OF_TIE[kind], "label": None}
            to = [{"toObjectId": int(each), "associationTypes": [tie]} for each in ids[start:following]]
            results.append(
                {"from": {"id": id_}, "to": to, **next_page(ids[following] if following < len(ids) else None)}
            )
        return batch_answer(results, errors, started, self._portal.now())

    def unknown_association(self, kind: str, other: str) -> Response:
        raise unknown_kind(other if any(kind in names for names in ALIASES.values()) else kind)

    def forms(self) -> Response:
        form = {
            "id": FORM_GUID,
            "name": FORM_NAME,
            "createdAt": "2016-11-01T08:00:00.000Z",
            "updatedAt": "2016-11-01T08:00:00.000Z",
            "archived": False,
            "formType": "hubspot",
        }
        return jsonify({"results": [form]})

    def submissions(self, guid: str) -> Response:
        """What people sent in, newest first."""
        if guid != FORM_GUID:
            raise not_found(f"No form found with guid {guid}")
        limit, after = page_limit(SUBMISSIONS_PAGE, 20), request.args.get("after", "0")
        if not after.isdigit():
            raise bad_request(f"Invalid paging cursor: {after}")
        newest, start = self._portal.submissions[::-1], int(after)
        following = str(start + limit) if start + limit < len(newest) else None
        return jsonify({"results": newest[start : start + limit], **next_page(following)})

    def custom_objects(self) -> Response:
        """Object types of the portal's own: there are none."""
        return jsonify({"results": []})

    def details(self) -> Response:
        return jsonify(
            {
                "portalId": PORTAL_ID,
                "accountType": "STANDARD",
                "timeZone": "UTC",
                "companyCurrency": "USD",
                "additionalCurrencies": [],
                "utcOffset": "+00:00",
                "utcOffsetMilliseconds": 0,
                "uiDomain": "app.hubspot.com",
                "dataHostingLocation": "na1",
            }
        )

    def usage(self) -> Response:
        midnight = (self._clock.date + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        counter = {
            "name": "private-apps-api-calls-daily",
            "usageLimit": self._limits.daily_limit,
            "currentUsage": self._limits.used_today,
            "collectedAt": self._portal.now(),
            "fetchStatus": "SUCCESS",
            "resetsAt": iso(midnight),
        }
        return jsonify({"results": [counter]})

    def property_limits(self) -> Response:
        by_type = []
        for kind, definitions in self._portal.properties.items():
            usage = sum(not each.get("hubspotDefined") for each in definitions.values())
            row = {"objectTypeId": TYPE_IDS[kind], "limit": CUSTOM_LIMIT, "usage": usage}
            by_type.append(row | {"percentage": 100 * usage / CUSTOM_LIMIT})
        return jsonify({"byObjectType": by_type})


def _account(rest: str) -> tuple[str, str]:
    return f"/account-info/v3/{rest}", f"/account-info/{DATED}/{rest}"


def _no_associations(kind: str, other: str, id_: str) -> dict[str, Any]:
    from_type, to_type = kind.removesuffix("s"), other.removesuffix("s")
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No {to_type} is associated with {from_type} {id_}.",
        "context": {"fromObjectId": [id_], "fromObjectType": [from_type], "toObjectType": [to_type]},
    }
