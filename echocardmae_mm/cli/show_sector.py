"""Draw the ultrasound sector found in a recording, and the tokens inside it.

echocardmae show-sector FILE [--out PICTURE.png] [--patch-size 16]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from echocardmae_mm.cli.arguments import at_least, command_parser
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.datasets.transforms.crop_to_sector import CropToSector, find_sector_box
from echocardmae_mm.evaluation.segmentation_plot import draw_outlines
from echocardmae_mm.sector.geometry import token_sector
from echocardmae_mm.utils.errors import UserError

ENCODER_SIZE = 112
GREEN = (80, 255, 80)


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser('show-sector', __doc__)
    parser.add_argument('file', help='a recording: .avi, .mp4, .dcm, .nii.gz, .mhd')
    parser.add_argument('--out', type=Path, help='output image (default: FILE_sector.png)')
    parser.add_argument(
        '--patch-size', type=at_least(1), default=16, help="side of the encoder's patches"
    )
    return parser.parse_args(argv)


def tokens_drawn(frame: np.ndarray, sector: np.ndarray, patch_size: int) -> np.ndarray:
    """The encoder's view, with the tokens outside the sector dimmed."""
    tokens = token_sector(sector, patch_size).astype(np.uint8)
    inside = cv2.resize(tokens, sector.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    return np.where(inside[..., None], frame, frame // 3 + 60).astype(np.uint8)


def draw(args: argparse.Namespace) -> Path:
    """Find the sector, print its extent, and draw it."""
    recording = open_recording(args.file)
    indices = np.unique(np.linspace(0, len(recording) - 1, 16).round().astype(np.int64))
    frames = recording.frames(indices)
    found = {
        'filename': args.file,
        'imgs': list(frames),
        'region': recording.region,
        'spacing': recording.spacing,
    }
    _, sector = find_sector_box(list(frames), args.file, recording.region)
    view = CropToSector(size=ENCODER_SIZE, keep_echonet=True).transform(found)

    rows, columns = np.flatnonzero(sector.any(1)), np.flatnonzero(sector.any(0))
    height, width = sector.shape
    print(
        f'{args.file}: {width} x {height} pixels, {len(recording)} frames; sector from x '
        f'{columns[0]} to {columns[-1]} and y {rows[0]} to {rows[-1]}, '
        f'{100 * sector.mean():.0f} % of the image'
    )
    figure = Figure(figsize=(13, 4), layout='constrained')
    axes = figure.subplots(1, 4)
    line = max(1, round(max(sector.shape) / 250))
    for axis, index in zip(axes, (0, len(frames) // 2, len(frames) - 1)):
        axis.imshow(draw_outlines(frames[index], sector, [GREEN], line))
        axis.set_title(f'frame {indices[index]}')
    axes[3].imshow(tokens_drawn(view['imgs'][0], view['sector_mask'], args.patch_size))
    axes[3].set_title("the encoder's view")
    for axis in axes:
        axis.set(xticks=[], yticks=[])
    out = args.out or Path(f'{Path(args.file).name}_sector.png')
    if out.suffix[1:].lower() not in figure.canvas.get_supported_filetypes():
        raise UserError(f'{out}: expected an image file name, such as sector.png')
    figure.savefig(out, dpi=100)
    return out


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    print(f'image in {draw(parse_args(argv))}')
