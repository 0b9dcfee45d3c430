"""What a bundle takes from the config that trained its model."""

import pytest
from mmengine.config import Config

from echocardmae_mm.apis.published_config import prediction_pipeline
from echocardmae_mm.utils.errors import UserError


@pytest.mark.parametrize('model', [dict(type='EchoCardMAE'), dict(cls_head=dict(type='EFHead'))])
@pytest.mark.parametrize('wrapper', ['ConcatDataset', 'RepeatDataset'])
def test_wrapped_data_sets_are_refused(model, wrapper, tmp_path):
    own = dict(type='EchoVideoDataset', pipeline=[])
    inside = dict(datasets=[own]) if wrapper == 'ConcatDataset' else dict(dataset=own, times=2)
    loader = dict(dataset=dict(type=wrapper, **inside))
    (tmp_path / 'a.py').touch()
    config = Config(
        dict(model=model, train_dataloader=loader, test_dataloader=dict(dataset=own)),
        filename=str(tmp_path / 'a.py'),
    )
    with pytest.raises(UserError, match=f'a.py: train_dataloader has a {wrapper}; expected'):
        prediction_pipeline(config)
