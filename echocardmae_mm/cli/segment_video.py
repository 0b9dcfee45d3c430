"""Segment every frame of a recording, and measure its left ventricle.

    echocardmae segment-video FILE CONFIG CHECKPOINT --out DIR

FILE may have any size and format that the package reads (.avi, .mp4, DICOM, NIfTI, MetaImage). DIR
receives overlay.mp4 (outlines on the frames), curve.png (area of the ventricle with end-diastole
and end-systole), frames.csv (area and volume in each frame), beats.csv (ejection fraction of each
beat by the method of disks) and summary.json (their mean). Not for diagnosis.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from rich.progress import track

from echocardmae_mm.apis import Segmentation, load_model, segment_recording
from echocardmae_mm.apis.segment_recording import CROPS
from echocardmae_mm.cli.arguments import (
    add_checkpoint,
    add_common,
    add_config,
    add_force,
    command_parser,
)
from echocardmae_mm.cli.cfg_options import apply_cfg_options
from echocardmae_mm.cli.configuration import load_config, require_checkpoint
from echocardmae_mm.cli.run_folder import bind_run_folder
from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.datasets.recordings import Recording, open_recording
from echocardmae_mm.evaluation.area_curve import area_curve
from echocardmae_mm.evaluation.beats import Beat, find_beats
from echocardmae_mm.evaluation.segmentation_plot import draw_outlines
from echocardmae_mm.evaluation.volumes import largest_part, single_plane_volume
from echocardmae_mm.utils.atomic_files import atomic_write_text, json_text, verify_frame_count
from echocardmae_mm.utils.errors import UserError

VENTRICLE = 'left ventricle'
ASSUMED_FPS = 50.0
SUMMARY = 'summary.json'
ORIGIN = 'file', 'config', 'checkpoint', 'crop'


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command_parser('segment-video', __doc__)
    parser.add_argument('file', help='the recording')
    add_config(parser)
    add_checkpoint(parser)
    parser.add_argument('--out', type=Path, required=True, help='output folder')
    parser.add_argument(
        '--crop',
        choices=CROPS,
        default='auto',
        help='sector: crop to a square around the sector; none: keep whole frames; '
        'auto (default): as the model was trained',
    )
    add_force(parser)
    parser.add_argument('--work-dir', help=argparse.SUPPRESS)
    add_common(parser)
    return parser.parse_args(argv)


def origin_of(result: dict[str, Any]) -> dict[str, str]:
    """Inputs of a summary."""
    return {name: result[name] for name in ORIGIN}


def measure(masks: np.ndarray, recording: Recording) -> tuple[pd.DataFrame, list[Beat]]:
    """Area and volume of the ventricle in each frame, and the beats."""
    fps, spacing = recording.fps, recording.spacing
    ventricles = [largest_part(mask) for mask in masks]
    table = pd.DataFrame({'frame': np.arange(len(masks))})
    table['seconds'] = table['frame'] / fps if fps else np.nan
    table['area_pixels'] = [int(mask.sum()) for mask in ventricles]
    if spacing:
        table['area_cm2'] = table['area_pixels'] * np.prod(spacing) / 100
    volumes = [single_plane_volume(mask, spacing) or np.nan for mask in ventricles]
    table['volume_ml' if spacing else 'volume_pixels3'] = volumes
    beats = find_beats(np.array(volumes), fps)
    table['instant'] = ''
    for beat in beats:
        table.loc[beat.ed, 'instant'], table.loc[beat.es, 'instant'] = 'ED', 'ES'
    return table, beats


def write_overlay(
    path: Path, recording: Recording, found: Segmentation, table: pd.DataFrame
) -> None:
    """Write the recording with outlines, ED and ES drawn on it."""
    height, width = found.labels.shape[1:]
    scale = max(1, round(448 / max(height, width)))
    size = width * scale // 2 * 2, height * scale // 2 * 2
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter_fourcc(*'mp4v'), recording.fps or ASSUMED_FPS, size
    )
    if not writer.isOpened():
        raise UserError(f'{path}: OpenCV cannot write this video here')
    for index in range(len(recording)):
        frame = cv2.resize(recording.frames([index])[0], size, interpolation=cv2.INTER_LINEAR)
        labels = cv2.resize(found.labels[index], size, interpolation=cv2.INTER_NEAREST_EXACT)
        drawn = draw_outlines(frame, labels, found.palette[1:], max(1, scale // 2))
        text = f'{index} {table["instant"].iloc[index]}'
        place = (8, size[1] - 10)
        cv2.putText(drawn, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1)
        writer.write(cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
    writer.release()
    verify_frame_count(path, len(recording))


def summary(args: argparse.Namespace, recording: Recording, beats: list[Beat]) -> dict[str, Any]:
    """The ejection fraction and its inputs."""
    efs = [beat.ef for beat in beats]
    return {
        **origin_of(vars(args)),
        'frames': len(recording),
        'fps': recording.fps,
        'spacing_mm': recording.spacing,
        'beats': len(beats),
        'ef_mean': float(np.mean(efs)) if efs else None,
        'ef_sd_over_beats': float(np.std(efs, ddof=1)) if len(efs) > 1 else None,
    }


@report_user_errors
def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    if not Path(args.file).is_file():
        raise UserError(f'{args.file}: no such recording')
    require_checkpoint(args.checkpoint)
    if (args.out / SUMMARY).is_file() and not args.force:
        remedy = 'Choose another --out, or pass --force'
        bind_run_folder(args.out / SUMMARY, origin_of(vars(args)), remedy, origin_of)
    config = load_config(args)
    apply_cfg_options(config, args.cfg_options)
    if 'decode_head' not in config.model:
        raise UserError(f'{args.config}: expected a segmentation config')
    recording = open_recording(args.file)
    model = load_model(config, args.checkpoint)
    found = segment_recording(
        model,
        config,
        recording,
        args.crop,
        progress=lambda steps, total: track(steps, 'segmenting', total=total),
    )
    if VENTRICLE not in found.classes:
        classes = ', '.join(found.classes)
        raise UserError(f'{args.checkpoint}: expected a model of the {VENTRICLE}, not {classes}')
    table, beats = measure(found.labels == found.classes.index(VENTRICLE), recording)
    args.out.mkdir(parents=True, exist_ok=True)
    atomic_write_text(args.out / 'frames.csv', table.to_csv(index=False))
    atomic_write_text(
        args.out / 'beats.csv', pd.DataFrame(beats, columns=Beat._fields).to_csv(index=False)
    )
    area_curve(table, beats, recording.fps).savefig(args.out / 'curve.png', dpi=130)
    write_overlay(args.out / 'overlay.mp4', recording, found, table)
    result = summary(args, recording, beats)
    atomic_write_text(args.out / SUMMARY, json_text(result))
    if beats:
        count = f'{len(beats)} beat' if len(beats) == 1 else f'{len(beats)} beats'
        print(f'ejection fraction {result["ef_mean"]:.1f} %, {count}')
    else:
        print('no beat found: the model found no ventricle, or its area hardly changes')
    if lost := int((table['area_pixels'] == 0).sum()):
        print(f'no ventricle found in {lost} of {len(table)} frames')
    print(f'All results are in {args.out}')
