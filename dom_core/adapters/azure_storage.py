"""What queues and blobs of an Azure Storage account share: how long they are asked, and what their errors mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from dom_core.errors import DomError, InvalidInput, Problem, StoreConflict, StoreUnusable, Unavailable

CONNECT_LIMIT_S = 5
READ_LIMIT_S = 15

_STALE_RECEIPT = frozenset({"MessageNotFound", "PopReceiptMismatch", "QueueNotFound"})


@dataclass(frozen=True, slots=True)
class Subject:
    """What a request is about, the role that it needs, and the message for which a receipt was shown, if any."""

    name: str
    role: str
    message: str | None = None


def client_options(retry: Any) -> dict[str, Any]:
    """How a client of the SDK waits and repeats."""
    return {"retry_policy": retry, "connection_timeout": CONNECT_LIMIT_S, "read_timeout": READ_LIMIT_S}


@contextmanager
def typed_errors(subject: Subject) -> Iterator[None]:
    """Errors of the SDK as ours; those that are faults of our own request stay as they are."""
    try:
        yield
    except AzureError as error:
        explained = _explain(error, subject)
        if explained is None:
            raise
        raise explained from error


def code_of(error: AzureError) -> str:
    """The service's own word for what is wrong; empty when it did not give one."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")


def _explain(error: AzureError, subject: Subject) -> DomError | None:
    if subject.message is not None and code_of(error) in _STALE_RECEIPT:
        return StoreConflict(f"{subject.message} was deleted, or received by somebody else")
    if isinstance(error, ClientAuthenticationError) or _status(error) in (401, 403):
        return StoreUnusable(subject.name, "access is denied", _give(subject.role))
    if isinstance(error, ServiceRequestError | ServiceResponseError):
        return Unavailable(f"{subject.name} was not reached")
    if _status(error) in (408, 409, 429) or _status(error) >= 500:
        return Unavailable(f"{subject.name} did not answer")
    if _status(error) == 413 or code_of(error) == "RequestBodyTooLarge":
        return InvalidInput([Problem("body", f"is too large for {subject.name}")], "storage request")
    return None


def _give(role: str) -> str:
    return (
        f"Give the app's identity the role '{role}' on the account; a new assignment takes some minutes. On a desk, "
        "sign in with `az login`."
    )


def _status(error: AzureError) -> int:
    return (error.status_code or 0) if isinstance(error, HttpResponseError) else 0
