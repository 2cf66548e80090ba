"""What the inputs of a function are: types from text, annotations, example arrays, and their structure.

{"X": "n d", "params": {"W": "d h", "b": "h"}}     inputs X, params_W, params_b
{"X": np.zeros((5, 3))}                            X: f64[n, d], with the examples n = 5, d = 3
def f(x: Float[np.ndarray, "n d"])                 jaxtyping's annotations, and Annotated's
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import numpy as np

from graphc.errors import ArgumentError, DtypeError, GraphcError
from graphc.frontends.numpy.structure import Shape, flatten, is_container, joined_name, paths_of
from graphc.frontends.text.shapes import input_type
from graphc.ir.dims import Dim, Size, substitute
from graphc.ir.types import SHORT, TensorType

_LETTERS = ("n", "d", "k", "h", "m", "p", "q", "r", "s", "t", "u", "v")
# dtypes of arrays from outside that the language does not have, and the one that takes their place
WIDENED = {"int8": "int64", "int16": "int64", "uint8": "int64", "uint16": "int64", "uint32": "int64"}


@dataclass(frozen=True)
class Static:
    """An argument that is no array: it is the same in every call, and the trace sees it as it is."""

    value: Any


@dataclass(frozen=True)
class Argument:
    """One argument of the function.

    shape: its structure.  types: of the leaves, None for a leaf that is static.
    names: of the leaves.  leaves: the static ones as they are.  weak: leaves that are Python numbers.
    """

    name: str
    shape: Shape
    types: tuple[TensorType | None, ...]
    names: tuple[str, ...]
    leaves: tuple[Any, ...]
    weak: tuple[bool, ...]


@dataclass
class Signature:
    """The arguments in order, the examples of their sizes, and how the function takes them."""

    arguments: list[Argument]
    examples: dict[str, int] = field(default_factory=dict)
    by_keyword: frozenset[str] = frozenset()

    def replaced(self, sizes: Mapping[str, Dim]) -> Signature:
        """With sizes replaced."""
        arguments = [
            replace(a, types=tuple(t and t.with_shape(tuple(substitute(d, sizes) for d in t.shape)) for t in a.types))
            for a in self.arguments
        ]
        return Signature(arguments, self.examples, self.by_keyword)

    def renamed(self, aliases: Mapping[str, str]) -> Signature | None:
        """With the user's variables as names of leaves that have only a position: `for W, b in layers`.

        None if that changes nothing.
        """
        used = [a.name for a in self.arguments]
        used += [n for a in self.arguments for n in a.names if not _is_position(n, a.name) or n not in aliases]
        free = FreeNames(used)
        changed = False
        arguments: list[Argument] = []
        for argument in self.arguments:
            names = list(argument.names)
            for i, name in enumerate(names):
                if name in aliases and _is_position(name, argument.name):
                    names[i] = free(aliases[name])
                    changed = True
            arguments.append(replace(argument, names=tuple(names)))
        return Signature(arguments, self.examples, self.by_keyword) if changed else None


def _is_position(name: str, argument: str) -> bool:
    """Whether the name of a leaf is made of its place in lists: params_0_1."""
    return name != argument and name[-1].isdigit() and "_" in name


class FreeNames:
    """Hands out names, a number behind one that has been given before: h, h2, h3."""

    def __init__(self, used: Iterable[str] = ()) -> None:
        self._used = set(used)
        self._count: dict[str, int] = {}

    def __call__(self, wanted: str) -> str:
        """`wanted`, or with the first number behind it that makes a new name."""
        name, number = wanted, self._count.get(wanted, 1)
        while name in self._used:
            number += 1
            name = f"{wanted}_{number}" if wanted[-1].isdigit() else f"{wanted}{number}"
        self._count[wanted] = number
        self._used.add(name)
        return name


class _Sizes:
    """Hands out names for the sizes of examples."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = set(taken)
        self.examples: dict[str, int] = {}

    def reserve(self, type: TensorType) -> TensorType:
        self._taken |= {n for d in type.shape if isinstance(d, Size) for n in d.names()}
        return type

    def fresh(self, value: int) -> Dim:
        """A name for a size; 0 and 1 stay numbers, for they decide how arrays broadcast."""
        if value <= 1:
            return value
        number = 0
        while True:
            letter = _LETTERS[number % len(_LETTERS)]
            name = letter if number < len(_LETTERS) else f"{letter}{number // len(_LETTERS)}"
            if name not in self._taken:
                break
            number += 1
        self._taken.add(name)
        self.examples[name] = value
        return Size.named(name)


def signature_of(function: Callable[..., Any], inputs: Mapping[str, Any] | None) -> Signature:
    """The arguments of a function, as `inputs`, annotations and defaults describe them.

    Raises ArgumentError G070 for an argument that nothing describes.
    """
    parameters = _parameters(function)
    given = dict(inputs or {})
    hints = _hints(function)
    unknown = [name for name in given if name not in parameters and not _takes_any(function)]
    if unknown:
        raise ArgumentError(
            "G070", f"`{unknown[0]}` is not an argument of the function", hint=f"it takes {', '.join(parameters)}"
        )
    described: dict[str, Any] = {}
    for name, parameter in parameters.items():
        spec = given.pop(name, hints.get(name, _MISSING))
        if spec is _MISSING and parameter.default is not parameter.empty:
            spec = Static(parameter.default)
        if spec is _MISSING:
            raise ArgumentError(
                "G070",
                f"nothing says what the argument `{name}` is",
                hint=f'say it in inputs=: {{"{name}": "n d"}}, or give an example array',
            )
        described[name] = spec
    described.update(given)
    keywords = {n for n, p in parameters.items() if p.kind is p.KEYWORD_ONLY} | set(given)
    return described_signature(described, frozenset(keywords))


_MISSING: Any = object()


def described_signature(described: Mapping[str, Any], by_keyword: frozenset[str] = frozenset()) -> Signature:
    """The signature of arguments that are all described."""
    flat = {name: flatten(spec, _is_spec) for name, spec in described.items()}
    paths = [(name, *path) for name, (_, shape) in flat.items() for path in paths_of(shape)]
    names = _leaf_names(paths)
    sizes = _Sizes(set(names))
    for leaves, _ in flat.values():
        for leaf in _beside_examples(leaves):
            if isinstance(leaf, (str, TensorType)):
                sizes.reserve(input_type("input", leaf))
    arguments: list[Argument] = []
    start = 0
    for name, (given, shape) in flat.items():
        leaves = _beside_examples(given)
        own = names[start : start + len(leaves)]
        start += len(leaves)
        types = [_type(n, leaf, sizes) for n, leaf in zip(own, leaves, strict=True)]
        static = [leaf.value if isinstance(leaf, Static) else leaf for leaf in leaves]
        weak = tuple(isinstance(leaf, (int, float)) and not isinstance(leaf, np.generic) for leaf in leaves)
        arguments.append(Argument(name, shape, tuple(types), tuple(own), tuple(static), weak))
    return Signature(arguments, sizes.examples, by_keyword)


def _beside_examples(leaves: list[Any]) -> list[Any]:
    """In a structure that holds example arrays, text is text and describes no other array."""
    if not any(isinstance(leaf, (np.ndarray, np.generic, float)) for leaf in leaves):
        return leaves
    return [Static(leaf) if isinstance(leaf, str) else leaf for leaf in leaves]


def _leaf_names(paths: list[tuple[Any, ...]]) -> list[str]:
    """A name for each leaf: the last key alone where that is a name and no other leaf has it."""
    ends = [str(p[-1]) for p in paths]
    whole = [joined_name(p) for p in paths]
    names: list[str] = []
    for path, end, name in zip(paths, ends, whole, strict=True):
        short = len(path) > 1 and isinstance(path[-1], str) and end.isidentifier() and end.isascii()
        alone = short and ends.count(end) == 1 and end not in whole and not end.startswith("_")
        names.append(end if alone else name)
    for i in range(len(names)):  # two paths may come to one name
        while names[i] in names[:i]:
            names[i] += "_"
    return names


def _is_spec(value: Any) -> bool:
    """Whether a value describes one input, and not several."""
    if isinstance(value, Static):
        return True
    if isinstance(value, TensorType):
        return True
    if isinstance(value, tuple) and not hasattr(value, "_fields") and all(_is_size(v) for v in value):
        return True
    return not is_container(value)


def _is_size(value: Any) -> bool:
    """Whether an element of a tuple is a size: ("n", 3), and not the description of an input."""
    if isinstance(value, str):
        return value.replace("_", "a").isalnum() and value not in ("int", "float", "bool")
    return isinstance(value, (int, np.integer, Size)) and not isinstance(value, bool)


def _type(name: str, spec: Any, sizes: _Sizes) -> TensorType | None:
    """The type of a leaf; None for a static one."""
    if isinstance(spec, Static) or spec is None or callable(spec):
        return None
    if isinstance(spec, (bool, np.bool_)):
        return TensorType("bool", ())
    if isinstance(spec, (np.ndarray, np.generic, int, float)):
        return example_type(name, np.asarray(spec), sizes.fresh)
    return input_type(name, spec)


def example_type(name: str, array: np.ndarray[Any, Any], fresh: Callable[[int], Dim]) -> TensorType:
    """The type of an example array, its sizes named."""
    dtype = WIDENED.get(array.dtype.name, array.dtype.name)
    if dtype not in SHORT:
        raise DtypeError(
            "G030",
            f"`{name}` is an array of dtype {array.dtype.name}",
            hint="the dtypes are float64, float32, int64, int32 and bool",
        )
    return TensorType(dtype, tuple(fresh(size) for size in array.shape))


def _parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise ArgumentError("G070", "the arguments of this callable are not known", hint="wrap it in a def") from None
    return {p.name: p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}


def _takes_any(function: Callable[..., Any]) -> bool:
    return any(p.kind is p.VAR_KEYWORD for p in inspect.signature(function).parameters.values())


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """The annotations that describe arrays."""
    try:
        hints = get_type_hints(function, include_extras=True)
    except Exception:  # names that are not defined at run time, and whatever else annotations may do
        return {}
    described = {name: _annotation(hint) for name, hint in hints.items() if name != "return"}
    return {name: spec for name, spec in described.items() if spec is not None}


def _annotation(hint: Any) -> Any:
    """The type that an annotation describes; None if it does not."""
    if hint is float:
        return TensorType("float64", ())
    if get_origin(hint) is Annotated:
        found = [m for m in get_args(hint)[1:] if isinstance(m, str)]
        return found[0] if found else None
    sizes = getattr(hint, "dim_str", None)  # jaxtyping
    if sizes is None:
        return None
    names = [str(d) for d in getattr(hint, "dtypes", ())]
    short = "int64" if names and all("int" in n for n in names) else "bool" if names == ["bool"] else "float64"
    exact = names[0] if len(names) == 1 and names[0] in SHORT else short
    try:
        return input_type("annotation", f"{exact}[{','.join(sizes.split())}]")
    except GraphcError:
        return None
