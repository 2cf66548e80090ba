"""Functions of SciPy, random generators and np.testing: a traced form, or an error that says what to do."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from graphc.expr.functions import FUNCTIONS
from graphc.frontends.numpy.calls import draws_anew, not_covered
from graphc.frontends.numpy.making import has_traced
from graphc.frontends.numpy.tracer import real_of

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session

GENERATORS = (np.random.Generator, np.random.RandomState)


def generator(kind: Callable[..., Any]) -> Callable[..., Any]:
    """`np.random.default_rng(seed)`: with a seed the numbers are the same at each call, and so constants."""

    def call(session: Session, seed: Any = None) -> Any:
        made = kind(seed)
        if seed is not None:
            session.seeded.append(made)
        return made

    return call


def draws(session: Session, method: Any) -> Any:
    """A method of a random generator; an error where each call would have to draw anew."""
    if any(method.__self__ is known for known in session.seeded):
        session.untracked("the state of a random generator")
        return method

    def refuse(*args: Any, **keywords: Any) -> Any:
        raise session.placed(draws_anew(method.__name__))

    return refuse


def testing(session: Session, function: types.FunctionType) -> Any:
    """np.testing.assert_allclose and its like: they need numbers."""
    if not (function.__module__ or "").startswith("numpy.testing"):
        return None

    def call(*args: Any, **keywords: Any) -> Any:
        if any(map(has_traced, (*args, *keywords.values()))):
            raise session.placed(not_covered(f"testing.{function.__name__}"))
        return function(*map(real_of, args), **{k: real_of(v) for k, v in keywords.items()})

    return call


def scipy_function(session: Session, function: types.FunctionType) -> Any:
    """A Python function of SciPy's that the language has under the same name."""
    module = function.__module__ or ""
    if not module.startswith("scipy."):
        return None
    special = module.startswith("scipy.special")
    names = [function.__name__] if special else [f"linalg.{function.__name__}", function.__name__]
    known = next((n for n in names if n in FUNCTIONS), None)

    def call(*args: Any, **keywords: Any) -> Any:
        if not any(map(has_traced, (*args, *keywords.values()))):
            return function(*args, **keywords)
        if known is None:
            public = [part for part in module.split(".") if not part.startswith("_")]
            raise session.placed(not_covered(".".join([*public, function.__name__])))
        return session.wrapped(session.call(known, args, keywords))

    return call


def scipy_method(session: Session, method: types.MethodType) -> Any:
    """norm.pdf, norm.cdf, norm.logpdf, norm.logcdf, norm.ppf of scipy.stats."""
    if not type(method.__self__).__module__.startswith("scipy.stats"):
        return None
    owner = type(method.__self__).__name__.removesuffix("_gen")
    name = f"{owner}_{method.__name__}"

    def call(*args: Any, **keywords: Any) -> Any:
        if not any(map(has_traced, (*args, *keywords.values()))):
            return method(*args, **keywords)
        shown = f"scipy.stats.{owner}.{method.__name__}"
        return session.wrapped(session.call(name, args, keywords, shown=shown))

    return call
