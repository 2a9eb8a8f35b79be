"""What an error of the SDK means for a caller of the queues."""

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from dom_core.errors import DomError, InvalidInput, Problem, StoreConflict, StoreUnusable, Unavailable

_STALE_RECEIPT = frozenset({"MessageNotFound", "PopReceiptMismatch", "QueueNotFound"})
_GIVE_ROLE = (
    "Give the app's identity the role 'Storage Queue Data Contributor' on the account; a new assignment takes some "
    "minutes. On a desk, sign in with `az login`."
)


def explain(error: AzureError, subject: str, message: str | None) -> DomError | None:
    """The typed error; None when the fault is in our own request. The message is what a receipt was shown for."""
    if message is not None and code_of(error) in _STALE_RECEIPT:
        return StoreConflict(f"{message} was deleted, or received by somebody else")
    if isinstance(error, ClientAuthenticationError) or _status(error) in (401, 403):
        return StoreUnusable(subject, "access is denied", _GIVE_ROLE)
    if isinstance(error, ServiceRequestError | ServiceResponseError):
        return Unavailable(f"{subject} was not reached")
    if _status(error) in (408, 409, 429) or _status(error) >= 500:
        return Unavailable(f"{subject} did not answer")
    if _status(error) == 413 or code_of(error) == "RequestBodyTooLarge":
        return InvalidInput([Problem("body", "is too large for a message")], "queue request")
    return None


def code_of(error: AzureError) -> str:
    """The service's own word for what is wrong; empty when it did not give one."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")


def _status(error: AzureError) -> int:
    return (error.status_code or 0) if isinstance(error, HttpResponseError) else 0
