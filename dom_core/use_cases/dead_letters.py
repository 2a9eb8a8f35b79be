"""Keep messages that could not be used, show them, and send them again."""

from collections.abc import Sequence
from dataclasses import replace

from dom_core.domain.dead_letter import DeadLetter, encode_body
from dom_core.errors import Problem
from dom_core.messages.claim import claim_in
from dom_core.ports import DocumentStore
from dom_core.repositories.dead_letters import DeadLetters, dead_letter_id
from dom_core.repositories.reading import deciding_again
from dom_core.telemetry.events import DeadLetterKept, MessagePoisoned
from dom_core.use_cases import claim_check
from dom_core.use_cases.context import Ports, Slice


def record(ports: Ports, queue: str, body: bytes, problems: Sequence[Problem], message_id: str) -> DeadLetter:
    """Keep a message with everything that is wrong with it. The same message again changes nothing."""
    now = ports.clock.now()
    text, encoding = encode_body(body)
    letter = DeadLetter(
        day=now.date().isoformat(),
        id=dead_letter_id(queue, message_id),
        queue=queue,
        message_id=message_id,
        body=text,
        encoding=encoding,
        problems=tuple(problems),
        recorded_at=now,
    )
    kept = DeadLetters(ports.store).record(letter)
    ports.telemetry.tell(DeadLetterKept(queue, message_id, len(problems)))
    return kept


def record_poisoned(ports: Ports, queue: str, body: bytes, message_id: str) -> DeadLetter:
    """Keep a message of this queue that the host gave up: something else was down, or it is our defect."""
    problem = Problem("", "failed at every attempt; the log says why. Replay it once the cause is gone")
    letter = record(ports, queue, body, [problem], message_id)
    ports.telemetry.tell(MessagePoisoned(queue, message_id))
    return letter


def list_dead_letters(ports: Ports, limit: int, continuation: str | None = None) -> Slice[DeadLetter]:
    """Some of the dead letters."""
    return DeadLetters(ports.store).page(limit, continuation)


def replay(ports: Ports, day: str, id: str, who: str) -> DeadLetter:
    """Put the message back on its queue, then note who did. Raises NotFound, and ContentLost for a lost blob.

    A content in a blob goes into a new one: the letter keeps its own as long as it is kept itself. Killed in between,
    the message is on its queue and not noted: whoever takes it knows repetitions.
    """
    letter = DeadLetters(ports.store).get(day, id).value
    claim = claim_in(letter.raw)
    content = claim_check.content_of(ports.blobs, letter.raw)
    claim_check.send(ports, letter.queue, content, claim.about if claim else None)
    now = ports.clock.now()
    return deciding_again(lambda: _note(ports.store, replace(letter, replayed_at=now, replayed_by=who)))


def _note(store: DocumentStore, letter: DeadLetter) -> DeadLetter:
    stored = DeadLetters(store).get(letter.day, letter.id)
    DeadLetters(store).replace(letter, stored.etag)
    return letter
