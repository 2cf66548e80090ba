"""What stands where a value is not known any more: all that is done with it is an error that says why.

if c:
    y = a
z = y + 1       y has no value where c is false
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from graphc.errors import UnsupportedError
from graphc.frontends.numpy.tracer import StandIn

if TYPE_CHECKING:
    from graphc.frontends.numpy.session import Session

_OPERATORS = (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift",
    "divmod",
)  # fmt: skip
_OTHERS = (
    "lt", "le", "gt", "ge", "eq", "ne", "neg", "pos", "abs", "invert", "bool", "int", "float", "complex", "index",
    "hash", "len", "iter", "getitem", "setitem", "contains", "array", "array_ufunc", "array_function", "call",
    "enter", "exit",
)  # fmt: skip


class Refused(StandIn):
    """Something that can't be used.  why: the message of the error, hint: what to write."""

    __slots__ = ("hint", "session", "why")

    def __init__(self, session: Session, why: str, hint: str | None = None) -> None:
        self.session, self.why, self.hint = session, why, hint

    def refuse(self) -> NoReturn:
        """Raise the error."""
        raise self.session.placed(UnsupportedError("G043", self.why, hint=self.hint))

    @property
    def array(self) -> Any:
        self.refuse()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self.refuse()


class Unbound(Refused):
    """What a variable holds after a branch, or a loop, that has given it no value in some case."""


def _method(self: Any, *args: Any, **words: Any) -> Any:
    self.refuse()


for _name in [*_OPERATORS, *(f"r{n}" for n in _OPERATORS), *(f"i{n}" for n in _OPERATORS[:-1]), *_OTHERS]:
    setattr(Refused, f"__{_name}__", _method)
