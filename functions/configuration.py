"""Configuration and stock: one object at a time, or many at once."""

import json
import logging
from http import HTTPStatus

import azure.functions as func

from functions import authorization, responses, wire
from functions.bootstrap import ports
from functions.shapes import Counted, PageQuery, SaveQuery

bp = func.Blueprint()
_logger = logging.getLogger(__name__)


@bp.route(route="config/{kind}", methods=["GET"])
@responses.answered
def list_configuration(req: func.HttpRequest) -> func.HttpResponse:
    """A page of everything of one kind: sources, source lists, products, rules, cost factors, strategies."""
    from dom_core.repositories.configurations import SHAPES
    from dom_core.use_cases import configure

    kind, asked = wire.config_kind(req), wire.query(req, PageQuery)
    return responses.page(configure.list_all(ports(), kind, asked.limit, asked.continuation), SHAPES[kind].type)


@bp.route(route="config/{kind}", methods=["PUT"])
@responses.answered
def save_many_configuration(req: func.HttpRequest) -> func.HttpResponse:
    """Store an array of objects of one kind, or say what that would change. All are checked before any is written."""
    from dom_core.use_cases import configure

    kind = wire.config_kind(req)
    if wire.query(req, SaveQuery).dry_run:
        return responses.value(configure.preview_many(ports(), kind, wire.json_body(req)), configure.Preview)
    saved = configure.save_many(ports(), kind, wire.json_body(req), authorization.signature(req))
    return responses.value(saved, configure.SavedMany)


@bp.route(route="config/{kind}/{id}", methods=["GET"])
@responses.answered
def get_configuration(req: func.HttpRequest) -> func.HttpResponse:
    """One object, with the ETag that a conditional PUT or DELETE names in If-Match."""
    from dom_core.repositories.configurations import SHAPES
    from dom_core.use_cases import configure

    kind = wire.config_kind(req)
    found = configure.get(ports(), kind, wire.route_id(req, "id", "object of this kind"))
    return responses.value(found.value, SHAPES[kind].type, etag=found.etag)


@bp.route(route="config/{kind}/{id}/changes", methods=["GET"])
@responses.answered
def get_configuration_changes(req: func.HttpRequest) -> func.HttpResponse:
    """Who saved the object when, the newest first: its last twenty versions."""
    from dom_core.domain.change import Change
    from dom_core.use_cases import configure

    kind, id = wire.config_kind(req), wire.route_id(req, "id", "object of this kind")
    return responses.value(configure.changes(ports(), kind, id), tuple[Change, ...])


@bp.route(route="config/{kind}/{id}", methods=["PUT"])
@responses.answered
def save_configuration(req: func.HttpRequest) -> func.HttpResponse:
    """Create or replace one object that fits the whole configuration, or say what that would change."""
    from dom_core.use_cases import configure
    from functions import views

    kind = wire.config_kind(req)
    id = wire.route_id(req, "id", "object of this kind")
    asked = (ports(), kind, id, wire.json_body(req), wire.if_match(req))
    if wire.query(req, SaveQuery).dry_run:
        return responses.value(configure.preview(*asked), configure.Preview)
    saved = configure.save(*asked, authorization.signature(req))
    status = HTTPStatus.CREATED if saved.created else HTTPStatus.OK
    return responses.value(views.SavedDetails(saved.value, saved.warnings), views.SavedDetails, status, saved.etag)


@bp.route(route="config/{kind}/{id}", methods=["DELETE"])
@responses.answered
def delete_configuration(req: func.HttpRequest) -> func.HttpResponse:
    """Remove one object to which nothing refers any more."""
    from dom_core.use_cases import configure

    kind, id = wire.config_kind(req), wire.route_id(req, "id", "object of this kind")
    configure.remove(ports(), kind, id, wire.if_match(req))
    # With the object goes the record of who saved it: the log has who removed it.
    event = {"event": "configuration_removed", "kind": kind, "id": id, "by": authorization.account(req)}
    _logger.info(json.dumps(event))
    return responses.nothing()


@bp.route(route="stock/{product_id}", methods=["GET"])
@responses.answered
def get_stock(req: func.HttpRequest) -> func.HttpResponse:
    """What lies where of one product, and how much of it is still to be promised."""
    from dom_core.use_cases import set_stock as stock
    from functions import views

    found = stock.get_stock(ports(), wire.route_id(req, "product_id", "product"))
    return responses.value(views.stock(found), views.StockDetails)


@bp.route(route="stock/{product_id}/{source_id}", methods=["PUT"])
@responses.answered
def set_stock(req: func.HttpRequest) -> func.HttpResponse:
    """Say how many units of a product are on hand at a source."""
    from dom_core.use_cases import set_stock as stock
    from functions import views

    product_id, source_id = wire.route_id(req, "product_id", "product"), wire.route_id(req, "source_id", "source")
    changed = stock.set_one(ports(), product_id, source_id, wire.json_body(req))
    return responses.value(views.stock(changed), views.StockDetails)


@bp.route(route="stock", methods=["PUT"])
@responses.answered
def set_many_stock(req: func.HttpRequest) -> func.HttpResponse:
    """Say it for many products and sources at once. All are checked before the first is written."""
    from dom_core.use_cases import set_stock as stock

    return responses.value(Counted(count=stock.set_many(ports(), wire.json_body(req))), Counted)
