"""Write phantoms like EchoNet-Dynamic, including the anomalies of the real data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from echocardmae_mm.phantom.recording import Phantom, make_phantom
from echocardmae_mm.phantom.reproducible_files import write_avi
from echocardmae_mm.phantom.truth import write_rows, write_truth

FOLDER = 'EchoNet-Dynamic'
_CODE = 1


@dataclass(frozen=True)
class Recording:
    """One video of the set to generate.

    Args:
        index (int): Number of the video, part of the seed.
        name (str): File name without extension.
        split (str): 'TRAIN', 'VAL' or 'TEST'.
        anomaly (str): '' for a clean video, 'large' (an untraced 768 x 1024 screen), 'odd' (a
            tracing without exactly 21 rows), 'short' (28 to 60 frames) or 'unlisted' (traced, but
            not listed). Defaults to ''.
    """

    index: int
    name: str
    split: str
    anomaly: str = ''


def plan(count: int, seed: int) -> list[Recording]:
    """Plan a set of ``count`` listed videos, with anomalies in the proportions of the real set.

    With eight videos or more, one in a thousand (at least one) is a large untraced screen, one in a
    hundred is oddly traced, one in two hundred is short, and one more video is traced but not
    listed.
    """
    rng = np.random.default_rng([seed, _CODE])
    names = [
        f'0X{int(rng.integers(0, 2**63, dtype=np.uint64)) * 2 + 1:016X}' for _ in range(count + 1)
    ]
    tenth = max(1, round(count / 8)) if count >= 3 else 0
    splits = ['TRAIN'] * (count - 2 * tenth) + ['VAL'] * tenth + ['TEST'] * tenth
    splits = [splits[i] for i in rng.permutation(count)]
    anomalies = [''] * count
    if count >= 8:
        kinds = ('large', 'odd', 'short')
        shares = (max(1, round(count / 1000)), max(1, count // 100), max(1, count // 200))
        free = iter(np.flatnonzero([split == 'TRAIN' for split in splits]))
        for kind, share in zip(kinds, shares):
            for _ in range(share):
                anomalies[next(free)] = kind
    recordings = [Recording(i, names[i], splits[i], anomalies[i]) for i in range(count)]
    if count >= 8:
        recordings.append(Recording(count, names[count], 'TRAIN', 'unlisted'))
    return recordings


def write_recording(root: Path, recording: Recording, seed: int, variant: str) -> dict[str, Any]:
    """Generate one video with its truth, and return its rows for the lists.

    Returns:
        dict: ``listed`` (row of FileList.csv or None), ``traced`` (rows of VolumeTracings.csv) and
        ``truth`` (row of the truth list).
    """
    path = [seed, _CODE, recording.index]
    large, short = recording.anomaly == 'large', recording.anomaly == 'short'
    rng = np.random.default_rng([*path, 7])
    frames = int(rng.integers(28, 61)) if short or large else None
    phantom = make_phantom(
        path, variant, screen='vendor' if large else 'echonet', num_frames=frames
    )
    write_avi(root / FOLDER / 'Videos' / f'{recording.name}.avi', phantom.frames, phantom.fps)
    truth = write_truth(root / 'truth' / FOLDER / f'{recording.name}.npz', phantom)
    height, width = phantom.frames.shape[1:3]
    listed = {
        'FileName': recording.name,
        'EF': phantom.ef,
        'ESV': phantom.esv,
        'EDV': phantom.edv,
        'FrameHeight': height,
        'FrameWidth': width,
        'FPS': round(phantom.fps),
        'NumberOfFrames': len(phantom.frames),
        'Split': recording.split,
    }
    return {
        'listed': None if recording.anomaly == 'unlisted' else listed,
        'traced': [] if large else _trace(phantom, recording, rng),
        'truth': {**truth, 'split': recording.split, 'anomaly': recording.anomaly},
    }


def _trace(
    phantom: Phantom, recording: Recording, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Make rows of VolumeTracings.csv, small ventricle first, as the official loader expects."""
    rows = []
    for frame in (phantom.es, phantom.ed):
        chords = phantom.heart.tracing(frame)
        if recording.anomaly == 'odd' and frame == phantom.ed:
            chords = chords[: int(rng.integers(12, 21))]
        for chord in chords.tolist():
            ends = zip(('X1', 'Y1', 'X2', 'Y2'), (round(value, 8) for value in chord))
            rows.append({'FileName': f'{recording.name}.avi', **dict(ends), 'Frame': frame})
    return rows


def write_lists(root: Path, written: Sequence[dict[str, Any]]) -> None:
    """Write FileList.csv, VolumeTracings.csv and the truth list, sorted by file name."""
    listed = sorted((w['listed'] for w in written if w['listed']), key=lambda r: r['FileName'])
    by_name = sorted(written, key=lambda w: w['truth']['name'])
    write_rows(root / FOLDER / 'FileList.csv', listed)
    write_rows(root / FOLDER / 'VolumeTracings.csv', [row for w in by_name for row in w['traced']])
    write_rows(root / 'truth' / f'{FOLDER}.csv', [w['truth'] for w in by_name])
