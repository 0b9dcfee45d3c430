"""Details go to the log file, the rest to the console too."""

import pytest
import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.model import BaseModel

from echocardmae_mm.engine import BriefRunner, TrainingCurvesHook
from echocardmae_mm.utils.errors import UserError


class Line(BaseModel):
    def forward(self, inputs, mode='tensor'):
        return inputs


class Count(BaseMetric):
    default_prefix = 'count'

    def process(self, data_batch, data_samples):
        self.results.append(len(data_samples))

    def compute_metrics(self, results):
        return {'n': sum(results)}


def test_config_environment_hooks_and_the_list_of_metrics_are_only_in_the_file(tmp_path, capsys):
    runner = BriefRunner(
        model=Line(),
        work_dir=str(tmp_path),
        test_dataloader=dict(
            dataset=[{'inputs': torch.ones(1)}] * 3,
            batch_size=1,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=False),
        ),
        test_cfg={},
        test_evaluator=Evaluator(Count()),
        cfg=dict(a_setting=3),
        experiment_name=tmp_path.name,
    )
    runner.test()
    runner.logger.info('the results')
    console = capsys.readouterr().out
    (file,) = tmp_path.glob('*/*.log')
    log = file.read_text()
    for detail in ('System environment', 'a_setting', 'Hooks will be executed', 'count/n: 3'):
        assert detail in log
        assert detail not in console
    assert 'the results' in log
    assert 'the results' in console


def test_a_default_hook_can_be_none_and_none_of_ours_stands_twice(tmp_path):
    hook = dict(type='echocardmae_mm.TrainingCurvesHook')
    settings = dict(
        model=Line(), work_dir=str(tmp_path), cfg={}, experiment_name=f'{tmp_path.name} hooks'
    )
    runner = BriefRunner(default_hooks=dict(curves=None, timer=None), **settings)
    names = [type(hook).__name__ for hook in runner.hooks]
    assert 'TrainingCurvesHook' not in names
    assert 'IterTimerHook' not in names
    assert 'CheckpointHook' in names
    for again in (hook, dict(type=TrainingCurvesHook)):
        with pytest.raises(UserError, match=r'TrainingCurvesHook is already a default hook'):
            BriefRunner(default_hooks=dict(curves=hook), custom_hooks=[again], **settings)
