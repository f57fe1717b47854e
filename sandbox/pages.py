"""The sandbox in a browser: what a marketer would see of one contact on each platform."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from flask import Blueprint, request

if TYPE_CHECKING:
    from sandbox.server import Sandbox

_TITLES = {"hubspot": "HubSpot", "mailchimp": "Mailchimp", "salesforce": "Salesforce"}


def page_routes(sandbox: "Sandbox") -> Blueprint:
    routes = Blueprint("pages", __name__)
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, trim_blocks=True
    )

    def render(name: str, **values: Any) -> str:
        return templates.get_template(name).render(titles=_TITLES, date=sandbox.clock.date, **values)

    @routes.get("/")
    def overview() -> str:
        return render("overview.html", calls=sorted(sandbox.calls().items()), email="")

    @routes.get("/contact")
    def contact() -> str:
        email = request.args.get("email", "").strip()
        found = {name: platform.find(email) for name, platform in sandbox.platforms.items()} if email else {}
        return render("contact.html", email=email, found=found)

    return routes
