"""Read and write the truth of recordings, stored next to the data sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from echocardmae_mm.phantom.patient import SEGMENTS
from echocardmae_mm.phantom.recording import Phantom
from echocardmae_mm.utils.errors import UserError


def pack_labels(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pack labels 0 to 3 into two bit planes, (2, T, H, ceil(W / 8)) uint8."""
    return np.stack([np.packbits(plane, axis=-1) for plane in (labels & 1, labels >> 1)])


def unpack_labels(planes: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """Unpack the result of :func:`pack_labels`: (T, H, W) uint8 with labels 0 to 3."""
    low, high = np.unpackbits(planes, axis=-1, count=width)
    return low | (high << 1)


def write_truth(path: Path, phantom: Phantom) -> dict[str, Any]:
    """Write the truth of a recording, and return its row for the truth list.

    The file contains ``sector_mask`` (H, W) bool, ``label_planes`` (see :func:`read_truth`),
    ``volumes`` (T,) mL, ``contraction`` (T,), ``r_waves``, ``ed`` and ``es`` (frames) and
    ``spacing`` (mm).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        sector_mask=phantom.sector_mask,
        label_planes=pack_labels(phantom.labels),
        volumes=phantom.volumes,
        contraction=phantom.heart.contraction,
        r_waves=phantom.r_waves,
        spacing=np.array(phantom.spacing),
        ed=np.array(phantom.ed),
        es=np.array(phantom.es),
    )
    patient = phantom.patient
    return {
        'name': path.stem,
        'ef': phantom.ef,
        'edv': phantom.edv,
        'esv': phantom.esv,
        'ed': phantom.ed,
        'es': phantom.es,
        'fps': phantom.fps,
        'frames': len(phantom.frames),
        'heart_rate': patient.heart_rate,
        'quality': patient.quality,
        'shape': phantom.shape_class,
        'infarcted': int(phantom.infarcted),
        **dict(zip(SEGMENTS, patient.wall_motion)),
    }


def read_truth(path: str | Path) -> dict[str, NDArray[Any]]:
    """Read a truth file and unpack its labels.

    Returns:
        dict[str, np.ndarray]: The file's arrays, with ``labels`` (T, H, W) uint8 (0 background, 1
        left ventricle, 2 its wall, 3 left atrium) instead of ``label_planes``.
    """
    with np.load(path) as archive:
        truth = {key: archive[key] for key in archive.files}
    planes = truth.pop('label_planes')
    truth['labels'] = unpack_labels(planes, truth['sector_mask'].shape[1])
    return truth


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write dictionaries with equal keys as a CSV file with a header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(path, index=False)


def echonet_rows(root: Path) -> list[dict[str, str]]:
    """Truth list in a folder of ``echocardmae phantoms``, without frames of another size.

    Raises:
        UserError: If there is no list, or an earlier version wrote it.
    """
    path = root / 'truth' / 'EchoNet-Dynamic.csv'
    remedy = f'make it with echocardmae phantoms --out {root}'
    if not path.is_file():
        raise UserError(f'{path}: no such file; {remedy}')
    rows = pd.read_csv(path, dtype=str, na_filter=False)
    if 'anomaly' not in rows:
        raise UserError(f'{path}: has no column anomaly; remove the folder, and {remedy}')
    return rows[rows['anomaly'] != 'large'].to_dict('records')
