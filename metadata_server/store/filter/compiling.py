"""An expression as a condition of a statement."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, and_, func, not_, true

from metadata_server.domain.filter.expression import All, AnyOf, Expression, Not, Term
from metadata_server.store.any_of import any_of
from metadata_server.store.filter.scope import Scope
from metadata_server.store.filter.sources import Source


def condition_of(
    expression: Expression, sources: Mapping[str, Source], scope: Scope
) -> ColumnElement[bool]:
    """What passes an expression. Where a value is not known a term is NULL, which is made false
    where it would be turned round."""
    match expression:
        case Term():
            return sources[expression.key.name](scope, expression)
        case Not(part):
            return not_(func.coalesce(condition_of(part, sources, scope), 0))
        case All(parts):
            return and_(true(), *(condition_of(part, sources, scope) for part in parts))
        case AnyOf(parts):
            return any_of(condition_of(part, sources, scope) for part in parts)
