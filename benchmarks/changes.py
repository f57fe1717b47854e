"""Somebody changes one contact by hand, so that the next pull finds exactly one change."""

from typing import Any

import requests

from sandbox.people import Platform


def change_one(platform: Platform, url: str, token: str, name: str) -> None:
    """Give one contact of a platform of the sandbox at `url` the first name `name`, which has to be a new one."""
    {"hubspot": _hubspot, "mailchimp": _mailchimp, "salesforce": _salesforce}[platform](url, token, name)


def _hubspot(url: str, token: str, name: str) -> None:
    contacts, headers = f"{url}/hubspot/crm/v3/objects/contacts", {"Authorization": f"Bearer {token}"}
    [row] = _call("GET", f"{contacts}?limit=1", headers=headers)["results"]
    _call("PATCH", f"{contacts}/{row['id']}", headers=headers, json={"properties": {"firstname": name}})


def _mailchimp(url: str, token: str, name: str) -> None:
    lists, auth = f"{url}/mailchimp/3.0/lists", ("any", token)
    [audience] = _call("GET", lists, auth=auth)["lists"]
    members = f"{lists}/{audience['id']}/members"
    [member] = _call("GET", f"{members}?count=1&status=subscribed", auth=auth)["members"]
    _call("PATCH", f"{members}/{member['id']}", auth=auth, json={"merge_fields": {"FNAME": name}})


def _salesforce(url: str, token: str, name: str) -> None:
    data, headers = f"{url}/salesforce/services/data/v61.0", {"Authorization": f"Bearer {token}"}
    question = {"q": "SELECT Id FROM Contact WHERE IsDeleted = false ORDER BY Id LIMIT 1"}
    [row] = _call("GET", f"{data}/query", headers=headers, params=question)["records"]
    _call("PATCH", f"{data}/sobjects/Contact/{row['Id']}", headers=headers, json={"FirstName": name})


def _call(method: str, url: str, **options: Any) -> Any:
    answer = requests.request(method, url, timeout=60, **options)
    answer.raise_for_status()
    return answer.json() if answer.content else None
