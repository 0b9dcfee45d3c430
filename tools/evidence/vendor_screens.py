"""Measure the same synthetic hearts in EchoNet-Dynamic's frames and on a vendor's screen.

    python tools/evidence/vendor_screens.py BUNDLE --hearts 100

BUNDLE is a model for the ejection fraction that was not trained on these hearts. The script prints
both mean absolute errors and their difference, with 95 % intervals over hearts.
"""

from __future__ import annotations

import numpy as np
from rich.progress import track

from echocardmae_mm.apis import EchoInferencer
from echocardmae_mm.cli.arguments import tool_parser
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.evaluation.bootstrap import bootstrap_intervals
from echocardmae_mm.phantom import make_phantom

SCREENS = ('echonet', 'vendor')


@report_user_errors
def main() -> None:
    parser = tool_parser(__doc__)
    parser.add_argument('bundle', help='folder of a bundle for the ejection fraction')
    parser.add_argument('--hearts', type=int, default=100, help='number of hearts')
    parser.add_argument('--seed', type=int, default=5, help='seed of the hearts')
    args = parser.parse_args()
    measure = EchoInferencer([args.bundle], allow_synthetic_model=True)
    errors: list[list[float]] = []
    refused = dict.fromkeys(SCREENS, 0)
    for heart in track(range(args.hearts), 'measuring'):
        row = []
        for screen in SCREENS:
            phantom = make_phantom([args.seed, heart], screen=screen)
            values = measure(phantom.frames, fps=phantom.fps, spacing=phantom.spacing).values
            if values.get('ef_percent') is None:
                refused[screen] += 1
            else:
                row.append(abs(values['ef_percent'] - phantom.ef))
        if len(row) == len(SCREENS):
            errors.append(row)
    both = np.array(errors)

    def statistics(rows: np.ndarray) -> dict[str, float]:
        echonet, vendor = both[rows].mean(0)
        return {'echonet': echonet, 'vendor': vendor, 'vendor - echonet': vendor - echonet}

    print(f'{len(both)} hearts measured on both; refused: {refused}')
    for name, interval in bootstrap_intervals(statistics, np.arange(len(both))).items():
        print(f'MAE, {name}: {interval} points')


if __name__ == '__main__':
    main()
