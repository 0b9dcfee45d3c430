"""Variables of a config file that reach no data set."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.config import Config

from echocardmae_mm.engine import ProvenanceHook
from echocardmae_mm.utils.config import dataset_parts
from echocardmae_mm.utils.config_variables import require_used
from echocardmae_mm.utils.errors import UserError

CONFIGS = Path(__file__).parents[2] / 'configs'


@pytest.mark.parametrize(
    ('line', 'message'),
    [
        ("data_root = 'mine'", "no data set of this config uses data_root='mine'\n"),
        ("packed = 'store'", "no data set of this config uses packed='store'\n"),
        ("data_root = 'k400'\nhost = dict(type='VideoDataset', data_prefix=data_root)", None),
        ('', None),
    ],
)
def test_variables_that_reach_no_data_set_are_refused(tmp_path, line, message):
    """As under the hosts' own tools, which do not pass them on."""
    (tmp_path / 'child.py').write_text(f"_base_ = '{CONFIGS}/pretrain_echo.py'\n{line}\n")
    config = Config.fromfile(tmp_path / 'child.py')
    runner = SimpleNamespace(cfg=config)
    if message is None:
        ProvenanceHook().before_run(runner)
    else:
        with pytest.raises(UserError, match=message) as error:
            ProvenanceHook().before_run(runner)
        assert len(str(error.value).splitlines()) == 2
    for part in dataset_parts(config):
        part.update(data_root='mine', packed='store')
    require_used(config, 'data_root', 'packed')
