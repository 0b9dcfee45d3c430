"""Patients of CAMUS as its owners ship them, in both releases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import SimpleITK


def write_view(
    folder: Path,
    view: str,
    info: str,
    images: Mapping[str, np.ndarray],
    suffix: str = '.nii.gz',
    spacing: tuple[float, float] = (1.0, 1.0),
) -> None:
    """Write the cfg file of a view and its images (H, W) or (T, H, W) into a patient's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f'Info_{view}.cfg').write_text(info)
    for name, pixels in images.items():
        image = SimpleITK.GetImageFromArray(pixels)
        image.SetSpacing((*spacing[::-1], 1.0)[: pixels.ndim])
        SimpleITK.WriteImage(image, str(folder / f'{folder.name}_{view}_{name}{suffix}'))
