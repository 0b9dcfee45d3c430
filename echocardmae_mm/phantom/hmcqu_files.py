"""Write phantoms like HMC-QU on Kaggle: two views, workbooks of segment labels, wall masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from openpyxl import Workbook

from echocardmae_mm.phantom.patient import SEGMENTS, draw_patient
from echocardmae_mm.phantom.recording import make_phantom
from echocardmae_mm.phantom.reproducible_files import write_avi, write_mat, write_xlsx
from echocardmae_mm.phantom.truth import write_rows, write_truth
from echocardmae_mm.phantom.variants import get_variant

FOLDER = 'HMC-QU'
MASKS = 'LV Ground-truth Segmentation Masks'
_CODE = 3
_TICK = 'ü'
_MASK_SIZE = 224


@dataclass(frozen=True)
class Recording:
    """One recording of the set to generate.

    Args:
        index (int): Number of the recording, part of the seed.
        name (str): File name without extension, with the irregular spelling of the real set, which
            reveals the label.
        view (str): 'A4C' or 'A2C'.
        infarcted (bool): Whether the wall motion of a region is abnormal.
        traced (bool): Whether the wall is traced; true for two thirds of the A4C recordings.
    """

    index: int
    name: str
    view: str
    infarcted: bool
    traced: bool


def plan(count: int, seed: int) -> list[Recording]:
    """Plan ``count`` A4C and as many A2C recordings, 57 % with an infarction."""
    rng = np.random.default_rng([seed, _CODE])
    sick = round(count * 93 / 162)
    infarcted = [bool(i < sick) for i in rng.permutation(count)]
    traced = [bool(i < max(1, round(count * 109 / 162))) for i in rng.permutation(count)]
    recordings = []
    for i in range(count):
        number, take = i + 1, 1 + i % 3
        if infarcted[i]:
            names = f'ES{number:04d} _4CH_{take}', f'ES{number:04d}_CH2_{take}'
        else:
            names = f'ES{number:06d} n_4CH_{take}', f'ES{number:05d} N_2CH_{take}'
        recordings.append(Recording(i, names[0], 'A4C', infarcted[i], traced[i]))
        recordings.append(Recording(i, names[1], 'A2C', infarcted[i], False))
    return recordings


def write_recording(root: Path, recording: Recording, seed: int, variant: str) -> dict[str, Any]:
    """Generate one recording with its masks, and return its rows for workbook and truth list.

    Returns:
        dict: ``view``, ``row`` (name, six segments, first and last frame of a cycle counted from 1,
        tick) and ``truth``.
    """
    population = get_variant(variant)
    patient = draw_patient(
        np.random.default_rng([seed, _CODE, recording.index]),
        fps=25.0,
        infarction=recording.infarcted,
        poor_share=population.poor_share,
    )
    beat = 25.0 * 60.0 / patient.heart_rate
    four = recording.view == 'A4C'
    path = [seed, _CODE, recording.index, int(four)]
    rng = np.random.default_rng([*path, 7])
    phantom = make_phantom(
        path,
        variant,
        screen='vendor' if rng.random() < 0.1 else 'hmcqu',
        view='4ch' if four else '2ch',
        patient=replace(patient, num_frames=int(np.ceil(2.7 * beat))),
    )
    folder = root / FOLDER
    avi = folder / 'HMC-QU' / recording.view / f'{recording.name}.avi'
    write_avi(avi, phantom.frames, phantom.fps)
    # The first whole cycle, R wave to R wave, in frames counted from 1.
    first, last = int(phantom.r_waves[0]) + 1, int(phantom.r_waves[1])
    if recording.traced:
        wall = np.stack([_shrink(labels == 2) for labels in phantom.labels[first - 1 : last]])
        write_mat(folder / MASKS / f'Mask_{recording.name}.mat', 'predicted', wall)
    abnormal = [int(share < 0.7) for share in phantom.patient.wall_motion]
    truth = write_truth(root / 'truth' / FOLDER / f'{recording.name}.npz', phantom)
    return {
        'view': recording.view,
        'row': [recording.name, *abnormal, first, last, _TICK if recording.traced else None],
        'truth': {**truth, 'view': recording.view, 'start': first, 'end': last},
    }


def _shrink(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    size = (_MASK_SIZE, _MASK_SIZE)
    return cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT)


def write_lists(root: Path, written: Sequence[dict[str, Any]]) -> None:
    """Write the workbook of each view, with headers of two rows, and the truth list."""
    for view in sorted({w['view'] for w in written}, reverse=True):
        book = Workbook()
        sheet = book.active
        sheet.title = view
        head = ['ECHO', *SEGMENTS, 'One cardiac-cycle frames', None]
        below = [None] * (1 + len(SEGMENTS)) + ['START', 'END']
        if view == 'A4C':
            head, below = [*head, 'LV Wall Ground-truth Segmentation Masks'], [*below, None]
        width = len(head)
        for row in (head, below, *(w['row'][:width] for w in written if w['view'] == view)):
            sheet.append(row)
        sheet.merge_cells(start_row=1, start_column=8, end_row=1, end_column=9)
        write_xlsx(root / FOLDER / f'{view}.xlsx', book)
    write_rows(root / 'truth' / f'{FOLDER}.csv', [w['truth'] for w in written])
