"""Find the sector of a recording."""

from __future__ import annotations

from typing import Any

from echocardmae_mm.datasets.transforms.crop_to_sector import find_sector_box
from echocardmae_mm.datasets.transforms.echo_transform import EchoTransform
from echocardmae_mm.registry import TRANSFORMS
from echocardmae_mm.utils.errors import RecordingError, UserError


@TRANSFORMS.register_module()
class FindSector(EchoTransform):
    """Find the sector of each recording, for ``SectorMask(sector='auto')``.

    Put it between the last ``Resize`` and ``FormatShape``. It keeps a ``sector_mask`` from an
    earlier transform such as :class:`CropToSector`.

    Required Keys:

        - imgs (list[np.ndarray]): Frames, uint8 RGB of shape (H, W, 3).
        - sector_mask (bool (H, W), optional)

    Added Keys:

        - sector_mask (bool (H, W))

    Args:
        min_area (float): Smallest accepted sector, as a fraction of the frame in [0, 1). If it
            exceeds ``1 - mask_ratio``, SectorMask always finds tokens to mask. Defaults to 0.25.
    """

    def __init__(self, min_area: float = 0.25) -> None:
        if not 0 <= min_area < 1:
            raise UserError(f'FindSector: min_area={min_area} must lie in [0, 1)')
        self.min_area = min_area

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add ``sector_mask``.

        Raises:
            UserError: If ``FormatShape`` ran before.
            RecordingError: If no sector is found, or it is too small.
        """
        filename = results.get('filename', 'recording')
        if 'sector_mask' not in results:
            frames = results['imgs']
            if frames[0].ndim != 3:
                raise UserError(
                    'FindSector needs a list of frames (H, W, 3): put it before FormatShape'
                )
            _, results['sector_mask'] = find_sector_box(frames, filename)
        area = results['sector_mask'].mean()
        if area < self.min_area:
            raise RecordingError(
                filename,
                f'its sector covers {100 * area:.0f} % of the frame, less than '
                f'{100 * self.min_area:.0f} % (min_area of FindSector)',
            )
        return results
