"""The order of a step: every old value is read before it is overwritten, whatever the order was."""

from graphc.expr import build
from graphc.ir.index import Range
from graphc.ir.leaf import input_node
from graphc.ir.types import TensorType
from graphc.plan.buffers import reads_of_each, writes_into
from graphc.plan.step import Slot, arrange

VECTOR = TensorType("float64", (3,))
A, B, X = (input_node(name, VECTOR) for name in ("a", "b", "x"))


def apply(name, *args):
    return build.apply(name, *args)


def arranged(statements, *slots):
    """The numbers of the statements in their order, and the late slots."""
    found = arrange(reads_of_each(statements, set(statements)), [Slot(*slot) for slot in slots], ())
    return [statements.index(node) for node in found.order], found.late


def test_what_reads_an_old_value_comes_before_its_next_one():
    new_a, new_b = apply("tanh", A), apply("add", A, B)
    assert arranged([new_a, new_b], (A, new_a), (B, new_b)) == ([1, 0], [])


def test_the_order_stays_where_it_can():
    first, second = apply("sin", X), apply("cos", X)
    new = apply("add", apply("add", A, first), second)
    assert arranged([first, second, new], (A, new)) == ([0, 1, 2], [])


def test_values_that_need_each_other_wait_for_the_end():
    new_a, new_b = apply("tanh", B), apply("sin", A)
    order, late = arranged([new_a, new_b], (A, new_a), (B, new_b))
    assert sorted(order) == [0, 1] and len(late) == 1, "one of the two old values is still there"


def test_an_old_value_that_another_variable_takes_waits_with_it():
    new_b = apply("add", A, B)
    assert arranged([new_b], (A, B), (B, new_b)) == ([0], [0, 1])


def test_one_value_of_two_variables_is_handed_on_at_the_end():
    new = apply("tanh", A)
    assert arranged([new], (A, new), (B, new)) == ([0], [1])


def in_place(statements, slot, outlive=()):
    return writes_into(Slot(*slot), reads_of_each(statements, set(statements)), {}, outlive)


def test_a_sum_is_added_to_in_place_from_either_side():
    left, right = apply("add", A, X), apply("add", X, A)
    assert in_place([left], (A, left)) is left and in_place([right], (A, right)) is right
    assert in_place([apply("subtract", X, A)], (A, apply("subtract", X, A))) is None, "X - A is no update of A"


def test_nothing_is_written_into_that_something_looks_at():
    new = apply("add", A, X)
    backwards = build.getitem(A, (Range(2, None, -1, 3, False),))
    assert in_place([new], (A, new), [A]) is None, "another variable takes the old array"
    assert in_place([new], (A, new), [new]) is None, "another variable takes the new one"
    later = apply("sin", A)
    assert in_place([new, later], (A, new)) is None, "the old value is read later"
    assert in_place([new], (A, new), [backwards]) is None, "a view of the old array lives on"


def test_numbers_are_not_written_into():
    a, b = (input_node(name, TensorType("float64", ())) for name in "ab")
    new = build.add(a, b)
    assert in_place([new], (a, new)) is None
