"""Plans: one partition each, with a header and chunks of lines, reason templates, held lines and the plan's request.

The header is written last and names its chunks: a plan without a header was never finished and is not there. What the
plan was made from has chunks of its own, which only those read who make it again or explain it.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from dom_core.domain.ids import PlanId, StrategyId
from dom_core.domain.plan import Closing, Plan, PlanState
from dom_core.domain.plan_header import PlanHeader, header_of
from dom_core.domain.request import PlanRequest
from dom_core.errors import Conflict, NotFound, StoreConflict
from dom_core.messages.plan_request import RequestDocument, document_of
from dom_core.messages.reading import write_value
from dom_core.ports import Body, Container, Document, DocumentStore
from dom_core.repositories.reading import Slice, Versioned, deciding_again, every, read_stored

_ID = "header"
_KIND = "plan"
_KIND_CHUNK = "chunk"
_KIND_REMOVED = "removed"

CHUNK_BYTES = 1_400_000
"""The most that the items of one chunk weigh: below 1.5 MB with everything around them."""

_PIECE_CHARACTERS = 500_000
"""Escaped once more a piece may double."""


class Plans:
    """The stored plans."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    def create(self, plan: Plan, *, attempt: str, to_apply: bool, request: PlanRequest | None = None) -> None:
        """Store a plan; `to_apply` marks one that is about to be applied. Raises AlreadyExists.

        `attempt` tells the chunks of writers apart that store the same plan at the same time. `request` is what the
        plan was made from: without it the plan can be read and applied, but neither made again nor explained further.
        """
        chunk_ids = self._put_all(plan.id, f"chunk-{attempt}", _chunks(_plan_sections(plan)))
        request_ids = self._put_all(plan.id, f"request-{attempt}", _chunks(_request_sections(request)))
        header = _header_body(header_of(plan), chunk_ids, request_ids, to_apply)
        self._store.create(Container.PLANS, plan.id, _ID, header)

    def _put_all(self, plan_id: PlanId, stem: str, chunks: Iterable[Body]) -> list[str]:
        ids = []
        for number, chunk in enumerate(chunks):
            ids.append(f"{stem}-{number:04d}")
            deciding_again(lambda id=ids[-1], body=chunk: self._put(plan_id, id, body))  # type: ignore[misc]  # bound loop variables
        return ids

    def _put(self, plan_id: PlanId, id: str, body: Body) -> None:
        """Write a chunk, over the one that the same attempt wrote before it was interrupted."""
        stored = self._store.read(Container.PLANS, plan_id, id)
        if stored is None:
            self._store.create(Container.PLANS, plan_id, id, body)
        elif stored.body != body:
            self._store.replace(Container.PLANS, plan_id, id, body, stored.etag)

    def find(self, plan_id: PlanId) -> Plan | None:
        """The whole plan, if it is stored."""
        document = self._find_header(plan_id)
        return self._assemble(document) if document else None

    def get(self, plan_id: PlanId) -> Plan:
        """The whole plan. Raises NotFound."""
        plan = self.find(plan_id)
        if plan is None:
            raise NotFound("plan", plan_id)
        return plan

    def request(self, plan_id: PlanId) -> PlanRequest:
        """What the plan was made from. Raises NotFound, and Conflict for a plan that was stored without it."""
        document = self._header_document(plan_id)
        if not document.body.get("request_chunks"):
            raise Conflict(
                f"plan '{plan_id}' was stored without its request: it cannot be made again or explained; plan anew"
            )
        sections = self._sections(document, "request_chunks")
        plain = {name: sections.get(name, []) for name in _REQUEST_LISTS} | sections["head"][0]
        return read_stored(plain, RequestDocument, f"stored request of plan {plan_id}").to_request()

    def header(self, plan_id: PlanId) -> Versioned[PlanHeader]:
        """The plan at a glance. Raises NotFound."""
        document = self._header_document(plan_id)
        return Versioned(_read_header(document), document.etag)

    def page(self, limit: int, continuation: str | None) -> Slice[PlanHeader]:
        """Plans at a glance."""
        page = self._store.query(Container.PLANS, where={"kind": _KIND}, limit=limit, continuation=continuation)
        return Slice(tuple(_read_header(document) for document in page.documents), page.continuation)

    def being_applied(self) -> Iterator[PlanHeader]:
        """Plans that somebody began to apply, or was about to, and has not finished."""
        found = every(self._store, Container.PLANS, where={"kind": _KIND, "to_apply": True})
        return (_read_header(document) for document in found)

    def waiting(self, strategy_id: StrategyId | None = None) -> Iterator[PlanHeader]:
        """Proposed plans that wait for somebody to approve them."""
        where: dict[str, str | int | bool] = {"kind": _KIND, "state": PlanState.PROPOSED, "to_apply": False}
        if strategy_id:
            where["strategy_id"] = strategy_id
        return (_read_header(document) for document in every(self._store, Container.PLANS, where=where))

    def state(self, plan_id: PlanId) -> PlanState | None:
        """The plan's state, if it is stored."""
        document = self._find_header(plan_id)
        return _read_header(document).state if document else None

    def begin_applying(self, plan_id: PlanId) -> None:
        """Mark a proposed plan as about to be applied. Raises Conflict for one that may not be applied any more."""
        deciding_again(lambda: self._begin(plan_id))

    def _begin(self, plan_id: PlanId) -> None:
        document = self._header_document(plan_id)
        header = _read_header(document)
        if header.state not in (PlanState.PROPOSED, PlanState.APPLIED):
            raise Conflict(f"plan '{plan_id}' is {header.state}: it cannot be applied; plan anew")
        if header.state is PlanState.PROPOSED and not document.body["to_apply"]:
            self._replace_header(document, header, to_apply=True)

    def finish(self, plan_id: PlanId, state: PlanState, closing: Closing) -> None:
        """Give a plan that was being applied its final state. What is final already stays."""
        deciding_again(lambda: self._finish(plan_id, state, closing))

    def _finish(self, plan_id: PlanId, state: PlanState, closing: Closing) -> None:
        document = self._header_document(plan_id)
        header = _read_header(document)
        if header.state is PlanState.PROPOSED:
            self._replace_header(document, replace(header, state=state, closing=closing), to_apply=False)

    def dismiss(self, plan_id: PlanId, state: PlanState, closing: Closing) -> PlanHeader:
        """Give a plan that waits its final state; one that has it already stays. Raises Conflict for any other."""
        return deciding_again(lambda: self._dismiss(plan_id, state, closing))

    def _dismiss(self, plan_id: PlanId, state: PlanState, closing: Closing) -> PlanHeader:
        document = self._header_document(plan_id)
        header = _read_header(document)
        if header.state is state:
            return header
        if header.state is not PlanState.PROPOSED:
            raise Conflict(f"plan '{plan_id}' is {header.state}: only a proposed plan can become {state}")
        if document.body["to_apply"]:
            raise Conflict(f"plan '{plan_id}' is being applied: it cannot become {state}; cancel its lines instead")
        header = replace(header, state=state, closing=closing)
        self._replace_header(document, header, to_apply=False)
        return header

    def every(self) -> Iterator[PlanHeader]:
        """All plans at a glance."""
        return (_read_header(document) for document in every(self._store, Container.PLANS, where={"kind": _KIND}))

    def unfinished_removals(self) -> Iterator[PlanId]:
        """Plans of which somebody began to remove the documents."""
        found = every(self._store, Container.PLANS, where={"kind": _KIND_REMOVED})
        return (document.partition for document in found)

    def remove(self, plan_id: PlanId) -> None:
        """Remove everything stored under this id. Killed in between, the plan is gone and its rest is found again."""
        document = self._store.read(Container.PLANS, plan_id, _ID)
        if document is not None and document.body["kind"] != _KIND_REMOVED:
            document = self._store.replace(Container.PLANS, plan_id, _ID, {"kind": _KIND_REMOVED}, document.etag)
        while chunks := self._chunks_of(plan_id):
            for chunk in chunks:
                with suppress(StoreConflict):  # somebody else removes them, too
                    self._store.delete(Container.PLANS, plan_id, chunk.id, chunk.etag)
        if document is not None:
            with suppress(StoreConflict):
                self._store.delete(Container.PLANS, plan_id, _ID, document.etag)

    def _chunks_of(self, plan_id: PlanId) -> list[Document]:
        """Some of the plan's documents, its header not among them. Few at a time, because they are large."""
        page = self._store.query(Container.PLANS, partition=plan_id, where={"kind": _KIND_CHUNK}, limit=10)
        return list(page.documents)

    def _replace_header(self, document: Document, header: PlanHeader, *, to_apply: bool) -> None:
        body = _header_body(header, document.body["chunks"], document.body.get("request_chunks", []), to_apply)
        self._store.replace(Container.PLANS, header.id, _ID, body, document.etag)

    def _find_header(self, plan_id: PlanId) -> Document | None:
        document = self._store.read(Container.PLANS, plan_id, _ID)
        return document if document and document.body["kind"] == _KIND else None

    def _header_document(self, plan_id: PlanId) -> Document:
        document = self._find_header(plan_id)
        if document is None:
            raise NotFound("plan", plan_id)
        return document

    def _sections(self, document: Document, chunks: str) -> dict[str, list[Any]]:
        """The items of all chunks that the header lists under this name, by section."""
        sections: dict[str, list[Any]] = defaultdict(list)
        for chunk_id in document.body[chunks]:
            chunk = self._store.read(Container.PLANS, document.partition, chunk_id)
            assert chunk is not None, "the header is written after its chunks"  # noqa: S101 - our own mistake
            sections[chunk.body["section"]] += chunk.body["items"]
        return sections

    def _assemble(self, document: Document) -> Plan:
        header = document.body["header"]
        sections = self._sections(document, "chunks")
        plain = {name: value for name, value in header.items() if name not in ("held_lines", "summary")}
        plain |= {"lines": sections["lines"], "held": sections["held"]}
        plain["rounds"] = sections["rounds"][0]
        plain["proofs"] = json.loads("".join(sections["proofs"]) or "[]")
        plain["reasons"] = {
            "source_ids": sections["sources"],
            "templates": sections["templates"],
            "codes": sections["codes"],
        }
        return read_stored(plain, Plan, f"stored plan {document.partition}")


_REQUEST_LISTS = (
    *("sources", "source_lists", "products", "rules", "cost_factors", "orders", "available", "loads"),
    "road_rows",
)
"""The parts of a request that grow: each is a section of its own, everything else is the section `head`."""


def _plan_sections(plan: Plan) -> dict[str, list[Any]]:
    plain = write_value(plan, Plan)
    reasons = plain["reasons"]
    return {
        "lines": plain["lines"],
        "codes": reasons["codes"],
        "rounds": [plain["rounds"]],
        "proofs": list(_pieces(json.dumps(plain["proofs"]))),
        "templates": reasons["templates"],
        "held": plain["held"],
        "sources": reasons["source_ids"],
    }


def _pieces(text: str) -> Iterator[str]:
    """A text that may be longer than a chunk, in pieces."""
    for start in range(0, len(text), _PIECE_CHARACTERS):
        yield text[start : start + _PIECE_CHARACTERS]


def _request_sections(request: PlanRequest | None) -> dict[str, list[Any]]:
    if request is None:
        return {}
    plain = write_value(document_of(request), RequestDocument)
    return {"head": [{name: value for name, value in plain.items() if name not in _REQUEST_LISTS}]} | {
        name: plain[name] for name in _REQUEST_LISTS
    }


def _chunks(sections: Mapping[str, list[Any]]) -> Iterator[Body]:
    """Contents in pieces that a document can hold."""
    for section, items in sections.items():
        for some in _packed(items):
            yield {"kind": _KIND_CHUNK, "section": section, "items": some}


def _packed(items: Iterable[Any]) -> Iterator[list[Any]]:
    packet: list[Any] = []
    weight = 0
    for item in items:
        item_bytes = len(json.dumps(item)) + 1
        if packet and weight + item_bytes > CHUNK_BYTES:
            yield packet
            packet, weight = [], 0
        packet.append(item)
        weight += item_bytes
    if packet:
        yield packet


def _header_body(header: PlanHeader, chunk_ids: list[str], request_ids: list[str], to_apply: bool) -> Body:
    return {
        "kind": _KIND,
        "strategy_id": header.strategy_id,
        "state": header.state,
        "to_apply": to_apply,
        "chunks": chunk_ids,
        "request_chunks": request_ids,
        "header": write_value(header, PlanHeader),
    }


def _read_header(document: Document) -> PlanHeader:
    return read_stored(document.body["header"], PlanHeader, f"stored plan {document.partition}")
