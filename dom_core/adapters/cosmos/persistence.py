"""Trying again without doing a thing twice.

Every write is conditional (a create, or an ETag), so it can be repeated: the second time the service refuses it if the
first time worked. That refusal is then looked into, by the id that every write leaves in its items.
"""

from collections.abc import Callable
from typing import TypeVar

from azure.core.exceptions import AzureError

from dom_core.adapters.cosmos.faults import Fate, explain
from dom_core.adapters.patience import Patience

T = TypeVar("T")


def no_outcome() -> None:
    """The outcome of a question: there is nothing to find."""


def persist(
    request: Callable[[], T], subject: str, patience: Patience, find_outcome: Callable[[], T | None] = no_outcome
) -> T:
    """The answer to a question or a conditional write. Raises the typed error of the last attempt.

    `find_outcome` looks whether an earlier attempt of this very write happened: its answer, or None. It is asked only
    after an answer was lost and the service then refused the repetition.
    """
    unsure = False
    for wait in patience.waits():
        try:
            return request()
        except AzureError as error:
            fault = explain(error, subject)
            unsure = unsure or fault.fate is Fate.UNANSWERED
            if fault.fate in (Fate.UNSERVED, Fate.UNANSWERED) and wait.take(fault.retry_after_s):
                continue
            if unsure and fault.fate is Fate.REFUSED and (outcome := find_outcome()) is not None:
                return outcome
            if fault.error is None:
                raise
            raise fault.error from error
    raise AssertionError("waits do not end")
