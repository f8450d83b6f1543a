"""Schemathesis' check `positive_data_acceptance`, but for refusals that depend on what there is, which no description can say."""

import re

import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance

# Codes of refusals that a well-formed request gets for the state of a tenant, a key, the installation.
STATE_CODES = {
    "CHANGE_NOT_POSSIBLE",  # 422: the tenant cannot be brought there from what it is
    "CONFIRMATION_REQUIRED",  # 400: `confirm` is not the slug of that very tenant
    "FEATURE_DISABLED",  # 403: switched off in this installation
    "FROZEN",  # 423: somebody froze the product
    "IDEMPOTENCY_KEY_REUSED",  # 422: an earlier request has taken the key
    "PRECONDITION_FAILED",  # 412: the tenant was changed meanwhile
    "UNKNOWN_PRODUCT",  # 400: the catalog decides
}
# Fields of INVALID_INPUT whose values the catalog or an earlier answer decides; what begins with one is a part of it.
STATE_FIELDS = (
    "body.product",  # the product says whether it takes a slug, a tier, settings of its tenants
    "body.service",
    "body.settings",
    "body.slug",  # reserved by the product, or not taken by it
    "body.tier",
    "body.cell",
    "body.licenses",  # a license does not end before it begins
    "querystring.cursor",  # opaque: only one that a page ended with is taken
    "querystring.export",  # refused where the cell keeps no dumps
)
# Ends of what INVALID_INPUT says of a field, where it is the tenant or the whole API that says so.
STATE_PROBLEMS = (
    "of this tenant: change that",  # its product keeps the detail among the settings
    "which cannot be stored",  # NUL and half surrogate pairs, which the description refuses in words
)


@schemathesis.check
def accepts_what_is_described(ctx, response, case):
    if not (depends_on_state(response) or is_beside_the_description(case)):
        positive_data_acceptance(ctx, response, case)


def depends_on_state(response):
    error = error_of(response)
    fields = (error.get("details") or {}).get("fields", [])
    return error.get("code") in STATE_CODES or (bool(fields) and all(is_of_state(each) for each in fields))


def error_of(response):
    try:
        return response.json()["error"] or {}
    except (ValueError, KeyError, TypeError):
        return {}


def is_beside_the_description(case):
    """What Schemathesis takes for valid and is not: a field that is refused in every object, the null of an answer as an id by a link of its own."""
    return "__proto__" in repr(case.body) or "null" in (case.path_parameters or {}).values() or has_no_entity_tag(case)


def has_no_entity_tag(case):
    """It sends `0` for a header whose pattern asks for quotation marks, and calls that valid."""
    value = (case.headers or {}).get("If-Match")
    return value is not None and not re.fullmatch(r'\*|(?:W/)?"[!#-~]*"(?:[ \t]*,[ \t]*(?:W/)?"[!#-~]*")*', value)


def is_of_state(refusal):
    named = any(refusal["field"] == known or refusal["field"].startswith(f"{known}.") for known in STATE_FIELDS)
    return named or refusal["problem"].endswith(STATE_PROBLEMS)
