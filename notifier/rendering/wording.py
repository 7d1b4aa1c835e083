"""The templates come in; which strings each message or page may say goes out: read from their syntax trees, macros that
they call and templates that they extend included.

Conditions on what a notice carries are decided by the table of notices; of any other, both branches count.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from jinja2 import Environment, nodes

from links.purposes import SHORT
from notifier.notices import NOTICES, Notice, always
from notifier.rendering.catalog import key

# Conditions of templates as they are written, `code` or `links.deactivate`, and whether they hold.
Known = Mapping[str, bool]

# How many arguments stand before the message id, by the name of the function.
_GETTEXT = {"_": 0, "gettext": 0, "ngettext": 0, "pgettext": 1, "npgettext": 1}

# As the renderer reads them, as far as that concerns strings.
_SYNTAX = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
_SYNTAX.policies["ext.i18n.trimmed"] = True


@dataclass(frozen=True, slots=True)
class _Says:
    """A string."""

    key: str


@dataclass(frozen=True, slots=True)
class _Calls:
    """A macro, of the template that is imported as `alias`; of this one without."""

    alias: str
    macro: str


@dataclass(frozen=True, slots=True)
class _Block:
    name: str


@dataclass(frozen=True, slots=True)
class _If:
    test: str
    then: "Part"
    other: "Part"


Part = Sequence[_Says | _Calls | _Block | _If]


@dataclass(frozen=True, slots=True)
class _Source:
    """One template: what it says, and the names by which it knows other templates."""

    tree: nodes.Template
    parent: str | None
    body: Part
    blocks: Mapping[str, Part]
    macros: Mapping[str, Part]
    imports: Mapping[str, str]


class Wording:
    """What the templates below `directory` say; each is read once."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._sources: dict[str, _Source] = {}
        self._said: dict[str, tuple[str, ...]] = {}

    @cached_property
    def names(self) -> list[str]:
        """All templates, in the order of the alphabet."""
        found = (path.relative_to(self._directory).as_posix() for path in self._directory.rglob("*.*"))
        return sorted(name for name in found if name.endswith((".html", ".txt")))

    def of(self, template: str, known: Known | None = None) -> tuple[str, ...]:
        """The keys (`catalog.key`) of the strings that a template may say, in the order in which they are met.

        `known` are conditions that are decided, by how they are written; without them the table of notices decides.
        """
        if known is not None:
            return _Walk(self, known).through(template)
        if template not in self._said:
            self._said[template] = _Walk(self, _carried(NOTICES.get(template.partition("/")[0]))).through(template)
        return self._said[template]

    def tree(self, name: str) -> nodes.Template:
        """What Jinja makes of a template."""
        return self.source(name).tree

    def parent(self, name: str) -> str | None:
        """The template that it extends."""
        return self.source(name).parent

    def source(self, name: str) -> _Source:
        """One template, read."""
        if name not in self._sources:
            self._sources[name] = _read((self._directory / name).read_text("utf-8"))
        return self._sources[name]


@dataclass(slots=True)
class _Walk:
    """Through one template and all that it reaches; `known` are the conditions that are decided."""

    wording: Wording
    known: Known
    found: dict[str, None] = field(default_factory=dict)
    _imports: dict[str, str] = field(default_factory=dict)
    _blocks: dict[str, list[tuple[str, Part]]] = field(default_factory=dict)
    _met: set[tuple[str, str]] = field(default_factory=set)

    def through(self, name: str) -> tuple[str, ...]:
        parent: str | None = name
        while parent:
            name, source = parent, self.wording.source(parent)
            for block, part in source.blocks.items():
                self._blocks.setdefault(block, []).append((name, part))
            # What a parent imports is at hand in the blocks of its children.
            self._imports = dict(source.imports) | self._imports
            parent = source.parent
        self._part(source.body, name)
        return tuple(self.found)

    def _part(self, part: Part, where: str) -> None:
        for item in part:
            if isinstance(item, _Says):
                self.found[item.key] = None
            elif isinstance(item, _Calls):
                self._call(item, where)
            elif isinstance(item, _Block):
                self._block(item.name)
            else:
                decided = self.known.get(item.test)
                if decided is not False:
                    self._part(item.then, where)
                if decided is not True:
                    self._part(item.other, where)

    def _block(self, name: str) -> None:
        # The outermost override stands for the block; what it overrides counts only where it says super().
        for where, part in self._blocks.get(name, []):
            self._part(part, where)
            if _Calls("", "super") not in part:
                break

    def _call(self, call: _Calls, where: str) -> None:
        if call.alias:
            where = self.wording.source(where).imports.get(call.alias) or self._imports.get(call.alias, "")
        macro = self.wording.source(where).macros.get(call.macro) if where else None
        if macro is not None and (where, call.macro) not in self._met:
            self._met.add((where, call.macro))
            self._part(macro, where)


def _carried(notice: Notice | None) -> Known:
    """What a notice carries, as its templates ask for it."""
    if notice is None:
        return {}
    links = {purpose for each in NOTICES.values() for purpose in each.purposes}
    carried = {f"links.{purpose}": purpose in notice.purposes for purpose in links}
    carried["links.emergency"] = any(purpose in SHORT for purpose in notice.purposes)
    # Where a context may say no to its links, only what it never carries is known.
    sure = notice.offers is always
    return {"code": notice.code is not None} | {name: there for name, there in carried.items() if sure or not there}


# A process may have several renderers; the templates are the same.
@lru_cache(maxsize=512)
def _read(text: str) -> _Source:
    tree = _SYNTAX.parse(text)
    # In one walk: it takes as long as the parsing.
    named = list(tree.find_all((nodes.Extends, nodes.Block, nodes.Macro, nodes.Import)))
    parents = [node.template for node in named if isinstance(node, nodes.Extends)]
    imports = [node for node in named if isinstance(node, nodes.Import)]
    return _Source(
        tree=tree,
        parent=next((name.value for name in parents if isinstance(name, nodes.Const)), None),
        body=tuple(_items(tree.body)),
        blocks={node.name: tuple(_items(node.body)) for node in named if isinstance(node, nodes.Block)},
        macros={node.name: tuple(_items(node.body)) for node in named if isinstance(node, nodes.Macro)},
        imports={node.target: node.template.value for node in imports if isinstance(node.template, nodes.Const)},
    )


def _items(among: Sequence[nodes.Node]) -> Iterator[_Says | _Calls | _Block | _If]:
    for node in among:
        if isinstance(node, nodes.Macro):
            continue  # when it is called
        if isinstance(node, nodes.Block):
            yield _Block(node.name)
        elif isinstance(node, nodes.If):
            yield from _items([node.test])
            yield _If(_written(node.test), tuple(_items(node.body)), tuple(_items([*node.elif_, *node.else_])))
        else:
            if isinstance(node, nodes.Call):
                yield from _called(node)
            yield from _items(list(node.iter_child_nodes()))


def _called(call: nodes.Call) -> Iterator[_Says | _Calls]:
    alias, _, name = _written(call.node).rpartition(".")
    if not alias and name in _GETTEXT:
        words = [arg.value for arg in call.args if isinstance(arg, nodes.Const)]
        at = _GETTEXT[name]
        yield _Says(key(words[at], words[0] if at else None))
    elif name:
        yield _Calls(alias, name)


def _written(node: nodes.Node) -> str:
    """`code` and `links.deactivate` as they are written; of anything else nothing."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name):
        return f"{node.node.name}.{node.attr}"
    return ""
