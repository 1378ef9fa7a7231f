"""Where Python code can be changed, by its syntax tree: docstrings, annotations, imports and the
insides of f-strings stay as they are."""

import ast
import re

from changes import change, numbered

COMPARISONS = {ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="),
               ast.GtE: (">=", ">"), ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="),
               ast.Is: ("is", "is not"), ast.IsNot: (r"is\s+not", "is"),
               ast.In: ("in", "not in"), ast.NotIn: (r"not\s+in", "in")}
ARITHMETIC = {ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"),
              ast.FloorDiv: ("//", "*"), ast.Mod: ("%", "*"), ast.Pow: ("**", "*")}
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
PATHS = re.compile(r"folder|path|root|results|parent|build|tree", re.IGNORECASE)
COMMENT = re.compile(rb"#[^\n]*")


class Source:
    """A Python file, its syntax tree, and what the tree's places are in bytes."""

    def __init__(self, file, code):
        self.file, self.code = file, code
        self.tree = ast.parse(code)
        self.lines = [0]
        for line in code.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line))
        self.keys = sorted({key.value for node in ast.walk(self.tree) for key in keys_of(node)})

    def start(self, node):
        return self.lines[node.lineno - 1] + node.col_offset

    def end(self, node):
        return self.lines[node.end_lineno - 1] + node.end_col_offset

    def text(self, node):
        return self.code[self.start(node):self.end(node)].decode()

    def change(self, scope, operator, node, new):
        return self.change_bytes(scope, operator, self.start(node), self.end(node), new)

    def change_bytes(self, scope, operator, start, end, new):
        return change(self.file, self.code, scope, operator, start, end, new)

    def sign_between(self, left, right, sign):
        """Where the sign between two operands stands, comments and brackets apart."""
        start, end = self.end(left), self.start(right)
        gap = COMMENT.sub(lambda match: b" " * len(match[0]), self.code[start:end])
        match = re.search(sign.encode(), gap)
        return start + match.start(), start + match.end()


def is_text(node):
    """Adding, multiplying or dividing texts and paths is no arithmetic."""
    if isinstance(node, ast.BinOp):
        return is_text(node.left) or is_text(node.right)
    return isinstance(node, ast.JoinedStr) or \
        isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes))


def keys_of(node):
    """The texts by which something is looked up: in a subscript, get() or a dict."""
    candidates = []
    if isinstance(node, ast.Subscript):
        candidates = [node.slice]
    elif isinstance(node, ast.Dict):
        candidates = node.keys
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and \
            node.func.attr == "get":
        candidates = node.args[:1]
    return [key for key in candidates
            if isinstance(key, ast.Constant) and isinstance(key.value, str)]


def comparison(source, scope, node):
    if isinstance(node, ast.Compare):
        for left, sign, right in zip([node.left, *node.comparators], node.ops, node.comparators):
            old, new = COMPARISONS[type(sign)]
            start, end = source.sign_between(left, right, old)
            yield source.change_bytes(scope, "comparison", start, end, new)


def arithmetic(source, scope, node):
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC and not is_text(node) and \
            not (isinstance(node.op, ast.Div) and PATHS.search(source.text(node.left))):
        old, new = ARITHMETIC[type(node.op)]
        start, end = source.sign_between(node.left, node.right, re.escape(old))
        yield source.change_bytes(scope, "arithmetic", start, end, new)
    if isinstance(node, ast.AugAssign) and isinstance(node.op, (ast.Add, ast.Sub)) and \
            not is_text(node.value):
        old, new = ARITHMETIC[type(node.op)]
        start, end = source.sign_between(node.target, node.value, re.escape(f"{old}="))
        yield source.change_bytes(scope, "arithmetic", start, end, f"{new}=")


def constant(source, scope, node):
    if not isinstance(node, ast.Constant) or isinstance(node.value, bool):
        return
    if isinstance(node.value, int):
        for value in (node.value + 1, node.value - 1):
            yield source.change(scope, "constant", node, str(value))
    elif isinstance(node.value, float):
        for value in (node.value * 2, node.value / 2):
            yield source.change(scope, "constant", node, repr(value))


def truth(source, scope, node):
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield source.change(scope, "truth", node, str(not node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield source.change(scope, "negation", node, f"({source.text(node.operand)})")


def condition(source, scope, node):
    asked = []
    if isinstance(node, (ast.If, ast.While, ast.IfExp, ast.Assert)):
        asked = [node.test]
    elif isinstance(node, ast.comprehension):
        asked = node.ifs
    for test in asked:
        yield source.change(scope, "condition", test, f"(not ({source.text(test)}))")


def logic(source, scope, node):
    if isinstance(node, ast.BoolOp):
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:]):
            start, end = source.sign_between(left, right, old)
            yield source.change_bytes(scope, "logic", start, end, new)


def dropped_statement(source, scope, node):
    calls = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    if calls or isinstance(node, (ast.AugAssign, ast.Raise, ast.Break, ast.Continue)):
        yield source.change(scope, "dropped statement", node, "pass")


def swapped_arguments(source, scope, node):
    if not isinstance(node, ast.Call) or any(isinstance(a, ast.Starred) for a in node.args):
        return
    for left, right in zip(node.args, node.args[1:]):
        ours, theirs = source.text(left), source.text(right)
        if ours != theirs:
            between = source.code[source.end(left):source.start(right)].decode()
            yield source.change_bytes(scope, "swapped arguments", source.start(left),
                                      source.end(right), theirs + between + ours)


def returned(source, scope, node):
    if isinstance(node, ast.Return) and node.value is not None and \
            not (isinstance(node.value, ast.Constant) and node.value.value in (None, True, False)):
        yield source.change(scope, "returned value", node.value, "None")


def key(source, scope, node):
    """Another key of the file: one that nobody has would be noticed too easily."""
    for name in keys_of(node):
        place = source.keys.index(name.value)
        other = source.keys[(place + 1) % len(source.keys)]
        if other != name.value:
            yield source.change(scope, "key", name, repr(other))


OPERATORS = (comparison, arithmetic, constant, truth, condition, logic, dropped_statement,
             swapped_arguments, returned, key)


def is_main_guard(node):
    return isinstance(node, ast.If) and "__name__" in ast.dump(node.test)


def children(node):
    """What may be changed below a node."""
    skipped = {"annotation", "returns", "decorator_list"}
    for field, value in ast.iter_fields(node):
        if field in skipped:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr) and \
                    not is_main_guard(child):
                yield child


def walk(node, scope=""):
    """(the name of the function around it, node) of all that may be changed."""
    if isinstance(node, SCOPES):
        scope = f"{scope}.{node.name}".lstrip(".")
    yield scope, node
    for child in children(node):
        yield from walk(child, scope)


def changes_of(file, code):
    """Every change of a Python file, from its bytes."""
    source = Source(file, code)
    changes = (item for scope, node in walk(source.tree) for operator in OPERATORS
               for item in operator(source, scope, node))
    return list(numbered(changes))
