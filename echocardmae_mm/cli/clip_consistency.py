"""Measure how much an EF model depends on where its clip starts (Figure 2), for one model or two.

    echocardmae clip-consistency CONFIG CHECKPOINT [--vs CONFIG2 CHECKPOINT2] [--out DIR]

Evaluates every start frame of every test recording. A constant prediction is consistent too.
Therefore, the second model counts as more consistent only if its intraclass correlation is higher
(95 % interval of the difference above 0) and its MAE is no worse (95 % interval of the difference
not above 0, and below --margin).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from mmengine.config import Config
from mmengine.runner import Runner

from echocardmae_mm.cli.arguments import (
    add_allow_leakage,
    add_checkpoint,
    add_common,
    add_config,
    add_force,
    at_least,
    command_parser,
    seed,
)
from echocardmae_mm.cli.cfg_options import apply_cfg_options
from echocardmae_mm.cli.configuration import build_runner, load_config, require_checkpoint
from echocardmae_mm.cli.run_folder import bind_run_folder
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.engine import check_leakage, require_fit
from echocardmae_mm.evaluation import Interval
from echocardmae_mm.evaluation.clip_consistency import (
    STATISTICS,
    consistency,
    consistency_difference,
    is_more_consistent,
)
from echocardmae_mm.evaluation.clip_consistency_plot import clip_consistency_plot
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.utils.atomic_files import atomic_write_text, json_text
from echocardmae_mm.utils.config import type_name
from echocardmae_mm.utils.errors import UserError
from echocardmae_mm.utils.git import git_commit

RESULTS = 'clip_consistency.json'
SAMPLERS = ('echocardmae_mm.SampleUniformClips', 'echocardmae_mm.SampleRandomClips')


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser('clip-consistency', __doc__)
    add_config(parser)
    add_checkpoint(parser)
    parser.add_argument('--vs', nargs=2, metavar=('CONFIG2', 'CHECKPOINT2'), help='second model')
    parser.add_argument('--names', nargs='+', help='names of the models in the plot')
    parser.add_argument('--out', default='work_dirs/clip_consistency', help='output folder')
    add_force(parser)
    parser.add_argument(
        '--margin',
        type=float,
        default=0.5,
        help='largest increase of the MAE that counts as no worse, in points',
    )
    parser.add_argument('--views', type=at_least(1), default=64, help='clips per forward pass')
    parser.add_argument('--seed', type=seed, default=0, help='random seed of the bootstrap')
    add_allow_leakage(parser)
    add_common(parser)
    return parser.parse_args(argv)


def take_every_start(config: Config, views: int) -> None:
    """Test every clip of a recording, one recording at a time."""
    evaluator = config.get('test_evaluator')
    if not isinstance(evaluator, dict) or type_name(evaluator) != 'echocardmae_mm.EFMetric':
        raise UserError(f'{config.filename}: expected a config whose test_evaluator is EFMetric')
    pipeline = config.test_dataloader.dataset.get('pipeline') or ()
    samplers = [step for step in pipeline if type_name(step) in SAMPLERS]
    if not samplers or samplers[0].get('span'):
        raise UserError(
            f'{config.filename}: its test clips have a fixed start; '
            f'expected {" or ".join(SAMPLERS)} without span'
        )
    samplers[0].update(type='echocardmae_mm.SampleUniformClips', num_clips='all')
    config.test_dataloader.batch_size = 1
    config.test_evaluator = dict(type='echocardmae_mm.ClipConsistencyMetric', n_resamples=0)
    config.model.test_cfg = {**(config.model.get('test_cfg') or {}), 'max_testing_views': views}


def build(
    config_file: str, checkpoint: str, folder: Path, args: argparse.Namespace
) -> tuple[Runner, dict]:
    """Runner that tests every clip with one model, and the origin of the model."""
    require_checkpoint(checkpoint)
    config = load_config(config_file, str(folder))
    apply_cfg_options(config, args.cfg_options)
    take_every_start(config, args.views)
    config.load_from, config.resume = checkpoint, False
    config.experiment_name = f'clip_consistency_{folder.name}'
    runner = build_runner(config, 'test_dataloader')
    leakage = check_leakage(checkpoint, runner.test_loop.dataloader.dataset, args.allow_leakage)
    require_fit(runner.model, checkpoint)
    return runner, {
        'config': config_file,
        'checkpoint': checkpoint,
        'leakage': leakage and leakage._asdict(),
        'config_text': config.pretty_text,
    }


def clips_of(runner: Runner) -> pd.DataFrame:
    """Prediction of every clip."""
    runner.test()
    clips = runner.test_loop.evaluator.metrics[0].clips
    clips.to_csv(Path(runner.work_dir) / 'clips.csv', index=False)
    return clips


def table(results: dict[str, dict[str, Interval]]) -> str:
    """Results of the models, and of their difference, as Markdown."""
    return markdown_table(
        ('', *results),
        [
            (label, *(f'{figures[name]:.3f}' for figures in results.values()))
            for name, label in STATISTICS.items()
        ],
    )


def models_of(results: dict) -> dict[str, str]:
    """Config and checkpoint of each model in the results."""
    return {
        model['name']: f'{model["config"]} {model["checkpoint"]}' for model in results['models']
    }


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    if args.launcher != 'none':
        raise UserError('--launcher: this command runs in one process')
    models = [(args.config, args.checkpoint), *([args.vs] if args.vs else [])]
    names = args.names or ['first', 'second'][: len(models)]
    if len(names) != len(models) or len({*names, 'difference'}) != len(names) + 1:
        raise UserError(f'--names {" ".join(names)}: expected {len(models)} different names')
    if elsewhere := [name for name in names if Path(name).name != name]:
        raise UserError(
            f'--names {elsewhere[0]}: expected a plain name; it becomes a folder in --out'
        )
    out = Path(args.out)
    wanted = {name: ' '.join(model) for name, model in zip(names, models)}
    if (out / RESULTS).is_file() and not args.force:
        bind_run_folder(out / RESULTS, wanted, 'Choose another --out, or pass --force', models_of)
    built = [
        build(config, checkpoint, out / name, args)
        for name, (config, checkpoint) in zip(names, models)
    ]
    clips = {name: clips_of(runner) for name, (runner, _) in zip(names, built)}
    results = {name: consistency(table, seed=args.seed) for name, table in clips.items()}
    text = f'{len(clips[names[0]])} clips of {clips[names[0]]["video"].nunique()} recordings\n\n'
    verdict = None
    if args.vs:
        first, second = clips.values()
        difference = consistency_difference([(first, second)], seed=args.seed)
        verdict = is_more_consistent(difference, args.margin)
        text += f'{table({**results, f"{names[1]} - {names[0]}": difference})}\n\n'
        text += f'{names[1]} is {"" if verdict else "not shown to be "}more consistent than '
        text += f'{names[0]} (margin of the MAE: {args.margin} points)\n'
        results['difference'] = difference
    else:
        text += f'{table(results)}\n'
    atomic_write_text(out / 'clip_consistency.md', text)
    clip_consistency_plot(clips).savefig(out / 'clip_consistency.png', dpi=150)
    figures = {
        'models': [{'name': name, **origin} for name, (_, origin) in zip(names, built)],
        'statistics': {
            name: {key: value._asdict() for key, value in figures.items()}
            for name, figures in results.items()
        },
        'more_consistent': verdict,
        'margin': args.margin,
        'seed': args.seed,
        'commit': git_commit(),
    }
    atomic_write_text(out / RESULTS, json_text(figures))
    print(f'\n{text}\nAll results are in {out}')
