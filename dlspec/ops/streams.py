"""Numbers drawn from named streams: the same on every machine and for every backend.

A stream is Philox4x64-10 keyed with the first 16 bytes of SHA-256 of ``seed:name``; its 64-bit words
become numbers in (0, 1) and, by the inverse distribution function, normal ones. It is NumPy's
`numpy.random.Philox(key=...).random_raw`, bit for bit.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from dlspec.ops._numpy import np

# Wichura 1988, algorithm AS 241 (PPND16): rational approximations by powers, constant first.
CENTRE = (
    (
        3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
        1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
        3.3430575583588128105e4, 2.5090809287301226727e3,
    ),
    (
        1.0, 4.2313330701600911252e1, 6.8718700749205790830e2,
        5.3941960214247511077e3, 2.1213794301586595867e4, 3.9307895800092710610e4,
        2.8729085735721942674e4, 5.2264952788528545610e3,
    ),
)  # fmt: skip
FLANK = (
    (
        1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
        3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
        2.27238449892691845833e-2, 7.74545014278341407640e-4,
    ),
    (
        1.0, 2.05319162663775882187e0, 1.67638483018380384940e0,
        6.89767334985100004550e-1, 1.48103976427480074590e-1, 1.51986665636164571966e-2,
        5.47593808499534494600e-4, 1.05075007164441684324e-9,
    ),
)  # fmt: skip
TAIL = (
    (
        6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
        2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
        2.71155556874348757815e-5, 2.01033439929228813265e-7,
    ),
    (
        1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1,
        1.48753612908506148525e-2, 7.86869131145613259100e-4, 1.84631831751005468180e-5,
        1.42151175831644588870e-7, 2.04426310338993978564e-15,
    ),
)  # fmt: skip


def generator(seed: int, name: str) -> Any:
    """The stream: its `random_raw(n)` gives the next n words."""
    digest = sha256(f"{seed}:{name}".encode()).digest()
    return np.random.Philox(key=int.from_bytes(digest[:16], "little"))


def words(seed: int, name: str, count: int) -> Any:
    """The first `count` 64-bit words of the stream."""
    return generator(seed, name).random_raw(count)


def to_uniform(words: Any) -> Any:
    """Words as f64 numbers in (0, 1): the upper 53 bits, and a half."""
    return ((words >> np.uint64(11)) + 0.5) * 2.0**-53


def uniform(seed: int, name: str, shape: tuple[int, ...]) -> Any:
    """f64 numbers in (0, 1)."""
    count = int(np.prod(shape, dtype=np.int64))
    return to_uniform(words(seed, name, count)).reshape(shape)


def normal(seed: int, name: str, shape: tuple[int, ...]) -> Any:
    """f64 numbers of the standard normal distribution."""
    return quantile(uniform(seed, name, shape))


def quantile(p: Any) -> Any:
    """The inverse of the normal distribution function (Wichura 1988), to 16 digits."""
    q = np.asarray(p) - 0.5
    z = np.asarray(q * _ratio(CENTRE, 0.180625 - q * q))
    outer = np.abs(q) > 0.425  # 15% of all: the logarithm is taken for these only
    r = np.sqrt(-np.log(np.where(q < 0, p, 1 - np.asarray(p))[outer]))
    z[outer] = np.sign(q[outer]) * np.where(r <= 5, _ratio(FLANK, r - 1.6), _ratio(TAIL, r - 5))
    return z


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Any) -> Any:
    above, below = (np.polynomial.polynomial.polyval(x, c) for c in coefficients)
    return above / below
