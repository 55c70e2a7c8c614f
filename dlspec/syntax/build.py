"""Makes the syntax tree while the text is parsed.

Lark calls the method named after a rule (or its alias) with the rule's children: nodes, and tokens for everything
else that was written, so that the first and the last child give the span. Methods named after a terminal are called
with its token.
What is wrong but does not stop the parser is added to `problems`.
"""

from __future__ import annotations

from sys import intern
from typing import Any

from dlspec.diagnostics import Diagnostic
from dlspec.syntax import tree
from dlspec.syntax.comments import comment_above, comment_at_top
from dlspec.syntax.literals import read_number, read_string
from dlspec.syntax.source import Source, Span

Pair = tuple[tree.Name, tree.Expr]
Children = list[Any]  # nodes, tokens and, where an optional part was not written, None


class Builder:
    """The callbacks of the grammar. One is made for a parser; `begin` readies it for the next text."""

    source: Source
    problems: list[Diagnostic]
    loose: list[tree.Repeat]  # repeats of stages that were read as a statement and may turn out to be a stage

    def begin(self, source: Source) -> Span:
        """Forget the last text; the place of the whole new one."""
        self.source, self.problems, self.loose = source, [], []
        return Span(source, 0, len(source.text))

    def _close(self) -> None:
        """A declaration is complete, and so a repeat of stages that was read as a statement is none."""
        message = "a `repeat` of stages needs something to be piped into it"
        hint = "write `x = x -> repeat ... { ... }`, or statements in the braces"
        for repeat in self.loose:
            self.problems.append(Diagnostic("DLS0113", message, repeat.span, "not in a pipe", hint=hint))
        self.loose.clear()

    # --- places ------------------------------------------------------------------------------------

    def span(self, children: Children) -> Span:
        """From the first child to the last that was written."""
        last = children[-1]
        while last is None:
            children = children[:-1]
            last = children[-1]
        first = children[0]
        start = first.span.start if isinstance(first, tree.Node) else first.start_pos
        end = last.span.end if isinstance(last, tree.Node) else last.end_pos
        return Span(self.source, start, end)

    def at(self, token: Any) -> Span:
        """The place of a token."""
        return Span(self.source, token.start_pos, token.end_pos)

    # --- words -------------------------------------------------------------------------------------

    def NAME(self, token: Any) -> tree.Name:
        return tree.Name(Span(self.source, token.start_pos, token.end_pos), intern(str(token)))

    def NUMBER(self, token: Any) -> tree.Number:
        span = self.at(token)
        return tree.Number(span, read_number(str(token), span, self.problems))

    def STRING(self, token: Any) -> tree.String:
        span = self.at(token)
        return tree.String(span, read_string(str(token), span, self.problems))

    def ELLIPSIS(self, token: Any) -> tree.Ellipsis:
        return tree.Ellipsis(self.at(token))

    def target(self, children: Children) -> tree.Name:
        (word,) = children
        return word if isinstance(word, tree.Name) else self.NAME(word)

    label = target

    # --- expressions -------------------------------------------------------------------------------

    def literal(self, children: Children) -> tree.Literal:
        (word,) = children
        return tree.Literal(self.at(word), {"true": True, "false": False, "none": None}[word])

    def parenthesised(self, children: Children) -> tree.Expr:
        inner: tree.Expr = children[1]
        inner.span = self.span(children)  # the parentheses belong to the place, not to the tree
        return inner

    def tuple(self, children: Children) -> tree.Tuple:
        return tree.Tuple(self.span(children), children[1:-1:2])

    def list(self, children: Children) -> tree.List:
        return tree.List(self.span(children), children[1:-1:2])

    def dict(self, children: Children) -> tree.Dict:
        return tree.Dict(self.span(children), children[1:-1:2])

    def pair(self, children: Children) -> Pair:
        key, _, value = children
        if isinstance(key, tree.String):
            key = tree.Name(key.span, key.value)
        return key, value

    def unary(self, children: Children) -> tree.Unary:
        operator, operand = children
        return tree.Unary(self.span(children), str(operator), operand)

    def binary(self, children: Children) -> tree.Binary:
        left, operator, right = children
        return tree.Binary(left.span.to(right.span), intern(str(operator)), left, right)

    def range(self, children: Children) -> tree.Range:
        start, _, stop = children
        return tree.Range(start.span.to(stop.span), start, stop)

    def conditional(self, children: Children) -> tree.Conditional:
        _, condition, _, yes, _, no = children
        return tree.Conditional(self.span(children), condition, yes, no)

    def pipe(self, children: Children) -> tree.Pipe:
        value, _, stage = children
        return tree.Pipe(value.span.to(stage.span), value, stage)

    def repeat(self, children: Children) -> tree.Repeat:
        word, count, body = children
        braces = (
            body[-1] if isinstance(body, list) else body
        )  # stages are a list: the braces belong to the place
        span = self.span([word, braces])
        if isinstance(body, list):
            body = body[1]
        elif len(body.statements) == 1 and self.loose and body.statements[0] is self.loose[-1]:
            body = self.loose.pop()  # `repeat 3 { repeat 2 { relu } }`
        return tree.Repeat(span, count, body)

    def stages(self, children: Children) -> Children:
        return children

    def call(self, children: Children) -> tree.Call:
        return tree.Call(self.span(children), children[0], children[2:-1:2])

    def positional(self, children: Children) -> tree.Argument:
        (value,) = children
        return tree.Argument(value.span, None, value)

    def keyword(self, children: Children) -> tree.Argument:
        name, _, value = children
        return tree.Argument(name.span.to(value.span), name, value)

    def subscript(self, children: Children) -> tree.Subscript:
        return tree.Subscript(self.span(children), children[0], children[2:-1:2])

    def slice(self, children: Children) -> tree.Slice:
        parts: list[Any] = [None]
        for child in children:
            if isinstance(child, tree.Node):
                parts[-1] = child
            else:
                parts.append(None)
        start, stop, step = (*parts, None)[:3]
        return tree.Slice(self.span(children), start, stop, step)

    def comprehension(self, children: Children) -> tree.Comprehension:
        _, item, _, *targets, _, iterable, _, condition, _ = children
        return tree.Comprehension(self.span(children), item, targets[::2], iterable, condition)

    def attribute(self, children: Children) -> tree.Attribute:
        value, _, name = children
        return tree.Attribute(value.span.to(name.span), value, name)

    def tensor(self, children: Children) -> tree.TensorType:
        span = self.span(children)
        dtype = children[0] if isinstance(children[0], tree.Name) else None
        after = children[1:] if dtype else children
        return tree.TensorType(span, dtype, after[1:-1:2] if after else None)

    # --- statements --------------------------------------------------------------------------------

    def body(self, children: Children) -> tree.Body:
        statements = children[1:-1]
        for i, statement in enumerate(statements):
            if isinstance(statement, tree.Repeat):
                if isinstance(statement.body, tree.Body):
                    statements[i] = tree.RepeatStatement(statement.span, statement.count, statement.body)
                else:
                    self.loose.append(statement)
        return tree.Body(self.span(children), statements)

    def input(self, children: Children) -> tree.Input:
        _, name, _, kind, _, default = children
        return tree.Input(self.span(children), name, kind, default)

    def output(self, children: Children) -> tree.OutputStatement:
        *values, _, kind = children[1:]
        return tree.OutputStatement(self.span(children), [], values[::2], kind)

    def output_named(self, children: Children) -> tree.OutputStatement:
        _, name, _, value, _, kind = children
        return tree.OutputStatement(self.span(children), [name], [value], kind)

    def assign(self, children: Children) -> tree.Assign:
        return tree.Assign(self.span(children), children[:-2:2], children[-1])

    def for_each(self, children: Children) -> tree.For:
        *targets, _, iterable, body = children[1:]
        return tree.For(self.span(children), targets[::2], iterable, body)

    def if_else(self, children: Children) -> tree.If:
        _, condition, then, _, otherwise = children
        if isinstance(otherwise, tree.If):
            otherwise = tree.Body(otherwise.span, [otherwise])
        return tree.If(self.span(children), condition, then, otherwise)

    def minimize(self, children: Children) -> tree.Minimize:
        return tree.Minimize(self.span(children), children[1])

    # --- declarations ------------------------------------------------------------------------------

    def import_all(self, children: Children) -> tree.Import:
        return tree.Import(self.span(children), children[1], None)

    def import_some(self, children: Children) -> tree.Import:
        names = [child for child in children if isinstance(child, tree.Name)]
        return tree.Import(self.span(children), children[-1], names)

    def let(self, children: Children) -> tree.Let:
        _, name, _, kind, _, value = children
        return tree.Let(self.span(children), name, kind, value)

    def param(self, children: Children) -> tree.Param:
        name, _, kind, _, default = children
        return tree.Param(self.span(children), name, kind, default)

    def params(self, children: Children) -> Children:
        return children[1:-1:2]

    def block(self, children: Children) -> tree.Block:
        self._close()
        word, name, params, body = children
        span = self.span(children)
        return tree.Block(span, name, params or [], body, word == "model", comment_above(span))

    def declaration(self, children: Children) -> tree.Declaration:
        self._close()
        kind, name, *_, entries = children
        other = children[3] if len(children) == 5 else None
        span = self.span([kind, entries[-1]])
        return tree.Declaration(span, str(kind), name, other, entries[1:-1], comment_above(span))

    def config(self, children: Children) -> Children:
        return children

    def setting(self, children: Children) -> tree.Setting:
        name, _, value = children
        return tree.Setting(name.span.to(value.span), name, value)

    def section(self, children: Children) -> tree.Section:
        name, body = children
        return tree.Section(name.span.to(body.span), name, body)

    def step(self, children: Children) -> tree.StepSection:
        _, name, _, *updates, _, optimizer, _, every, body = children
        return tree.StepSection(self.span(children), name, updates[::2], optimizer, every, body)

    def copy(self, children: Children) -> tree.Copy:
        _, source, _, target, word, amount = children
        return tree.Copy(self.span(children), source, target, str(word), amount)

    def start(self, children: Children) -> tree.File:
        whole = Span(self.source, 0, len(self.source.text))
        return tree.File(whole, self.source, children, comment_at_top(self.source, children))
