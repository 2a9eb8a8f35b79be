"""Who calls, and with which roles: a principal that the platform vouches for, or whoever has a function key.

With `DOM_AUTH=keys` the host has checked a function key before we are called. Keys are all alike: their holder has
every role, and bodies say who acts.

With `DOM_AUTH=entra` Easy Auth has checked a token of Entra ID, and passes on what it says in a header: base64 of
JSON. Anybody can send such a header. It counts only while the platform says that it authenticates, because then it
replaces what callers sent.
"""

import logging
from base64 import b64decode
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal
from uuid import UUID

import azure.functions as func
from pydantic import BaseModel, ConfigDict

from dom_core.domain.ids import SourceId
from dom_core.errors import DomError, InvalidInput
from dom_core.messages import reading
from dom_core.settings import ENTRA, platform_authenticates
from functions.bootstrap import ports

HEADER = "x-ms-client-principal"

SOURCE_ROLE_PREFIX = "Dom.Source."
"""A role of this prefix and a source's id lets a store act for that source."""

_ROLE_CLAIMS = frozenset({"roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"})
"""The claims in which Entra ID puts app roles. The header's own `role_typ` is not asked: it could name any claim."""

_ID_CLAIMS = frozenset({"oid", "http://schemas.microsoft.com/identity/claims/objectidentifier"})

_NAME_CLAIMS = (
    "preferred_username",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
    "upn",
    "azp",
    "appid",
)
"""Names that their bearers cannot choose freely, the best first; the last two are an application's."""

_SHOWN_CHARACTERS = 60
"""How much of a name stands in a history, before the object id: together they fit into `Who`."""


_logger = logging.getLogger(__name__)


class Role(StrEnum):
    """What a caller may be allowed to do. Entra ID knows them as app roles of these values."""

    READER = "Dom.Reader"
    ORDERS_WRITE = "Dom.Orders.Write"
    REJECTIONS_WRITE = "Dom.Rejections.Write"
    OPERATOR = "Dom.Operator"
    CONFIG_ADMIN = "Dom.ConfigAdmin"


class Unauthenticated(DomError):
    """Nobody vouches for the caller."""

    def __init__(self) -> None:
        super().__init__("Sign in: this needs a token of Entra ID for this application, in the header 'Authorization'.")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. `source_ids` None: for every source. `name` None: nobody vouches for one, bodies say who.

    `object_id` is what Entra ID calls the caller: it tells nothing about a person, so it may stand in a log.
    """

    roles: frozenset[Role]
    source_ids: frozenset[SourceId] | None = None
    name: str | None = None
    object_id: str | None = None


KEY_HOLDER = Caller(frozenset(Role))
"""Whoever has a function key."""


class _Shape(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Claim(_Shape):
    typ: str
    val: str


class _Principal(_Shape):
    auth_typ: Literal["aad"]
    claims: tuple[_Claim, ...]

    def values(self, types: frozenset[str]) -> frozenset[str]:
        """What the claims of these types say."""
        return frozenset(claim.val for claim in self.claims if claim.typ in types)


def caller_of(request: func.HttpRequest) -> Caller:
    """Who sent the request. Raises Unauthenticated when the platform should have said so and did not."""
    if ports().settings.auth != ENTRA:
        return KEY_HOLDER
    header = request.headers.get(HEADER)
    if not platform_authenticates():
        _logger.error("DOM_AUTH is entra, but the platform does not authenticate callers: everybody is refused")
        raise Unauthenticated
    if header is None:
        raise Unauthenticated
    try:
        return _caller(_principal(header))
    except (ValueError, InvalidInput):
        # The header is a credential of sorts: nothing of it is repeated.
        raise Unauthenticated from None


def _principal(header: str) -> _Principal:
    return reading.read_json(b64decode(header, validate=True), _Principal, "principal")


def _caller(principal: _Principal) -> Caller:
    values = principal.values(_ROLE_CLAIMS)
    roles = frozenset(role for role in Role if role.value in values)
    object_id = _object_id(principal)
    sources = None if Role.OPERATOR in roles else _source_ids(values)
    return Caller(roles, sources, _name(principal, object_id), object_id)


def _source_ids(roles: frozenset[str]) -> frozenset[SourceId]:
    return frozenset(role.removeprefix(SOURCE_ROLE_PREFIX) for role in roles if role.startswith(SOURCE_ROLE_PREFIX))


def _object_id(principal: _Principal) -> str:
    [object_id] = principal.values(_ID_CLAIMS)
    return str(UUID(object_id))


def _name(principal: _Principal, object_id: str) -> str:
    """A readable name, and the object id that tells its bearer from everybody who ever has the same name."""
    names = (name for typ in _NAME_CLAIMS for name in sorted(principal.values(frozenset({typ}))))
    shown = next((name.strip() for name in names if name.strip() and name.isprintable()), "principal")
    return f"{shown[:_SHOWN_CHARACTERS]} [{object_id}]"
