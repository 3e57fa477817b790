#!/usr/bin/python3
"""Prove the limb arithmetic of src/crypto/sigbatch_lanes_priv.h with z3.

Two layers. The first proves each building block (carry, multiplication, squaring,
sum of two products, subtraction, normalization) for every value its contract
allows: that no 64-bit lane overflows, that each operand of a 52-bit multiplication
is below 2^52, that the result's limbs are below 2^52, and that its value is what it
should be modulo p. Products of limbs are unknowns with their exact range, so all of
it is linear and z3 decides it. The second layer follows the magnitudes through the
point formulas and checks each use against the contracts.

The table MAGNITUDES below and the formulas are written after the C code; a change
there is a change here. Needs python3-z3. Exit 0: all proved.
"""
import sys

import z3

P = 2**256 - 2**32 - 977
FOLD_256 = 2**256 % P
FOLD_260 = 2**260 % P
LIMB = 2**52
TOP = 2**48
UNIT = 2**256 + 2**216  # A magnitude of 1 is below this.
WORD = 2**64
MAGNITUDE_MAX = 15

failed = []


def prove(name, assumptions, claim):
    solver = z3.Solver()
    solver.set("timeout", 120000)
    solver.add(*assumptions)
    solver.add(z3.Not(claim))
    answer = solver.check()
    if answer != z3.unsat:
        failed.append(name)
        print(f"NOT PROVED ({answer}): {name}")
        if answer == z3.sat:
            print(solver.model())


class Run:
    """One symbolic run: assumptions gather as it goes, claims are proved on the way."""

    def __init__(self, name):
        self.name = name
        self.known = []
        self.n = 0

    def new(self, low, high):
        self.n += 1
        v = z3.Int(f"v{self.n}")
        self.known += [v >= low, v < high]
        return v

    def claim(self, what, claim):
        prove(f"{self.name}: {what}", self.known, claim)

    def word(self, v, signed=False):
        """A 64-bit lane holds v without wrapping."""
        self.claim("fits a lane", z3.And(v >= (-WORD // 2 if signed else 0),
                                          v < (WORD // 2 if signed else WORD)))
        return v

    def split(self, v, size):
        """v = high * size + low with 0 <= low < size: a shift and a mask."""
        low = self.new(0, size)
        high = z3.Int(f"h{self.n}")
        self.known.append(v == high * size + low)
        return high, low

    def mad(self, low_sum, high_sum, v, constant):
        """madlo and madhi of v and a constant."""
        self.claim("operand below 2^52", z3.And(v >= 0, v < LIMB))
        high, low = self.split(v * constant, LIMB)
        return self.word(low_sum + low), self.word(high_sum + high)


def value(limbs):
    return sum(limb * LIMB**i for i, limb in enumerate(limbs))


def carry(run, limbs, signed=True):
    limbs = list(limbs)
    for i in range(4):
        high, limbs[i] = run.split(run.word(limbs[i], signed), LIMB)
        limbs[i + 1] = limbs[i + 1] + high
    return limbs


def reduce(run, c):
    """fe_reduce, line by line. Returns limbs and a multiple of p that was dropped."""
    c = list(c)
    for i in range(5, 9):
        high, c[i] = run.split(run.word(c[i]), LIMB)
        c[i + 1] = c[i + 1] + high
    folded = value(c[5:])
    c[0], c[1] = run.mad(c[0], c[1], c[5], FOLD_260)
    for i in range(1, 4):
        c[i], c[i + 1] = run.mad(c[i], c[i + 1], c[i + 5], FOLD_260)
    over = z3.IntVal(0)
    c[4], over = run.mad(c[4], over, c[9], FOLD_260)
    high, c[4] = run.split(run.word(c[4]), TOP)
    top = run.word(high + over * 16)
    c[0], c[1] = run.mad(c[0], c[1], top, FOLD_256)
    limbs = carry(run, c[:5], signed=False)
    return limbs, folded * ((2**260 - FOLD_260) // P) + top


def columns(run, products):
    """madlo and madhi of limb products into ten columns; each product is unknown."""
    c = [z3.IntVal(0)] * 10
    total = z3.IntVal(0)
    for i, k, times in products:
        high = run.new(0, LIMB - 1)  # (2^52 - 1)^2 >> 52 is 2^52 - 2.
        low = run.new(0, LIMB)
        c[i + k] = c[i + k] + times * low
        c[i + k + 1] = c[i + k + 1] + times * high
        total = total + times * (high * LIMB + low) * LIMB**(i + k)
    return c, total


def prove_product(name, products, bound):
    run = Run(name)
    c, total = columns(run, products)
    run.known += [total < bound, total >= 0]
    limbs, dropped = reduce(run, c)
    run.claim("value modulo p", value(limbs) + dropped * P == total)
    run.claim("limbs", z3.And(*[z3.And(v >= 0, v < LIMB) for v in limbs]))
    run.claim("magnitude 1", value(limbs) < UNIT)


def prove_blocks():
    all_pairs = [(i, k, 1) for i in range(5) for k in range(5)]
    squares = [(i, i, 1) for i in range(5)] + \
              [(i, k, 2) for i in range(5) for k in range(i + 1, 5)]
    prove_product("fe_mul", all_pairs, 2**520)
    prove_product("fe_sqr", squares, 2**520)
    prove_product("fe_mul_add", all_pairs * 2, 2**520)

    run = Run("fe_carry")
    limbs = [run.new(-2**62, 2**62) for _ in range(5)]
    run.known += [value(limbs) >= 0, value(limbs) < 2**260]
    out = carry(run, limbs)
    run.claim("value", value(out) == value(limbs))
    run.claim("limbs", z3.And(*[z3.And(v >= 0, v < LIMB) for v in out]))

    run = Run("fe_normalize")
    limbs = [run.new(0, LIMB) for _ in range(5)]
    start = value(limbs)
    run.known.append(start < (MAGNITUDE_MAX + 1) * 2**256)
    dropped = z3.IntVal(0)
    for _ in range(2):
        top, limbs[4] = run.split(limbs[4], TOP)
        run.claim("top times the fold is below 2^52", z3.And(top >= 0, top * FOLD_256 < LIMB))
        limbs[0] = limbs[0] + top * FOLD_256
        limbs = carry(run, limbs)
        dropped = dropped + top
    run.claim("below 2^256", z3.And(value(limbs) >= 0, value(limbs) < 2**256))
    less = carry(run, [limbs[0] + FOLD_256] + limbs[1:])
    over, less[4] = run.split(less[4], TOP)
    result = z3.If(over != 0, value(less), value(limbs))
    taken = z3.If(over != 0, dropped + 1, dropped)
    run.claim("value modulo p", result + taken * P == start)
    run.claim("below p", z3.And(result >= 0, result < P))


class Magnitude:
    """Second layer: numbers in units of UNIT, contracts checked at each use."""

    def __init__(self, name):
        self.name = name

    def use(self, *magnitudes):
        for m in magnitudes:
            if not 0 <= m <= MAGNITUDE_MAX or m * UNIT >= 2**260:
                failed.append(f"{self.name}: magnitude {m}")

    def mul(self, a, b):
        self.use(a, b)
        if a * b * UNIT**2 >= 2**520:
            failed.append(f"{self.name}: product {a} x {b}")
        return 1

    def mul_add(self, a, b, d, e):
        self.use(a, b, d, e)
        if (a * b + d * e) * UNIT**2 >= 2**520:
            failed.append(f"{self.name}: sum of products")
        return 1

    def linear(self, plus, minus, m):
        """plus - minus + m p: not below zero, and the magnitude of what comes out."""
        if m * P < minus * UNIT:
            failed.append(f"{self.name}: {m} p does not cover magnitude {minus}")
        # Limbs before the carry: a few dozen times 2^52 at most.
        if (plus + minus + m) * LIMB >= 2**62:
            failed.append(f"{self.name}: limbs before a carry")
        self.use(plus + m)
        return plus + m


def prove_double():
    g = Magnitude("point_double")
    x, y, z = 10, 10, 2
    a = g.mul(x, x)
    b = g.mul(y, y)
    t = g.mul(y, z)
    c = g.mul(b, b)
    d = g.mul(x, b)
    e = g.linear(3 * a, 0, 0)
    z3_ = g.linear(2 * t, 0, 0)
    f = g.mul(e, e)
    x3 = g.linear(f, 8 * d, 9)
    t = g.linear(12 * d, f, 2)
    y3 = g.linear(g.mul(e, t), 8 * c, 9)
    return x3, y3, z3_


def prove_add():
    g = Magnitude("point_add")
    x, y, z, q = 10, 10, 2, 1
    zz = g.mul(z, z)
    h = g.mul(q, zz)
    t = g.mul(zz, z)
    h = g.linear(h, x, 11)
    t = g.mul(t, q)
    r = g.linear(t, t + y, 13)
    minus_y = g.linear(0, y, 11)
    hh = g.mul(h, h)
    z3_ = g.mul(z, h)
    hhh = g.mul(hh, h)
    v = g.mul(x, hh)
    t = g.mul(r, r)
    x3 = g.linear(t, hhh + 2 * v, 4)
    t = g.linear(v, x3, 6)
    return x3, g.mul_add(r, t, minus_y, hhh), z3_


def prove_points():
    start = (10, 10, 2)
    for name, out in (("point_double", prove_double()), ("point_add", prove_add())):
        if any(o > s for o, s in zip(out, start)):
            failed.append(f"{name}: result {out} is beyond what the next step may take")
    g = Magnitude("others")
    # load_point: x^3 + 7, and p - y of a normalized y, whose value is below p.
    g.linear(2, 0, 0)
    g.linear(1, 0, 1)
    # fe_equal of y^2 and x^3 + 7; of x and r z^2.
    g.linear(1, 2, 3)
    g.linear(10, 1, 2)
    # x_matches: r + n.
    g.mul(g.linear(2, 0, 0), 1)
    # run_group: the first digit's y may be negated.
    g.linear(0, 1, 2)


prove_blocks()
prove_points()
for name in failed:
    print(f"FAILED: {name}")
if not failed:
    print("lanes: every bound proved")
sys.exit(1 if failed else 0)
