"""Size, multiply-adds, time and memory of the methods of Tables 1 and 3.

    python tools/benchmarks/peers.py configs/ef_echonet.py configs/baselines/ef_*.py \\
        --cfg-options data_root=data/phantom/EchoNet-Dynamic --picture cost.svg

The weights are random. The recordings come from files; reading them is not timed. A prediction
covers one recording of the test split as this package tests it: all of its clips, or one frame. A
training step comprises the forward pass, the backward pass and the optimizer, with equally many
recordings for each config. The configs alternate in each round; times are medians.

"Own protocol" multiplies the time of one clip by the number of clips that the published method
averages for a recording of 175 frames, the mean length in EchoNet-Dynamic. The picture shows this
time and the published error, or, with ``--tests``, the time and error of tests on phantoms.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from activations import kept_bytes
from command_line import config_of, config_parser
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DATASETS, MODELS
from rounds import alternate, ratio
from step import DEVICE
from torch.utils.flop_counter import FlopCounterMode

from echocardmae_mm.cli.arguments import at_least
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.reproduction.paper_tables import TABLES, Experiment
from echocardmae_mm.utils.errors import UserError

FRAMES = 175
# Clips that the published method averages: EchoNet one from every start frame, EchoMEN blocks of 64
# frames, EchoCoTr one random clip, CoReEcho three fixed ones.
OWN_CLIPS = {
    'ef_r2plus1d': FRAMES - 62,
    'ef_echomen_stage1': FRAMES // 64,
    'ef_uniformer': 1,
    'ef_uniformer_rnc': 3,
}


class Subject(NamedTuple):
    """The model of a config: its counts, and the functions to time."""

    name: str
    parameters: int
    multiply_adds: int
    clips: int
    memory: int
    predict: Callable[[int], object]
    train: Callable[[int], object]


def parse_args() -> argparse.Namespace:
    parser = config_parser(__doc__, nargs='+')
    parser.add_argument('--rounds', type=at_least(2), default=9, help='timed rounds')
    parser.add_argument(
        '--batch', type=at_least(1), default=4, help='recordings in a training step'
    )
    parser.add_argument('--picture', type=Path, help='file for a plot of error against time')
    parser.add_argument(
        '--tests',
        type=Path,
        nargs='+',
        metavar='FILE',
        help='test.json of the configs on phantoms: plot these errors instead',
    )
    return parser.parse_args()


def without_checkpoints(model: Config) -> Config:
    """Remove the checkpoints from the config of a model, so that its weights are random."""
    for part in ('backbone', 'decode_head'):
        if part in model and model[part].get('init_cfg', {}).get('type') == 'Pretrained':
            model[part].init_cfg = None
    return model


def subject_of(args: argparse.Namespace, path: str) -> Subject:
    """Build the model and the batches of a config."""
    config = config_of(path, args.cfg_options)
    torch.manual_seed(0)
    model = MODELS.build(without_checkpoints(config.model)).to(DEVICE)
    train_set = DATASETS.build(config.train_dataloader.dataset)
    test_set = DATASETS.build(config.test_dataloader.dataset)
    batch = pseudo_collate([train_set[index] for index in range(args.batch)])
    recording = pseudo_collate([test_set[0]])
    wrapper = build_optim_wrapper(model, config.optim_wrapper)

    def predict(_: int) -> object:
        model.eval()
        with torch.no_grad():
            return model.test_step(recording)

    def train(_: int) -> object:
        model.train()
        return model.train_step(batch, wrapper)

    with FlopCounterMode(display=False) as counter:
        predict(0)
    return Subject(
        Path(path).stem,
        sum(parameter.numel() for parameter in model.parameters()),
        counter.get_total_flops() // 2,
        next((s.num_clips for s in config.test_dataloader.dataset.pipeline if 'num_clips' in s), 1),
        step_memory(model, batch, train),
        predict,
        train,
    )


def step_memory(model: Any, batch: dict[str, Any], train: Callable[[int], object]) -> int:
    """Bytes of a training step: the peak on a GPU; on a CPU, what the backward pass keeps."""
    if DEVICE == 'cuda':
        train(0)
        torch.cuda.reset_peak_memory_stats()
        train(0)
        return torch.cuda.max_memory_allocated()
    model.train()
    return kept_bytes(
        lambda: model(**model.data_preprocessor(batch, training=True), mode='loss'),
        list(model.parameters()),
    )


def published(name: str) -> tuple[str, float] | None:
    """Method and MAE of the row of Table 1 that a config, or one of its stages, reproduces."""
    for row in TABLES['table1'].rows:
        stage: object = row.experiments[0] if row.experiments else None
        while isinstance(stage, Experiment):
            if Path(stage.task).stem == name and row.printed and row.printed[0] is not None:
                return row.method, row.printed[0]
            stage = stage.start
    return None


def measured(tests: list[Path]) -> dict[str, float]:
    """MAE by config, named by its path below ``configs/``."""
    errors = {}
    for path in tests:
        test = json.loads(path.read_text())
        if 'ef/mae' not in test['metrics']:
            raise UserError(f'{path}: expected a test of the ejection fraction')
        errors[below_configs(test['config'])] = test['metrics']['ef/mae']
    return errors


def below_configs(config: str) -> str:
    return Path(config).as_posix().rpartition('configs/')[2]


def picture(points: dict[tuple[str, float], float], path: Path, protocol: str, origin: str) -> None:
    """Plot errors over the time for one recording: points are milliseconds by name and error."""
    figure = Figure(figsize=(6.4, 4.2), layout='constrained')
    axis = figure.subplots()
    for (name, error), milliseconds in points.items():
        axis.plot(milliseconds / 1e3, error, 'o', markersize=8)
        axis.annotate(name, (milliseconds / 1e3, error), (8, 4), textcoords='offset points')
    axis.set(
        xscale='log',
        xlabel=f'seconds for one recording, {protocol}',
        ylabel=f'MAE {origin} (points of ejection fraction)',
    )
    seconds = [milliseconds / 1e3 for milliseconds in points.values()]
    axis.set_xlim(min(seconds) / 2, 3 * max(seconds))  # room for the names
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter('{x:g}')
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.margins(y=0.15)
    axis.grid(alpha=0.3)
    figure.savefig(path, dpi=150)


@report_user_errors
def main() -> None:
    args = parse_args()
    errors = measured(args.tests or [])
    if args.tests and not {below_configs(path) for path in args.config} & errors.keys():
        raise UserError('--tests: no test of any of the configs')
    subjects = {Path(path).stem: subject_of(args, path) for path in args.config}
    predictions = alternate({name: s.predict for name, s in subjects.items()}, args.rounds)
    steps = alternate({name: s.train for name, s in subjects.items()}, args.rounds)
    first = next(iter(subjects))
    rows, ours, own = [], {}, {}
    for name, subject in subjects.items():
        ours[name] = milliseconds = 1e3 * float(np.median(predictions[name]))
        own_clips = OWN_CLIPS.get(name, subject.clips)
        own[name] = milliseconds / subject.clips * own_clips
        rows.append(
            (
                name,
                f'{subject.parameters / 1e6:.1f}',
                f'{subject.multiply_adds / 1e9:.1f}',
                f'{milliseconds:.0f}',
                f'{own[name]:.0f} ({own_clips})',
                f'{1e3 * np.median(steps[name]):.0f}',
                '' if name == first else ratio(steps[name], steps[first]),
                f'{subject.memory / 1e9:.2f}',
            )
        )
    header = (
        'config',
        'parameters, M',
        'multiply-adds, G',
        'prediction, ms',
        'own protocol, ms (clips)',
        f'step of {args.batch}, ms',
        f'step / {first}',
        'memory of a step, GB',
    )
    print(markdown_table(header, rows))
    if args.picture and args.tests:
        points = {
            (Path(path).stem, errors[below_configs(path)]): ours[Path(path).stem]
            for path in args.config
            if below_configs(path) in errors
        }
        picture(points, args.picture, 'tested by this package', 'on phantoms')
    elif args.picture:
        points = {point: own[name] for name in subjects if (point := published(name))}
        picture(points, args.picture, f'{FRAMES} frames, by its own protocol', 'as published')


if __name__ == '__main__':
    main()
