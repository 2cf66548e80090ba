"""The parser at run time: the tables that Lark makes of grammar.lark, driven by two loops.

Lark builds the LALR tables and the callbacks; scanning and driving are done here, because a text of
100,000 terms is an ordinary input: one regular expression finds the tokens, and a rule that only
passes its value on (`?sum: term`) moves the state and touches nothing else. Five times faster than
Lark's own loops, and nothing recurses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files
from typing import Any, NamedTuple

from graphc.frontends.text.characters import MAX_DEPTH

Reduction = tuple[int, str, Any]  # how many values, the rule's name, its callback
_WORDS = {"def": "DEF", "return": "RETURN"}


class Token(NamedTuple):
    """A piece of text: what it is, and where."""

    type: str
    text: str
    start: int
    end: int


class Table(NamedTuple):
    """The parser as data.

    pattern: one group a kind of token.  rows: for each state what to do with each kind of token:
    an int is the state to go to, a tuple a reduction.  gotos: where to go after a reduction.
    """

    pattern: re.Pattern[str]
    rows: list[dict[str, int | Reduction]]
    gotos: list[dict[str, int]]
    start: int
    jumps: dict[tuple[int, str, str], int]  # where chains of passing rules end, as they are met


def load(actions: Any) -> Table:
    """The table of grammar.lark, with the methods of `actions` as callbacks."""
    from lark import Lark  # loaded where it is used: start-up stays light
    from lark.parsers.lalr_analysis import Shift

    grammar = (files("graphc.frontends.text") / "grammar.lark").read_text("utf-8")
    lark = Lark(grammar, parser="lalr", lexer="basic", transformer=actions, maybe_placeholders=False)
    engine: Any = lark.parser.parser
    states: dict[Any, dict[str, Any]] = engine._parse_table.states
    callbacks = engine.parser.callbacks
    rows: list[dict[str, int | Reduction]] = [{} for _ in states]
    gotos: list[dict[str, int]] = [{} for _ in states]
    for state, row in states.items():
        for name, (action, argument) in row.items():
            symbol = str(name)  # a plain str: Lark's own tokens compare slowly
            if action is not Shift:
                rows[state][symbol] = _reduction(argument, callbacks[argument])
            elif symbol.isupper() or symbol.startswith("$"):
                rows[state][symbol] = argument
            else:
                gotos[state][symbol] = argument
    start = engine._parse_table.start_states["start"]
    return Table(_pattern(lark.terminals, lark.ignore_tokens), rows, gotos, start, {})


def _reduction(rule: Any, callback: Callable[[list[Any]], Any]) -> Reduction:
    """A callback of None passes the only value on."""
    passes = len(rule.expansion) == 1 and rule.options.expand1 and rule.alias is None
    return len(rule.expansion), str(rule.origin.name), None if passes else callback


def _pattern(terminals: Iterable[Any], ignored: Iterable[str]) -> re.Pattern[str]:
    """All terminals, the longer ones first, as Lark orders them."""
    kept = [t for t in terminals if t.name not in ignored and t.name not in _WORDS.values()]
    kept.sort(key=lambda t: (-t.pattern.max_width, -len(t.pattern.value), t.name))
    skipped = "|".join(t.pattern.to_regexp() for t in terminals if t.name in ignored)
    groups = "|".join(f"(?P<{t.name}>{t.pattern.to_regexp()})" for t in kept)
    return re.compile(f"(?:{skipped})*+(?:{groups}|(?P<UNKNOWN>[^\\n])|(?P<END>\\Z))", re.ASCII)


def scan(text: str, table: Table) -> Iterator[Token]:
    """The tokens of a text; the last one is of the type END."""
    for match in table.pattern.finditer(text):
        kind: str = match.lastgroup  # type: ignore[assignment]
        start, end = match.span(kind)
        word = text[start:end]
        if word in _WORDS:
            kind = _WORDS[word]
        yield Token(kind, word, start, end)


def drive(table: Table, tokens: Iterator[Token], refuse: Callable[[Token, bool], Exception]) -> None:
    """Run the callbacks over these tokens.

    Raises `refuse(token, False)` where no rule fits, `refuse(token, True)` beyond MAX_DEPTH.
    """
    rows, gotos, jumps = table.rows, table.gotos, table.jumps
    states, values = [table.start], []
    row = rows[table.start]
    for token in tokens:
        kind = token.type
        while True:
            action = row.get(kind)
            if action is None:
                raise refuse(token, False)
            if type(action) is int:
                states.append(action)
                values.append(token)
                row = rows[action]
                if len(states) > MAX_DEPTH:
                    raise refuse(token, True)
                break
            size, origin, callback = action  # type: ignore[misc]
            if callback is None:
                key = states[-2], origin, kind
                states[-1] = state = jumps.get(key) or _jump(table, key)
                row = rows[state]
                continue
            if size:
                value = callback(values[-size:])
                del states[-size:], values[-size:]
                values.append(value)
            else:
                values.append(callback([]))
            state = gotos[states[-1]][origin]
            states.append(state)
            row = rows[state]
            if kind == "$END" and origin == "start":
                return


def _jump(table: Table, key: tuple[int, str, str]) -> int:
    """The state after all the rules that only pass a value on, from sum to term to factor ..."""
    base, origin, kind = key
    while True:
        state = table.gotos[base][origin]
        action = table.rows[state].get(kind)
        if not isinstance(action, tuple) or action[2] is not None:
            table.jumps[key] = state
            return state
        origin = action[1]
