"""What key area masking saves of a training step (section 2.2: "improve training efficiency").

    python tools/benchmarks/key_area_step.py configs/pretrain_echo.py --batch 8

The same model takes whole steps (both clips forward, backward, optimizer) with masks inside the
sector and over the whole frame, in rounds that alternate; times are medians. The pictures are
noise: only their number of tokens matters.
"""

from __future__ import annotations

import argparse

import numpy as np
from command_line import config_parser, pretraining_config_of
from rounds import alternate, ratio
from step import noise, our_step

from echocardmae_mm.cli.arguments import at_least
from echocardmae_mm.cli.user_errors import report_user_errors

SECTORS = {'key area': 'template', 'whole frame': 'none'}


def parse_args() -> argparse.Namespace:
    parser = config_parser(__doc__)
    parser.add_argument(
        '--batch', type=at_least(1), default=8, help='recordings, of two clips each'
    )
    parser.add_argument('--rounds', type=at_least(2), default=9, help='rounds of each')
    return parser.parse_args()


@report_user_errors
def main() -> None:
    args = parse_args()
    steps = {}
    for name, sector in SECTORS.items():
        config = pretraining_config_of(args)
        transforms = config.train_dataloader.dataset.pipeline
        next(step for step in transforms if step['type'].endswith('SectorMask')).sector = sector
        steps[name] = our_step(config, noise(config, args.batch))
    times = alternate(steps, args.rounds)
    for name, seconds in times.items():
        print(f'{name}: {1e3 * np.median(seconds):.1f} ms a step')
    print(f'whole frame / key area: {ratio(times["whole frame"], times["key area"])}')


if __name__ == '__main__':
    main()
