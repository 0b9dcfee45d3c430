"""Measure how often `echocardmae predict` flags good recordings and bad ones of each kind.

    python tools/benchmarks/gate.py work_dirs/demo/bundles/ef work_dirs/demo/bundles/seg

The good recordings are phantoms with 100 frames, half of EchoNet-Dynamic's size, half screens of
320 x 240 pixels. The bad ones are made from other phantoms. The tables give the share of each kind
that was flagged or refused, with 95 % Wilson intervals.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import cv2
import numpy as np
from scipy.stats import binomtest

from echocardmae_mm.apis import EchoInferencer
from echocardmae_mm.apis.prediction import Prediction
from echocardmae_mm.cli.arguments import at_least, tool_parser
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.evaluation.markdown import markdown_table
from echocardmae_mm.phantom import Phantom, make_phantom
from echocardmae_mm.phantom.dicom_files import with_flow

SCREENS = ('echonet', 'portable')
FRAMES = 100


class Shown(NamedTuple):
    """A recording as the inferencer receives it."""

    frames: np.ndarray
    spacing: tuple[float, float]
    view: str | None = None


def with_frames(change: Callable[[Phantom, np.random.Generator], np.ndarray]) -> Callable:
    """Make a kind of recording that differs in its frames only."""
    return lambda phantom, rng: Shown(np.ascontiguousarray(change(phantom, rng)), phantom.spacing)


def turned(quarters: int) -> Callable:
    """Rotate the frames anticlockwise by quarter turns."""
    return with_frames(lambda phantom, rng: np.rot90(phantom.frames, quarters, axes=(1, 2)))


def warped(phantom: Phantom, matrix: list[list[float]]) -> np.ndarray:
    """Move the image within its sector by an affine matrix."""
    size = phantom.frames.shape[2], phantom.frames.shape[1]
    affine = np.array(matrix, np.float32)
    frames = np.stack([cv2.warpAffine(frame, affine, size) for frame in phantom.frames])
    return frames * phantom.sector_mask[..., None]


def cut_off(phantom: Phantom, rng: np.random.Generator) -> np.ndarray:
    """Shift the image so that the centre of the ventricle lies on the edge of the sector."""
    rows, columns = np.nonzero(phantom.lv_masks[phantom.ed])
    inside = np.flatnonzero(phantom.sector_mask[round(rows.mean())])
    edge = inside[0] if rng.random() < 0.5 else inside[-1]
    return warped(phantom, [[1, 0, edge - columns.mean()], [0, 1, 0]])


def speckle(phantom: Phantom, rng: np.random.Generator) -> np.ndarray:
    """Fill the sector with moving speckle."""
    size = phantom.sector_mask.shape
    real, imaginary = (
        cv2.GaussianBlur(rng.normal(size=(*size, 8)), (0, 0), size[0] / 112) for _ in range(2)
    )
    phase = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    frames = []
    for index in range(len(phantom.frames)):
        weights = np.cos(phase + index / 10) ** 2
        level = np.hypot(real @ weights, imaginary @ weights)
        frames.append(np.clip(80 * level / level.mean(), 0, 255) * phantom.sector_mask)
    return np.repeat(np.array(frames, np.uint8)[..., None], 3, axis=-1)


def short_axis(phantom: Phantom, rng: np.random.Generator) -> np.ndarray:
    """Draw a beating ring of muscle, as the ventricle appears in a short-axis view."""
    grain = speckle(phantom, rng) / 80
    height, width = phantom.sector_mask.shape
    rows, columns = np.nonzero(phantom.sector_mask)
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(y - rows.mean(), x - columns.mean()) / np.ptp(rows)
    frames = []
    for index, noise in enumerate(grain):
        inner = 0.16 + 0.03 * np.cos(2 * np.pi * 1.2 * index / phantom.fps)
        level = np.select([distance < inner, distance < 0.27], [15, 140], 50)
        frames.append(np.clip(noise * level[..., None], 0, 255))
    return np.array(frames, np.uint8)


def enlarged(phantom: Phantom, rng: np.random.Generator) -> np.ndarray:
    """Enlarge the image twice around the centre of the ventricle, within the same sector."""
    rows, columns = np.nonzero(phantom.lv_masks[phantom.ed])
    return warped(phantom, [[2, 0, -columns.mean()], [0, 2, -rows.mean()]])


def with_blanks(phantom: Phantom, rng: np.random.Generator) -> np.ndarray:
    """Blacken every fifth frame."""
    frames = phantom.frames.copy()
    frames[2::5] = 0
    return frames


KINDS: dict[str, Callable[[Phantom, np.random.Generator], Shown]] = {
    'good': with_frames(lambda phantom, rng: phantom.frames),
    '12 frames': with_frames(lambda phantom, rng: phantom.frames[:12]),
    'turned by 90 degrees': turned(1),
    'turned by 180 degrees': turned(2),
    'turned by 270 degrees': turned(3),
    'mirrored': with_frames(lambda phantom, rng: phantom.frames[:, :, ::-1]),
    'colour flow': with_frames(lambda phantom, rng: with_flow(phantom)),
    'shuffled frames': with_frames(lambda phantom, rng: rng.permutation(phantom.frames)),
    'blank frames': with_frames(with_blanks),
    'half the ventricle': with_frames(cut_off),
    'still image': with_frames(
        lambda phantom, rng: np.repeat(phantom.frames[:1], len(phantom.frames), axis=0)
    ),
    'speckle only': with_frames(speckle),
    'spacing x 3': lambda phantom, rng: Shown(
        phantom.frames, (3 * phantom.spacing[0], 3 * phantom.spacing[1])
    ),
    'spacing / 3': lambda phantom, rng: Shown(
        phantom.frames, (phantom.spacing[0] / 3, phantom.spacing[1] / 3)
    ),
    'two-chamber view, not stated': with_frames(lambda phantom, rng: phantom.frames),
    'two-chamber view, stated': lambda phantom, rng: Shown(phantom.frames, phantom.spacing, '2CH'),
    'short axis': with_frames(short_axis),
    'enlarged twice': with_frames(enlarged),
    'inverted grey levels': with_frames(
        lambda phantom, rng: (255 - phantom.frames) * phantom.sector_mask[..., None]
    ),
}


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('bundles', nargs='+', help='folders of bundles')
    parser.add_argument('--good', type=at_least(1), default=60, help='number of good recordings')
    parser.add_argument('--bad', type=at_least(1), default=20, help='number of each bad kind')
    parser.add_argument('--seed', type=int, default=1414, help='seed of the phantoms')
    return parser.parse_args()


def measure_kinds(
    measure: EchoInferencer, seed: int, good: int, bad: int
) -> Iterator[tuple[str, Prediction]]:
    """Make and measure the recordings of every kind."""
    for number, (kind, make) in enumerate(KINDS.items()):
        for index in range(good if kind == 'good' else bad):
            path = [seed, number, index]
            view = '2ch' if kind.startswith('two-chamber') else '4ch'
            screen = SCREENS[index % 2]
            phantom = make_phantom(path, view=view, screen=screen, num_frames=FRAMES)
            shown = make(phantom, np.random.default_rng(path))
            yield kind, measure(shown.frames, shown.view, phantom.fps, shown.spacing)


def share(count: int, total: int) -> str:
    """Format a share in per cent with its 95 % Wilson interval."""
    low, high = binomtest(count, total).proportion_ci(method='wilson')
    return f'{100 * count / total:.0f} [{100 * low:.0f}, {100 * high:.0f}]'


@report_user_errors
def main() -> None:
    args = parse_args()
    measure = EchoInferencer(args.bundles, allow_synthetic_model=True)
    totals: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    doubted: Counter[str] = Counter()
    flagged: Counter[tuple[str, str]] = Counter()
    for kind, result in measure_kinds(measure, args.seed, args.good, args.bad):
        names = [flag.name for flag in result.flags]
        if not result.is_measured and not names:
            names = ['no_sector']
        totals[kind] += 1
        refused[kind] += not result.is_measured
        doubted[kind] += bool(names)
        flagged.update((kind, name) for name in names)
    rows = [
        (kind, n, share(refused[kind], n), share(doubted[kind], n)) for kind, n in totals.items()
    ]
    print(markdown_table(('recordings', 'number', 'refused, %', 'refused or flagged, %'), rows))
    print()
    each: dict[str, list[str]] = {kind: [] for kind, _ in flagged}
    for (kind, name), count in flagged.most_common():
        each[kind].append(f'`{name}` {share(count, totals[kind])}')
    print(markdown_table(('recordings', 'flags, %'), [(k, '; '.join(f)) for k, f in each.items()]))


if __name__ == '__main__':
    main()
