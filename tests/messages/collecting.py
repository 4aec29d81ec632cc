"""Every text that is marked for translation, with where it stands: from templates by Django's own parser, from Python
by its syntax tree."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.template import Engine, Template
from django.template.base import Node
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

ROOT = Path(__file__).resolve().parents[2]
APPS = ("audit", "portal", "approvals", "agents")
# Function -> how many of its first arguments are texts, and whether the first is a context.
MARKS = {
    "_": (1, False), "_lazy": (1, False), "gettext": (1, False), "gettext_lazy": (1, False), "gettext_noop": (1, False),
    "noop": (1, False), "kept": (1, False), "ngettext": (2, False), "ngettext_lazy": (2, False),
    "pgettext": (1, True), "pgettext_lazy": (1, True), "npgettext": (2, True),
}  # fmt: skip


@dataclass(frozen=True)
class Text:
    """One text of the source; `context` and `plural` are "" where there is none."""

    single: str
    plural: str = ""
    context: str = ""
    place: str = field(default="", compare=False)


def everywhere() -> list[Text]:
    """From every template and module of ours."""
    return [*in_templates(), *in_modules()]


def in_templates() -> Iterator[Text]:
    """`{% translate %}`, `{% blocktranslate %}` and `_("…")` in tags."""
    for path in templates():
        name = str(path.relative_to(ROOT))
        parsed = Template(path.read_text(encoding="utf-8"), engine=Engine.get_default(), name=name)
        for node in _nodes(parsed.nodelist):
            yield from _of_node(node, name)


def templates() -> list[Path]:
    """All of ours."""
    found = [path for path in (ROOT / "templates").rglob("*") if path.suffix in {".html", ".txt"}]
    assert len(found) > 100
    return sorted(found)


def _nodes(nodelist: object) -> Iterator[Node]:
    for node in nodelist:  # type: ignore[attr-defined]
        yield node
        for name in {*node.child_nodelists, *vars(node)}:
            inner = getattr(node, name, None)
            if name == "conditions_nodelists":
                for _condition, branch in inner:
                    yield from _nodes(branch)
            elif hasattr(inner, "get_nodes_by_type") and not isinstance(inner, Node):
                yield from _nodes(inner)


def _of_node(node: Node, name: str) -> Iterator[Text]:
    if isinstance(node, TranslateNode):
        value = node.filter_expression.var
        text = value if isinstance(value, str) else value.literal
        context = node.message_context.var if node.message_context else ""
        if isinstance(text, str):
            yield Text(text, context=str(context), place=name)
    elif isinstance(node, BlockTranslateNode):
        single, _variables = node.render_token_list(node.singular)
        plural = node.render_token_list(node.plural)[0] if node.plural else ""
        context = node.message_context.var if node.message_context else ""
        if node.trimmed or node.asvar:
            single, plural = (trimmed(part) for part in (single, plural))
        yield Text(single, plural, str(context), name)


def trimmed(text: str) -> str:
    """As `{% blocktranslate trimmed %}` does."""
    return " ".join(line.strip() for line in text.strip().splitlines())


def in_modules() -> Iterator[Text]:
    """Calls of the names in MARKS whose first argument is a text; an f-string there is refused."""
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield from _in_module(path)


def _in_module(path: Path) -> Iterator[Text]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in MARKS:
            continue
        count, contextual = MARKS[node.func.id]
        place = f"{path.relative_to(ROOT)}:{node.lineno}"
        assert not isinstance(node.args[0], ast.JoinedStr), f"{place}: an f-string cannot be translated"
        texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if len(texts) < count + contextual:
            continue  # a name that is looked up; what it holds was marked where it was written
        context = texts.pop(0) if contextual else ""
        yield Text(texts[0], texts[1] if count == 2 else "", context, place)
