"""Requests as they arrive behind the platform's sign-in: with the principal that it passes on."""

import json
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from dom_core.use_cases.context import Ports
from functions import bootstrap
from tests.functions.app import JSON

ROLE_URI = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
OBJECT_ID = "5f0c2d6e-8d43-4c5e-9a52-0d3b1f7c9e11"
ANN = "ann@shop.example"
ANN_SIGNS = f"{ANN} [{OBJECT_ID}]"


def sign_in_with_entra(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> Ports:
    """The same installation, from now on with DOM_AUTH=entra on a platform that authenticates."""
    monkeypatch.setenv("WEBSITE_AUTH_ENABLED", "True")
    guarded = replace(ports, settings=replace(ports.settings, auth="entra"))
    bootstrap.use(guarded)
    return guarded


def a_principal(
    *roles: str, role_claim: str = "roles", more: Iterable[tuple[str, str]] = (), **fields: Any
) -> dict[str, Any]:
    """What the platform says of somebody with these app roles."""
    claims = [
        ("http://schemas.microsoft.com/identity/claims/objectidentifier", OBJECT_ID),
        ("preferred_username", ANN),
        ("name", "Dom.Operator"),
        *more,
        *((role_claim, role) for role in roles),
    ]
    return {
        "auth_typ": "aad",
        "name_typ": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
        "role_typ": ROLE_URI,
        "claims": [{"typ": typ, "val": val} for typ, val in claims],
    } | fields


def header_of(principal: object) -> dict[str, str]:
    """The headers of a JSON request with this principal."""
    return {**JSON, "X-MS-CLIENT-PRINCIPAL": b64encode(json.dumps(principal).encode()).decode()}


def having(*roles: str) -> dict[str, str]:
    """The headers of a JSON request from somebody with these app roles."""
    return header_of(a_principal(*roles))
