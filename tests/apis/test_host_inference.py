"""The inference functions of MMAction2 run the packaged configs, as docs/mixing.md says."""

from __future__ import annotations

import pytest
from mmaction.apis import inference_recognizer, init_recognizer
from mmaction.apis.inferencers import ActionRecogInferencer
from mmengine.config import Config

from tests.helpers.small_models import CONFIGS, write_checkpoint


@pytest.fixture
def prepare(tmp_path):
    """``prepare(name)`` gives a small model of a config and its weights."""

    def make(name: str) -> tuple[Config, str]:
        config = Config.fromfile(CONFIGS / f'{name}.py')
        config.model.backbone.update(init_cfg=None, depth=1)
        return config, write_checkpoint(config, tmp_path / 'weights.pth', std=1)

    return make


def test_ejection_fraction(prepare, make_video, tmp_path):
    video = str(make_video(tmp_path / 'a.avi', num_frames=80))
    by_function = inference_recognizer(init_recognizer(*prepare('ef_echonet'), device='cpu'), video)
    inferencer = ActionRecogInferencer(*prepare('ef_echonet'), device='cpu')
    (by_class,) = inferencer(video, return_datasamples=True)['predictions']
    assert by_function.pred_ef != 0
    assert by_class.pred_ef == by_function.pred_ef


def test_infarction(prepare, hmcqu_root):
    video = str(next(hmcqu_root.rglob('*.avi')))
    by_function = inference_recognizer(init_recognizer(*prepare('mi_hmcqu'), device='cpu'), video)
    inferencer = ActionRecogInferencer(*prepare('mi_hmcqu'), device='cpu')
    (by_class,) = inferencer(video)['predictions']
    assert by_class['pred_scores'] == pytest.approx(by_function.pred_score.tolist())
