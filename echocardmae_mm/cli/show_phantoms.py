"""Draw phantoms beside real frames, and one phantom through a beat, on a contact sheet.

    echocardmae show-phantoms phantoms.png --variant default --seed 0

The real frames come from pydicom's example of an apical four-chamber view.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pydicom.examples
from numpy.typing import NDArray
from pydicom.pixels import pixel_array

from echocardmae_mm.cli.arguments import command_parser, seed
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.phantom import VARIANTS, Phantom, make_phantom
from echocardmae_mm.utils.errors import UserError

TILE = 224
COLUMNS = 6


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser('show-phantoms', __doc__)
    parser.add_argument('picture', type=Path, help='output file, .png or .jpg')
    parser.add_argument(
        '--variant', default='default', choices=sorted(VARIANTS), help='kind of phantom'
    )
    parser.add_argument('--seed', type=seed, default=0, help='random seed')
    return parser.parse_args(argv)


def tile(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Resize a frame to a tile."""
    return cv2.resize(frame, (TILE, TILE), interpolation=cv2.INTER_CUBIC)


def real_frames() -> list[NDArray[np.uint8]]:
    """Two real frames, cropped square around the sector and resized to 112 pixels."""
    frames = pixel_array(pydicom.examples.get_path('ybr_color'))[[2, 12], 20:210, 60:250]
    return [cv2.resize(frame, (112, 112), interpolation=cv2.INTER_AREA) for frame in frames]


def outlined(phantom: Phantom, index: int) -> NDArray[np.uint8]:
    """A tile with the true outlines of ventricle, wall and atrium."""
    picture = tile(phantom.frames[index])
    for label, colour in ((1, (255, 70, 70)), (2, (70, 255, 70)), (3, (90, 90, 255))):
        mask = tile((phantom.labels[index] == label).astype(np.uint8) * 255) > 127
        found = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, found[0], -1, colour, 1)
    return picture


def beat(phantom: Phantom) -> list[int]:
    """Frames from end-diastole to the next, or to the end of the recording."""
    length = 60.0 / phantom.patient.heart_rate * phantom.fps
    frames = phantom.ed + np.linspace(0.0, length, COLUMNS, endpoint=False)
    return np.minimum(frames, len(phantom.frames) - 1).astype(int).tolist()


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    """Write the sheet: 2 real frames and 16 phantoms, then a beat without and with the truth."""
    args = parse_args(argv)
    if not cv2.haveImageWriter(str(args.picture)):
        raise UserError(f'{args.picture}: expected an image file name, such as phantoms.png')
    args.picture.parent.mkdir(parents=True, exist_ok=True)
    phantoms = [make_phantom([args.seed, i], args.variant, num_frames=90) for i in range(16)]
    tiles = [tile(frame) for frame in real_frames()]
    tiles += [tile(phantom.frames[phantom.ed]) for phantom in phantoms]
    strongest = max(phantoms, key=lambda phantom: phantom.ef)
    tiles += [tile(strongest.frames[index]) for index in beat(strongest)]
    tiles += [outlined(strongest, index) for index in beat(strongest)]
    rows = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
    if not cv2.imwrite(str(args.picture), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)):
        raise UserError(f'{args.picture}: cannot be written')
    print(args.picture)
