"""Measure how often the 90 % interval of an ejection fraction contains the truth, on phantoms.

    python tools/benchmarks/interval_coverage.py work_dirs/demo/bundles/ef

Calibrates the bundle on phantoms of EchoNet-Dynamic's size, and tests it on others of the same
population (overall and by class of ejection fraction), on unseen variants and at another frame
rate. The table gives the share of truths inside the interval, with 95 % Wilson intervals, and the
same for an interval of one width for all predictions.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from gate import share

from echocardmae_mm.apis import EchoInferencer
from echocardmae_mm.cli.arguments import at_least, tool_parser
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.evaluation.conformal import ConformalInterval, fit_conformal
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.phantom import make_phantom

#: Settings of each population; the calibration uses the first.
POPULATIONS: dict[str, dict[str, Any]] = {
    'default': {},
    'vendor_b': {'variant': 'vendor_b'},
    'noisy': {'variant': 'noisy'},
    'default, 30 frames/s': {'fps': 30.0},
}
CLASSES = {'EF < 40': (0, 40), '40 <= EF < 55': (40, 55), 'EF >= 55': (55, 100)}
FRAMES = 120


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('bundle', help='folder of a bundle for the ejection fraction')
    parser.add_argument(
        '--number', type=at_least(57), default=100, help='phantoms of each population'
    )
    parser.add_argument('--seed', type=int, default=1415, help='seed of the phantoms')
    return parser.parse_args()


def measure_phantoms(
    measure: EchoInferencer, path: list[int], number: int, **wanted: Any
) -> np.ndarray:
    """Prediction and truth of each phantom that is not refused, (N, 2)."""
    rows = []
    for index in range(number):
        phantom = make_phantom([*path, index], num_frames=FRAMES, **wanted)
        values = measure(phantom.frames, fps=phantom.fps, spacing=phantom.spacing).values
        if values['status'] == 'measured':
            rows.append((values['ef_percent'], phantom.ef))
    return np.array(rows, np.float64)


@report_user_errors
def main() -> None:
    args = parse_args()
    measure = EchoInferencer([args.bundle], allow_synthetic_model=True)
    calibration = measure_phantoms(measure, [args.seed, 0], args.number)
    intervals = [fit_conformal(*calibration.T), one_width(*calibration.T)]
    rows = []
    for part, (name, wanted) in enumerate(POPULATIONS.items(), 1):
        pairs = measure_phantoms(measure, [args.seed, part], args.number, **wanted)
        groups = {name: pairs}
        if part == 1:
            for label, (low, high) in CLASSES.items():
                groups[f'{name}, {label}'] = pairs[(pairs[:, 1] >= low) & (pairs[:, 1] < high)]
        rows += [row_of(label, some, intervals) for label, some in groups.items() if len(some)]
    print(f'calibrated on {len(calibration)} phantoms')
    header = [
        'tested on',
        'number',
        'MAE',
        'bias',
        'inside, %',
        'width',
        'one width: inside, %',
        'its width',
    ]
    print(markdown_table(header, rows))


def one_width(predictions: np.ndarray, truths: np.ndarray, level: float = 0.9) -> ConformalInterval:
    """The same distance on both sides of every prediction."""
    n = len(predictions)
    errors = np.sort(np.abs(predictions - truths))
    half = float(errors[math.ceil((n + 1) * Fraction(str(level))) - 1])
    return ConformalInterval(level, (), (half,), (half,), n)


def row_of(
    label: str, pairs: np.ndarray, intervals: Sequence[ConformalInterval]
) -> tuple[object, ...]:
    """Format the errors and, for each interval, the share of truths inside and the mean width."""
    error = pairs[:, 0] - pairs[:, 1]
    cells = [f'{np.abs(error).mean():.1f}', f'{error.mean():+.1f}']
    for interval in intervals:
        low, high = np.array([interval(value) for value in pairs[:, 0]]).T
        inside = int(((low <= pairs[:, 1]) & (pairs[:, 1] <= high)).sum())
        cells += [share(inside, len(pairs)), f'{(high - low).mean():.1f}']
    return label, len(pairs), *cells


if __name__ == '__main__':
    main()
