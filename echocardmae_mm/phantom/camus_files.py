"""Write phantoms like CAMUS's NIfTI release: half cycles of both apical views, all traced."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import nibabel
import numpy as np
from numpy.typing import NDArray

from echocardmae_mm.phantom.patient import draw_patient
from echocardmae_mm.phantom.recording import Phantom, make_phantom
from echocardmae_mm.phantom.truth import write_rows, write_truth
from echocardmae_mm.phantom.variants import get_variant
from echocardmae_mm.utils.synthetic_mark import SYNTHETIC_MARK

FOLDER = 'CAMUS'
_CODE = 2


@dataclass(frozen=True)
class Recording:
    """One patient of the set to generate.

    Args:
        index (int): Number of the patient, part of the seed.
        name (str): Name such as 'patient0001'.
        split (str): 'training', 'validation' or 'testing'.
        backwards (bool): Whether the half sequences run from end-systole to end-diastole.
    """

    index: int
    name: str
    split: str
    backwards: bool


def plan(count: int, seed: int) -> list[Recording]:
    """Plan ``count`` patients, split 80/10/10 %, one in 25 (at least one of six) backwards."""
    rng = np.random.default_rng([seed, _CODE])
    tenth = max(1, round(count / 10)) if count >= 3 else 0
    splits = ['training'] * (count - 2 * tenth) + ['validation'] * tenth + ['testing'] * tenth
    splits = [splits[i] for i in rng.permutation(count)]
    reversed_count = max(1, round(count / 25)) if count >= 6 else 0
    backwards = set(rng.permutation(count)[:reversed_count].tolist())
    return [Recording(i, f'patient{i + 1:04d}', splits[i], i in backwards) for i in range(count)]


def write_recording(root: Path, recording: Recording, seed: int, variant: str) -> dict[str, Any]:
    """Generate both views of a patient, and return the rows of the truth list.

    The views share ejection fraction, volumes and rhythm. Both cfg files contain the patient's
    ejection fraction, the mean over the views, as an integer.
    """
    rng = np.random.default_rng([seed, _CODE, recording.index])
    patient = draw_patient(
        rng,
        fps=float(rng.integers(42, 62)),
        num_frames=130,
        poor_share=get_variant(variant).poor_share,
    )
    sex, age = str(rng.choice(['F', 'M'])), int(rng.integers(25, 88))
    phantoms = {}
    for code, view in enumerate(('4ch', '2ch')):
        phantoms[view] = make_phantom(
            [seed, _CODE, recording.index, code],
            variant,
            screen='camus',
            view=view,
            only_systole=True,
            patient=patient,
        )
    ef = round(float(np.mean([phantom.ef for phantom in phantoms.values()])))
    folder = root / FOLDER / 'database_nifti' / recording.name
    rows = []
    for view, phantom in phantoms.items():
        stem = f'{recording.name}_{view.upper()}'
        _write_view(folder, stem, phantom, recording.backwards)
        about = {'Sex': sex, 'Age': age, 'ImageQuality': patient.quality, 'EF': ef}
        _write_cfg(folder / f'Info_{view.upper()}.cfg', phantom, recording.backwards, about)
        row = write_truth(root / 'truth' / FOLDER / f'{stem}.npz', phantom)
        rows.append({**row, 'split': recording.split, 'backwards': int(recording.backwards)})
    return {'name': recording.name, 'split': recording.split, 'truth': rows}


def _write_cfg(path: Path, phantom: Phantom, backwards: bool, about: dict[str, Any]) -> None:
    last = len(phantom.frames)
    ed, es = (last, 1) if backwards else (1, last)
    lines = {'ED': ed, 'ES': es, 'NbFrame': last, **about, 'FrameRate': f'{phantom.fps:.1f}'}
    path.write_text(''.join(f'{key}: {value}\n' for key, value in lines.items()), encoding='utf-8')


def _write_view(folder: Path, stem: str, phantom: Phantom, backwards: bool) -> None:
    """Write end-diastole, end-systole and the half sequence, each with its labels."""
    folder.mkdir(parents=True, exist_ok=True)
    grey = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in phantom.frames])
    order = slice(None, None, -1 if backwards else 1)
    parts = {
        'ED': (grey[phantom.ed], phantom.labels[phantom.ed]),
        'ES': (grey[phantom.es], phantom.labels[phantom.es]),
        'half_sequence': (grey[order], phantom.labels[order]),
    }
    for name, (image, labels) in parts.items():
        _write_nifti(folder / f'{stem}_{name}.nii.gz', image, phantom.spacing)
        _write_nifti(folder / f'{stem}_{name}_gt.nii.gz', labels, phantom.spacing)


def _write_nifti(path: Path, image: NDArray[np.uint8], spacing: tuple[float, float]) -> None:
    """Write (H, W) or (T, H, W) with the axes of the release: x, y and then time."""
    affine = np.diag([-spacing[1], -spacing[0], 1.0, 1.0])
    file = nibabel.Nifti1Image(np.ascontiguousarray(image.T), affine)
    file.header.set_xyzt_units('mm')
    file.header['descrip'] = SYNTHETIC_MARK
    # On a full disk, nibabel's own writer prints a traceback when its file is garbage-collected.
    path.write_bytes(gzip.compress(file.to_bytes(), compresslevel=1, mtime=0))


def write_lists(root: Path, written: Sequence[dict[str, Any]]) -> None:
    """Write the files of the official split and the truth list."""
    folder = root / FOLDER / 'database_split'
    folder.mkdir(parents=True, exist_ok=True)
    for split in ('training', 'validation', 'testing'):
        names = [w['name'] for w in written if w['split'] == split]
        (folder / f'subgroup_{split}.txt').write_text(
            ''.join(f'{name}\n' for name in names), encoding='utf-8'
        )
    write_rows(root / 'truth' / f'{FOLDER}.csv', [row for w in written for row in w['truth']])
