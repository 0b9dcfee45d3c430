"""How much a model's EF depends on where the clip starts (Figure 2 of the paper), for one or two.

    python tools/clip_consistency.py CONFIG CHECKPOINT [--vs CONFIG2 CHECKPOINT2] [--out DIR]

Every start frame of every test recording is evaluated. "More consistent" is claimed of the second
model only if the share of the variance that lies between recordings rises (intraclass correlation,
its 95 % interval above 0) and the error is no worse (the interval of its MAE's difference not above
0, and below --margin): a constant prediction is consistent too.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
from argument_types import at_least, seed
from launch import add_common_arguments, build_runner, load_config, override
from mistakes import UserError, report_user_errors
from mmengine.config import Config
from mmengine.runner import Runner
from results_folder import refuse_other_results

from echocardmae_mm.engine import check_leakage, git_commit, require_fit
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

FIGURES = 'clip_consistency.json'
SAMPLERS = ('SampleUniformClips', 'SampleRandomClips')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='path of the config')
    parser.add_argument('checkpoint', help='path of the checkpoint')
    parser.add_argument('--vs', nargs=2, metavar=('CONFIG2', 'CHECKPOINT2'), help='second model')
    parser.add_argument('--names', nargs='+', help='what the models are called in the picture')
    parser.add_argument('--out', default='work_dirs/clip_consistency', help='folder of the results')
    parser.add_argument('--force', action='store_true', help='replace what is in --out')
    parser.add_argument(
        '--margin', type=float, default=0.5, help='points of EF that count as no worse'
    )
    parser.add_argument('--views', type=at_least(1), default=64, help='clips in one forward pass')
    parser.add_argument('--seed', type=seed, default=0, help='seed of the bootstrap')
    parser.add_argument(
        '--allow-leakage',
        action='store_true',
        help='test on recordings that a checkpoint was trained on too; the result says so',
    )
    add_common_arguments(parser)
    return parser.parse_args()


def take_every_start(config: Config, views: int) -> None:
    """Let the test take every clip of a recording, one recording at a time."""
    evaluator = config.get('test_evaluator')
    if not isinstance(evaluator, dict) or evaluator['type'].rpartition('.')[2] != 'EFMetric':
        raise UserError(f'{config.filename}: is not tested by EFMetric, as ejection fraction is')
    pipeline = config.test_dataloader.dataset.get('pipeline') or ()
    samplers = [step for step in pipeline if step['type'].rpartition('.')[2] in SAMPLERS]
    if not samplers or samplers[0].get('span'):
        raise UserError(
            f'{config.filename}: its test clips have no free start: clip consistency needs '
            f'{" or ".join(SAMPLERS)} without span'
        )
    samplers[0].update(type='echocardmae_mm.SampleUniformClips', num_clips='all')
    config.test_dataloader.batch_size = 1
    config.test_evaluator = dict(type='echocardmae_mm.ClipConsistencyMetric', n_resamples=0)
    config.model.test_cfg = {**(config.model.get('test_cfg') or {}), 'max_testing_views': views}


def build(
    config_file: str, checkpoint: str, folder: Path, args: argparse.Namespace
) -> tuple[Runner, dict]:
    """A test of every clip by one model, ready to run, and where the model comes from."""
    if '://' not in checkpoint and not Path(checkpoint).is_file():
        raise UserError(f'{checkpoint}: no such checkpoint')
    one = argparse.Namespace(**{**vars(args), 'config': config_file, 'work_dir': str(folder)})
    config = load_config(one)
    override(config, args.cfg_options)
    take_every_start(config, args.views)
    config.load_from, config.resume = checkpoint, False
    config.experiment_name = f'clip_consistency_{folder.name}'
    runner = build_runner(config, 'test_dataloader')
    overlap = check_leakage(checkpoint, runner.test_loop.dataloader.dataset, args.allow_leakage)
    require_fit(runner.model, checkpoint)
    return runner, {
        'config': config_file,
        'checkpoint': checkpoint,
        'overlap': overlap and overlap._asdict(),
        'config_text': config.pretty_text,
    }


def clips_of(runner: Runner) -> pd.DataFrame:
    """Every clip's prediction."""
    runner.test()
    clips = runner.test_loop.evaluator.metrics[0].clips
    clips.to_csv(Path(runner.work_dir) / 'clips.csv', index=False)
    return clips


def table(results: dict[str, dict[str, Interval]]) -> str:
    """The figures of the models, and of their difference, as Markdown."""
    return markdown_table(
        ('', *results),
        [
            (label, *(_cell(figures[name]) for figures in results.values()))
            for name, label in STATISTICS.items()
        ],
    )


def _cell(value: Interval) -> str:
    return f'{value.estimate:.3f} [{value.low:.3f}, {value.high:.3f}]'


def models_of(figures: dict) -> dict[str, str]:
    """Config and checkpoint of each model that figures are of."""
    return {
        model['name']: f'{model["config"]} {model["checkpoint"]}' for model in figures['models']
    }


@report_user_errors
def main() -> None:
    args = parse_args()
    if args.launcher != 'none':
        raise UserError('--launcher: this tool runs in one process')
    models = [(args.config, args.checkpoint), *([args.vs] if args.vs else [])]
    names = args.names or ['first', 'second'][: len(models)]
    if len(names) != len(models) or len({*names, 'difference'}) != len(names) + 1:
        raise UserError(
            f'--names {" ".join(names)}: {len(models)} models need as many names, each another'
        )
    if elsewhere := [name for name in names if Path(name).name != name]:
        raise UserError(f'--names {elsewhere[0]}: becomes a folder in --out; give it a plain name')
    out = Path(args.out)
    asked = {name: ' '.join(model) for name, model in zip(names, models)}
    refuse_other_results(out / FIGURES, asked, models_of, args.force)
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
        text += f'{names[0]} (margin of the error: {args.margin} points)\n'
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
    atomic_write_text(out / FIGURES, json_text(figures))
    print(f'\n{text}\nEverything is in {out}')


if __name__ == '__main__':
    main()
