"""How exact an op is, where that is no number of ulp: the phrases that records share, and where they come from.

    sum       1e16 + 1 - 1e16 may be 0 or 2: wrong by n ulp of 2e16, not of the result
    softmax   exp(x - max(x)): a difference of 700 is rounded to 1e-13, and so is what exp makes of it

u is half an ulp of 1, n the number of elements that make one of the result.

Source: N. J. Higham, "Accuracy and Stability of Numerical Algorithms", 2nd edition (2002).
"""

from __future__ import annotations

# Section 4.2: in any order, n - 1 additions err by at most (n - 1) u times the sum of the magnitudes.
# Section 3.1: one rounding more for each factor of an inner product, and for the n of a mean.
SUM = "n ulp of the sum of magnitudes"
MEAN = f"{SUM}, over n"
RECURRENCE = f"2 {SUM}"  # a product and a sum for each step

# Section 3.1: n - 1 products, whose relative errors add up; of a norm half of n + 1, by the root.
PRODUCT = "n ulp"

# Section 1.9: n + 3 roundings of squares of deviations from a mean that is not the true one itself.
VARIANCE = "n + 4 ulp, and the square of the error of the mean"
DEVIATION = "n + 4 ulp, and the error of the mean"

# P. Blanchard, D. J. Higham, N. J. Higham, "Accurately computing the log-sum-exp and softmax functions" (2021).
LOGSUMEXP = "n + 4 ulp of 1 + max|x|"
SOFTMAX = "n + 4 + max(x) - x ulp"
LOG_SOFTMAX = "n + 4 ulp of 1 + |y|"

# Section 24.1: log2(n) stages, in each a complex product and a sum for every term.
FOURIER = f"4 log2(2 n) {SUM.removeprefix('n ')}"

# The exact result of a matrix that differs from the given one by a modest multiple of n ulp of its norm:
# section 10.1 (cholesky), 9.3 (solve, det; inv, column by column), 19.3 (qr); LAPACK Users' Guide, chapter 4.
LAPACK = "backward stable (LAPACK)"
COFACTOR = "n**2 ulp of norm(A)**(n - 1)"
COFACTOR_SLOPE = "n**2 ulp of norm(A)**(n - 2) norm(X)"
