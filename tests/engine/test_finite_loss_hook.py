"""Training whose loss has become NaN ends with an error that names the last good checkpoint."""

from __future__ import annotations

import pytest
import torch
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.hooks import CheckpointHook, Hook
from mmengine.model import BaseModel
from mmengine.runner import CheckpointLoader, Runner
from torch.utils.data import Dataset

from echocardmae_mm.utils.errors import UserError


class Numbers(Dataset):
    """Numbers; those in ``infinite`` make the loss infinite."""

    def __init__(self, length, infinite=()):
        self.length, self.infinite = length, infinite

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        return {'inputs': torch.tensor([float('inf') if index in self.infinite else 1.0])}


class Line(BaseModel):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def forward(self, inputs, mode='tensor'):
        output = self.layer(torch.stack(inputs))
        return {'loss': output.square().mean()} if mode == 'loss' else [output]


class Always(BaseMetric):
    """A metric with values given in advance."""

    def __init__(self, *values):
        super().__init__()
        self.values = list(values)

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return {'score': self.values.pop(0)}


class SkipInvalid(Hook):
    """Undo updates with invalid gradients, as a GradScaler does."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.weights = {name: w.clone() for name, w in runner.model.state_dict().items()}

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if not outputs['loss'].isfinite():
            runner.model.load_state_dict(self.weights)


@pytest.fixture
def make_runner(tmp_path):
    def make(dataset, max_epochs=1, hooks=(), checkpoint=None, metric=None):
        loader = {'batch_size': 1, 'num_workers': 0}
        sampler = {'type': 'echocardmae_mm.EpochSampler', 'shuffle': False}
        validation = {
            'val_dataloader': {**loader, 'dataset': Numbers(1), 'sampler': sampler},
            'val_cfg': {},
            'val_evaluator': Evaluator(metric),
        }
        return Runner(
            model=Line(),
            work_dir=str(tmp_path),
            train_dataloader={**loader, 'dataset': dataset, 'sampler': sampler},
            train_cfg={'type': 'echocardmae_mm.ResumableTrainLoop', 'max_epochs': max_epochs},
            optim_wrapper={'optimizer': {'type': 'SGD', 'lr': 0.01}},
            default_hooks={'checkpoint': {'type': 'CheckpointHook', **(checkpoint or {})}},
            custom_hooks=[*hooks, {'type': 'echocardmae_mm.FiniteLossHook'}],
            experiment_name=tmp_path.name,
            log_level='ERROR',
            **(validation if metric else {}),
        )

    return make


@pytest.mark.parametrize('first', [1, 5, 9, 10, 18])
def test_training_stops_within_twenty_iterations(first, make_runner):
    runner = make_runner(Numbers(100, infinite=[first]))
    with pytest.raises(UserError, match=f'infinite since iteration {first + 1}; .*: none'):
        runner.train()
    assert runner.iter - first < 20


def test_the_last_good_checkpoint_is_kept_and_named(make_runner, tmp_path):
    runner = make_runner(Numbers(4), max_epochs=9, checkpoint={'interval': 1, 'max_keep_ckpts': 1})

    class Break(Hook):
        def before_train_epoch(self, runner):
            if runner.epoch == 3:
                runner.train_dataloader.dataset.infinite = [2]

    runner.register_hook(Break())
    with pytest.raises(UserError, match=rf'since iteration 15; .*: {tmp_path}/epoch_3\.pth'):
        runner.train()
    assert [path.name for path in tmp_path.glob('*.pth')] == ['epoch_3.pth']
    saved = CheckpointLoader.load_checkpoint(str(tmp_path / 'epoch_3.pth'))
    assert all(weight.isfinite().all() for weight in saved['state_dict'].values())


def test_a_checkpoint_with_invalid_weights_is_not_named(make_runner, tmp_path):
    checkpoint = {'interval': 5, 'by_epoch': False}
    runner = make_runner(Numbers(40, infinite=[7]), checkpoint=checkpoint)
    with pytest.raises(UserError, match=rf'checkpoint: {tmp_path}/iter_5\.pth'):
        runner.train()
    assert (tmp_path / 'iter_10.pth').exists()


def test_skipped_updates_of_a_few_iterations_do_not_stop_training(make_runner):
    overflows = [0, 1, 2, 3, 18, 19, 38, 39]
    runner = make_runner(Numbers(40, infinite=overflows), max_epochs=2, hooks=[SkipInvalid()])
    runner.train()
    assert runner.iter == 80


@pytest.mark.parametrize('rule', ['greater', 'less'])
def test_a_metric_that_is_nan_is_never_the_best(rule, make_runner):
    nan = float('nan')
    metric = Always(nan, 0.5, nan)
    checkpoint = {'interval': 1, 'save_best': 'score', 'rule': rule}
    runner = make_runner(Numbers(4), max_epochs=3, checkpoint=checkpoint, metric=metric)
    runner.train()
    (hook,) = (hook for hook in runner.hooks if isinstance(hook, CheckpointHook))
    assert hook.best_ckpt_path.endswith('best_score_epoch_2.pth')
    assert runner.message_hub.get_info('best_score') == 0.5
