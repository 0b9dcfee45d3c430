"""A config is formatted once until it changes, and its text stays the same."""

import subprocess
import sys

from mmengine.config import Config
from yapf.pytree import pytree_utils
from yapf.yapflib.yapf_api import FormatCode

import echocardmae_mm  # noqa: F401


def test_an_unchanged_config_is_formatted_once(monkeypatch):
    parsed = []
    parse = pytree_utils.ParseCodeToTree
    monkeypatch.setattr(
        pytree_utils, 'ParseCodeToTree', lambda code: parsed.append(code) or parse(code)
    )
    config = Config(dict(model=dict(type='a', layers=[1, 2, 3])))
    first = config.pretty_text
    assert config.pretty_text == first
    assert len(parsed) == 1
    config.model.layers[0] = 4
    assert config.pretty_text == first.replace('1', '4')
    assert len(parsed) == 2


def test_the_text_is_yapfs():
    code = 'settings = dict(lr=0.1,   names=["a", "b"])\n'
    script = f'from yapf.yapflib.yapf_api import FormatCode; print(FormatCode({code!r})[0], end="")'
    done = subprocess.run(
        [sys.executable, '-c', script], capture_output=True, text=True, check=True
    )
    assert FormatCode(code)[0] == done.stdout != code
    assert FormatCode(code, style_config='google') == FormatCode.__wrapped__(
        code, style_config='google'
    )
