"""Measure the time that key area masking saves in a training step (section 2.2).

    python tools/benchmarks/key_area_step.py configs/pretrain_echo.py --batch 8

Times steps of the same model (forward pass of both clips, backward pass, optimizer) with masks
inside the sector and over the whole frame, in alternating rounds, and prints medians. The frames
are noise, because only the number of tokens matters.
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
        '--batch', type=at_least(1), default=8, help='recordings with two clips each'
    )
    parser.add_argument('--rounds', type=at_least(2), default=9, help='timed rounds')
    return parser.parse_args()


@report_user_errors
def main() -> None:
    args = parse_args()
    steps = {}
    for name, sector in SECTORS.items():
        config = pretraining_config_of(args)
        config.model.data_preprocessor.mask.sector = sector
        steps[name] = our_step(config, noise(config, args.batch))
    times = alternate(steps, args.rounds)
    for name, seconds in times.items():
        print(f'{name}: {1e3 * np.median(seconds):.1f} ms per step')
    print(f'whole frame / key area: {ratio(times["whole frame"], times["key area"])}')


if __name__ == '__main__':
    main()
