"""Segment every frame of a recording, and say what follows from the left ventricle.

    python tools/segment_video.py FILE configs/seg_echonet.py CHECKPOINT --out DIR

FILE may be anything that the project reads (.avi, .mp4, DICOM, NIfTI, MetaImage), of any size. DIR
gets overlay.mp4 (outlines on the frames), curve.png (the ventricle's area with end-diastole and
end-systole), frames.csv (area and volume of each frame), beats.csv (the ejection fraction of each
beat by disks along the long axis) and summary.json (their mean). Not for diagnosis.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from launch import add_common_arguments, load_config, override
from mistakes import UserError, report_user_errors
from results_folder import refuse_other_results
from rich.progress import track

from echocardmae_mm.apis import Segmentation, load_model, segment_recording
from echocardmae_mm.apis.segment_recording import CROPS
from echocardmae_mm.datasets.recordings import Recording, open_recording
from echocardmae_mm.evaluation.area_curve import area_curve
from echocardmae_mm.evaluation.beats import Beat, find_beats
from echocardmae_mm.evaluation.segmentation_plot import draw_outlines
from echocardmae_mm.evaluation.volumes import largest_part, single_plane_volume
from echocardmae_mm.utils.atomic_files import atomic_write_text, json_text, verify_frame_count

VENTRICLE = 'left ventricle'
ASSUMED_FPS = 50.0
SUMMARY = 'summary.json'
ORIGIN = 'file', 'config', 'checkpoint', 'crop'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('file', help='the recording')
    parser.add_argument('config', help='path of a segmentation config')
    parser.add_argument('checkpoint', help='path of the checkpoint')
    parser.add_argument('--out', type=Path, required=True, help='folder of the results')
    parser.add_argument(
        '--crop',
        choices=CROPS,
        default='auto',
        help='what the model is shown: the square around the sector, or the frames as they are',
    )
    parser.add_argument('--force', action='store_true', help='replace what is in --out')
    parser.add_argument('--work-dir', help=argparse.SUPPRESS)
    add_common_arguments(parser)
    return parser.parse_args()


def origin_of(result: dict[str, Any]) -> dict[str, str]:
    """What a summary says that it is of."""
    return {name: result[name] for name in ORIGIN}


def measure(masks: np.ndarray, recording: Recording) -> tuple[pd.DataFrame, list[Beat]]:
    """Area and volume of the ventricle in each frame, and its beats."""
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
    """Write the recording with the outlines on it, and its instants named."""
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
    """The ejection fraction, and what it rests on."""
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
def main() -> None:
    args = parse_args()
    if not Path(args.file).is_file():
        raise UserError(f'{args.file}: no such recording')
    if '://' not in args.checkpoint and not Path(args.checkpoint).is_file():
        raise UserError(f'{args.checkpoint}: no such checkpoint')
    refuse_other_results(args.out / SUMMARY, origin_of(vars(args)), origin_of, args.force)
    config = load_config(args)
    override(config, args.cfg_options)
    if 'decode_head' not in config.model:
        raise UserError(f'{args.config}: is no segmentation config')
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
        raise UserError(f'{args.checkpoint}: segments {", ".join(found.classes)}, no {VENTRICLE}')
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
        print('no beat found: the outlined ventricle moves too little, or is not outlined')
    if lost := int((table['area_pixels'] == 0).sum()):
        print(f'in {lost} of {len(table)} frames no ventricle is outlined')
    print(f'Everything is in {args.out}')


if __name__ == '__main__':
    main()
