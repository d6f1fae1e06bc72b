"""Random programs: functions over tensors and Python values that use the whole language, and end by construction.

A variable's first letter is its type, which it keeps: t a number (a 0-D Tensor or a Python float), v a vector of three,
n a Python int (with a final c the counter of a loop, which nothing else changes), b a truth value (bool or Tensor), m a
number or None, l a list of numbers, d a dict of numbers, o an object, u a vector of any dtype and length. Names that
are read are certainly bound, but for a few. Values stay small, and comparisons are with numbers that sums and products
of quarters do not come near to, so rounding never decides which way a program goes.
"""
from __future__ import annotations

import dataclasses
import itertools
import linecache
from collections.abc import Callable

from hypothesis import strategies as st

import kayax as paddle

NUMBERS = ("-1.5", "-0.5", "0.25", "0.5", "1.0", "2.0")
LIMITS = ("-1.37", "-0.61", "0.13", "0.37", "1.13", "2.63")
PARAMETERS = ("tx", "ty", "vx", "k", "nx", "cell")
_serial = itertools.count()


def clip(e):
    return max(min(e, 4.0), -4.0)


class Box:
    """An object with a number and a count."""

    def __init__(self, t, n):
        self.t, self.n = t, n

    def bump(self, by):
        if by > 0.37:
            self.t = self.t + by
            self.n += 1
        return self.t


@dataclasses.dataclass
class Program:
    """A function `program(tx, ty, vx, k, nx, cell)` as source text, and several calls' arguments."""

    source: str
    n: int
    calls: list[tuple]                  # (tx, ty, vx, k)
    grad: bool

    def __repr__(self) -> str:
        return f"{self.source}\n# nx={self.n}, grad={self.grad}, (tx, ty, vx, k) in {self.calls}"

    def build(self) -> Callable:
        """The function, with source that `inspect` finds."""
        name = f"<program {next(_serial)}>"
        linecache.cache[name] = (len(self.source), None, self.source.splitlines(True), name)
        scope = {"paddle": paddle, "Box": Box, "clip": clip, "__name__": "random_program"}
        exec(compile(self.source, name, "exec"), scope)
        return scope["program"]

    def arguments(self, call: tuple) -> tuple:
        tx, ty, vx, k = call
        leaves = [paddle.to_tensor(value, stop_gradient=not self.grad) for value in (tx, ty, list(vx))]
        return *leaves, paddle.to_tensor(k), self.n, paddle.to_tensor([0.25, -0.5, 1.0])


class Writer:
    """Writes one program, statement by statement, as `draw` decides."""

    def __init__(self, draw: Callable, size: int):
        self.draw, self.left = draw, size
        self.lines: list[str] = []
        self.fresh = itertools.count()
        self.helpers: list[str] = []
        self.nested = 0                         # loops around the present statement
        self.ever: set[str] = set()             # all names that are bound anywhere above
        self.returns = "tv"

    # ---- choices ---------------------------------------------------------------------------------------------

    def pick(self, options):
        return self.draw(st.sampled_from(list(options)))

    def chance(self, of: int) -> bool:
        """True once in about `of` times; False is the simpler."""
        return self.draw(st.integers(0, of - 1)) == of - 1

    def known(self, kind: str, names: set[str]) -> list[str]:
        return sorted(n for n in names if n[0] == kind and n not in ("k", "cell"))

    def target(self, kind: str, names: set[str]) -> str:
        """A name to be bound: one that is there, more often than a new one."""
        known = [n for n in self.known(kind, names) if n != "nx" and n[-1] != "c"]
        if known and not self.chance(3):
            return self.pick(known)
        name = f"{kind}{next(self.fresh)}"
        self.ever.add(name)
        return name

    # ---- expressions -----------------------------------------------------------------------------------------

    def number(self, names: set[str], depth: int = 2) -> str:
        """A number: a 0-D Tensor, or a Python float."""
        leaves = [*self.known("t", names)] * 2 + [self.pick(NUMBERS), f"vx[{self.pick('012')}]", "cell[1]"]
        leaves += [f'{n}["a"]' for n in self.known("d", names)]
        for n in self.known("l", names):
            leaves.append(self.pick((f"{n}[-1]", f"{n}[len({n}) // 2]")))
        leaves += [f"{n}.t" for n in self.known("o", names)] + [f"{n}[0]" for n in self.known("v", names)]
        leaves += [f"({n} if {n} is not None else 0.25)" for n in self.known("m", names)]
        leaves += [f'{n}.get("c", 0.5)' for n in self.known("d", names)]
        if self.chance(40):
            return self.pick(sorted(n for n in {*self.ever, *names} if n[0] == "t"))
        if depth == 0:
            return self.pick(leaves)
        part = lambda: self.number(names, depth - 1)            # noqa: E731
        kind = self.draw(st.integers(0, 26))
        if kind < 6:
            return self.pick(leaves)
        if kind < 9:
            return f"{part()} {self.pick('+-')} {self.atom(part())}"
        if kind < 11:
            return f"{self.atom(part())} * {self.pick(NUMBERS)}"
        if kind == 11:
            return f"clip({part()} * {self.atom(part())})"
        if kind == 12:
            return f"{self.pick(('max', 'min'))}({part()}, {part()})"
        if kind == 13:
            return f"abs({part()})"
        if kind == 14:
            return f"({part()} if {self.condition(names, depth - 1)} else {part()})"
        if kind == 15:
            return f"{self.atom(part())} + {self.atom(self.integer(names, 1))}"
        if kind == 16:
            return f"{self.vector(names, 1)}.sum()" if self.chance(2) else f"vx[k % 3] - {self.atom(part())}"
        if kind == 17 and self.known("l", names):
            return f"sum({self.pick(self.known('l', names))})"
        if kind == 18 and self.helpers:
            return f"{self.pick(self.helpers)}({part()}, {part()})"
        if kind == 19:
            return f"vx[{self.atom(self.integer(names, 1))} % 3]"
        if kind == 20:
            return f"sum({self.comprehension(names)})"
        if kind == 25:
            return f"{self.pick(('max', 'min'))}([{self.pick(leaves)}, *{self.comprehension(names, '[]')}])"
        if kind == 26:
            rows = f"[vx[0], *[te * {self.pick(NUMBERS)} for te in vx if {self.condition(names | {'te'}, 0)}]]"
            return f"paddle.stack({rows}){self.pick(('.mean()', '.sum()', '.max()', '[-1]', '[0]', '[1:].sum()'))}"
        if kind == 21 and self.known("o", names):
            return f"{self.pick(self.known('o', names))}.bump({part()})"
        if kind == 22:
            return f"({part()} if {self.condition(names, depth - 1)} else {self.integer(names, 1)})"
        if kind == 23 and self.known("d", names):
            name, key = self.pick(self.known("d", names)), self.pick("abcd")
            return self.pick((f'({name}["{key}"] if "{key}" in {name} else 0.5)',
                              f'{name}.setdefault("{key}", {part()})', f"sum({name}.values())"))
        if kind == 24 and self.known("u", names):
            return f"{self.pick(self.known('u', names))}.sum().astype('float32')"
        return self.pick(leaves)

    def comprehension(self, names: set[str], brackets: str = "") -> str:
        """Numbers out of others, some of which may be left out; a list, or what goes into a call."""
        over = self.pick(["vx", "(tx, ty, 0.5)", *(f"list({n})[:4]" for n in self.known("l", names))])
        names = names | {"te"}
        loops = f"for te in {over}"
        if self.chance(4):
            loops, names = f"for ne, te in enumerate({over})", names | {"ne"}
        item = self.pick(("te", f"te * {self.number(names, 0)}", self.number(names, 1)))
        if self.chance(8):
            item = f"(tw := {item})"
        where = f" if {self.condition(names, 0)}" if self.chance(2) else ""
        if self.chance(6):
            loops, where = f"{loops}{where} for ni in range({self.pick('12')})", f" if te * ni < {self.pick(LIMITS)}"
        text = f"{item} {loops}{where}"
        return f"[{text}]" if brackets or self.chance(2) else text

    @staticmethod
    def atom(text: str) -> str:
        """The expression, in parentheses if it is to be an operand."""
        depths = list(itertools.accumulate((c == "(") - (c == ")") for c in text))
        enclosed = text[0] == "(" and 0 not in depths[:-1]
        return text if " " not in text or enclosed else f"({text})"

    def vector(self, names: set[str], depth: int = 2) -> str:
        known = self.known("v", names)
        if depth == 0 or self.chance(2):
            return f"({self.pick(known)} * 1.0)" if depth else self.pick(known)
        kind = self.draw(st.integers(0, 3))
        if kind == 0:
            return f"({self.vector(names, depth - 1)} {self.pick('+-')} {self.atom(self.vector(names, depth - 1))})"
        if kind == 1:
            return f"({self.vector(names, depth - 1)} * {self.pick(NUMBERS)})"
        if kind == 2:
            return f"({self.vector(names, depth - 1)} + {self.atom(self.number(names, 1))})"
        return f"paddle.abs({self.vector(names, depth - 1)})"

    def integer(self, names: set[str], depth: int = 2) -> str:
        """A Python int, between 0 and 8 or so."""
        known = self.known("n", names)
        leaves = [*known, *known, self.pick("0123"), *(f"len({n})" for n in self.known("l", names)),
                  *(f"{n}.n" for n in self.known("o", names))]
        if depth == 0 or self.chance(2):
            return self.pick(leaves)
        kind = self.draw(st.integers(0, 9))
        inner = self.atom(self.integer(names, depth - 1))
        if kind == 0:
            return f"({inner} + 1) % 7"
        if kind == 1:
            return f"({inner} * 2 + 1) % 5"
        if kind == 2:
            return f"{inner} % 3"
        if kind == 3 and self.chance(2):
            return f"len({self.comprehension(names, '[]')})" if self.chance(3) else "int(k)"
        if kind == 4:
            return f"{inner} {self.pick('&|^')} {self.pick('123')}"
        if kind == 5:
            return f"({inner} << {self.pick('12')}) % 8" if self.chance(2) else f"{inner} >> 1"
        if kind == 6:
            return f"(-{inner}) % 5" if self.chance(2) else f"divmod({inner}, 3)[{self.pick('01')}]"
        if kind == 7:
            rounded = f"round({self.atom(self.number(names, 0))} * 0.7 + 0.13) % 6"
            return rounded if self.chance(2) else f"abs({inner} - 2)"
        if kind == 8:
            return f"({self.condition(names, 0)}) + {inner}" if self.chance(2) else f"len(list({inner} * [0]))"
        return inner

    def condition(self, names: set[str], depth: int = 2) -> str:
        part = lambda: self.number(names, 1 if depth else 0)    # noqa: E731
        kind = self.draw(st.integers(0, 12))
        if kind == 12 and depth:
            item = self.number(names | {"te"}, 1)
            return f"{self.pick(('any', 'all'))}({item} < {self.pick(LIMITS)} for te in vx if te > {self.pick(LIMITS)})"
        if kind == 12 or kind < 5 or (depth == 0 and kind > 8):
            return f"{part()} {self.pick('<>')} {self.pick(LIMITS)}"
        if kind == 5:
            low, high = sorted((self.pick(LIMITS), self.pick(LIMITS)), key=float)
            return f"{low} < {part()} < {high}"
        if kind == 6:
            return f"{self.atom(self.integer(names, 1))} {self.pick(('==', '<', '>', '!='))} {self.pick('0123')}"
        if kind == 7:
            return f"k {self.pick(('==', '<', '>'))} {self.pick('0123')}"
        if kind == 8:
            known = self.known("b", names)
            return self.pick(known) if known else f"(vx > {self.pick(LIMITS)}).{self.pick(('any', 'all'))}()"
        if kind == 9:
            return f"not {self.atom(self.condition(names, depth - 1))}"
        word = "and" if kind == 10 else "or"
        return f"{self.atom(self.condition(names, depth - 1))} {word} {self.atom(self.condition(names, depth - 1))}"

    def value(self, kind: str, names: set[str]) -> str:
        if kind == "l" and self.chance(3):
            return f"[{self.number(names, 0)}, *{self.comprehension(names, '[]')}]"
        if kind == "l":
            return f"[{', '.join(self.number(names, 1) for _ in range(self.draw(st.integers(1, 3))))}]"
        if kind == "d":
            return f'{{"a": {self.number(names, 1)}, "b": {self.number(names, 1)}}}'
        if kind == "o":
            return f"Box({self.number(names, 1)}, {self.integer(names, 0)})"
        if kind == "m":
            return "None" if self.chance(2) else self.number(names, 1)
        if kind == "u":
            return self.atom(self.vector(names, 1)) + self.pick((".astype('float64')", ".astype('int32')",
                                                                 "[:2] * 1.0", " * 2.0"))
        return {"t": self.number, "v": self.vector, "n": self.integer, "b": self.condition}[kind](names)

    # ---- statements ------------------------------------------------------------------------------------------

    def line(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def block(self, depth: int, names: set[str], loop: bool, most: int = 4) -> set[str] | None:
        """Statements; the names that are certainly bound after them, or None if their end is never reached."""
        names = set(names)
        first = len(self.lines)
        for _ in range(self.draw(st.integers(1, most))):
            if self.left <= 0:
                break
            self.left -= 1
            if not self.statement(depth, names, loop):
                return None
        if len(self.lines) == first:
            self.line(depth, "pass")
        return names

    def statement(self, depth: int, names: set[str], loop: bool) -> bool:
        """One statement, which may add to `names`; False if what follows is never reached."""
        kind = self.draw(st.integers(0, 29))
        if depth > 1 and kind == 29 and loop:
            self.line(depth, self.pick(("break", "continue")))
            return False
        if depth > 1 and kind == 28:
            self.give(depth, names)
            return False
        if kind < 9 or depth > 4:
            self.assign(depth, names)
        elif kind < 12:
            self.change(depth, names)
        elif kind < 18:
            return self.choice(depth, names, loop)
        elif kind < 20:
            self.stop_early(depth, names, loop)
        elif kind < 27 and self.nested < 2:
            self.nested += 1
            (self.count_while if kind < 23 else self.iterate)(depth, names)
            self.nested -= 1
        elif depth == 1 and len(self.helpers) < 2:
            self.helper(names)
        else:
            self.assign(depth, names)
        return True

    def assign(self, depth: int, names: set[str]) -> None:
        kind = self.pick("tttttvvnnbmmlddou")
        known = self.known("t", names)
        if kind == "t" and len(known) > 1 and self.chance(5):
            a, b = self.pick(known), self.pick(known)
            self.line(depth, f"{a}, {b} = {b}, {self.number(names)}" if a != b else f"{a} = {b} * 0.5")
            return
        target = self.target(kind, names)
        same = self.known(kind, names) if kind in "ldo" and self.chance(4) else []
        self.line(depth, f"{target} = {self.pick(same) if same else self.value(kind, names)}")
        names.add(target)

    def change(self, depth: int, names: set[str]) -> None:
        """A statement that changes something where it is."""
        options = ["cell.add_(paddle.to_tensor([0.25, 0.5, 1.0]))",
                   f"cell[{self.pick('012')}] = {self.number(names, 1)}"]
        for name in (n for n in names if n not in PARAMETERS and n[-1] != "c"):
            if name[0] == "t":
                options.append(f"{name} {self.pick(('+=', '-='))} {self.number(names, 1)}")
            if name[0] == "n":
                options.append(f"{name} += 1")
            if name[0] == "l":
                options += [f"{name}.append({self.number(names, 1)})", f"{name}[0] = {self.number(names, 1)}",
                            f"{name} = {name} + [{self.number(names, 0)}]",
                            f"{name}.pop() if len({name}) > 1 else None", f"{name}.reverse()",
                            f"{name}.insert({self.integer(names, 0)}, {self.number(names, 1)})"]
            if name[0] == "d":
                options += [f'{name}["{self.pick("abcd")}"] = {self.number(names, 1)}',
                            f'{name}["c"] = {name}.get("c", 0.25) * 0.5']
            if name[0] == "o":
                options += [f"{name}.t = {self.number(names, 1)}", f"{name}.n += 1", f"{name}.t += 0.5",
                            f"{name}.bump({self.number(names, 1)})"]
            if name[0] == "u":
                options += [f"{name} = {name} * {self.pick(NUMBERS)}", f"{name} = {name} + {self.number(names, 0)}",
                            f"{name}[0] = {self.pick('123')}"]
            if name[0] == "v":
                options += [f"{name}[{self.pick('012')}] = {self.number(names, 1)}", f"{name}[k % 3] += 0.5"]
        if self.chance(8):
            options = ['print("here")', f'print("at", {self.pick("0123")})', f"assert {self.condition(names, 1)}"]
        self.line(depth, self.pick(sorted(options)))

    def give(self, depth: int, names: set[str]) -> None:
        """A return statement."""
        if self.returns == "?" and self.chance(8):
            self.line(depth, self.pick(("return", f"return {self.number(names, 0)}")))
            return
        kinds = self.returns.replace("?", "t")
        parts = [self.value(kind, names) if kind in "tvnbm" or not self.known(kind, names)
                 else self.pick(self.known(kind, names)) for kind in kinds]
        self.line(depth, f"return {', '.join(parts)}")

    def choice(self, depth: int, names: set[str], loop: bool) -> bool:
        ends: list[set[str] | None] = []
        if self.chance(8):
            name = self.target("t", names)
            self.line(depth, f"if ({name} := {self.number(names, 1)}) {self.pick('<>')} {self.pick(LIMITS)}:")
            names.add(name)
        else:
            self.line(depth, f"if {self.condition(names)}:")
        ends.append(self.block(depth + 1, names, loop))
        if self.chance(4):
            self.line(depth, f"elif {self.condition(names)}:")
            ends.append(self.block(depth + 1, names, loop))
        if self.chance(2):
            self.line(depth, "else:")
            ends.append(self.block(depth + 1, names, loop))
        else:
            ends.append(set(names))
        reached = [e for e in ends if e is not None]
        if not reached:
            return False
        names |= set.intersection(*reached)
        return True

    def stop_early(self, depth: int, names: set[str], loop: bool) -> None:
        """`if ...: break`, `continue` or `return`."""
        self.line(depth, f"if {self.condition(names)}:")
        if loop and not self.chance(3):
            if self.chance(2):
                self.assign(depth + 1, set(names))
            self.line(depth + 1, self.pick(("break", "continue")))
        else:
            self.give(depth + 1, names)

    def count_while(self, depth: int, names: set[str]) -> None:
        """A `while` that a counter ends, if its condition does not."""
        counter = f"n{next(self.fresh)}c"
        self.line(depth, f"{counter} = 0")
        depth = self.bound(depth)
        most = self.pick("23")
        endless = self.chance(4)
        condition = self.atom(self.condition(names, 1))
        self.line(depth, "while True:" if endless else f"while {counter} < {most} and {condition}:")
        self.line(depth + 1, f"{counter} += 1")
        if endless:
            self.line(depth + 1, f"if {counter} > {most}:")
            self.line(depth + 2, "break")
        self.block(depth + 1, names | {counter}, True, 3)
        if not endless and self.chance(5):
            self.line(depth, "else:")
            self.block(depth + 1, names, False, 2)

    def bound(self, depth: int) -> int:
        """Perhaps a hint how many rounds there are at most, which need not be true; the depth of what it is for."""
        if not self.chance(2):
            return depth
        self.line(depth, f"with paddle.jit.loop_bound({self.pick('423')}):")
        return depth + 1

    def iterate(self, depth: int, names: set[str]) -> None:
        i, t = f"n{next(self.fresh)}", f"t{next(self.fresh)}"
        over = [(f"for {i} in range({self.pick('23')}):", {i}), (f"for {i} in range(nx):", {i}),
                (f"for {i} in range({self.atom(self.integer(names, 1))} % 4):", {i}), (f"for {i} in range(k):", {i}),
                (f"for {t} in {self.pick(self.known('v', names))}:", {t}),
                (f"for {i}, {t} in enumerate(vx):", {i, t}), (f"for {t} in [tx, ty, 0.5]:", {t})]
        over += [(f"for {t} in list({n})[:4]:", {t}) for n in self.known("l", names)]
        text, new = self.pick(over)
        if "range(k)" in text:
            depth = self.bound(depth)
        self.line(depth, text)
        self.block(depth + 1, names | new, True, 3)
        if self.chance(6):
            self.line(depth, "else:")
            self.block(depth + 1, names, False, 2)

    def helper(self, names: set[str]) -> None:
        """A nested function of two numbers, which may read what is around it."""
        name = f"h{next(self.fresh)}"
        held, self.returns = self.returns, "t"
        start = len(self.lines)
        ever, self.ever = self.ever, set()
        helpers, self.helpers = self.helpers, []
        self.line(1, f"def {name}(ta, tb):")
        # Assigning to a name would make it local, so what is outside is read, or declared and changed, at the end only.
        ends = self.block(2, {"ta", "tb", "vx"}, False, 3)
        outer = [n for n in self.known("t", names) if not any(f"{n} " in line for line in self.lines[start:])]
        if ends is not None:
            if outer and self.chance(2):
                changed = self.pick(outer)
                self.lines.insert(start + 1, f"        nonlocal {changed}")
                self.line(2, f"{changed} = {changed} + {self.number(ends, 0)}")
            self.give(2, ends | {n for n in outer if n in PARAMETERS})
        self.returns, self.helpers, self.ever = held, [*helpers, name], ever


@st.composite
def programs(draw, size: int = 14) -> Program:
    writer = Writer(draw, draw(st.integers(2, size)))
    writer.returns = draw(st.sampled_from(["t", "tv", "tvn", "tl", "td", "b", "m", "tu", "?"]))
    writer.line(0, f"def program({', '.join(PARAMETERS)}):")
    names: set[str] | None = {"tx", "ty", "vx", "nx"}
    while names is not None and writer.left > 0:
        names = writer.block(1, names, False, 6)
    if names is not None:
        writer.give(1, names)
    quarters = st.integers(-12, 12).map(lambda n: n / 4)
    call = st.tuples(quarters, quarters, st.tuples(quarters, quarters, quarters), st.integers(0, 3))
    source = "\n".join(writer.lines) + "\n"
    loops = "while" in source or "range(k)" in source or "break" in source
    grad = draw(st.integers(0, 7)) == 7 if loops else draw(st.booleans())
    return Program(source, draw(st.integers(0, 3)), draw(st.lists(call, min_size=2, max_size=3)), grad)
