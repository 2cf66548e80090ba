"""Operations of the user's own, which generated code carries along as named functions.

    mish = gc.elementwise("mish", x * tanh(log(1 + exp(x))))        from a formula in SymPy
    solve = gc.custom_op("solve", forward, vjp)                     from a NumPy function and its vjp

Both are called on NumPy arrays, on nodes, and on the values that the NumPy front end traces.
"""

from graphc.custom.formula import Elementwise, elementwise
from graphc.custom.function import CustomOp, custom_op

__all__ = ["CustomOp", "Elementwise", "custom_op", "elementwise"]
