"""Functions of functions: what people type where they have JAX's or autograd's.

    gc.grad(loss)(w, X, y)      compiled at the first call for these ranks and dtypes, then run

The conventions are JAX's: `argnums` says which arguments to differentiate by, results come back in
their structure. Arguments that are not differentiated by may be anything: arrays and floats are
inputs of the compiled code; integers, strings, None and functions are part of it. Inside a traced
function a transform becomes part of the graph, so derivatives of derivatives need nothing new.
"""

from graphc.transforms.control import cond, fori_loop, scan, while_loop
from graphc.transforms.forward import hvp, jvp
from graphc.transforms.implicit import fixed_point, root
from graphc.transforms.jacobian import hessian, jacobian
from graphc.transforms.reverse import grad, value_and_grad, vjp
from graphc.transforms.sparse import sparse_hessian, sparse_jacobian
from graphc.transforms.triplets import Triplets

__all__ = [
    "Triplets",
    "cond",
    "fixed_point",
    "fori_loop",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "root",
    "scan",
    "sparse_hessian",
    "sparse_jacobian",
    "value_and_grad",
    "vjp",
    "while_loop",
]
