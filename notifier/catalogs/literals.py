"""Words that no translator can reach: templates come in, each word that stands in one bare goes out.

What is looked at is what an owner would read: text, and the attributes that are shown or read aloud. Styles, comments
and other attributes are not.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import nodes

from notifier.rendering.wording import Wording

_READ = frozenset({"alt", "aria-description", "aria-label", "label", "placeholder", "title"})
_WORDS = re.compile(r"[^\W\d_](?:[^\x00-\x03<>]*[^\W\d_])?")
# Where a value will stand, and where a child's block will.
_VALUE, _OPEN, _CLOSE = "\x00", "\x01", "\x02"
_BLOCK = re.compile(f"{_OPEN}(\\w+){_CLOSE}")


def literals(templates: Wording, directory: Path) -> Iterator[tuple[str, int, str]]:
    """The template's name, the line in its file below `directory`, and the words."""
    for name in templates.names:
        for words in dict.fromkeys(_bare(name, templates)):
            before = (directory / name).read_text("utf-8").partition(words.split()[0])[0]
            yield name, before.count("\n") + 1, " ".join(words.split())


def _bare(name: str, templates: Wording) -> Iterator[str]:
    tree = templates.tree(name)
    above = templates.parent(name)
    if above is None:
        pieces = [_outline(tree)]
    else:
        shown = _shown_blocks(above, templates)
        pieces = [_outline(block) for block in tree.find_all(nodes.Block) if block.name in shown]
    pieces += [_outline(macro) for macro in tree.find_all(nodes.Macro)]
    for piece in pieces:
        for text in _read(piece) if name.endswith(".html") else [piece]:
            yield from _WORDS.findall(_BLOCK.sub(_VALUE, text))


def _shown_blocks(name: str, templates: Wording) -> set[str]:
    """The blocks of a layout and its own layouts that stand where they are read, not in an attribute."""
    shown: set[str] = set()
    at: str | None = name
    while at is not None:
        outline = _outline(templates.tree(at))
        texts = _read(outline) if at.endswith(".html") else [outline]
        shown.update(block for text in texts for block in _BLOCK.findall(text))
        at = templates.parent(at)
    return shown


def _outline(node: nodes.Node) -> str:
    """The text of a template, with every branch in it, and a mark for each value and block."""
    if isinstance(node, nodes.TemplateData):
        return node.data
    if isinstance(node, nodes.Const):
        return node.value if isinstance(node.value, str) else _VALUE
    if isinstance(node, nodes.CondExpr):
        return _outline(node.expr1) + (_outline(node.expr2) if node.expr2 else "")
    if isinstance(node, nodes.Expr):
        return _VALUE
    body = "".join(_outline(child) for child in _children(node))
    return f"{_OPEN}{node.name}{_CLOSE}{body}" if isinstance(node, nodes.Block) else body


def _children(node: nodes.Node) -> Iterator[nodes.Node]:
    """What a node puts out: not what it tests, loops over, assigns or calls; a macro only when it is asked for."""
    if isinstance(node, nodes.Output):
        yield from node.nodes
        return
    for name in ("body", "elif_", "else_"):
        for child in getattr(node, name, ()):
            if not isinstance(child, nodes.Macro | nodes.AssignBlock | nodes.Import | nodes.Extends):
                yield child


def _read(html: str) -> list[str]:
    """What a person reads, and what is read aloud."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.texts


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._style = tag == "style"
        self.texts += [value for name, value in attrs if name in _READ and value]

    def handle_endtag(self, tag: str) -> None:
        self._style = False

    def handle_data(self, data: str) -> None:
        if not self._style:
            self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        # Outlook reads what stands in its own comments.
        if data.startswith("[if"):
            self.texts += _read(data.partition(">")[2].rpartition("<!")[0])
