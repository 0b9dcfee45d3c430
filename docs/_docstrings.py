"""Griffe extension: docstrings as Markdown."""

import re
from typing import Any

from griffe import Extension, Object


class MarkdownDocstrings(Extension):
    """Turns Sphinx's roles into code, and ``Example:`` into the section that griffe knows."""

    def on_object(self, *, obj: Object, **kwargs: Any) -> None:
        """Rewrite the docstring of any module, class, function or attribute."""
        if obj.docstring:
            text = re.sub(r':[a-z]+:`~?([^`]+)`', r'`\1`', obj.docstring.value)
            obj.docstring.value = re.sub(r'^( *)Example:$', r'\1Examples:', text, flags=re.M)
