"""How statements that were made a closure end, and why a loop could not be one of the generated code.

None                      the end is reached
Signal(broke=True)        break
Signal(returned=c, ...)   return, if the traced value c is true
"""

from __future__ import annotations

from typing import Any, NamedTuple, NoReturn

from graphc.errors import GraphcError, Span
from graphc.frontends.numpy.variables import ABSENT

Flag = Any  # True, False, or a traced truth value


class Signal(NamedTuple):
    """A jump.  continued, broke, returned: which, each a flag.  value: what is returned."""

    continued: Flag = False
    broke: Flag = False
    returned: Flag = False
    value: Any = ABSENT

    @property
    def flags(self) -> tuple[Flag, Flag, Flag]:
        return self.continued, self.broke, self.returned

    @property
    def silent(self) -> bool:
        """Whether there is no jump in any case."""
        return all(flag is False for flag in self.flags)

    @property
    def leaving(self) -> Signal:
        """What a loop is left by."""
        return self._replace(continued=False)

    @property
    def certain(self) -> bool:
        """Whether there is a jump in any case."""
        return any(flag is True for flag in self.flags)


NOTHING = Signal()
CONTINUE = Signal(continued=True)
BREAK = Signal(broke=True)


def returned(value: Any) -> Signal:
    """`return value`."""
    return Signal(returned=True, value=value)


class CannotRoll(BaseException):
    """A loop can't be one of the generated code. Not an Exception: the user's code does not catch it.

    reason: a clause that ends "..., because".  hint: what to write.  error: what went wrong, if an error did.
    """

    def __init__(self, reason: str, hint: str | None = None, span: Span | None = None, error: Any = None) -> None:
        super().__init__(reason)
        self.reason, self.hint, self.span, self.error = reason, hint, span, error


def cannot(reason: str, hint: str | None = None) -> NoReturn:
    raise CannotRoll(reason, hint)


def of_error(error: Exception) -> CannotRoll:
    """The reason that an error in a step is."""
    message = error.message if isinstance(error, GraphcError) else f"{type(error).__name__}: {error}"
    return CannotRoll(message, error=error)
