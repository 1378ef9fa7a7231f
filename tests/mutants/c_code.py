"""Where C code can be changed, by its tokens: comments, strings, directives and static assertions
stay as they are. What does not compile is found when it is built."""

import bisect
import dataclasses
import re

from changes import change, numbered

TOKEN = re.compile(rb"""
      (?P<comment>/\*.*?\*/|//[^\n]*)
    | (?P<directive>^[ \t]*\#(?:\\\n|/\*.*?\*/|[^\n])*)
    | (?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    | (?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)
    | (?P<name>[A-Za-z_]\w*)
    | (?P<mark><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[^\s\w])
    """, re.VERBOSE | re.DOTALL | re.MULTILINE)

COMPARISONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "<<": ">>", ">>": "<<",
              "+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "++": "--", "--": "++"}
LOGIC = {"&&": "||", "||": "&&", "&": "|", "|": "&"}
TRUTH = {"true": "false", "false": "true"}
AMBIGUOUS = ("+", "-", "*", "&")  # also with one operand
OPENING = {")": "(", "]": "[", "}": "{"}
NO_CALL = {"if", "for", "while", "switch", "return", "sizeof", "_Alignof", "offsetof", "defined"}
KEYWORDS = NO_CALL | {
    "else", "do", "case", "default", "break", "continue", "goto", "static", "const", "struct",
    "enum", "union", "unsigned", "signed", "int", "char", "long", "short", "void", "double",
    "float", "bool", "volatile", "extern", "inline", "typedef", "register"}
ASSERTIONS = {"_Static_assert", "static_assert"}


@dataclasses.dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    end: int


@dataclasses.dataclass(frozen=True)
class Function:
    name: str
    returns: tuple  # the words of its type
    first: int  # its body's braces, by token
    last: int


def tokens_of(code):
    """Those of comments and directives left out."""
    return [Token(match.lastgroup, match.group().decode("utf-8", "replace"), *match.span())
            for match in TOKEN.finditer(code) if match.lastgroup not in ("comment", "directive")]


class Source:
    """A C file's tokens, its pairs of brackets and its functions."""

    def __init__(self, file, code):
        self.file, self.code = file, code
        self.tokens = tokens_of(code)
        self.pairs = self.find_pairs()
        self.functions = list(self.find_functions())
        self.starts = [function.first for function in self.functions]
        self.asserted = {inside for index, token in enumerate(self.tokens)
                         if token.text in ASSERTIONS and index + 1 in self.pairs
                         for inside in range(index, self.pairs[index + 1] + 1)}

    def text(self, index):
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ""

    def kind(self, index):
        return self.tokens[index].kind if 0 <= index < len(self.tokens) else ""

    def find_pairs(self):
        """The index of the bracket that closes or opens what the one at an index does."""
        pairs, opened = {}, []
        for index, token in enumerate(self.tokens):
            if token.text in OPENING.values():
                opened.append(index)
            elif token.text in OPENING and opened:
                partner = opened.pop()
                pairs[partner], pairs[index] = index, partner
        return pairs

    def find_functions(self):
        index = 0
        while index < len(self.tokens):
            if self.text(index) != "{" or index not in self.pairs:
                index += 1
                continue
            if self.text(index - 1) == ")":
                name = self.pairs[index - 1] - 1
                before = name
                while before > 0 and self.text(before - 1) not in (";", "}"):
                    before -= 1
                returns = tuple(token.text for token in self.tokens[before:name])
                yield Function(self.text(name), returns, index, self.pairs[index])
            index = self.pairs[index] + 1

    def function_at(self, index):
        """The one whose body holds the token, or None."""
        place = bisect.bisect_right(self.starts, index) - 1
        if place >= 0 and index < self.functions[place].last:
            return self.functions[place]
        return None

    def change(self, operator, first, last, new):
        """`new` instead of the tokens from first to last."""
        function = self.function_at(first)
        return change(self.file, self.code, function.name if function else "", operator,
                      self.tokens[first].start, self.tokens[last].end, new)

    def between(self, first, last):
        """The code from one token to another."""
        return self.code[self.tokens[first].start:self.tokens[last].end].decode("utf-8", "replace")


def is_operand(source, index):
    return source.kind(index) in ("number", "name", "text") and \
        source.text(index) not in ("return", "case", "else") or source.text(index) in (")", "]")


def has_two_operands(source, index):
    """A cast's bracket before + or - passes for an operand; before * and & it does not."""
    before = source.text(index - 1)
    if source.text(index) == "*":
        return "number" in (source.kind(index - 1), source.kind(index + 1)) and \
            is_operand(source, index - 1)
    if source.text(index) == "&" and before == ")":
        return False
    return is_operand(source, index - 1)


def operators(source, index):
    text = source.text(index)
    if text in AMBIGUOUS and not has_two_operands(source, index):
        return
    for operator, table in (("comparison", COMPARISONS), ("arithmetic", ARITHMETIC),
                            ("logic", LOGIC), ("truth", TRUTH)):
        if text in table:
            yield source.change(operator, index, index, table[text])
    if text == "!" and source.kind(index) == "mark":
        yield source.change("negation", index, index, "")


def is_array_length(source, index):
    """char text[32]: a name before the bracket, and a type's name before that."""
    return source.text(index - 1) == "[" and source.kind(index - 2) == "name" and \
        (source.kind(index - 3) == "name" and source.text(index - 3) not in ("return", "else") or
         source.text(index - 3) == "*")


def constants(source, index):
    match = re.fullmatch(r"(0[xX][\da-fA-F]+|\d+)([uUlL]*)", source.text(index))
    if source.kind(index) != "number" or not match or is_array_length(source, index):
        return
    value = int(match[1], 16 if match[1][:2].lower() == "0x" else 10)
    for new in (value + 1, value - 1) if value else (1,):
        yield source.change("constant", index, index, f"{new}{match[2]}")


def condition(source, index):
    """The tokens of the condition that if, while or for asks, or None."""
    if source.text(index) not in ("if", "while", "for") or index + 1 not in source.pairs:
        return None
    first, last = index + 2, source.pairs[index + 1] - 1
    if source.text(index) == "for":
        marks = [at for at in range(first, last + 1) if source.text(at) == ";"]
        if len(marks) != 2:
            return None
        first, last = marks[0] + 1, marks[1] - 1
    return (first, last) if first <= last else None


def conditions(source, index):
    if asked := condition(source, index):
        yield source.change("condition", *asked, f"!({source.between(*asked)})")


def starts_statement(source, index):
    before = source.text(index - 1)
    if before == ")":
        return source.text(source.pairs.get(index - 1, 0) - 1) in ("if", "for", "while")
    return before in (";", "{", "}", "else", "do", ":")


def statement_end(source, index):
    """The semicolon that ends the statement, at its own depth; None if a brace comes first."""
    while index < len(source.tokens):
        if source.text(index) == ";":
            return index
        if source.text(index) in ("{", "}"):
            return None
        index = source.pairs[index] + 1 if source.text(index) in ("(", "[") else index + 1
    return None


def is_declaration(source, index):
    word, after = source.text(index), source.text(index + 1)
    return word in KEYWORDS or source.kind(index + 1) == "name" or \
        after == "*" and source.kind(index + 2) == "name"


def dropped_statements(source, index):
    """Calls, assignments, break and continue."""
    if source.function_at(index) is None or not starts_statement(source, index):
        return
    ends = statement_end(source, index)
    jumps = source.text(index) in ("break", "continue")
    is_expression = source.kind(index) == "name" and not is_declaration(source, index) or \
        source.text(index) in ("*", "++", "--")
    if ends is not None and (jumps or is_expression):
        yield source.change("dropped statement", index, ends, ";")


def arguments(source, opening):
    """(first, last) token of each argument of a call."""
    parts, first, index = [], opening + 1, opening + 1
    while index <= source.pairs[opening]:
        if source.text(index) == "," or index == source.pairs[opening]:
            parts.append((first, index - 1))
            first = index + 1
        index = source.pairs[index] + 1 if source.text(index) in OPENING.values() else index + 1
    return [part for part in parts if part[0] <= part[1]]


def swapped_arguments(source, index):
    if source.kind(index) != "name" or source.text(index) in KEYWORDS or \
            source.text(index + 1) != "(" or index + 1 not in source.pairs or \
            source.function_at(index) is None:
        return
    parts = arguments(source, index + 1)
    for (first, last), (next_first, next_last) in zip(parts, parts[1:]):
        ours, theirs = source.between(first, last), source.between(next_first, next_last)
        if ours != theirs:
            yield source.change("swapped arguments", first, next_last, f"{theirs}, {ours}")


def returned(source, index):
    if source.text(index) != "return":
        return
    function, ends = source.function_at(index), statement_end(source, index)
    if function is None or ends is None or ends == index + 1:
        return
    value = source.between(index + 1, ends - 1)
    if value in TRUTH:
        return
    if "bool" in function.returns and "*" not in function.returns:
        new = f"!({value})"
    elif "*" in function.returns:
        new = "NULL"
    else:
        new = "1" if value == "0" else "0"
    if new != value and "struct" not in function.returns:
        yield source.change("returned value", index + 1, ends - 1, new)


OPERATORS = (operators, constants, conditions, dropped_statements, swapped_arguments, returned)


def changes_of(file, code):
    """Every change of a C file, from its bytes."""
    source = Source(file, code)
    return list(numbered(item for index in range(len(source.tokens))
                         if index not in source.asserted
                         for operator in OPERATORS for item in operator(source, index)))
