"""Overhead of the Runner per iteration, early and late in a run.

    python tools/benchmarks/runner_overhead.py

Trains a model with one weight in the runtime of our configs, with mmengine's ``RuntimeInfoHook``
and with ours, from iterations 1,000 and 500,000 on. The histories of the log have the length that
they reach by then. The time of the bare step is subtracted.
"""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner

from echocardmae_mm.cli.arguments import at_least, tool_parser
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.engine import BufferedRuntimeInfoHook
from echocardmae_mm.evaluation.markdown import markdown_table

RUNTIME = Path(__file__).parents[2] / 'configs/_base_/runtime_mmaction.py'
EPOCH = 500
KEYS = ('loss', 'loss_rec', 'loss_align', 'lr', 'base_lr', 'time', 'data_time')
HOOKS = {'mmengine': 'RuntimeInfoHook', 'ours': 'echocardmae_mm.BufferedRuntimeInfoHook'}


class OneWeight(BaseModel):
    """A model with two losses that take almost no time."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, mode: str = 'loss', **_: object) -> dict[str, torch.Tensor]:
        return {'loss_rec': self.weight.sum(), 'loss_align': self.weight.sum()}


class Zeros(BaseDataset):
    """Samples that take almost no time to load."""

    def load_data_list(self) -> list[dict]:
        return [{'inputs': 0.0}] * EPOCH


class Clock(Hook):
    """Record the end of each iteration."""

    priority = 'LOWEST'

    def __init__(self) -> None:
        self.times: list[float] = []

    def after_train_iter(self, *_: object, **__: object) -> None:
        self.times.append(time.perf_counter())


def iteration(hook: str, done: int, work_dir: str) -> float:
    """Milliseconds per iteration of a run that starts after ``done`` iterations."""
    config = Config.fromfile(RUNTIME)
    config.default_hooks.runtime_info = dict(type=hook)
    config.default_hooks.pop('provenance')
    config.default_hooks.checkpoint.interval = 10**9
    config.log_level = 'WARNING'
    runner = Runner(
        model=OneWeight(),
        work_dir=work_dir,
        experiment_name=uuid4().hex,
        train_dataloader=dict(
            dataset=Zeros(),
            batch_size=1,
            num_workers=0,
            sampler=dict(type='echocardmae_mm.EpochSampler'),
        ),
        train_cfg={**config.train_cfg, 'max_epochs': done // EPOCH + 1},
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.0)),
        **{name: config[name] for name in ('default_hooks', 'log_processor', 'env_cfg')},
        default_scope=config.default_scope,
        log_level=config.log_level,
        randomness=config.randomness,
    )
    kept = BufferedRuntimeInfoHook().history if hook == HOOKS['ours'] else done
    for key in KEYS:
        history = HistoryBuffer(np.zeros(kept), np.ones(kept))
        runner.message_hub.log_scalars[f'train/{key}'] = history
    clock = Clock()
    runner.register_hook(clock, 'LOWEST')
    loop: Any = runner.build_train_loop(runner._train_loop)
    loop._epoch, loop._iter = done // EPOCH, done
    runner._train_loop = loop
    runner.train()
    return 1e3 * (clock.times[-1] - clock.times[0]) / (len(clock.times) - 1)


def bare() -> float:
    """Milliseconds per step without the Runner."""
    model = OneWeight()
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.0))
    started = time.perf_counter()
    for _ in range(EPOCH):
        model.train_step({'inputs': torch.zeros(1)}, wrapper)
    return 1e3 * (time.perf_counter() - started) / EPOCH


@report_user_errors
def main() -> None:
    parser = tool_parser(__doc__)
    parser.add_argument('--rounds', type=at_least(1), default=5, help='timed rounds')
    parser.add_argument(
        '--iterations',
        type=at_least(0),
        nargs='+',
        default=[1000, 500_000],
        help='iterations after which the measured runs start',
    )
    with TemporaryDirectory() as work_dir:
        args = parser.parse_args()
        found: dict[str, dict[int, list[float]]] = {
            name: {done: [] for done in args.iterations} for name in HOOKS
        }
        for _ in range(args.rounds):
            step = bare()
            for name, hook in HOOKS.items():
                for done in args.iterations:
                    found[name][done].append(iteration(hook, done, work_dir) - step)
        rows = [
            (name, *(f'{np.median(times):.2f} ms' for times in by_iteration.values()))
            for name, by_iteration in found.items()
        ]
        header = ('overhead per iteration', *(f'at {done:,}' for done in args.iterations))
        print(markdown_table(header, rows))


if __name__ == '__main__':
    main()
