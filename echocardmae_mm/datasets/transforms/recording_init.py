"""Open the recording of a sample."""

from __future__ import annotations

from typing import Any

from echocardmae_mm.datasets.recordings import Recording, open_recording
from echocardmae_mm.datasets.transforms.echo_transform import EchoTransform
from echocardmae_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RecordingInit(EchoTransform):
    """Open a video, DICOM, NIfTI or MetaImage file, or its copy in a store, without decoding.

    Frame rate and spacing come from the file or, if missing there, from the data set. ``override``
    takes precedence over both.

    Required Keys:

        - filename (str)
        - packed (tuple[PackedStore, str], optional): A store and the recording's name in it.
        - fps (float, optional)
        - spacing (tuple[float, float], optional)
        - override (dict, optional): Any of ``fps`` and ``spacing``.

    Added Keys:

        - recording (Recording)
        - total_frames (int): Frames that can be decoded.
        - avg_fps (float | None): Frames per second.
        - spacing (tuple[float, float] | None): Height and width of a pixel in mm.
        - region (tuple[int, int, int, int] | None): Left, top, right, bottom of the ultrasound
          image in pixels, right and bottom exclusive.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Open the file.

        Raises:
            RecordingError: If the file is missing, damaged or not a B-mode recording.
        """
        if 'packed' in results:
            store, name = results['packed']
            recording: Recording = store.open(name, results['filename'])
        else:
            recording = open_recording(results['filename'])
        results['recording'] = recording
        results['total_frames'] = len(recording)
        override = results.get('override', {})
        results['avg_fps'] = override.get('fps') or recording.fps or results.get('fps')
        results['spacing'] = override.get('spacing') or recording.spacing or results.get('spacing')
        results['region'] = recording.region
        return results
