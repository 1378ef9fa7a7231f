"""Imports run downwards: commands, show, analyse and gate, measure, base; and never in a circle."""

import ast
import unittest

from support import ROOT

PACKAGE = ROOT / "scripts" / "vmcommit"
BELOW = {  # what each room may import beside itself
    "base": set(),
    "measure": {"base"},
    "analyse": {"measure", "base"},
    "gate": {"measure", "base"},
    "show": {"analyse", "gate", "measure", "base"},
    "commands": {"show", "analyse", "gate", "measure", "base"},
}


def module_of(path):
    parts = ["vmcommit", *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path, modules):
    """Modules of ours that a file imports, at its top or anywhere else in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                names.add(full if full in modules else node.module)
    return {name for name in names if name.split(".")[0] == "vmcommit"}


def circle_from(module, imports, path=()):
    """A way that leads back to where it has been; empty if there is none."""
    if module in path:
        return (*path[path.index(module):], module)
    for imported in sorted(imports.get(module, ())):
        if circle := circle_from(imported, imports, (*path, module)):
            return circle
    return ()


class Imports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        files = {module_of(path): path for path in PACKAGE.rglob("*.py")}
        cls.imports = {module: imports_of(path, files) for module, path in files.items()}

    def test_each_module_lies_in_a_room(self):
        rooms = {module.split(".")[1] for module in self.imports if module.count(".")}
        self.assertEqual(rooms - {"__main__"}, set(BELOW))

    def test_none_runs_upwards(self):
        for module, imported in self.imports.items():
            room = (module.split(".") + [""])[1]
            for name in imported if room in BELOW else ():
                target = (name.split(".") + [""])[1]
                with self.subTest(module=module, imports=name):
                    self.assertIn(target, BELOW[room] | {room})

    def test_none_runs_in_a_circle(self):
        for module in self.imports:
            self.assertEqual(circle_from(module, self.imports), (), module)

    def test_nothing_rests_on_tests(self):
        for path in [*PACKAGE.rglob("*.py"), *(ROOT / "src").rglob("*.[ch]"),
                     *(ROOT / "bench").glob("*.c"), *(ROOT / "tools").glob("*.c")]:
            with self.subTest(path=path.name):
                self.assertNotRegex(path.read_text(encoding="utf-8"), r"\btests/(?!cli/counts\.py)")


if __name__ == "__main__":
    unittest.main()
