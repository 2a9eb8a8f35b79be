"""What an error of the SDK means for a caller.

REFUSED      the service decided: there is another document, or none              raised at once
UNSERVED     nothing happened: throttled, or the service was not reached          tried again
UNANSWERED   something may have happened: 408, 5xx, a connection that broke       tried again, then looked at
HOPELESS     a person must act, or the request itself is wrong                    raised at once
"""

from dataclasses import dataclass
from enum import Enum, auto

from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError

from dom_core.errors import AlreadyExists, DomError, InvalidInput, Problem, StoreConflict, StoreUnusable, Unavailable


class Fate(Enum):
    """What became of a request that failed."""

    REFUSED = auto()
    UNSERVED = auto()
    UNANSWERED = auto()
    HOPELESS = auto()


@dataclass(frozen=True, slots=True)
class Fault:
    """A failed request: what became of it, what the caller is told, and how long the service wants us to wait."""

    fate: Fate
    error: DomError | None
    retry_after_s: float = 0.0


_GIVE_ROLE = (
    "Give the app's identity the data-plane role 'Cosmos DB Built-in Data Contributor' on the account; a new "
    "assignment takes some minutes. On a desk, sign in with `az login`."
)
_PROVISION = "Check DOM_COSMOS_DATABASE, and provision the account (docs/deploy.md)."

_RETRY_AFTER_MS = "x-ms-retry-after-ms"
_OWNER_NOT_FOUND = 1003
_SESSION_NOT_AVAILABLE = 1002


def explain(error: AzureError, subject: str) -> Fault:
    """What this error means for a request about the subject. An error that is None stays the SDK's own."""
    status = getattr(error, "status_code", None)
    if isinstance(error, ClientAuthenticationError) or status in (401, 403):
        return Fault(Fate.HOPELESS, StoreUnusable(subject, "access is denied", _GIVE_ROLE))
    if isinstance(error, ServiceRequestError):
        return Fault(Fate.UNSERVED, Unavailable(f"{subject}: Cosmos DB was not reached"))
    if not isinstance(status, int):
        return Fault(Fate.UNANSWERED, _may_have_happened(subject))
    return _explain_status(status, error, subject)


def _explain_status(status: int, error: AzureError, subject: str) -> Fault:
    sub_status = getattr(error, "sub_status", None)
    if status == 404 and sub_status == _SESSION_NOT_AVAILABLE:
        return Fault(Fate.UNSERVED, Unavailable(f"{subject}: the replica is behind"))
    if status == 404 and sub_status == _OWNER_NOT_FOUND:
        return Fault(Fate.HOPELESS, missing_container(subject))
    if status in (404, 412):
        return Fault(Fate.REFUSED, StoreConflict(f"{subject} changed or vanished since it was read"))
    if status == 409:
        return Fault(Fate.REFUSED, AlreadyExists(f"{subject} exists already"))
    if status == 413:
        return Fault(Fate.HOPELESS, InvalidInput([Problem("body", "is too large for Cosmos DB")], "store request"))
    if status in (429, 449):
        return Fault(Fate.UNSERVED, Unavailable(f"{subject}: Cosmos DB is throttling"), _retry_after_s(error))
    if status in (408, 410) or status >= 500:
        return Fault(Fate.UNANSWERED, _may_have_happened(subject), _retry_after_s(error))
    return Fault(Fate.HOPELESS, None)


def missing_container(location: str) -> StoreUnusable:
    """The typed error for a database or container that nobody provisioned."""
    return StoreUnusable(location, "the database or the container does not exist", _PROVISION)


def _may_have_happened(subject: str) -> Unavailable:
    return Unavailable(f"{subject}: Cosmos DB did not answer; the request may or may not have been carried out")


def _retry_after_s(error: AzureError) -> float:
    asked = (getattr(error, "headers", None) or {}).get(_RETRY_AFTER_MS, "0")
    try:
        return max(0.0, float(asked) / 1000)
    except ValueError:
        return 0.0
